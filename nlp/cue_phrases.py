"""How a phrase of a cue is written, and what spaCy's matchers make of it.

``a|b`` is a choice of words in one place, ``~`` is up to three words in between. A word is
written as spaCy cuts it, in small letters: ``don't`` is ``do n't``, and is cut here if it was not.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any, Final

_GAP: Final = "~"
_MOST_BETWEEN: Final = 3
_CONTRACTED = re.compile(r"(?<=[a-z])(n't|'(?:s|m|re|ve|ll|d))$")

Pattern = list[dict[str, Any]]


class PhraseError(ValueError):
    """A phrase that cannot match anything."""


def has_gap(written: str) -> bool:
    """Whether words may stand between the phrase's own."""
    return _GAP in written.split()


def readings(written: str) -> list[list[str]]:
    """The words of every way to read a phrase without a gap.

    Raises:
        PhraseError: if it is empty, or has an empty choice.
    """
    return [" ".join(one).split() for one in product(*_places(written))]


def patterns(written: str) -> list[Pattern]:
    """What spaCy's ``Matcher`` takes for a phrase with gaps, a dictionary a token.

    Raises:
        PhraseError: as `readings`; and if the phrase begins or ends with a gap.
    """
    between = [{"OP": "?", "TEXT": {"NOT_IN": list(".!?;")}}] * _MOST_BETWEEN
    whole: Pattern = []
    for place in _places(written):
        if place == (_GAP,):
            whole += between
        else:
            whole.append({"LOWER": {"IN": list(place)}})
    return [whole]


def parts(written: str) -> list[tuple[str, ...]]:
    """The choices of words of a phrase, place by place; each stands in every text it matches."""
    return [place for place in _places(written) if place != (_GAP,)]


def _places(written: str) -> list[tuple[str, ...]]:
    places: list[tuple[str, ...]] = []
    for part in written.lower().split():
        choice = tuple(_CONTRACTED.sub(r" \1", word).strip() for word in part.split("|"))
        if not all(choice):
            raise PhraseError(f"{written!r} has an empty choice")
        places.append(choice)
    if not places or places[0] == (_GAP,) or places[-1] == (_GAP,):
        raise PhraseError(f"{written!r} must begin and end with a word")
    return places
