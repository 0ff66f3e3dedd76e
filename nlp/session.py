"""An encoder's file, run: texts in, the scores of its heads out.

Texts of one length are run together, never padded, in as many threads as there are cores. That
needs a file whose eight-bit scales are fixed (`models.quantise`): then every row of a batch comes
out as the same bits in any company. A file that scales each call by its largest number is run a
text at a time, because in a batch one text would change another's scores.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from nlp.errors import ModelCorrupt, ModelMissing
from nlp.heads import WIDTH
from nlp.recent import Recent
from nlp.shipped import RESTORE
from nlp.wording import words

Floats = npt.NDArray[np.float32]

MODEL_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"
_NEEDS = "onnxruntime or tokenizers is missing; install the extra encoder, or use baseline-en"
_SLICE = 1_024
"""Texts that are cut and sorted by length at once."""
_REMEMBERED = 4_096
"""Texts whose scores are kept, some 10 MB."""


class Pieces(msgspec.Struct, frozen=True, kw_only=True):
    """A text as its word pieces, and the token of `nlp.text` that each belongs to."""

    tokens: list[str]
    ids: list[int]
    owners: list[int | None]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What the encoder says of one text."""

    scores: Floats
    """One number a head, ``[WIDTH]``."""
    pulls: Floats
    """What each word piece adds to the complaint's score."""
    vector: Floats
    """The mean of the last hidden states, for likeness."""


class Encoder:
    """Runs the encoder of a folder. Safe to call from several threads.

    Texts that come to the same word pieces, as two that differ in a link or a handle, are run
    once for as long as they are remembered.

    Args:
        folder: of `models.export`.
        threads: batches run at once; None is one a core.
        longest: word pieces that are read of a text.
        batch: most texts of one length that are run together; more than one only for a file with
            fixed scales.

    Raises:
        ModelMissing: if a file, or a package that runs it, is not there.
        ModelCorrupt: if a file is damaged.
    """

    def __init__(
        self, folder: Path, threads: int | None = None, longest: int = 128, batch: int = 1
    ) -> None:
        self._session = _session(folder / MODEL_FILE)
        self._tokenizer = _tokenizer(folder / TOKENIZER_FILE, longest)
        self._batch = batch
        self._recent: Recent[tuple[int, ...], Scored] = Recent(_REMEMBERED)
        count = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(count, "encoder") if count > 1 else None

    def scores(self, texts: Sequence[str]) -> Floats:
        """The heads' scores, ``[texts, WIDTH]``."""
        found = [one.scores for _, one in self.read(texts)]
        return np.stack(found) if found else np.zeros((0, WIDTH), np.float32)

    def read(self, texts: Sequence[str]) -> Iterator[tuple[Pieces, Scored]]:
        """Each text's pieces and scores, in order."""
        remaining = iter(texts)
        while some := tuple(islice(remaining, _SLICE)):
            cut = self.pieces(some)
            scored = self._scored({tuple(one.ids) for one in cut})
            for one in cut:
                yield one, scored[tuple(one.ids)]

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """The texts, cut."""
        cut = [words(text) for text in texts]
        found = self._tokenizer.encode_batch([spoken for _, spoken in cut], is_pretokenized=True)
        return [
            Pieces(tokens=tokens, ids=encoding.ids, owners=encoding.word_ids)
            for (tokens, _), encoding in zip(cut, found, strict=True)
        ]

    def _scored(self, rows: set[tuple[int, ...]]) -> dict[tuple[int, ...], Scored]:
        known = {row: kept for row in rows if (kept := self._recent.get(row)) is not None}
        batches = in_batches(rows - known.keys(), self._batch)
        run = map if self._pool is None or len(batches) < 2 else self._pool.map
        for batch, answers in zip(batches, run(self._run, batches), strict=True):
            for row, answer in zip(batch, answers, strict=True):
                known[row] = answer
                self._recent.put(row, answer)
        return known

    def _run(self, batch: list[tuple[int, ...]]) -> list[Scored]:
        # The runtime adds up a batch of one in another order, which would show in the last bit.
        alone = self._batch > 1 and len(batch) == 1
        rows = np.array(batch * 2 if alone else batch, dtype=np.int64)
        scores, pulls, vectors = self._session.run(
            None, {"input_ids": rows, "attention_mask": np.ones_like(rows)}
        )
        return [
            Scored(scores=scores[at].copy(), pulls=pulls[at].copy(), vector=vectors[at].copy())
            for at in range(len(batch))
        ]


def by_token(pieces: Pieces, scored: Scored, count: int) -> list[float]:
    """What each of the first ``count`` tokens adds, against the text's mean word piece."""
    inside = [at for at, owner in enumerate(pieces.owners) if owner is not None]
    usual = float(np.mean(scored.pulls[inside])) if inside else 0.0
    found = [0.0] * count
    for at in inside:
        owner = pieces.owners[at]
        if owner is not None and owner < count:
            found[owner] += float(scored.pulls[at]) - usual
    return found


def in_batches(rows: Collection[tuple[int, ...]], most: int) -> list[list[tuple[int, ...]]]:
    """The rows by length, the longest first, in batches of one length and so many at most."""
    ordered = sorted(rows, key=lambda row: (-len(row), row))
    alike = (list(group) for _, group in groupby(ordered, key=len))
    return [group[at : at + most] for group in alike for at in range(0, len(group), most)]


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelMissing(_NEEDS) from error
    _there(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # Memory stays flat whatever the lengths.
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors share no other base
        raise ModelCorrupt(f"{path} is damaged; {RESTORE}") from error


def _tokenizer(path: Path, longest: int) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelMissing(_NEEDS) from error
    _there(path)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises Exception itself
        raise ModelCorrupt(f"{path} is damaged; {RESTORE}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def _there(path: Path) -> None:
    if not path.is_file():
        raise ModelMissing(f"{path} is missing; {RESTORE}")
