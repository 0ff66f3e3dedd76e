"""Which scored part counts for a raw part: the model in use may not be the one that read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from listeners.landing import RAW, Landing, Part


def kind_of(landing: Landing, kinds: Sequence[str], part: Part) -> str | None:
    """The first of these kinds that a raw part was scored as; None if it waits to be scored."""
    return next((kind for kind in kinds if landing.has(kind, part)), None)


def scored_parts(
    landing: Landing, kinds: Sequence[str], window: str | None = None
) -> Iterator[tuple[str, Part]]:
    """Every raw part that was scored, with the kind that counts, in the order of `Landing.parts`.

    See `outcry.settings.Settings.scored_kinds` for the kinds.
    """
    for part in landing.parts(RAW, window=window):
        if (kind := kind_of(landing, kinds, part)) is not None:
            yield kind, part
