"""Score: every raw part that the model has not assessed yet, however small the parts are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from listeners.errors import LandingError
from listeners.landing import Landing, Part
from listeners.mention import Mention
from nlp.assessment import Assessment, Passage
from nlp.assessment import encode as encode_assessment
from nlp.workers import Workers

WRITERS = 4
"""Parts that are written at once: a disk, and more so a server, is slow to say that it has them."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of `outcry.pipeline.score` did."""

    parts: int = 0
    mentions: int = 0
    complaints: int = 0
    unread: int = 0
    """Mentions in a language that the model does not read."""


def score_parts(
    landing: Landing,
    kind: str,
    parts: Sequence[Part],
    assessor: Workers,
    written: Callable[[Part], None],
) -> Scored:
    """Write the assessments of these raw parts as ``kind``; tells of each that is ``written``.

    Texts are read in the order of the parts and across their borders, so that small parts keep
    several processes busy. A few thousand texts are held at a time.

    Raises:
        LandingError: if a part cannot be read or written; those before it are written.
    """
    mentions = complaints = unread = 0
    waiting: deque[tuple[Part, Future[int]]] = deque()
    with ThreadPoolExecutor(WRITERS) as pool:
        for part, found in _assessed(landing, parts, assessor):
            lines = [encode_assessment(one) for one in found]
            waiting.append((part, pool.submit(landing.write_part, kind, part, lines)))
            mentions += len(found)
            complaints += sum(one.complaint is True for one in found)
            unread += sum(one.complaint is None for one in found)
            if len(waiting) > WRITERS:
                written(_durable(*waiting.popleft()))
        while waiting:
            written(_durable(*waiting.popleft()))
    return Scored(parts=len(parts), mentions=mentions, complaints=complaints, unread=unread)


def _durable(part: Part, writing: Future[int]) -> Part:
    writing.result()
    return part


def _assessed(
    landing: Landing, parts: Sequence[Part], assessor: Workers
) -> Iterator[tuple[Part, list[Assessment]]]:
    """Each part with one assessment for each of its mentions, in order."""
    begun: deque[tuple[Part, int]] = deque()
    trouble: list[LandingError] = []

    def passages() -> Iterator[Passage]:
        for part in parts:
            try:
                said = [one for one in landing.records(part) if isinstance(one, Mention)]
            except LandingError as error:
                trouble.append(error)
                return
            begun.append((part, len(said)))
            yield from map(passage, said)

    found: list[Assessment] = []
    for one in assessor.stream(passages()):
        while len(found) == begun[0][1]:
            yield begun.popleft()[0], found
            found = []
        found.append(one)
    while begun:
        yield begun.popleft()[0], found
        found = []
    if trouble:
        raise trouble[0]


def passage(mention: Mention) -> Passage:
    """What of a mention is read."""
    return Passage(
        uid=mention.uid,
        text=mention.text,
        title=mention.title,
        lang=mention.lang,
        rating=mention.rating,
        rating_max=mention.rating_max,
    )
