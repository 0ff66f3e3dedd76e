"""How well and how fast is each way to search? ``python -m bench.search FOLDER [--posts N]``.

``FOLDER`` holds the labelled sets (see `models.data`). What is searched are the airline rows that
no model of ours has seen (`models.corpus`); other rows of that set have taught the
encoder. Asked is in two ways:

* questions (`bench.questions`): a post is right if it blames the airline for the reason that the
  question is about; precision at ten, what is not found is wrong.
* quotations: four words that stand together in a post, and the same with two letters of the longest
  word swapped; the post's own reciprocal rank, 0 if it is not among the first ten.

Every other one of each decides which combination is used: the one with the highest mean of the
three figures. The others are printed beside it and decide nothing. The combinations are reciprocal
rank fusion (Cormack et al., 2009) with several weights, and a convex combination of scores divided
by the list's highest, those by meaning by their share of the way from -1 (Bruch et al., 2023).
Then the time of one search among so many made posts, in the embedded store.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from bench.questions import QUESTIONS
from bench.stream import texts_of
from insight.frames import Frames
from insight.search import DEPTH, RRF, search
from insight.vectors import EncoderMeaning, LsaMeaning, Meaning
from models import recipe
from models.corpus import part
from models.data import Row
from models.registry import folder as model_folder
from nlp.encoder import load_encoder
from tests.triage.store.samples import mention
from triage.store import open_store
from triage.store.analysis import Hit, SearchFilter
from triage.store.records import batches

AT: Final = 10
QUOTATIONS: Final = 200
WIDTH: Final = 384
"""Numbers in a vector of the encoder."""
ANY: Final = SearchFilter()
Lists = Mapping[str, Sequence[Hit]]
Combine = Callable[[Lists], dict[str, float]]


def main() -> None:
    """Print quality, then times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--posts", type=int, default=100_000)
    given = parser.parse_args()
    rows = [row for row in part(recipe.read_sets(given.folder)).airline_test if row.reason]
    with TemporaryDirectory() as place:
        encoder = EncoderMeaning(load_encoder(model_folder("outcry-en")))
        data = filled(Path(place) / "airline.db", [row.text for row in rows])
        quality(data, rows, encoder)
        data.store.close()
        times(Path(place), given.posts)


def fusion(**weights: float) -> Combine:
    """Reciprocal rank fusion, each list with its weight."""

    def combine(lists: Lists) -> dict[str, float]:
        scores: dict[str, float] = {}
        for name, weight in weights.items():
            for rank, hit in enumerate(lists[name], start=1):
                scores[hit.uid] = scores.get(hit.uid, 0.0) + weight / (RRF + rank)
        return scores

    return combine


def convex(meaning: float) -> Combine:
    """A convex combination: so much for the score by meaning, the rest for the other two."""
    weights = {"exact": (1 - meaning) / 2, "fuzzy": (1 - meaning) / 2, "encoder": meaning}

    def combine(lists: Lists) -> dict[str, float]:
        scores: dict[str, float] = {}
        for name, weight in weights.items():
            least = -1.0 if name == "encoder" else 0.0
            most = max((hit.score for hit in lists[name]), default=1.0)
            for hit in lists[name]:
                share = (hit.score - least) / (most - least)
                scores[hit.uid] = scores.get(hit.uid, 0.0) + weight * share
        return scores

    return combine


PLANS: Final[Mapping[str, Combine]] = {
    "exact": fusion(exact=1),
    "fuzzy": fusion(fuzzy=1),
    "meaning, encoder": fusion(encoder=1),
    "fusion, all alike": fusion(exact=1, fuzzy=1, encoder=1),
    "fusion, words half": fusion(exact=0.5, fuzzy=0.5, encoder=1),
    "fusion, words a tenth": fusion(exact=0.1, fuzzy=0.1, encoder=1),
    "convex, meaning .5": convex(0.5),
    "convex, meaning .8": convex(0.8),
    "convex, meaning .9": convex(0.9),
}


def quality(data: Frames, rows: Sequence[Row], encoder: Meaning) -> None:
    """The table of ways and combinations; the half that decides first."""
    asked = [(reason, words) for reason, some in QUESTIONS.items() for words in some]
    answers = [(reason, lists_of(data, words, encoder)) for reason, words in asked]
    quoted = quotations(rows)
    found = [
        (uid, lists_of(data, words, encoder), lists_of(data, misspelt, encoder))
        for uid, words, misspelt in quoted
    ]
    print(f"{len(rows):,} held-out rows, {len(asked)} questions, {len(quoted)} quotations")
    print(f"{'':24} {'half that decides':>26} {'other half':>26}")
    print(f"{'':24}" + " questions quoted misspelt" * 2)
    for name, combine in PLANS.items():
        figures = []
        for half in (0, 1):
            figures += [
                np.mean([right(combine(lists), r, rows) for r, lists in answers[half::2]]),
                np.mean([rank(combine(lists), uid) for uid, lists, _ in found[half::2]]),
                np.mean([rank(combine(lists), uid) for uid, _, lists in found[half::2]]),
            ]
        print(f"{name:24}", *(f"{figure:8.3f}" for figure in figures), flush=True)
    lsa = LsaMeaning()
    alone = [
        right({h.uid: h.score for h in lsa.nearest(data, words, ANY, DEPTH)}, reason, rows)
        for reason, words in asked
    ]
    print(f"{'meaning, lsa':24} {np.mean(alone[0::2]):8.3f} {'':17} {np.mean(alone[1::2]):8.3f}")


def lists_of(data: Frames, words: str, encoder: Meaning) -> Lists:
    """What each way finds."""
    return {
        "exact": data.store.search(words, "exact", ANY, DEPTH).best,
        "fuzzy": data.store.search(words, "fuzzy", ANY, DEPTH).best,
        "encoder": encoder.nearest(data, words, ANY, DEPTH),
    }


def best_of(scores: Mapping[str, float]) -> list[str]:
    """The first ten, as `insight.search` puts them."""
    return sorted(scores, key=lambda uid: (-scores[uid], uid))[:AT]


def right(scores: Mapping[str, float], reason: str, rows: Sequence[Row]) -> float:
    """The share of the first ten that have this reason."""
    return sum(rows[int(uid)].reason == reason for uid in best_of(scores)) / AT


def rank(scores: Mapping[str, float], uid: str) -> float:
    """The reciprocal rank of a post among the first ten."""
    best = best_of(scores)
    return 1 / (best.index(uid) + 1) if uid in best else 0.0


def quotations(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Posts by uid, each with four of its words, and the same misspelt."""
    dice = random.Random(0)
    found = []
    for at in dice.sample(range(len(rows)), len(rows)):
        words = rows[at].text.split()
        runs = [
            run
            for run in (words[start : start + 4] for start in range(len(words) - 3))
            if all(word.isalpha() and word.isascii() for word in run) and max(map(len, run)) >= 6
        ]
        if runs:
            run = dice.choice(runs)
            longest = max(run, key=len)
            cut = dice.randrange(1, len(longest) - 1)
            wrong = longest[:cut] + longest[cut + 1] + longest[cut] + longest[cut + 2 :]
            misspelt = " ".join(wrong if word == longest else word for word in run)
            found.append((str(at), " ".join(run), misspelt))
    return found[:QUOTATIONS]


def filled(path: Path, texts: list[str]) -> Frames:
    """An embedded store of these posts, each under its number."""
    store = open_store("sqlite", path=path)
    store.setup()
    for some in batches(list(enumerate(texts)), 1000):
        store.save_mentions([mention(str(at), text=text) for at, text in some])
    return Frames(store)


def times(place: Path, count: int) -> None:
    """How long a search takes among many; vectors by chance take as long as any."""
    data = filled(place / "many.db", texts_of(count))
    dice = np.random.default_rng(0)

    def read(texts: Sequence[str]) -> list[list[float]]:
        made: list[list[float]] = dice.normal(size=(len(texts), WIDTH)).tolist()
        return made

    data.store.make_vectors("chance/1", read, lambda done, total: None)
    for way in ("exact", "fuzzy"):
        begin = time.perf_counter()
        search(data, "refund wrong", ANY, None, [way])  # type: ignore[list-item]
        print(f"{way:24} {time.perf_counter() - begin:5.1f} s among {count:,} posts", flush=True)
    for name, wanted in (("nearest", ANY), ("nearest of a source", SearchFilter(sources=("rss",)))):
        begin = time.perf_counter()
        data.store.make_vectors("chance/1", read, lambda done, total: None)
        data.store.nearest("chance/1", read(["query"])[0], wanted, DEPTH)
        print(f"{name:24} {time.perf_counter() - begin:5.1f} s among {count:,} posts", flush=True)
    data.store.close()


if __name__ == "__main__":
    main()
