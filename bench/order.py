"""Does the list begin with those who complain? ``python -m bench.order FOLDER``.

``FOLDER`` holds the labelled sets (see `models.data`). Labelled complaints are mixed into
background posts, one in twenty, at random times. Every text is read by heads that have not seen
it (five folds of the complaint set; a fifth of the general posts kept back), gets its priority as
casework would give it, and stands in a list: by priority, by probability alone, by negative
sentiment alone, newest first. Prints the precision at 50, 100 and 500, and the regret of each
order: 1 less the normalised discounted gain (Järvelin and Kekäläinen, 2002), where a complaint's
gain is its labelled severity. General posts may hold complaints that nobody has labelled.
"""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from models import recipe
from models.data import Row
from models.groups import folds
from models.judge import cross_fitted
from models.linear import Floats
from models.metrics import precision_at
from nlp.baseline import sigmoid
from nlp.cues import load_cues
from nlp.features import Spellings
from triage.priority import Facts, score
from triage.rules import Rules

AT = (50, 100, 500)
SHARE = 0.05
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NEGATIVE = 0


def main() -> None:
    """Print one line an order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    rows, orders = mixed(given.folder)
    truth = np.array([int(row.complaint or 0) for row in rows], dtype=np.int64)
    gains = np.array([float(row.severity or 0) if row.complaint else 0.0 for row in rows])
    print(f"{int(truth.sum()):,} complaints among {len(rows):,} posts ({truth.mean():.1%})")
    print(f"{'order':18} {'P@50':>6} {'P@100':>6} {'P@500':>6} {'regret':>7}")
    for name, keys in orders.items():
        figures = [precision_at(truth, keys, k) for k in AT]
        shown = " ".join(f"{value:6.2f}" for value in figures)
        print(f"{name:18} {shown} {regret(gains, keys):7.3f}")


def regret(gains: Floats, keys: Floats) -> float:
    """1 less the discounted gain of the order as a share of the best order's."""
    discounts = 1 / np.log2(np.arange(len(gains)) + 2)
    got = float(gains[np.argsort(-keys, kind="stable")] @ discounts)
    return 1 - got / float(np.sort(gains)[::-1] @ discounts)


def mixed(folder: Path, seed: int = 5) -> tuple[list[Row], dict[str, Floats]]:
    """The posts in a random order of time, and by the name of each order their keys."""
    sets = recipe.read_sets(folder)
    spellings = Spellings(recipe.SETTINGS)
    kept_back = set(folds(sets.other_groups, recipe.FOLDS, recipe.SEED)[0])
    split = len(sets.semeval)
    background = [row for at, row in enumerate(sets.semeval) if at in kept_back]
    basis = recipe.fit_basis(
        [row for at, row in enumerate(sets.semeval) if at not in kept_back],
        [row for at, row in enumerate(sets.airline, split) if at not in kept_back],
        sets.threads,
        spellings,
    )
    labels = recipe.complaint_labels(sets.complaints)
    own = recipe.count(sets.complaints, spellings).weighted(basis.idf)
    other = recipe.count(background, spellings).weighted(basis.idf)
    scores, parts = recipe.held_out_scores(own, labels, sets.complaint_groups, basis)
    chances, _ = cross_fitted(scores, labels, parts)
    fitted = recipe.calibrate(scores, labels, 1.0)
    head = recipe.fit_complaint_head(own, labels, recipe.COMPLAINT_STRENGTH, basis)
    behind = (other @ head.weights + head.intercepts)[:, 0]
    behind = np.array([sigmoid(fitted.slope * float(one) + fitted.offset) for one in behind])
    levels = recipe.severity_labels(sets.complaints)
    severity = np.zeros(len(labels), dtype=np.int64)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(labels)), part)
        graded = recipe.fit_severity_head(own[rest], levels[rest], basis)
        severity[part] = 1 + np.argmax(own[part] @ graded.weights + graded.intercepts, axis=1)
    graded = recipe.fit_severity_head(own, levels, basis)
    severity_behind = 1 + np.argmax(other @ graded.weights + graded.intercepts, axis=1)

    rng = random.Random(seed)
    chosen = [at for at in range(len(labels)) if labels[at]]
    rng.shuffle(chosen)
    chosen = chosen[: round(len(background) * SHARE / (1 - SHARE))]
    sentiment = own @ basis.sentiment + basis.sentiment_intercepts
    sentiment_behind = other @ basis.sentiment + basis.sentiment_intercepts
    rows = [sets.complaints[at] for at in chosen] + list(background)
    chance = np.concatenate([chances[chosen], behind])
    level = np.concatenate([severity[chosen], severity_behind])
    feeling = np.concatenate([sentiment[chosen], sentiment_behind])
    order = rng.sample(range(len(rows)), len(rows))
    rows, chance = [rows[at] for at in order], chance[order]
    level, feeling = level[order], feeling[order]
    negative = feeling[:, NEGATIVE] - np.max(np.delete(feeling, NEGATIVE, axis=1), axis=1)
    return rows, {
        "priority": _priorities(rows, chance, level, negative),
        "probability alone": chance,
        "sentiment alone": negative,
        "newest first": np.arange(len(rows), dtype=np.float64),
    }


def _priorities(rows: list[Row], chance: Floats, level: Floats, negative: Floats) -> Floats:
    """As `triage.priority` sums them up, at noon, of posts of the last hour."""
    rules, finder = Rules(), load_cues()
    found = finder.find([row.text for row in rows])
    sums = []
    for at, cues in enumerate(found):
        facts = Facts(
            source="mastodon",
            language="en",
            read=True,
            probability=float(chance[at]),
            severity=int(level[at]) if chance[at] >= 0.5 else 0,
            sentiment="negative" if negative[at] > 0 else "neutral",
            cues=tuple(sorted({cue.kind for cue in cues})),
            start=NOW - timedelta(hours=1) * (1 - at / len(rows)),
            last_at=NOW,
        )
        sums.append(sum(part.points for part in score(facts, rules, NOW).parts))
    return np.array(sums)


if __name__ == "__main__":
    main()
