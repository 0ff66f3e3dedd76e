"""E-mails of a file in mbox form, from a place on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from listeners.errors import BadTarget, TargetGone

_ESCAPED = re.compile(rb">+From ")

MOST = 1024 * 1024
"""Bytes that are read of one message; the rest is mostly attachments."""


def messages(path: Path, offset: int) -> Iterator[tuple[bytes, bool, int]]:
    """The messages from ``offset`` on: the source, whether it was cut, and the offset after it.

    Begins at the start if no message begins at ``offset``: then the file was written anew,
    or its last message was not complete before.

    Raises:
        TargetGone: if there is no such file.
        BadTarget: if it cannot be read or is no mbox.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            head = file.readline()
            if offset and not _begins_here(head, path, offset):
                file.seek(0)
                offset, head = 0, file.readline()
            if head and not head.startswith(b"From "):
                raise BadTarget(f"{path} does not begin with 'From ': export it as mbox")
            taken: list[bytes] = []
            size, end = 0, offset + len(head)
            blank = False
            for line in file:
                if blank and line.startswith(b"From "):
                    yield b"".join(taken), size > MOST, end
                    taken, size = [], 0
                elif size <= MOST:
                    taken.append(line[1:] if _ESCAPED.match(line) else line)
                    size += len(line)
                blank = line in (b"\n", b"\r\n")
                end += len(line)
            if head:
                yield b"".join(taken), size > MOST, end
    except FileNotFoundError as error:
        raise TargetGone(f"{path} is not there: correct path") from error
    except OSError as error:
        raise BadTarget(f"{path} cannot be read ({error.strerror}): correct path") from error


def _begins_here(head: bytes, path: Path, offset: int) -> bool:
    """A message, or the end of the file."""
    return head.startswith(b"From ") or (not head and path.stat().st_size == offset)
