"""Does the queue begin with those who complain? ``python -m bench.order FOLDER``.

``FOLDER`` holds the labelled sets (see `models.data`). Labelled complaints are mixed into general
posts, one in twenty, at random times of three days, and read by heads that have not seen them (see
`models.order`). They are stored and folded as ever, and the queue of the last of these hours is
read page by page. Beside it: all posts by probability alone, by negative sentiment alone, newest
first. Prints the precision at 50, 100 and 500 and the regret by severity of each order, and how
many of the first hundred are safety cases, which may stand above surer complaints.

The weights were chosen by reasoning and looked at on the ``even`` rows of both sets only.
"""

from __future__ import annotations

import argparse
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from listeners.mention import Author, Mention
from models import order, recipe
from models.corpus import part
from models.judge import kept_back
from models.linear import Floats
from models.order import DEPTHS, Judged
from models.registry import folder as model_folder
from models.seal import BLEND_PARTS, read
from nlp.assessment import Assessment
from nlp.cues import load_cues
from nlp.encoder import load_encoder
from nlp.features import Spellings
from triage.casework import fold_cases
from triage.folds import opening_of
from triage.intake import store_records
from triage.priority import explain
from triage.rules import Rules
from triage.store import Store, open_store
from triage.store.base import QueueFilter, pages
from triage.store.records import batches
from triage.ticket import WAITING, Ticket

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SPAN = timedelta(days=3)
PAGE = 500


def main() -> None:
    """Print one line an order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=("baseline-en", "outcry-en"), default="baseline-en")
    parser.add_argument("--rows", choices=("all", "even", "odd"), default="all")
    parser.add_argument("--show", type=int, default=0, help="Explain so many that are none.")
    given = parser.parse_args()
    with threadpool_limits(1):
        complaints, background = judged(given.folder, given.model)
    complaints, background = (_half(one, given.rows) for one in (complaints, background))
    stream = order.mixed(complaints, background)
    rows = len(stream.rows)
    print(
        f"{int(stream.truth.sum()):,} complaints among {rows:,} posts ({stream.truth.mean():.1%})"
    )
    dice = random.Random(recipe.SEED)
    times = sorted(NOW - SPAN * dice.random() for _ in range(rows))
    with TemporaryDirectory() as place:
        store = open_store("sqlite", path=Path(place) / "bench.db")
        store.setup()
        fill(store, stream, times)
        tickets, places = queue(store)
        store.close()
    print(f"{'order':18} {'P@50':>6} {'P@100':>6} {'P@500':>6} {'regret':>7}")
    hits, gains = stream.truth[places], stream.gains[places]
    _print(
        "the queue",
        {
            **{f"precision_at_{depth}": float(hits[:depth].mean()) for depth in DEPTHS},
            "regret": order.regret(gains, stream.gains),
        },
    )
    for name, keys in others(stream).items():
        _print(name, order.order_figures(stream, keys))
    harm = [at for at, ticket in enumerate(tickets[:100]) if "safety" in ticket.cues]
    print(f"safety cases among the first 100: {len(harm)}, of them complaints {hits[harm].sum()}")
    for at in [at for at in range(len(tickets)) if not hits[at]][: given.show]:
        print(f"{at + 1}. {tickets[at].excerpt}\n  ", "\n   ".join(explain(tickets[at])), sep="")


def judged(folder: Path, model: str) -> tuple[Judged, Judged]:
    """The complaint set and general posts as heads that have not seen them read them."""
    sets = recipe.read_sets(folder)
    if model == "outcry-en":
        reader = load_encoder(model_folder(model))
        corpus = part(sets)
        complaints, background = (
            read(reader, rows) for rows in (corpus.complaints_test, corpus.semeval_test)
        )
        groups = corpus.complaints_test_groups
        blend = reader.metadata.blend
        return order.judged_by_encoder(complaints, groups, background, blend, BLEND_PARTS)
    spellings = Spellings(recipe.SETTINGS)
    basis, background_rows, _ = kept_back(sets, spellings)
    own = recipe.count(sets.complaints, spellings).weighted(basis.idf)
    counted = recipe.count(background_rows, spellings)
    return order.judged_by_heads(sets, own, basis, background_rows, counted)


def fill(store: Store, stream: Judged, times: list[datetime]) -> None:
    """Store and fold the posts, as the pipeline does."""
    found = load_cues().find([row.text for row in stream.rows])
    pairs = []
    for at, (row, cues) in enumerate(zip(stream.rows, found, strict=True)):
        mention = Mention(
            source="mastodon",
            native_id=str(at),
            text=row.text,
            created_at=times[at],
            collected_at=times[at],
            listener="bench/1",
            author=Author(id=str(at)),
        )
        chance = float(stream.chances[at])
        complaint = chance >= stream.threshold
        assessment = Assessment(
            uid=mention.uid,
            model="bench/1",
            language="en",
            sentiment="negative" if stream.negative[at] > 0 else "neutral",
            complaint=complaint,
            complaint_probability=chance,
            severity=int(stream.levels[at]) if complaint else 0,
            cues=tuple(cues),
        )
        pairs.append((mention, assessment))
    rules = Rules()
    for some in batches(pairs, 1000):
        store_records(store, some, rules)
    for some in batches([mention.uid for mention, _ in pairs], 1000):
        fold_cases(store, some, rules, NOW)


def queue(store: Store) -> tuple[list[Ticket], list[int]]:
    """Everything that waits, as an agent sees it, and the number of each opening post."""
    wanted = QueueFilter(statuses=WAITING, free_at=NOW)
    tickets = [entry.ticket for page in pages(store, wanted, PAGE) for entry in page]
    openings = [opening_of(ticket) or "" for ticket in tickets]
    known = {}
    for some in batches(openings, PAGE):
        known |= store.mentions(some)
    return tickets, [int(known[uid].native_id) for uid in openings]


def others(stream: Judged) -> dict[str, Floats]:
    """What the queue is compared with."""
    return {
        "probability alone": stream.chances,
        "sentiment alone": stream.negative,
        "newest first": np.arange(len(stream.rows), dtype=np.float64),
    }


def _half(judged: Judged, rows: str) -> Judged:
    if rows == "all":
        return judged
    return judged.at(range(int(rows == "odd"), len(judged.rows), 2))


def _print(name: str, figures: dict[str, float]) -> None:
    shown = " ".join(f"{figures[f'precision_at_{depth}']:6.2f}" for depth in DEPTHS)
    print(f"{name:18} {shown} {figures['regret']:7.3f}", flush=True)


if __name__ == "__main__":
    main()
