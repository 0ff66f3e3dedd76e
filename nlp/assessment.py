"""What we make of a text."""

from __future__ import annotations

from typing import Literal

import msgspec

Sentiment = Literal["negative", "neutral", "positive"]
CueKind = Literal[
    "safety",
    "legal",
    "regulator",
    "fraud",
    "churn",
    "vulnerable",
    "outage",
    "repeat_contact",
    "refund",
    "thanks",
    "question",
    "spam",
]
DetailKind = Literal["product", "place", "amount", "date"]
"""What a text is about; says nothing of what is to be done."""
PersonalDataKind = Literal[
    "card", "bank_account", "phone", "email", "id_number", "address", "name", "handle"
]


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A text to assess, with what its source said about it."""

    uid: str
    text: str
    title: str | None = None
    lang: str | None = None
    """The declared language, BCP 47; a hint, not a fact."""
    rating: float | None = None
    rating_max: float | None = None


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """Words that matter to what is done, or say what it is about; offsets are characters."""

    kind: CueKind | DetailKind
    text: str
    start: int
    end: int
    name: str | None = None
    """What the operator calls the product or place; None for other kinds."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A word that moved the complaint score; ``weight`` in log-odds, positive is towards it."""

    text: str
    start: int
    end: int
    weight: float


class PersonalData(msgspec.Struct, frozen=True, kw_only=True):
    """A span that must be masked before the text is shown to an analyst.

    The span's words are not kept: offsets are characters of the text.
    """

    kind: PersonalDataKind
    start: int
    end: int


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One text as one model reads it; keyed by ``uid`` and ``model``.

    A field that the model cannot fill is None, never a guess. A text in a language that
    no model reads has a language and personal data, and None for the rest.
    """

    uid: str
    model: str
    """Name and version, as ``baseline-en/1``."""
    language: str
    """ISO 639-1, or ``und`` when the text does not say."""
    sentiment: Sentiment | None = None
    sentiment_probabilities: dict[str, float] | None = None
    """By label, summing to one."""
    complaint: bool | None = None
    complaint_probability: float | None = None
    """Calibrated, 0 to 1."""
    severity: int | None = None
    """0 no complaint, 1 no explicit reproach, 2 disapproval, 3 accusation, 4 blame."""
    department: str | None = None
    department_probability: float | None = None
    cues: tuple[Cue, ...] = ()
    products: tuple[str, ...] = ()
    """The operator's products that text or title name, as the operator calls them, sorted."""
    evidence: tuple[Evidence, ...] = ()
    personal_data: tuple[PersonalData, ...] = ()
    title_cues: tuple[Cue, ...] = ()
    """Cues of the passage's title; offsets are characters of the title."""
    title_personal_data: tuple[PersonalData, ...] = ()
    """Personal data of the passage's title; offsets are characters of the title."""


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Assessment)


def encode(assessment: Assessment) -> bytes:
    """One line of JSON without its line break; the same bytes for the same assessment."""
    return _encoder.encode(assessment)


def decode(line: bytes) -> Assessment:
    """The assessment of one line of JSON.

    Raises:
        msgspec.ValidationError: if the line is not an assessment.
    """
    return _decoder.decode(line)
