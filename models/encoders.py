"""The ways an encoder is trained: on labels, as a student beside them, and in eight languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import torch

from models import data
from models.corpus import Corpus, read_corpus, sample
from models.data import Row
from models.fit import fit
from models.items import Floats, items
from models.languages import Tongues, read_tongues
from models.net import load_net, save_net
from models.plan import Made, Options, Plan
from nlp.heads import WIDTH

LONGEST = 128
"""Word pieces of a text; a post has some thirty."""
_TAUGHT_LONGEST = 64
_FILES = (data.SENTIMENT, data.AIRLINE, data.COMPLAINTS, data.THREADS, data.MULTILINGUAL)

LABELS = Plan(
    passes=1,
    rate=7e-5,
    head_rate=1e-3,
    gold={"sentiment": 1.0, "complaint": 1.5, "severity": 0.7, "reason": 1.0},
    distilled={},
)
STUDENT = Plan(
    passes=2,
    rate=1e-4,
    head_rate=1e-3,
    gold={"sentiment": 0.3, "complaint": 0.45, "severity": 1.0, "reason": 1.0},
    distilled={"sentiment": 1.0, "complaint": 1.5, "severity": 0.5, "reason": 0.5},
)

ENGLISH_FIRST = Plan(
    passes=1,
    rate=1e-4,
    head_rate=1e-3,
    gold={"sentiment": 1.0, "complaint": 1.0, "severity": 0.5, "reason": 0.5},
    distilled={"sentiment": 0.5, "complaint": 1.0},
)
MULTILINGUAL = msgspec.structs.replace(ENGLISH_FIRST, passes=2, dropout=0.1)


def labelled_rows(corpus: Corpus, share: float = 1.0) -> list[Row]:
    """What is seen in a pass over labels: complaints three times, samples of the larger sets."""
    seed = LABELS.seed
    return [
        *(row for _ in range(3) for row in corpus.complaints),
        *sample(corpus.airline, round(6_500 * share), seed),
        *sample(corpus.semeval, round(9_000 * share), seed),
    ]


def student_rows(corpus: Corpus, share: float = 1.0) -> list[Row]:
    """What a student sees in a pass: complaints twice, and more of the larger sets."""
    seed = STUDENT.seed
    return [
        *(row for _ in range(2) for row in corpus.complaints),
        *sample(corpus.airline, round(9_500 * share), seed),
        *sample(corpus.semeval, round(10_000 * share), seed),
        *corpus.threads,
    ]


def english_rows(tongues: Tongues, share: float = 1.0) -> list[Row]:
    """What a multilingual encoder sees first: what a tweet's tone is, where most rows say so."""
    seed = ENGLISH_FIRST.seed
    return [
        *tongues.complaints,
        *sample(tongues.airline, round(3_000 * share), seed),
        *sample(tongues.semeval, round(12_000 * share), seed),
    ]


def multilingual_rows(tongues: Tongues, share: float = 1.0) -> list[Row]:
    """What it then sees in a pass: all eight languages, all complaints, some airline tweets.

    English has no more than a third of it, lest the other languages' sentiments suffer.
    """
    seed = MULTILINGUAL.seed
    return [
        *sample(tongues.train, round(len(tongues.train) * min(1.0, share)), seed),
        *tongues.complaints,
        *sample(tongues.airline, round(2_000 * share), seed),
    ]


def train_on_labels(folder: Path, base: str, out: Path, options: Options) -> Made:
    """Fits an encoder to the labels of a folder of sets and writes it to ``out``.

    Raises:
        DataMissing: if a set is not there.
    """
    rows = labelled_rows(read_corpus(folder), options.share)
    return _train("labels", folder, base, out, [Stage(options.applied(LABELS), rows)])


def train_student(
    folder: Path, base: str, teachers: Sequence[Path], out: Path, options: Options
) -> Made:
    """Fits a student to labels and to the mean scores of its teachers (exported folders).

    Raises:
        DataMissing: if a set is not there.
    """
    rows = student_rows(read_corpus(folder), options.share)
    stage = Stage(options.applied(STUDENT), rows, taught_by(rows, teachers))
    return _train("student", folder, base, out, [stage])


def train_multilingual(
    folder: Path, base: str, teachers: Sequence[Path], out: Path, options: Options
) -> Made:
    """Fits an encoder to English sets, then to tweets in eight languages and to complaints.

    The teachers, if there are any, are asked about the English rows alone.

    Raises:
        DataMissing: if a set is not there.
    """
    tongues = read_tongues(folder)
    first = english_rows(tongues, options.share)
    rows = multilingual_rows(tongues, options.share)
    once = msgspec.structs.replace(options, passes=None)
    stages = [
        Stage(once.applied(ENGLISH_FIRST), first, taught_by(first, teachers)),
        Stage(options.applied(MULTILINGUAL), rows, taught_english(rows, teachers)),
    ]
    return _train("multilingual", folder, base, out, stages)


def taught_english(rows: Sequence[Row], teachers: Sequence[Path]) -> Floats | None:
    """As `taught_by`; not a number in the rows of other languages."""
    english = [at for at, row in enumerate(rows) if row.language == "en"]
    told = taught_by([rows[at] for at in english], teachers)
    if told is None:
        return None
    scores = np.full((len(rows), WIDTH), np.nan, np.float32)
    scores[english] = told
    return scores


def taught_by(rows: Sequence[Row], teachers: Sequence[Path]) -> Floats | None:
    """The mean scores of exported teachers, a line a row; each text is read once."""
    from nlp.session import Encoder

    if not teachers:
        return None
    texts = sorted({row.text for row in rows})
    place = {text: at for at, text in enumerate(texts)}
    scores = np.mean([Encoder(folder).scores(texts) for folder in teachers], axis=0)
    found: Floats = scores[[place[row.text] for row in rows]].astype(np.float32)
    return found


class Stage(NamedTuple):
    """What a net is fitted to, one after the other."""

    plan: Plan
    rows: list[Row]
    taught: Floats | None = None


def _train(recipe: str, folder: Path, base: str, out: Path, stages: Sequence[Stage]) -> Made:
    torch.manual_seed(stages[0].plan.seed)  # the heads start from it
    net, tokenizer = load_net(base)
    out.mkdir(parents=True, exist_ok=True)
    curve = out / "curve.jsonl"
    curve.unlink(missing_ok=True)
    for plan, rows, scores in stages:
        fit(net, items(rows, tokenizer, _TAUGHT_LONGEST, scores), plan, curve)
    save_net(net, tokenizer, out)
    seen = [row.text for stage in stages for row in stage.rows]
    made = Made(
        recipe=recipe,
        base=Path(base).name,
        plan=stages[-1].plan,
        rows={"items": len(seen), "texts": len(set(seen))},
        sha256={name: data.digest(folder / name) for name in _FILES if (folder / name).is_file()},
    )
    raw = msgspec.json.encode(made, order="deterministic")
    (out / "recipe.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
    return made
