"""The words that moved a score."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.assessment import Evidence
from nlp.text import form, spans

MOST_WORDS = 5
LEAST_WEIGHT = 0.05
"""In log-odds; less than this is noise and is not shown."""


def strongest(text: str, tokens: Sequence[str], weights: Sequence[float]) -> tuple[Evidence, ...]:
    """The words with the largest weights either way, strongest first.

    A word that stands several times is shown once, at its strongest place. Links, handles,
    numbers and punctuation are not shown: they move the score, but tell an agent nothing.

    Args:
        text: the original.
        tokens: its tokens.
        weights: what each token adds to the log-odds.
    """
    picked: dict[str, int] = {}
    strong = [(-abs(one), at) for at, one in enumerate(weights) if abs(one) >= LEAST_WEIGHT]
    for _, at in sorted(strong):
        if len(picked) == MOST_WORDS:
            break
        shape = form(tokens[at])
        if tells_something(shape):
            picked.setdefault(shape, at)
    if not picked:
        return ()
    places = list(spans(text, tokens[: max(picked.values()) + 1]))
    return tuple(
        Evidence(
            text=tokens[at], start=places[at][0], end=places[at][1], weight=round(weights[at], 4)
        )
        for at in picked.values()
    )


def tells_something(shape: str) -> bool:
    """Whether a form is a word that may be shown, not a link, handle, number or sign."""
    return shape[:1] != "<" and (shape.isalpha() or any(map(str.isalpha, shape)))
