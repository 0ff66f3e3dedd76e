"""An encoder's file, run: texts in, the scores of its heads out.

Texts are run one at a time and never padded, in as many threads as there are cores. The
eight-bit arithmetic scales a whole batch by its largest number, so a batch would let one text
change another's scores; on a processor it would gain a third of the speed at most.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from nlp.errors import ModelCorrupt, ModelMissing
from nlp.heads import WIDTH
from nlp.wording import words

Floats = npt.NDArray[np.float32]

MODEL_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"
_NEEDS = "onnxruntime or tokenizers is missing; install the extra encoder, or use baseline-en"
_SLICE = 64
"""Texts that one thread takes at a time."""


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

    Raises:
        ModelMissing: if a file, or a package that runs it, is not there.
        ModelCorrupt: if a file is damaged.
    """

    def __init__(self, folder: Path, threads: int | None = None, longest: int = 128) -> None:
        self._session = _session(folder / MODEL_FILE)
        self._tokenizer = _tokenizer(folder / TOKENIZER_FILE, longest)
        count = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(count, "encoder") if count > 1 else None

    def scores(self, texts: Sequence[str]) -> Floats:
        """The heads' scores, ``[texts, WIDTH]``."""
        found = [one.scores for _, one in self.read(texts)]
        return np.stack(found) if found else np.zeros((0, WIDTH), np.float32)

    def read(self, texts: Sequence[str]) -> Iterator[tuple[Pieces, Scored]]:
        """Each text's pieces and scores, in order."""
        remaining = iter(texts)
        slices = list(iter(lambda: tuple(islice(remaining, _SLICE)), ()))
        run = map if self._pool is None or len(slices) < 2 else self._pool.map
        for one in run(self._slice, slices):
            yield from one

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """The texts, cut."""
        cut = [words(text) for text in texts]
        found = self._tokenizer.encode_batch([spoken for _, spoken in cut], is_pretokenized=True)
        return [
            Pieces(tokens=tokens, ids=encoding.ids, owners=encoding.word_ids)
            for (tokens, _), encoding in zip(cut, found, strict=True)
        ]

    def _slice(self, texts: Sequence[str]) -> list[tuple[Pieces, Scored]]:
        return [(cut, self._run(cut.ids)) for cut in self.pieces(texts)]

    def _run(self, ids: list[int]) -> Scored:
        row = np.array([ids], dtype=np.int64)
        scores, pulls, vector = self._session.run(
            None, {"input_ids": row, "attention_mask": np.ones_like(row)}
        )
        return Scored(scores=scores[0], pulls=pulls[0], vector=vector[0])


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


RESTORE = "reinstall Outcry, or in a checkout: git checkout -- models"


def _there(path: Path) -> None:
    if not path.is_file():
        raise ModelMissing(f"{path} is missing; {RESTORE}")
