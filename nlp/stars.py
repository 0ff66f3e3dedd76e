"""What a reviewer's stars say beside the words.

None of the labelled sets has stars, so the weight is a prior and not measured: the worst rating
multiplies the odds of a complaint by e squared, about seven, the best divides them by as much,
the middle one leaves them.
"""

from __future__ import annotations

_WEIGHT = 4.0


def stars(rating: float | None, highest: float | None) -> float | None:
    """A rating between 0, the worst, and 1, the best; None without a scale that makes sense.

    A scale starts at one, as with stars, unless it ends there; what is outside is cut off.
    """
    if rating is None or highest is None or not highest >= 1 or rating != rating:
        return None
    lowest = 1.0 if highest > 1 else 0.0
    return min(1.0, max(0.0, (rating - lowest) / (highest - lowest)))


def shift(own: float | None) -> float:
    """What stars add to the log-odds of a complaint."""
    return 0.0 if own is None else _WEIGHT * (0.5 - own)
