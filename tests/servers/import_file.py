"""The station of files: an export as its sender makes it, anew for each run.

Shaped from the exports that operators have: JSON Lines with the usual names.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from listeners.contract import Listener, Target
from listeners.sources.import_file import ImportFile, target_for
from tests.servers.station import BaseStation, Post

_NO_NETWORK = "a file is read from the disk: nobody answers"
_ANOTHER = "a file that changes is another file: the store knows its rows again"


class Station(BaseStation):
    """A file that grows."""

    source = "import"
    not_applicable = {
        **dict.fromkeys(("401", "403", "404", "429", "5xx", "timeout", "HTML"), _NO_NETWORK),
        "cut off": "a row that breaks off is a malformed row",
        "blocked": "an empty file is refused by name",
        "0 items": "an empty file is refused by name",
        "duplicates": "the pages of a file cannot overlap",
        **dict.fromkeys(("deleted", "edited", "clock ahead", "overflow"), _ANOTHER),
    }

    @contextmanager
    def open(self) -> Iterator[None]:
        """A folder for the file."""
        with tempfile.TemporaryDirectory() as folder:
            self._path = Path(folder) / "export.jsonl"
            yield

    def target(self) -> Target:
        """The file as it is now."""
        self._path.write_text("".join(map(_line, self.world.posts)))
        os.utime(self._path, (1_767_350_000, 1_767_350_000))
        return target_for(self._path)

    def listener(self) -> Listener:
        """As operators get it."""
        return ImportFile()


def _line(post: Post) -> str:
    row = {"id": post.number, "created_at": post.at.isoformat(), "text": post.text}
    if post.malformed:
        row["created_at"] = "yesterday"
    return json.dumps(row) + "\n"
