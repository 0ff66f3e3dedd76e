"""How well and how fast is each way to search? ``python -m bench.search FOLDER [--posts N]``.

``FOLDER`` holds the labelled sets (see `models.data`). Our own questions, in words that a manager
would type, are asked of the airline rows that no model of ours has seen (`models.corpus`); a post
is right if it blames the airline for the reason that the question is about. Prints the precision
at ten of each way. Then the time of one search among so many made posts, in the embedded store.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from bench.stream import texts_of
from insight.frames import Frames
from insight.search import ALL, Way, search
from insight.vectors import EncoderMeaning, LsaMeaning, Meaning
from models import recipe
from models.corpus import part
from models.data import Row
from models.registry import folder as model_folder
from nlp.encoder import load_encoder
from tests.triage.store.samples import mention
from triage.store import open_store
from triage.store.analysis import SearchFilter
from triage.store.records import batches

AT: Final = 10
QUESTIONS: Final = {
    "Lost Luggage": ("my suitcase never arrived", "lost bags", "luggage missing at the carousel"),
    "Late Flight": (
        *("plane is hours late", "delayed departure", "sitting on the runway"),
        "missed my connection because of the delay",
    ),
    "Cancelled Flight": ("flight has been cancelled", "cancelled and not rebooked"),
    "Customer Service Issue": (
        *("nobody answers the phone", "on hold for hours", "no reply to my email"),
        "rude on the telephone",
    ),
    "Flight Booking Problems": (
        *("website does not let me book", "cannot check in online", "booking error"),
    ),
    "Bad Flight": ("cramped seat", "wifi on board does not work", "dirty cabin"),
    "Flight Attendant Complaints": ("rude flight attendant", "unfriendly crew"),
    "Damaged Luggage": ("suitcase came back broken", "damaged bag"),
    "longlines": ("long line at the counter", "queue at check-in"),
}
ANY: Final = SearchFilter()


def main() -> None:
    """Print precision, then times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--posts", type=int, default=100_000)
    given = parser.parse_args()
    rows = [row for row in part(recipe.read_sets(given.folder)).airline_test if row.reason]
    with TemporaryDirectory() as place:
        encoder = EncoderMeaning(
            load_encoder(model_folder("outcry-en")), Path(place) / "vectors.npz"
        )
        print(
            f"{len(rows):,} held-out rows, {sum(map(len, QUESTIONS.values()))} questions, "
            f"precision at {AT}"
        )
        data = filled(Path(place) / "airline.db", [row.text for row in rows])
        for name, ways, meaning in plans(encoder):
            print(f"{name:24} {precision(data, rows, ways, meaning):5.2f}", flush=True)
        data.store.close()
        times(Path(place), given.posts)


def plans(encoder: Meaning) -> Iterator[tuple[str, tuple[Way, ...], Meaning | None]]:
    """The ways that are compared."""
    lsa = LsaMeaning()
    yield "exact", ("exact",), None
    yield "fuzzy", ("fuzzy",), None
    yield "meaning, encoder", ("meaning",), encoder
    yield "meaning, lsa", ("meaning",), lsa
    yield "combined, encoder", ALL, encoder
    yield "combined, lsa", ALL, lsa


def precision(
    data: Frames, rows: list[Row], ways: tuple[Way, ...], meaning: Meaning | None
) -> float:
    """Right ones among the first ten, a mean over the questions; what is not found is wrong."""
    shares = []
    for reason, questions in QUESTIONS.items():
        for words in questions:
            found = search(data, words, ANY, meaning, ways, AT).rows["uid"]
            shares.append(sum(rows[int(uid)].reason == reason for uid in found) / AT)
    return float(np.mean(shares))


def filled(path: Path, texts: list[str]) -> Frames:
    """An embedded store of these posts, each under its number."""
    store = open_store("sqlite", path=path)
    store.setup()
    for some in batches(list(enumerate(texts)), 1000):
        store.save_mentions([mention(str(at), text=text) for at, text in some])
    return Frames(store)


def times(place: Path, count: int) -> None:
    """How long a search takes among many."""
    data = filled(place / "many.db", texts_of(count))
    for way in ("exact", "fuzzy"):
        begin = time.perf_counter()
        search(data, "refund wrong", ANY, None, [way])  # type: ignore[list-item]
        print(f"{way:24} {time.perf_counter() - begin:5.1f} s among {count:,} posts", flush=True)
    data.store.close()


if __name__ == "__main__":
    main()
