"""A reader over an encoder alone, for the languages that no linear model was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from nlp import heads
from nlp.baseline import sigmoid, softmax
from nlp.evidence import strongest
from nlp.reader import Reading, reading_of
from nlp.session import Encoder, Pieces, Scored, by_token
from nlp.shipped import described, verify
from nlp.stars import shift
from nlp.text import MODEL_CHARACTERS

KIND: Final = "plain-encoder"


class PlainMetadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``metadata.json`` of an encoder that stands alone."""

    kind: str
    name: str
    version: int
    languages: tuple[str, ...]
    longest: int
    """Word pieces that are read of a text."""
    complaint_scale: float
    complaint_offset: float
    """Log-odds = the encoder's score * the first + this."""
    threshold: float
    """The probability from which on a text is called a complaint."""
    sentiment_temperature: float
    base: str
    """The model whose weights training started from."""
    training: dict[str, int]
    """Items and texts that the encoder was fitted to."""
    training_sha256: dict[str, str]
    files: dict[str, str]
    """SHA-256 of each file beside this one."""
    batch: int = 1
    """Texts that may be run together; see `nlp.session`."""


class PlainEncoder:
    """A `Reader`. A text's reading is its own in any company; safe to call from threads."""

    def __init__(self, metadata: PlainMetadata, encoder: Encoder) -> None:
        self.model = f"{metadata.name}/{metadata.version}"
        self.languages = frozenset(metadata.languages)
        self.metadata = metadata
        self._encoder = encoder

    def read(
        self,
        texts: Sequence[str],
        stars: Sequence[float | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> list[Reading]:
        """One reading a text, of its first word pieces; see `PlainMetadata.longest`."""
        cut = [text[:MODEL_CHARACTERS] for text in texts]
        given = stars if stars is not None else [None] * len(texts)
        return [
            self._reading(text, pieces, scored, rated)
            for text, (pieces, scored), rated in zip(
                cut, self._encoder.read(cut), given, strict=True
            )
        ]

    def _reading(self, text: str, pieces: Pieces, scored: Scored, stars: float | None) -> Reading:
        own = self.metadata
        odds = own.complaint_scale * float(scored.scores[heads.COMPLAINT]) + own.complaint_offset
        pulls = by_token(pieces, scored, len(pieces.tokens))
        return reading_of(
            softmax((scored.scores[heads.SENTIMENT] / own.sentiment_temperature).tolist()),
            sigmoid(odds + shift(stars)),
            own.threshold,
            softmax(scored.scores[heads.SEVERITY].tolist()),
            strongest(text, pieces.tokens, [own.complaint_scale * one for one in pulls]),
        )


def load_plain(folder: Path, threads: int | None = None) -> PlainEncoder:
    """The reader in a folder; errors as `nlp.encoder.load_encoder`."""
    metadata = described(folder, PlainMetadata)
    verify(folder, metadata.files)
    return PlainEncoder(metadata, Encoder(folder, threads, metadata.longest, metadata.batch))
