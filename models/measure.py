"""The figures of what is shipped: languages told apart, and texts a second."""

from __future__ import annotations

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

_TEXTS = 6_000
_CHUNK = 256


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
    """Texts a processor-second by stage, on one core of this machine, after a warm-up."""
    rows = (data.complaints(folder) + data.threads(folder) + data.airline(folder))[:most]
    texts = [row.text for row in rows]
    reader, cues = load(model_folder), load_cues()
    assessor = Assessor(reader, cues)
    passages = [Passage(uid=str(at), text=text) for at, text in enumerate(texts)]
    stages: dict[str, Callable[[], object]] = {
        "language": lambda: [guess(text) for text in texts],
        "model": lambda: [reader.read(chunk) for chunk in _chunks(texts)],
        "cues": lambda: [cues.find(chunk) for chunk in _chunks(texts)],
        "privacy": lambda: [privacy.find(text) for text in texts],
        "assess": lambda: assessor.assess(passages),
    }
    figures = {}
    for name, stage in stages.items():
        stage()
        begin = time.process_time()
        stage()
        figures[f"{name}_texts_per_second"] = round(len(texts) / (time.process_time() - begin))
    return {**figures, "texts": len(texts)}


def _chunks(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[at : at + _CHUNK] for at in range(0, len(texts), _CHUNK)]
