"""How good are themes, and how long do they take? ``python -m bench.themes FOLDER [--posts N]``.

``FOLDER`` holds the labelled sets (see `models.data`). The airline rows that no model of ours has
seen (`models.corpus`) are clustered without their labels; the adjusted mutual information with the
reasons (0 by chance, 1 for the same parts) stands beside that of k-means on TF-IDF with as many
clusters. Then so many made complaints are clustered against the clock.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from bench.stream import texts_of
from insight.themes import Embed, cluster, usual_count
from insight.vectors import Floats, lsa, weighted_words
from models import recipe
from models.corpus import part
from models.registry import folder as model_folder
from nlp.encoder import load_encoder

COUNTS: Final = (9, 20)


def main() -> None:
    """Print quality, then time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--posts", type=int, default=100_000)
    given = parser.parse_args()
    rows = [row for row in part(recipe.read_sets(given.folder)).airline_test if row.reason]
    encoder = load_encoder(model_folder("outcry-en"))
    kept: dict[str, list[float]] = {}

    def embed(texts: list[str]) -> Floats:
        new = [text for text in texts if text not in kept]
        kept.update(zip(new, encoder.vectors(new), strict=True))
        return np.array([kept[text] for text in texts], dtype=np.float32)

    texts, reasons = [row.text for row in rows], [row.reason for row in rows]
    counts = (*COUNTS, usual_count(len(texts)))
    print(f"{len(rows):,} held-out rows, adjusted mutual information with the reasons")
    print(f"{'clusters':24}", *(f"{count:6}" for count in counts))
    counted = weighted_words(texts)
    plain = [KMeans(count, n_init=4, random_state=0).fit_predict(counted) for count in counts]
    _print("k-means on TF-IDF", [adjusted_mutual_info_score(reasons, found) for found in plain])
    for name, way in (("themes, lsa", lsa), ("themes, encoder", embed)):
        found = [cluster(texts, count, way)[0] for count in counts]  # type: ignore[arg-type]
        _print(name, [adjusted_mutual_info_score(reasons, labels) for labels in found])
    many = texts_of(given.posts)
    timed("themes, lsa", many, lsa)
    timed("themes, encoder", many, lambda some: np.array(encoder.vectors(some), dtype=np.float32))


def timed(name: str, texts: list[str], embed: Embed) -> None:
    """How long so many posts take."""
    begin = time.perf_counter()
    cluster(texts, usual_count(len(texts)), embed)
    print(f"{name:24} {time.perf_counter() - begin:6.0f} s for {len(texts):,} posts", flush=True)


def _print(name: str, figures: list[float]) -> None:
    print(f"{name:24}", *(f"{one:6.2f}" for one in figures), flush=True)


if __name__ == "__main__":
    main()
