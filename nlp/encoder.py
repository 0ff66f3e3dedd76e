"""The shipped reader: a small encoder with heads, blended with a linear model of the same rows.

A complaint's log-odds are a sum of the encoder's score, the linear model's and a constant, so
what each word adds is known without reading the text again: the encoder's head stands on a mean
over word pieces, the linear model's score is a sum over tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from nlp import heads
from nlp.artefact import COMPLAINT as LINEAR_COMPLAINT
from nlp.baseline import Baseline, load_baseline, sigmoid, softmax
from nlp.errors import ModelCorrupt
from nlp.evidence import strongest
from nlp.reader import Reading, reading_of
from nlp.session import Encoder, Pieces, Scored, by_token
from nlp.shipped import described, verify
from nlp.stars import shift
from nlp.text import MODEL_CHARACTERS

KIND: Final = "encoder"
SURE: Final = 0.5
"""The linear model's probability of a sentiment; below it the encoder's is much the better."""
LINEAR_FOLDER: Final = "linear"


class Blend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From two models' scores to probabilities; fitted on rows that neither had seen."""

    complaint_encoder: float
    complaint_linear: float
    complaint_offset: float
    """Log-odds = encoder's score * the first + linear's * the second + this."""
    prevalence: float
    """The share of complaints among the rows that the three were fitted on."""
    threshold: float
    """The probability from which on a text is called a complaint."""
    thresholds: dict[str, float]
    """The probability that reaches a precision (``"0.80"``) on those rows."""
    sentiment_encoder: float
    """The encoder's share of the sentiment scores; the linear model has the rest."""
    sentiment_temperature: float
    severity_encoder: float
    """The encoder's share of the severity's probabilities."""
    settled: float = 0.0
    """A text that the linear model alone gives less than this is settled by it, if it is also
    sure of a sentiment (`SURE`)."""


class EncoderMetadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``metadata.json`` of an encoder."""

    kind: str
    name: str
    version: int
    languages: tuple[str, ...]
    longest: int
    """Word pieces that are read of a text."""
    blend: Blend
    reasons: tuple[str, ...]
    base: str
    """The model whose weights training started from."""
    training: dict[str, int]
    """Items and texts that the encoder was fitted to."""
    training_sha256: dict[str, str]
    files: dict[str, str]
    """SHA-256 of each file beside this one."""
    batch: int = 1
    """Texts that may be run together; see `nlp.session`."""


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """What both models say of one text, before the blend."""

    tokens: list[str]
    encoder: Scored
    encoder_pulls: list[float]
    """By token."""
    linear: list[float]
    linear_pulls: list[float]
    """By token."""
    first: float
    """The probability of a complaint by the linear model alone."""
    first_sentiments: list[float]


class BlendedEncoder:
    """A `Reader`. A text's reading is its own in any company; safe to call from threads.

    The linear model reads every text first, for it is twenty times as fast. What it is sure is no
    complaint (`Blend.settled`) goes no further: its sentiment is then the linear model's too.
    """

    def __init__(self, metadata: EncoderMetadata, encoder: Encoder, linear: Baseline) -> None:
        self.model = f"{metadata.name}/{metadata.version}"
        self.languages = frozenset(metadata.languages)
        self.metadata = metadata
        self._encoder, self._linear = encoder, linear

    def read(
        self,
        texts: Sequence[str],
        stars: Sequence[float | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> list[Reading]:
        """One reading a text, of its first word pieces; see `EncoderMetadata.longest`."""
        cut = [text[:MODEL_CHARACTERS] for text in texts]
        given = stars if stars is not None else [None] * len(texts)
        scores, parts = self._linear.pulls(cut)
        rows = scores.tolist()
        doubtful = [
            at
            for at, (row, rated) in enumerate(zip(rows, given, strict=True))
            if not is_settled(
                self._linear.chance(row, rated), self._linear.moods(row), self.metadata.blend
            )
        ]
        encoded = dict(zip(doubtful, self._encoder.read([cut[at] for at in doubtful]), strict=True))
        return [
            self._reading(text, self._raw(row, own, encoded[at]), rated)
            if at in encoded
            else self._linear.reading(text, row, *own, rated)
            for at, (text, row, own, rated) in enumerate(zip(cut, rows, parts, given, strict=True))
        ]

    def raw(self, texts: Sequence[str]) -> list[Raw]:
        """Both models' scores of every text, for fitting and judging a blend."""
        cut = [text[:MODEL_CHARACTERS] for text in texts]
        scores, parts = self._linear.pulls(cut)
        return [
            self._raw(row, own, encoded)
            for row, own, encoded in zip(
                scores.tolist(), parts, self._encoder.read(cut), strict=True
            )
        ]

    def _raw(
        self, row: list[float], own: tuple[list[str], list[float]], encoded: tuple[Pieces, Scored]
    ) -> Raw:
        tokens, pulls = own
        pieces, scored = encoded
        return Raw(
            tokens=tokens,
            encoder=scored,
            encoder_pulls=by_token(pieces, scored, len(tokens)),
            linear=row,
            linear_pulls=pulls,
            first=self._linear.chance(row),
            first_sentiments=self._linear.moods(row),
        )

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of unit length a text; near ones are about the same matter."""
        found = []
        for _, one in self._encoder.read(texts):
            found.append((one.vector / max(float(np.linalg.norm(one.vector)), 1e-9)).tolist())
        return found

    def reasons(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Why an airline is blamed, by the probability of each of `nlp.heads.REASONS`."""
        return [
            dict(
                zip(self.metadata.reasons, softmax(one.scores[heads.REASON].tolist()), strict=True)
            )
            for _, one in self._encoder.read(texts)
        ]

    def _reading(self, text: str, raw: Raw, stars: float | None) -> Reading:
        blend = self.metadata.blend
        return reading_of(
            sentiment_chances(raw, blend),
            complaint_chance(raw, blend, stars),
            blend.threshold,
            severity_chances(raw, blend),
            strongest(text, raw.tokens, pulls(raw, blend)),
        )


def is_settled(first: float, sentiments: Sequence[float], blend: Blend) -> bool:
    """Whether a text goes no further than the linear model, by what that model says of it."""
    return first < blend.settled and max(sentiments) >= SURE


def complaint_chance(raw: Raw, blend: Blend, stars: float | None = None) -> float:
    """The calibrated probability that a text complains."""
    return sigmoid(
        blend.complaint_encoder * float(raw.encoder.scores[heads.COMPLAINT])
        + blend.complaint_linear * raw.linear[LINEAR_COMPLAINT]
        + blend.complaint_offset
        + shift(stars)
    )


def sentiment_chances(raw: Raw, blend: Blend) -> list[float]:
    """By label, in the order of `SENTIMENTS`."""
    own = blend.sentiment_encoder
    both = zip(raw.encoder.scores[heads.SENTIMENT].tolist(), raw.linear, strict=False)
    return softmax(
        [(own * one + (1 - own) * other) / blend.sentiment_temperature for one, other in both]
    )


def severity_chances(raw: Raw, blend: Blend) -> list[float]:
    """By level, in the order of `LEVELS`, of a text that complains."""
    own = blend.severity_encoder
    one = softmax(raw.encoder.scores[heads.SEVERITY].tolist())
    other = softmax(raw.linear[LINEAR_COMPLAINT + 1 :])
    return [own * a + (1 - own) * b for a, b in zip(one, other, strict=True)]


def pulls(raw: Raw, blend: Blend) -> list[float]:
    """What each token adds to the log-odds of a complaint, against the text's mean word."""
    return [
        blend.complaint_encoder * one + blend.complaint_linear * other
        for one, other in zip(raw.encoder_pulls, raw.linear_pulls, strict=True)
    ]


def at_prevalence(chance: float, fitted: float, actual: float) -> float:
    """A probability for a stream whose share of complaints differs from the fitted one.

    Bayes' rule with the classes' own looks unchanged (Saerens et al., 2002); both shares lie
    strictly between 0 and 1.
    """
    for_it = chance * actual / fitted
    against = (1 - chance) * (1 - actual) / (1 - fitted)
    return for_it / (for_it + against)


def load_encoder(folder: Path, threads: int | None = None) -> BlendedEncoder:
    """The reader in a folder.

    Args:
        folder: of `models.export`.
        threads: texts read at once; None is one a core.

    Raises:
        ModelMissing: if a file, or a package that runs it, is not there.
        ModelCorrupt: if a file is not, byte for byte, the one that was exported.
    """
    metadata = read_encoder_metadata(folder)
    verify(folder, metadata.files)
    encoder = Encoder(folder, threads, metadata.longest, metadata.batch)
    return BlendedEncoder(metadata, encoder, load_baseline(folder / LINEAR_FOLDER))


def read_encoder_metadata(folder: Path) -> EncoderMetadata:
    """The description of an encoder.

    Raises:
        ModelMissing: if it is not there.
        ModelCorrupt: if it is damaged, or of another version.
    """
    metadata = described(folder, EncoderMetadata)
    if metadata.reasons != heads.REASONS:
        raise ModelCorrupt(
            f"{folder}/metadata.json has the labels of another version; export the model again"
        )
    return metadata
