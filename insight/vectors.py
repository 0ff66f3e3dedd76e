"""Texts as vectors of unit length: near ones are about the same matter.

Two ways. The shipped encoder's mean vectors (`nlp.session`) tell much more and take milliseconds a
text, so the store keeps them. Without the extra ``encoder`` there is latent semantic analysis
(Deerwester et al., 1990): a truncated decomposition of the posts' own words, made anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from insight.frames import BEGINNING, Frames
from triage.store.analysis import Hit, Progress, SearchFilter

Floats = npt.NDArray[np.float32]

SLICE: Final = 1_024
"""Texts that the encoder is given at once."""
LSA_WIDTH: Final = 150
LSA_WORDS: Final = 50_000


class Encodes(Protocol):
    """What the shipped encoder offers; see `nlp.encoder.BlendedEncoder`."""

    model: str

    def vectors(self, texts: Sequence[str]) -> list[list[float]]: ...


class Meaning(Protocol):
    """A way to tell what posts are about."""

    name: str

    def nearest(self, data: Frames, words: str, wanted: SearchFilter, limit: int) -> Sequence[Hit]:
        """The posts that are nearest to the words, by cosine; only those above zero."""


class EncoderMeaning:
    """The encoder's vectors, kept and compared by the store; new posts are read first."""

    def __init__(self, encoder: Encodes, progress: Progress = lambda done, total: None) -> None:
        self.name = encoder.model
        self._encoder, self._progress = encoder, progress

    def nearest(self, data: Frames, words: str, wanted: SearchFilter, limit: int) -> Sequence[Hit]:
        data.store.make_vectors(self.name, self._encoder.vectors, self._progress)
        (asked,) = self._encoder.vectors([words])
        return data.store.nearest(self.name, asked, wanted, limit)


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
    """Latent semantic analysis of the very texts that are searched: every post is read."""

    name = "lsa"

    def nearest(self, data: Frames, words: str, wanted: SearchFilter, limit: int) -> Sequence[Hit]:
        uids: list[str] = []
        texts: list[str] = []
        columns = ["uid", "title", "text", "source", "department", "language"]
        for chunk in data.mention_chunks(columns, wanted.since or BEGINNING):
            for field, values in wanted.chosen().items():
                chunk = chunk[chunk[field].isin(values)]
            uids += chunk["uid"].tolist()
            texts += (chunk["title"].fillna("") + " " + chunk["text"]).tolist()
        if not uids:
            return []
        rows = lsa([*texts, words])
        near = rows[:-1] @ rows[-1]
        order = np.argsort(-near, kind="stable")[:limit].tolist()
        return [Hit(uid=uids[at], score=float(near[at])) for at in order if near[at] > 0]


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
