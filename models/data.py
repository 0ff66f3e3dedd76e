"""The labelled sets that models are trained and judged on, as rows of text and labels.

The sets are not ours and are not shipped; the folder that holds them is handed in.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from models.errors import DataMissing

SENTIMENT: Final = "sentiment.csv"
AIRLINE: Final = "airline.csv"
COMPLAINTS: Final = "complaints.csv"
MULTILINGUAL: Final = "multilingual.csv"
THREADS: Final = "support_threads.csv"

UNADDRESSED: Final = frozenset({"random_tweet", "random_reply"})
"""Domains of the complaint set that speak to no brand."""

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ISO = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One labelled text; None where its set does not say."""

    text: str
    sentiment: str | None = None
    complaint: bool | None = None
    severity: int | None = None
    reason: str | None = None
    """Why an airline is blamed, one of `nlp.heads.REASONS`."""
    cause: str | None = None
    """The words of a complaint that say why."""
    domain: str | None = None
    language: str | None = None


def sentiment(folder: Path) -> list[Row]:
    """SemEval 2013 to 2016, task 4 A; the escapes that its files carry are undone."""
    return [
        Row(text=_unescape(row["text"]), sentiment=row["sentiment"], language="en")
        for row in _rows(folder / SENTIMENT, "text", "sentiment")
    ]


def airline(folder: Path) -> list[Row]:
    """Twitter US Airline Sentiment."""
    return [
        Row(
            text=row["text"],
            sentiment=row["airline_sentiment"],
            reason=row.get("negativereason") or None,
            language="en",
        )
        for row in _rows(folder / AIRLINE, "text", "airline_sentiment")
    ]


def complaints(folder: Path) -> list[Row]:
    """Complaints by domain (Preotiuc-Pietro et al., 2019) with severity (X-CI, 2023)."""
    return [
        Row(
            text=row["text"],
            complaint=row["complaint"] == "1",
            severity=int(float(row["severity"])) if row["severity"] else None,
            sentiment=row["sentiment"] if row["sentiment"] in _SENTIMENTS else None,
            cause=row.get("cause") or None,
            domain=row["domain"],
            language="en",
        )
        for row in _rows(folder / COMPLAINTS, "text", "complaint", "severity", "domain")
    ]


def multilingual(folder: Path) -> list[Row]:
    """UMSAB: tweets in eight languages."""
    return [
        Row(text=row["text"], sentiment=row["sentiment"], language=_ISO[row["language"]])
        for row in _rows(folder / MULTILINGUAL, "text", "sentiment", "language")
    ]


def threads(folder: Path) -> list[Row]:
    """Customers and support accounts talking; no labels."""
    return [Row(text=row["text"], language="en") for row in _rows(folder / THREADS, "text")]


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_SENTIMENTS = frozenset({"negative", "neutral", "positive"})


def _unescape(text: str) -> str:
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.replace('\\"', '"').replace('""', '"')


def _rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise DataMissing(
            f'{path} is missing; name the sets\' folder: --data "$OUTCRY_LABELLED_DATA"'
        )
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        lacking = [name for name in columns if name not in (reader.fieldnames or ())]
        if lacking:
            raise DataMissing(f"{path} has no column {lacking[0]!r}; is it the right file?")
        yield from reader
