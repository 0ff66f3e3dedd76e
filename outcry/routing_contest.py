"""Champion against challenger where a case is sent, on what agents said of it, and who wins.

A case that goes to the right department counts 1, one that goes to a wrong one -1, and one that is
left to people to sort 0. A challenger wins if its mean is surely higher on rows that taught neither
(in nineteen of twenty resamplings, the paired bootstrap of Efron, 1979), not lower in the last
weeks, and if of the cases that agents had left where they were it sends as many right, but for a
point: corrections alone would say that whatever is in use is always wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import numpy as np

from models.contest import SLACK, SURE, better_share, side_by_side
from models.decided import Split

Send = Callable[[Sequence["Routed"]], Sequence[str | None]]
"""The department of each row; None where it is left to people."""


class Routed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case belonged, by an agent's word, and the masked text that opened it."""

    ticket: str
    text: str
    cues: tuple[str, ...] = ()
    department: str
    corrected: bool
    """Whether the agent had to send it there; else it was closed where it was sent."""
    at: datetime


class RoutingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one router on some rows."""

    rows: int
    right: int
    wrong: int
    left: int
    """To people to sort."""

    @property
    def mean(self) -> float:
        """From -1, all wrong, to 1, all right."""
        return round((self.right - self.wrong) / self.rows, 4) if self.rows else 0.0


class RoutingCard(msgspec.Struct, frozen=True, kw_only=True):
    """One router on everything that the two are compared on."""

    model: str
    corrected: RoutingFigures
    kept: RoutingFigures
    """Of the cases that were closed where they had been sent."""
    latest: RoutingFigures
    """Of both kinds, those of the last weeks."""


class RoutingContest(msgspec.Struct, frozen=True, kw_only=True):
    """``contest.json``: the two cards, and how it ended."""

    champion: RoutingCard
    challenger: RoutingCard
    taught: int
    """Rows that the challenger learnt from, beside the settings' examples."""
    inputs: str
    """Digest of the rows, the settings, the day and the champion; the same again need not be
    trained."""
    better_share: float
    """Of the resamplings, how many saw the challenger's mean higher."""
    won: bool
    why: tuple[str, ...]


def routing_contest(
    names: tuple[str, str], senders: tuple[Send, Send], parts: Split[Routed], inputs: str
) -> RoutingContest:
    """Champion and challenger, in this order, on the same rows, and the verdict."""
    one, other = (_card(name, send, parts) for name, send in zip(names, senders, strict=True))
    points = [np.array(_points(send, parts.judged), dtype=np.float64) for send in senders]
    share = better_share(points[1] - points[0])
    faults = _faults(one, other, share)
    won = (f"its mean is higher in {share:.0%} of the resamplings, and nothing else got worse",)
    return RoutingContest(
        champion=one,
        challenger=other,
        taught=len(parts.taught),
        inputs=inputs,
        better_share=share,
        won=not faults,
        why=tuple(faults) or won,
    )


def routing_cards(found: RoutingContest) -> str:
    """Both cards side by side, as Markdown."""
    one, other = found.champion, found.challenger
    rows = []
    for name, left, right in (
        ("sent elsewhere by an agent", one.corrected, other.corrected),
        ("closed where they were sent", one.kept, other.kept),
        ("last weeks", one.latest, other.latest),
    ):
        rows += [
            (f"{name}, {field}", getattr(left, field), getattr(right, field))
            for field in ("rows", "right", "wrong", "left", "mean")
        ]
    return f"""{side_by_side(one.model, other.model, rows, found.won, found.why)}
The challenger learnt from the settings' examples and {found.taught} masked texts of cases that
agents had sent to another department, or had closed where they were. Right counts 1, wrong -1,
left to people 0. The rows taught neither.
"""


def _card(name: str, send: Send, parts: Split[Routed]) -> RoutingCard:
    return RoutingCard(
        model=name,
        corrected=_figures(send, [row for row in parts.judged if row.corrected]),
        kept=_figures(send, [row for row in parts.judged if not row.corrected]),
        latest=_figures(send, parts.latest),
    )


def _figures(send: Send, rows: Sequence[Routed]) -> RoutingFigures:
    points = _points(send, rows)
    counts = {value: points.count(value) for value in (1, -1, 0)}
    return RoutingFigures(rows=len(rows), right=counts[1], wrong=counts[-1], left=counts[0])


def _points(send: Send, rows: Sequence[Routed]) -> list[int]:
    return [
        0 if said is None else 1 if said == row.department else -1
        for row, said in zip(rows, send(rows), strict=True)
    ]


def _faults(one: RoutingCard, other: RoutingCard, share: float) -> list[str]:
    found = []
    if share < SURE:
        found.append(f"its mean is higher in only {share:.0%} of the resamplings, not {SURE:.0%}")
    if other.latest.mean < one.latest.mean:
        found.append(f"its mean in the last weeks is {other.latest.mean}, not {one.latest.mean}")
    lost = one.kept.right - other.kept.right
    if lost > SLACK * one.kept.rows:
        found.append(f"it loses {lost} of the {one.kept.right} that were sent right before")
    return found
