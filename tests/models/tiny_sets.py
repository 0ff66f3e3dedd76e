"""Labelled sets of our own wording in the layouts of the public ones, big enough to train on."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

_BAD = ["parcel never came", "router keeps dying", "bill is wrong", "agent was rude", "app broke"]
_GOOD = ["love this place", "staff were kind", "great new colour", "best soup in town"]
_PLAIN = ["open on sunday", "bus leaves at nine", "match starts soon", "rain in the north"]
_REASONS = ["Late Flight", "Lost Luggage"]
_FILL = ["again", "today", "really", "still", "home", "with", "my", "friend", "second", "week"]


def _text(stock: list[str], chance: random.Random) -> str:
    return f"{chance.choice(stock)} {' '.join(chance.sample(_FILL, 6))}"


def write(folder: Path, rows: int = 120) -> Path:
    """The four sets that training reads, in a folder, which is returned."""
    chance = random.Random(5)
    folder.mkdir(parents=True, exist_ok=True)
    stocks = {"negative": _BAD, "neutral": _PLAIN, "positive": _GOOD}

    def save(name: str, header: list[str], lines: Sequence[Sequence[object]]) -> None:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *lines])

    moods = [chance.choice(sorted(stocks)) for _ in range(rows)]
    texts = [_text(stocks[mood], chance) for mood in moods]
    save(
        "sentiment.csv", ["sentiment", "text"], [[m, t] for m, t in zip(moods, texts, strict=True)]
    )
    save(
        "airline.csv",
        ["airline_sentiment", "negativereason", "text"],
        [
            [m, _REASONS[at % 2] if m == "negative" else "", f"@fly {_text(stocks[m], chance)}"]
            for at, m in enumerate(moods)
        ],
    )
    graded = [
        [
            f"@shop {_text(_BAD if at % 3 == 0 else _PLAIN + _GOOD, chance)}",
            int(at % 3 == 0),
            f"{1 + at // 3 % 4 if at % 3 == 0 else 0}.0",
            "negative" if at % 3 == 0 else "neutral",
            "retail" if at % 2 else "random_tweet",
        ]
        for at in range(rows)
    ]
    graded.append([texts[0], 0, "0.0", "", "food"])
    save("complaints.csv", ["text", "complaint", "severity", "sentiment", "domain"], graded)
    save("support_threads.csv", ["text"], [[f"@help {text}"] for text in texts[: rows // 2]])
    return folder


_TONGUES = {
    "english": {"negative": _BAD, "neutral": _PLAIN, "positive": _GOOD},
    "spanish": {
        "negative": ["el paquete nunca llega", "la factura está mal"],
        "neutral": ["abre los domingos", "llueve en el norte"],
        "positive": ["me encanta esta tienda", "qué buena sopa"],
    },
    "german": {
        "negative": ["das paket kam nie", "die rechnung ist falsch"],
        "neutral": ["sonntags geöffnet", "regen im norden"],
        "positive": ["ich liebe diesen laden", "die beste suppe"],
    },
}


def write_tongues(folder: Path, rows: int = 40, copied: str = "") -> int:
    """The set in several languages, beside the others; returns how many rows it has."""
    chance = random.Random(6)
    lines = [
        [tongue, mood, _text(stocks[mood], chance)]
        for tongue, stocks in _TONGUES.items()
        for mood in stocks
        for _ in range(rows)
    ]
    if copied:
        lines.append(["english", "neutral", copied])
    with (folder / "multilingual.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["language", "sentiment", "text"], *lines])
    return len(lines)
