"""Whether the words shown as evidence are those that annotators named as the cause."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from models import recipe
from models.blend import Read
from nlp.encoder import BlendedEncoder, pulls
from nlp.evidence import MOST_WORDS, strongest, tells_something
from nlp.text import form, tokens


def evidence_figures(reader: BlendedEncoder, complaints: Read) -> dict[str, Any]:
    """Token F1 of the evidence for a complaint against the annotated cause.

    Forms are compared, each once, links, handles, numbers and punctuation aside. The random
    baseline shows as many words of the same text; ``all_words`` shows every word.
    """
    chance = random.Random(recipe.SEED)
    ours: list[float] = []
    drawn: list[float] = []
    whole: list[float] = []
    for row, raw in zip(complaints.rows, complaints.raw, strict=True):
        if not row.complaint or not row.cause:
            continue
        cause = _forms(tokens(row.cause))
        every = sorted(_forms(raw.tokens))
        if not cause or not every:
            continue
        evidence = strongest(row.text, raw.tokens, pulls(raw, reader.metadata.blend))
        shown = {form(one.text) for one in evidence if one.weight > 0}
        ours.append(_f1(shown, cause))
        drawn.append(_f1(set(chance.sample(every, min(len(shown), len(every)))), cause))
        whole.append(_f1(set(every), cause))
    return {
        "token_f1": _mean(ours),
        "token_f1_random_words": _mean(drawn),
        "token_f1_all_words": _mean(whole),
        "most_words_shown": MOST_WORDS,
        "rows": len(ours),
    }


def _forms(found: Sequence[str]) -> set[str]:
    return {shape for shape in map(form, found) if tells_something(shape)}


def _f1(shown: set[str], true: set[str]) -> float:
    hits = len(shown & true)
    return 2 * hits / (len(shown) + len(true)) if hits else 0.0


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
