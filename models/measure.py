"""The figures of what is shipped: languages told apart, and texts a second."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from models import data
from nlp import privacy
from nlp.assess import Assessor
from nlp.assessment import Passage
from nlp.cues import load_cues
from nlp.language import UNDETERMINED, guess
from nlp.loading import load

_TEXTS = 3_000
_CHUNK = 256
_WARM = 256
_SEED = 20261122


def language_figures(folder: Path) -> dict[str, Any]:
    """How the language guess does without a declared language."""
    figures: dict[str, Any] = {}
    for name, rows in (("complaints", data.complaints(folder)), ("airline", data.airline(folder))):
        said = Counter(guess(row.text) for row in rows)
        other = len(rows) - said["en"] - said[UNDETERMINED]
        figures[f"{name}_english_called_another"] = round(other / len(rows), 4)
        figures[f"{name}_english_called_und"] = round(said[UNDETERMINED] / len(rows), 4)
    by_language: dict[str, list[str]] = defaultdict(list)
    for row in data.multilingual(folder):
        by_language[str(row.language)].append(guess(row.text))
    for language, guesses in sorted(by_language.items()):
        share = guesses.count(language) / len(guesses)
        figures[f"multilingual_{language}_right"] = round(share, 4)
    return figures


def speed_figures(folder: Path, model_folder: Path, most: int = _TEXTS) -> dict[str, Any]:
    """Texts a processor-second by stage, on one core of this machine, after a warm-up.

    No stage sees a text twice, nor one that another stage has seen: what was read is remembered.
    """
    rows = data.complaints(folder) + data.threads(folder) + data.airline(folder)
    texts = sorted({row.text for row in rows})
    random.Random(_SEED).shuffle(texts)
    reader, cues = load(model_folder), load_cues()
    assessor = Assessor(reader, cues)
    stages: dict[str, Callable[[Sequence[str]], object]] = {
        "language": lambda some: [guess(text) for text in some],
        "model": lambda some: [reader.read(chunk) for chunk in _chunks(some)],
        "cues": lambda some: [cues.find(chunk) for chunk in _chunks(some)],
        "privacy": lambda some: [privacy.find(text) for text in some],
        "assess": lambda some: assessor.assess(
            [Passage(uid=str(at), text=text) for at, text in enumerate(some)]
        ),
    }
    figures = {}
    share = min(most, len(texts) // len(stages))
    for at, (name, stage) in enumerate(stages.items()):
        own = texts[at * share : (at + 1) * share]
        stage(own[:_WARM])
        begin = time.process_time()
        stage(own[_WARM:])
        seconds = time.process_time() - begin
        figures[f"{name}_texts_per_second"] = round((share - _WARM) / seconds)
    return {**figures, "texts": share - _WARM}


def _chunks(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[at : at + _CHUNK] for at in range(0, len(texts), _CHUNK)]
