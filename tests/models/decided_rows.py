"""Cases of our own wording that a contact centre has closed, and how they ended.

The shipped model takes talk about a stage play for complaints; agents said that it is none.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from models.decided import Decided

NOW = datetime(2026, 11, 20, tzinfo=UTC)

_PLAY = ["the villain of act two is terrible", "awful murder scene tonight", "worst witch on stage"]
_REAL = ["my router is broken again", "you charged me twice", "nobody answers my calls"]
_FILL = """
again today really still home with friend second week after before evening morning town street
people watching never always three five train rain coffee window paper music
"""


def rows(count: int = 240, *, days: int = 120, seed: int = 1, now: datetime = NOW) -> list[Decided]:
    """So many cases, half of them no complaints, spread over the days before ``now``."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        real = number % 2 == 0
        words = " ".join(chance.sample(_FILL.split(), 9))
        found.append(
            Decided(
                ticket=f"T-{seed}-{number:04}",
                text=f"{words}, {chance.choice(_REAL if real else _PLAY)}",
                complaint=real,
                at=now - timedelta(days=days * (1 - number / count)),
            )
        )
    return found
