"""Texts as vectors of unit length: near ones are about the same matter.

Two ways. The shipped encoder's mean vectors (`nlp.session`) tell much more and take milliseconds a
text, so they are kept in a file. Without the extra ``encoder`` there is latent semantic analysis
(Deerwester et al., 1990): a truncated decomposition of the posts' own words, made anew each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

SLICE: Final = 1_024
"""Texts that the encoder is given at once."""
LSA_WIDTH: Final = 150
LSA_WORDS: Final = 50_000
_KEYS, _ROWS = "keys", "vectors"


class Encodes(Protocol):
    """What the shipped encoder offers; see `nlp.encoder.BlendedEncoder`."""

    model: str

    def vectors(self, texts: Sequence[str]) -> list[list[float]]: ...


@dataclass(frozen=True)
class Posts:
    """What is searched."""

    keys: Sequence[str]
    """One for each text; another when the text changes."""
    texts: Sequence[str]
    whole: bool
    """Whether these are all posts that there are."""


class Meaning(Protocol):
    """A way to make vectors."""

    name: str

    def vectors(self, posts: Posts, query: str) -> tuple[Floats, Floats]:
        """A row for each text, and the query's."""


class EncoderMeaning:
    """The encoder's vectors, those of known texts from ``file``.

    The file holds neither texts nor ids. A post that is gone is dropped from it by the next call
    with the whole store, and everything when somebody is forgotten.
    """

    def __init__(
        self, encoder: Encodes, file: Path, progress: Progress = lambda done, total: None
    ) -> None:
        self.name = encoder.model
        self._encoder, self._file, self._progress = encoder, file, progress

    def vectors(self, posts: Posts, query: str) -> tuple[Floats, Floats]:
        known, texts = self._read(), posts.texts
        keys = [hashlib.sha256(key.encode()).hexdigest()[:32] for key in posts.keys]
        new = [at for at, key in enumerate(keys) if key not in known]
        gone = known.keys() - set(keys) if posts.whole else set()
        known = {key: vector for key, vector in known.items() if key not in gone}
        for start in range(0, len(new), SLICE):
            some = new[start : start + SLICE]
            made = self._encoder.vectors([texts[at] for at in some])
            for at, vector in zip(some, made, strict=True):
                known[keys[at]] = np.asarray(vector, dtype=np.float16)
            self._progress(start + len(some), len(new))
        if new or gone:
            self._write(known)
        asked = self._encoder.vectors([query])
        rows = [known[key] for key in keys]
        width = len(asked[0])
        found = np.asarray(rows, dtype=np.float32) if rows else np.zeros((0, width), np.float32)
        return found, np.asarray(asked[0], dtype=np.float32)

    def _read(self) -> dict[str, npt.NDArray[np.float16]]:
        """What is kept; nothing where there is no file of this model, or a damaged one."""
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if str(kept["model"]) != self.name:
                    return {}
                return dict(zip(kept[_KEYS].tolist(), kept[_ROWS], strict=True))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return {}

    def _write(self, known: dict[str, npt.NDArray[np.float16]]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f".{self._file.name}.tmp")
        rows = np.stack([*known.values()]) if known else np.zeros((0, 0), np.float16)
        content: dict[str, Any] = {_KEYS: np.array(list(known), dtype="U32"), _ROWS: rows}
        with temporary.open("wb") as file:
            np.savez(file, model=np.array(self.name), **content)
        temporary.replace(self._file)


def embedding(
    encoder: Encodes, progress: Progress = lambda done, total: None
) -> Callable[[Sequence[str]], Floats]:
    """The encoder as a plain function; nothing is kept."""

    def embed(texts: Sequence[str]) -> Floats:
        rows: list[list[float]] = []
        for start in range(0, len(texts), SLICE):
            rows += encoder.vectors(texts[start : start + SLICE])
            progress(len(rows), len(texts))
        return np.asarray(rows, dtype=np.float32)

    return embed


class LsaMeaning:
    """Latent semantic analysis of the very texts that are searched."""

    name = "lsa"

    def vectors(self, posts: Posts, query: str) -> tuple[Floats, Floats]:
        rows = lsa([*posts.texts, query])
        return rows[:-1], rows[-1]


def lsa(texts: Sequence[str], width: int = LSA_WIDTH) -> Floats:
    """A row of unit length for each text; zeros where none of its words is in another.

    The same texts in the same order give the same rows.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    counted = weighted_words(texts)
    if counted is None:
        return np.zeros((len(texts), 1), dtype=np.float32)
    width = min(width, counted.shape[0] - 1, counted.shape[1] - 1)
    if width < 1:
        return np.asarray(normalize(counted.toarray()), dtype=np.float32)
    rows = TruncatedSVD(width, random_state=0).fit_transform(counted)
    return np.asarray(normalize(rows), dtype=np.float32)


def weighted_words(texts: Sequence[str]) -> Any:
    """A sparse matrix of TF-IDF weights, words and pairs of words; None if there is no word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    least = 2 if len(texts) > 20 else 1
    words = TfidfVectorizer(
        sublinear_tf=True,
        min_df=least,
        max_features=LSA_WORDS,
        stop_words="english",
        ngram_range=(1, 2),
        dtype=np.float32,
    )
    try:
        return words.fit_transform(texts)
    except ValueError:  # no word is left
        return None
