"""How well a model puts a stream in order in which few posts complain.

Labelled complaints are mixed into general posts, one in twenty, in a random order. Nothing was
learnt from any of them. General posts may hold complaints that nobody has labelled; they count
as none.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from models import recipe
from models.blend import Read, cross_chances
from models.data import Row
from models.groups import folds
from models.linear import Counts, Floats, Integers, Matrix
from models.metrics import precision_at
from models.recipe import Basis, Sets
from nlp import encoder
from nlp.baseline import sigmoid
from nlp.encoder import Blend

SHARE: Final = 0.05
"""Of the stream, how much complains."""
DEPTHS: Final = (50, 100, 500)
_NEGATIVE: Final = 0


class Judged(msgspec.Struct, kw_only=True):
    """Rows and what heads that have not seen them say."""

    rows: list[Row]
    chances: Floats
    """Calibrated probability of a complaint."""
    levels: Integers
    """The likeliest severity, 1 to 4, if it is one."""
    negative: Floats
    """How much likelier negative is than any other sentiment, in log-odds."""
    threshold: float
    """Probability from which the model says that it is one."""

    def at(self, places: Sequence[int]) -> Judged:
        """Some of them, in that order."""
        chosen = np.array(places, dtype=np.int64)
        return Judged(
            rows=[self.rows[place] for place in places],
            chances=self.chances[chosen],
            levels=self.levels[chosen],
            negative=self.negative[chosen],
            threshold=self.threshold,
        )

    @property
    def truth(self) -> Integers:
        """1 for a complaint."""
        return recipe.complaint_labels(self.rows)

    @property
    def gains(self) -> Floats:
        """What it is worth to come upon a row early: a complaint's severity."""
        return np.array([float(row.severity or 0) if row.complaint else 0.0 for row in self.rows])


def mixed(complaints: Judged, background: Judged, seed: int = recipe.SEED) -> Judged:
    """A stream, in a random order: complaints and background, drawn so that `SHARE` complain."""
    dice = random.Random(seed)
    labelled = [at for at, row in enumerate(complaints.rows) if row.complaint]
    wanted = min(len(labelled), round(len(background.rows) * SHARE / (1 - SHARE)))
    rest = min(len(background.rows), round(wanted * (1 - SHARE) / SHARE))
    chosen = complaints.at(dice.sample(labelled, wanted))
    background = background.at(dice.sample(range(len(background.rows)), rest))
    both = Judged(
        rows=[*chosen.rows, *background.rows],
        chances=np.concatenate([chosen.chances, background.chances]),
        levels=np.concatenate([chosen.levels, background.levels]),
        negative=np.concatenate([chosen.negative, background.negative]),
        threshold=complaints.threshold,
    )
    return both.at(dice.sample(range(len(both.rows)), len(both.rows)))


def order_figures(stream: Judged, keys: Floats) -> dict[str, float]:
    """Of the order with the highest keys first: precision at `DEPTHS`, and the regret."""
    figures = {f"precision_at_{depth}": precision_at(stream.truth, keys, depth) for depth in DEPTHS}
    order = np.argsort(-keys, kind="stable")
    return {**figures, "regret": regret(stream.gains[order], stream.gains)}


def regret(got: Floats, possible: Floats) -> float:
    """1 less the normalised discounted gain (Järvelin and Kekäläinen, 2002) of a list's beginning.

    Args:
        got: the gains of what the list holds, in its order; it may leave rows out.
        possible: the gains of all rows.
    """
    got, best = got[: DEPTHS[-1]], np.sort(possible)[::-1][: DEPTHS[-1]]
    return 1 - float(got @ _discounts(len(got))) / float(best @ _discounts(len(best)))


def _discounts(count: int) -> Floats:
    discounts: Floats = 1 / np.log2(np.arange(count) + 2)
    return discounts


def figures(stream: Judged) -> dict[str, Any]:
    """By the model's probability alone, and as the posts came."""
    arrived = -np.arange(len(stream.rows), dtype=np.float64)
    named = {"": stream.chances, "as_they_came_": arrived}
    rounded = {
        f"{name}{figure}": round(value, 4)
        for name, keys in named.items()
        for figure, value in order_figures(stream, keys).items()
    }
    return {**rounded, "rows": len(stream.rows), "complaints": int(stream.truth.sum())}


def judged_by_heads(
    sets: Sets, rows: Matrix, basis: Basis, background: Sequence[Row], counted: Counts
) -> tuple[Judged, Judged]:
    """The complaint set by heads of its other folds, and general posts that no head has seen.

    Args:
        rows: of ``sets.complaints``, weighted.
        basis: fitted without ``background``, whose texts ``counted`` holds.
    """
    labels, levels = (
        recipe.complaint_labels(sets.complaints),
        recipe.severity_labels(sets.complaints),
    )
    scores, parts = recipe.held_out_scores(rows, labels, sets.complaint_groups, basis)
    fitted = recipe.calibrate(scores, labels, 1.0)
    graded = np.zeros(len(labels), dtype=np.int64)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(labels)), part)
        severity = recipe.fit_severity_head(rows[rest], levels[rest], basis)
        graded[part] = 1 + np.argmax(rows[part] @ severity.weights + severity.intercepts, axis=1)
    other = counted.weighted(basis.idf)
    head = recipe.fit_complaint_head(rows, labels, recipe.COMPLAINT_STRENGTH, basis)
    severity = recipe.fit_severity_head(rows, levels, basis)
    own, behind = (
        np.array([sigmoid(fitted.slope * float(one) + fitted.offset) for one in found])
        for found in (scores, (other @ head.weights + head.intercepts)[:, 0])
    )
    return (
        Judged(
            rows=sets.complaints,
            chances=own,
            levels=graded,
            negative=_contrast(rows @ basis.sentiment + basis.sentiment_intercepts),
            threshold=fitted.threshold,
        ),
        Judged(
            rows=list(background),
            chances=behind,
            levels=1 + np.argmax(other @ severity.weights + severity.intercepts, axis=1),
            negative=_contrast(other @ basis.sentiment + basis.sentiment_intercepts),
            threshold=fitted.threshold,
        ),
    )


def judged_by_encoder(
    complaints: Read, groups: Sequence[int], background: Read, blend: Blend, parts: int
) -> tuple[Judged, Judged]:
    """Held-out complaint rows by blends of their other folds, and held-out general posts."""
    crossed = cross_chances(complaints, folds(groups, parts, 1))
    plain = np.array([encoder.complaint_chance(one, blend) for one in background.raw])
    return _by_encoder(complaints, crossed, blend), _by_encoder(background, plain, blend)


def _by_encoder(read: Read, chances: Floats, blend: Blend) -> Judged:
    levels = [1 + int(np.argmax(encoder.severity_chances(one, blend))) for one in read.raw]
    moods = np.log(np.array([encoder.sentiment_chances(one, blend) for one in read.raw]) + 1e-12)
    return Judged(
        rows=read.rows,
        chances=chances,
        levels=np.array(levels, dtype=np.int64),
        negative=_contrast(moods),
        threshold=blend.threshold,
    )


def _contrast(scores: Floats) -> Floats:
    rest = np.max(np.delete(scores, _NEGATIVE, axis=1), axis=1)
    contrast: Floats = scores[:, _NEGATIVE] - rest
    return contrast
