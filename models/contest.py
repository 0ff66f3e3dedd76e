"""Champion against challenger: their figures on the same rows, and who wins.

A challenger wins if it is surely better on what agents decided and worse nowhere: the mean loss
of the judged rows falls in nineteen of twenty resamplings (the paired bootstrap, Efron 1979), the
macro-F1 falls neither on the rows held out nor on those of the last weeks, and neither the
behavioural suite nor the labelled set, where there is one, loses more than a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.behaviour import cases, failures
from models.data import Row
from models.decided import Decided, Split
from models.metrics import calibration_error, macro_f1, precision_recall
from nlp.reader import Reader

Floats = npt.NDArray[np.float64]

SURE: Final = 0.95
"""The share of resamplings that have to agree."""
SLACK: Final = 0.01
SEED: Final = 7
_DRAWS: Final = 2_000
_TINY: Final = 1e-6


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one model on some rows."""

    rows: int
    complaints: int
    log_loss: float
    """Mean, in nats."""
    macro_f1: float
    precision: float
    recall: float
    calibration_error: float


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One model on everything that the two are compared on."""

    model: str
    held_out: Figures
    latest: Figures
    behaviour_failed: float
    """The share of the behavioural cases that it fails."""
    labelled_macro_f1: float | None = None
    """On the labelled complaints, which both have learnt from; None without them."""


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """``contest.json``: the two cards, and how it ended."""

    champion: Card
    challenger: Card
    taught: int
    """Rows that the challenger learnt from."""
    inputs: str
    """Digest of the rows, the day and the two models; the same again need not be trained."""
    better_share: float
    """Of the resamplings, how many saw the challenger's loss lower."""
    won: bool
    why: tuple[str, ...]
    """What it lost by, one line each; what it won by, if it did."""


def contest(
    champion: Reader,
    challenger: Reader,
    parts: Split[Decided],
    labelled: Sequence[Row],
    inputs: str,
) -> Contest:
    """Both models on the same rows, and the verdict. Same models and rows, same contest."""
    cards = [card(reader, parts, labelled) for reader in (champion, challenger)]
    truth = _truth(parts.judged)
    gains = [_losses(truth, _chances(one, parts.judged)) for one in (champion, challenger)]
    share = better_share(gains[0] - gains[1])
    faults = _faults(cards[0], cards[1], share)
    won = (f"its loss is lower in {share:.0%} of the resamplings, and nothing else got worse",)
    return Contest(
        champion=cards[0],
        challenger=cards[1],
        taught=len(parts.taught),
        inputs=inputs,
        better_share=share,
        won=not faults,
        why=tuple(faults) or won,
    )


def card(reader: Reader, parts: Split[Decided], labelled: Sequence[Row]) -> Card:
    """One model's figures."""
    suite = cases()
    return Card(
        model=reader.model,
        held_out=figures(reader, parts.held_out),
        latest=figures(reader, parts.latest),
        behaviour_failed=round(len(failures(reader, suite)) / len(suite), 4),
        labelled_macro_f1=_labelled(reader, labelled) if labelled else None,
    )


def figures(reader: Reader, rows: Sequence[Decided]) -> Figures:
    """A model's figures on what agents decided; all 0 where there is no row."""
    if not rows:
        return Figures(
            rows=0, complaints=0, log_loss=0, macro_f1=0, precision=0, recall=0, calibration_error=0
        )
    truth, readings = _truth(rows), reader.read([row.text for row in rows])
    chances = np.array([one.complaint_probability or 0.0 for one in readings])
    said = np.array([int(one.complaint is True) for one in readings])
    precision, recall = precision_recall(truth, said)
    return Figures(
        rows=len(rows),
        complaints=int(truth.sum()),
        log_loss=round(float(_losses(truth, chances).mean()), 4),
        macro_f1=round(macro_f1(truth, said, (0, 1)), 4),
        precision=round(precision, 4),
        recall=round(recall, 4),
        calibration_error=round(calibration_error(truth, chances), 4),
    )


def better_share(gains: Floats) -> float:
    """In which share of resamplings of rows the mean gain is above 0."""
    if not len(gains):
        return 0.0
    rng = np.random.default_rng(SEED)
    means = [gains[rng.integers(0, len(gains), len(gains))].mean() for _ in range(_DRAWS)]
    return round(float(np.mean(np.array(means) > 0)), 4)


def side_by_side(
    champion: str,
    challenger: str,
    rows: Iterable[tuple[str, float, float]],
    won: bool,
    why: Iterable[str],
) -> str:
    """How a contest ended and a table of what, the champion's and the challenger's; Markdown."""
    table = "\n".join(f"| {name} | {left:g} | {right:g} |" for name, left, right in rows)
    reasons = "\n".join(f"* {line}" for line in why)
    return f"""# {challenger} against {champion}

{"The challenger won." if won else "The champion stays."}

{reasons}

| what | champion {champion} | challenger {challenger} |
| --- | --- | --- |
{table}
"""


def cards(found: Contest) -> str:
    """Both cards side by side, as Markdown."""
    one, other = found.champion, found.challenger
    rows = [
        ("share of the behavioural cases that fail", one.behaviour_failed, other.behaviour_failed)
    ]
    if one.labelled_macro_f1 is not None:
        rows.append(
            ("labelled complaints, macro-F1", one.labelled_macro_f1, other.labelled_macro_f1 or 0)
        )
    for name, left, right in (
        ("held out", one.held_out, other.held_out),
        ("last weeks", one.latest, other.latest),
    ):
        rows += [
            (f"{name}, {field.replace('_', ' ')}", getattr(left, field), getattr(right, field))
            for field in msgspec.structs.asdict(left)
        ]
    return f"""{side_by_side(one.model, other.model, rows, found.won, found.why)}
The challenger is the shipped model with a correction of its complaint head, learnt from
{found.taught} masked texts of which agents had said how the case ended. The rows held out and
those of the last weeks taught neither model. They are only of what became a ticket: they say how
often a ticket is a complaint, and nothing about complaints that were overlooked. The labelled
set, where there is one, taught the model that both stem from; it shows what was forgotten.
"""


def _faults(one: Card, other: Card, share: float) -> list[str]:
    found = []
    if share < SURE:
        found.append(f"its loss is lower in only {share:.0%} of the resamplings, not {SURE:.0%}")
    for name, left, right in (
        ("on the rows held out", one.held_out, other.held_out),
        ("in the last weeks", one.latest, other.latest),
    ):
        if right.macro_f1 < left.macro_f1:
            found.append(f"macro-F1 {name} fell from {left.macro_f1} to {right.macro_f1}")
    if other.behaviour_failed > one.behaviour_failed + SLACK:
        found.append(
            f"it fails {other.behaviour_failed:.1%} of the behavioural cases, "
            f"not {one.behaviour_failed:.1%}"
        )
    before, after = one.labelled_macro_f1, other.labelled_macro_f1
    if before is not None and after is not None and after < before - SLACK:
        found.append(f"macro-F1 on the labelled complaints fell from {before} to {after}")
    return found


def _labelled(reader: Reader, rows: Sequence[Row]) -> float:
    truth = np.array([int(row.complaint or 0) for row in rows])
    said = np.array([int(one.complaint is True) for one in reader.read([r.text for r in rows])])
    return round(macro_f1(truth, said, (0, 1)), 4)


def _truth(rows: Sequence[Decided]) -> npt.NDArray[np.int64]:
    return np.array([int(row.complaint) for row in rows], dtype=np.int64)


def _chances(reader: Reader, rows: Sequence[Decided]) -> Floats:
    read = reader.read([row.text for row in rows])
    return np.array([one.complaint_probability or 0.0 for one in read])


def _losses(truth: npt.NDArray[np.int64], chances: Floats) -> Floats:
    sure = np.clip(np.where(truth == 1, chances, 1 - chances), _TINY, 1.0)
    return np.asarray(-np.log(sure), dtype=np.float64)
