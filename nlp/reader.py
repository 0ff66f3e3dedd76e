"""The seam between a trained model and everything that uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from nlp.artefact import LEVELS, SENTIMENTS
from nlp.assessment import Evidence, Sentiment


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says about one text; None where it has no such head."""

    sentiment: Sentiment | None = None
    sentiment_probabilities: dict[str, float] | None = None
    complaint: bool | None = None
    complaint_probability: float | None = None
    severity: int | None = None
    evidence: tuple[Evidence, ...] = ()


def reading_of(
    sentiments: Sequence[float],
    chance: float,
    threshold: float,
    levels: Sequence[float],
    evidence: tuple[Evidence, ...],
) -> Reading:
    """What a model with all heads says: its numbers by label, the likeliest chosen.

    What is called no complaint has no severity.
    """
    complaint = chance >= threshold
    return Reading(
        sentiment=SENTIMENTS[sentiments.index(max(sentiments))],
        sentiment_probabilities=dict(zip(SENTIMENTS, sentiments, strict=True)),
        complaint=complaint,
        complaint_probability=chance,
        severity=LEVELS[levels.index(max(levels))] if complaint else 0,
        evidence=evidence,
    )


class Reader(Protocol):
    """A trained model.

    ``read`` answers in the order it was asked. A reading depends on its text and its stars alone:
    not on the other texts of the call, the number of threads, or the calls before.
    """

    @property
    def model(self) -> str:
        """Name and version, as ``baseline-en/1``."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """The ISO 639-1 codes that it reads."""
        ...

    def read(
        self,
        texts: Sequence[str],
        stars: Sequence[float | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> list[Reading]:
        """One reading a text; never raises because of what a text holds.

        Args:
            texts: what was written.
            stars: the rating beside each text, 0 the worst to 1 the best, None where none is.
            languages: the code of each text, for a model that reads each by another net.
        """
        ...
