"""The figures of a multilingual encoder, and its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import recipe
from models.behaviour import table
from models.blend import Floats, Integers
from models.corpus import read_corpus
from models.groups import folds
from models.judge_encoder import interval, said_by_others
from models.languages import read_tongues, sentiment_figures
from models.metrics import calibration_error, macro_f1
from models.seal import BLEND_PARTS
from nlp.baseline import sigmoid
from nlp.heads import COMPLAINT
from nlp.plain import PlainMetadata, load_plain
from nlp.session import Encoder

_BOTH = (0, 1)


def judge_plain(sets_folder: Path, folder: Path) -> dict[str, Any]:
    """Sentiment by language, and complaints in English; all on held-out rows.

    Raises:
        DataMissing: if a set is not there.
        NlpError: if the model cannot be loaded.
    """
    own = load_plain(folder).metadata
    encoder = Encoder(folder, longest=own.longest, batch=own.batch)
    corpus = read_corpus(sets_folder)
    rows = corpus.complaints_test
    labels = recipe.complaint_labels(rows)
    scores = encoder.scores([row.text for row in rows])[:, COMPLAINT].astype(np.float64)
    parts = folds(corpus.complaints_test_groups, BLEND_PARTS, 1)
    chances = _cross_chances(scores, labels, parts)
    said = said_by_others(chances, labels, parts)
    return {
        "sentiment": sentiment_figures(encoder, read_tongues(sets_folder).test),
        "complaint_english": {
            "macro_f1": round(macro_f1(labels, said, _BOTH), 4),
            "macro_f1_interval": interval(labels, said),
            "calibration_error": round(calibration_error(labels, chances), 4),
            "rows": len(labels),
        },
    }


def card(figures: dict[str, Any], metadata: PlainMetadata) -> str:
    """The card as Markdown, with the figures of ``models.evaluate``."""
    sentiment, complaint = figures["sentiment"], figures["complaint_english"]
    low, high = complaint["macro_f1_interval"]
    lines = "\n".join(
        f"| sentiment, macro-F1 | {code} | {sentiment[code]:.3f} |" for code in metadata.languages
    )
    return f"""# {figures["model"]}

A transformer encoder with heads for sentiment, complaint and severity, for posts that are not in
English; {figures["megabytes"]} MB in all, seven-bit weights. Reading needs `onnxruntime` and
`tokenizers`.

## For what
Beside `outcry-en`, under the name `outcry`: posts in {", ".join(metadata.languages)}. To rank
posts for people who then read them, not for deciding about a person.

## Data and procedure
Base weights: {metadata.base}, its vocabulary cut to these languages. Fitted to
{metadata.training["items"]:,} items ({metadata.training["texts"]:,} texts): tweets of UMSAB
(Barbieri et al., LREC 2022) in eight languages for sentiment, and the English complaint and
airline sets. One fifth of each, with all near-copies, was held out. **No complaint in another
language than English was seen**: what it says of complaints elsewhere is carried over by what
the languages share, and was measured on the few sentences below alone.

## Figures
Of held-out rows (`python -m models.evaluate --model {metadata.name} --data
"$OUTCRY_LABELLED_DATA" --write`). One seed. The sentiments' temperature, one number, was fitted
on the rows where it is judged; macro-F1 does not depend on it.

| what | language | figure |
| --- | --- | --- |
{lines}
| the mean over languages, {sentiment["rows"]:,} rows | | {sentiment["mean"]:.3f} |
| complaint, macro-F1, {complaint["rows"]:,} rows | en | {complaint["macro_f1"]:.3f} \
(95 % interval {low:.3f} to {high:.3f}) |
| complaint, calibration error (10 bins) | en | {complaint["calibration_error"]:.3f} |

## Behaviour
Sentences that we wrote (`python -m models.behaviour {metadata.name} --languages`):

{table(figures["behaviour"])}

## Limits
* Hindi is the weakest: look at its lines above before anything hangs on them.
* Hindi was learnt and judged in Latin letters as people tweet it, which the language guess tells
  from English only where it is plain: other such posts are read as English, or not at all.
* Cues are English: safety, fraud or the law are not heard in other languages.

## Licence
Apache-2.0, as the rest of Outcry; the base weights are under the MIT licence. The weights were
made from the sets named above, whose own terms bind whoever uses those sets.
"""


def _cross_chances(scores: Floats, labels: Integers, parts: Sequence[Sequence[int]]) -> Floats:
    """Calibrated probabilities, each fold's by a calibration of the others."""
    chances = np.zeros(len(labels))
    for part in parts:
        rest = np.setdiff1d(np.arange(len(labels)), part)
        scale, offset = recipe.platt(scores[rest], labels[rest])
        chances[part] = [sigmoid(scale * score + offset) for score in scores[part].tolist()]
    return chances
