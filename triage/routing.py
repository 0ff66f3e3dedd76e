"""Which department can act on a text: examples, phrases and cues that point to one.

Where two departments or more have examples enough (`nlp.topics.LEAST_EXAMPLES`), a model learnt
from them decides, if it is certain enough, and says its calibrated probability. Where it is not,
or where phrases point to a department that the examples do not know, the phrases decide. What was
learnt from agents' corrections (`outcry.rerouting`) takes the place of that model.

A phrase matches whole words, whatever their case and simple endings (``bill`` finds ``bills``
and ``billed``). A longer phrase says more than a short one: each different phrase counts as many
points as it has words, a cue counts two. The department with most points has it; a tie, or
nothing found, is an abstention: people sort it by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from nlp.topics import Embed, Topics, learn
from nlp.topics_file import load_topics
from triage.departments import Department

CUES = {
    "legal": "legal and regulator",
    "regulator": "legal and regulator",
    "outage": "outages and faults",
    "refund": "cancellations and refunds",
    "fraud": "account and security",
}
"""Cue to the department it points to, where a department of that name exists."""

CUE_POINTS = 2

CERTAIN = 0.6
"""The least probability with which the examples decide."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ADDRESS = re.compile(r"https?://\S+|@\w+")
_ENDINGS = ("ing", "ies", "ed", "es", "s", "y", "e")
_LONGEST_TEXT = 20_000


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text belongs and why."""

    department: str | None = None
    """None: the router abstains."""
    words: tuple[str, ...] = ()
    """The phrases and cues that pointed there; on a tie, those of all that are level."""
    probability: float | None = None
    """How likely it is the right one, where the examples decided; phrases do not know."""


class Router:
    """Departments compiled once; `route` is pure and keeps nothing.

    Args:
        departments: their order does not matter.
        embed: adds an encoder's sense of the examples to their words; see `nlp.topics`.
        topics: decide instead of what the examples teach; of departments that are there.
    """

    def __init__(
        self,
        departments: Sequence[Department],
        embed: Embed | None = None,
        topics: Topics | None = None,
    ) -> None:
        examples = {one.name: one.examples for one in departments}
        self._topics = learn(examples, embed) if topics is None else topics
        self._names = frozenset(department.name for department in departments)
        self._phrases: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        for department in departments:
            # Spellings that come to the same stems are one phrase, or they would count twice.
            for stems, phrase in {stem_words(p): p for p in reversed(department.phrases)}.items():
                if stems:
                    entry = (stems, phrase, department.name)
                    self._phrases.setdefault(stems[0], []).append(entry)

    def route(self, text: str, cues: Iterable[str] = ()) -> Route:
        """The department that the examples or most words of the text point to, or none."""
        by_words, found = self._by_words(text, cues)
        if self._topics is None or not text.strip():
            return by_words
        if by_words.department not in {None, *self._topics.labels}:
            return by_words
        read = self._topics.read([text])[0]
        # What was learnt a week ago may know a department that has gone since.
        chances = {name: chance for name, chance in read.items() if name in self._names}
        if not chances:
            return by_words
        best = max(chances, key=lambda name: (chances[name], name))
        if chances[best] < CERTAIN:
            return by_words
        words = tuple(sorted(found.get(best, ())))
        return Route(department=best, words=words, probability=chances[best])

    def _by_words(self, text: str, cues: Iterable[str]) -> tuple[Route, dict[str, dict[str, int]]]:
        """What phrases and cues say; and by department what was found and its points."""
        words = stem_words(text[:_LONGEST_TEXT])
        found: dict[str, dict[str, int]] = {}
        for at, word in enumerate(words):
            for stems, phrase, name in self._phrases.get(word, ()):
                if words[at : at + len(stems)] == stems:
                    found.setdefault(name, {})[phrase] = len(stems)
        for cue in cues:
            name = CUES.get(cue, "")
            if name in self._names:
                found.setdefault(name, {})[cue] = CUE_POINTS
        if not found:
            return Route(), found
        most = max(sum(points.values()) for points in found.values())
        best = sorted(name for name, points in found.items() if sum(points.values()) == most)
        pointers = tuple(sorted({phrase for name in best for phrase in found[name]}))
        return Route(department=best[0] if len(best) == 1 else None, words=pointers), found


@lru_cache(maxsize=4)
def router_of(departments: tuple[Department, ...], learnt: str = "") -> Router:
    """The router of some departments, learnt once a process, or read from the folder ``learnt``.

    Raises:
        nlp.errors.NlpError: if the folder cannot be used.
    """
    return Router(departments, topics=load_topics(Path(learnt)) if learnt else None)


def stem_words(text: str) -> tuple[str, ...]:
    """The words of a text, folded and without simple English endings; no links, no handles."""
    plain = _ADDRESS.sub(" ", text).casefold().replace("’", "'")
    return tuple(_stem(word) for word in _WORD.findall(plain))


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    undoubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou"
    return word[:-1] if undoubled else word
