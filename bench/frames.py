"""How fast are frames, and how much memory do they take? ``python -m bench.frames [--posts N]``.

Fills an embedded store with made posts and reads it three ways, each in a process of its own:
chunk by chunk, whole without texts, whole. Prints rows a second and the peak memory above that of
a process that has only imported what it needs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.stream import START, texts_of
from insight.frames import Frames
from triage.store import open_store
from triage.store.base import StoredMention
from triage.store.records import batches

WAYS: Final = ("chunks", "without texts", "whole")
FEW: Final = ["uid", "created_at", "source", "department", "severity", "complaint"]


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=200_000)
    count: int = parser.parse_args().posts
    with TemporaryDirectory() as place:
        path = Path(place) / "outcry.db"
        fill(path, count)
        for way in WAYS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows, seconds, megabytes = pool.apply(read, (path, way))
            print(f"{way:14} {rows / seconds:9,.0f} rows/s {megabytes:6.0f} MB", flush=True)


def fill(path: Path, count: int) -> None:
    """So many posts, one a second."""
    store = open_store("sqlite", path=path)
    store.setup()
    for some in batches(list(enumerate(texts_of(count))), 5000):
        store.save_mentions([_post(at, text) for at, text in some])
    store.close()


def read(path: Path, way: str) -> tuple[int, float, float]:
    """Rows, seconds and megabytes of one way."""
    data = Frames(open_store("sqlite", path=path))
    before, begin = _peak(), time.perf_counter()
    if way == "chunks":
        rows = sum(map(len, data.mention_chunks()))
    else:
        rows = len(data.mentions(FEW if way == "without texts" else None))
    return rows, time.perf_counter() - begin, _peak() - before


def _post(at: int, text: str) -> StoredMention:
    given: dict[str, Any] = {"uid": f"{at:032}", "native_id": str(at), "text": text}
    return StoredMention(
        **given,
        source="mastodon",
        kind="post",
        created_at=START + timedelta(seconds=at),
        collected_at=START + timedelta(seconds=at + 60),
        content_hash="0",
        thread=f"{at:032}",
        fingerprint=str(at),
        customer=f"{at % 5000:032}",
        complaint=at % 3 == 0,
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
