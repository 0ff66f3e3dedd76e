"""The rows that an encoder learns from, and those that it must never see.

One fifth of the complaint set, and one fifth of the other two labelled sets, is held out: the
first of the folds by which the baseline is judged too. A near-copy of a held-out row is held out
with it, in every set.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from models import recipe
from models.data import Row
from models.groups import folds


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """The sets, parted; ``*_test`` rows have no near-copy among the others."""

    semeval: list[Row]
    airline: list[Row]
    complaints: list[Row]
    threads: list[Row]
    semeval_test: list[Row]
    airline_test: list[Row]
    complaints_test: list[Row]
    complaints_test_groups: list[int]


def read_corpus(folder: Path) -> Corpus:
    """The sets of a folder.

    Raises:
        DataMissing: if a file is not there, or lacks a column.
    """
    return part(recipe.read_sets(folder))


def part(sets: recipe.Sets) -> Corpus:
    """Held-out rows and the rest."""
    held = set(folds(sets.complaint_groups, recipe.FOLDS, recipe.SEED)[0])
    other = folds(sets.other_groups, recipe.FOLDS, recipe.SEED)[0]
    other_held = {sets.other_groups[at] for at in other}
    n = len(sets.semeval)
    semeval, semeval_test = _by_group(sets.semeval, sets.other_groups[:n], other_held)
    airline, airline_test = _by_group(sets.airline, sets.other_groups[n:], other_held)
    threads, _ = _by_group(sets.threads, sets.thread_groups, other_held)
    return Corpus(
        semeval=semeval,
        airline=airline,
        complaints=[row for at, row in enumerate(sets.complaints) if at not in held],
        threads=threads,
        semeval_test=semeval_test,
        airline_test=airline_test,
        complaints_test=[sets.complaints[at] for at in sorted(held)],
        complaints_test_groups=[sets.complaint_groups[at] for at in sorted(held)],
    )


def training_sets(sets: recipe.Sets) -> recipe.Sets:
    """The sets without the held-out rows, for the linear model that an encoder is blended with."""
    held = set(folds(sets.complaint_groups, recipe.FOLDS, recipe.SEED)[0])
    corpus = part(sets)
    return recipe.Sets(
        semeval=corpus.semeval,
        airline=corpus.airline,
        complaints=corpus.complaints,
        threads=corpus.threads,
        complaint_groups=[
            group for at, group in enumerate(sets.complaint_groups) if at not in held
        ],
        other_groups=[],
        thread_groups=[],
    )


def sample(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """So many rows drawn without putting back, or all of them; the same for the same seed."""
    return random.Random(seed).sample(list(rows), min(count, len(rows)))


def _by_group(
    rows: Sequence[Row], groups: Sequence[int], held: set[int]
) -> tuple[list[Row], list[Row]]:
    kept = [row for row, group in zip(rows, groups, strict=True) if group not in held]
    return kept, [row for row, group in zip(rows, groups, strict=True) if group in held]
