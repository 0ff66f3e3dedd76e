"""Texts a second of the whole assessment, and its memory: ``python -m bench.reading [TEXTS]``.

With ``--data DIR`` (the labelled sets) the texts are tweets of which 5 % complain, each once;
without, they are generated (`bench.stream`) and repeat as small talk does. With ``--steps`` an
encoder's ways to its speed are taken away and given back one after the other.
With ``--checkpoint DIR`` (a folder of `models.train`) the transformers pipeline reads the same
texts with the same weights in the same run, with as many threads, so that the ratio holds on a
busy machine too. With ``--memory N`` so many texts are streamed and the process's resident memory
is printed along the way.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from bench.stream import write_stream
from models import data, registry
from models.behaviour import folder_of
from nlp.assess import Assessor, load_assessor
from nlp.assessment import Passage
from nlp.baseline import load_baseline
from nlp.encoder import LINEAR_FOLDER, BlendedEncoder, read_encoder_metadata
from nlp.session import Encoder
from nlp.workers import FEW, Workers

_PIPELINE_TEXTS = 500
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Print one line a reader, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="?", type=int, default=2_000)
    parser.add_argument("--model", default=registry.DEFAULT)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", action="store_true")
    options = parser.parse_args()
    folder = folder_of(options.model)
    texts = posted(options.data, options.texts) if options.data else generated(options.texts)
    if options.steps:
        _steps(folder, texts)
    with Workers(load_assessor(folder), partial(load_assessor, folder, threads=1)) as workers:
        workers.assess(_passages(texts * (1 + 2 * FEW // len(texts))))
        fresh = _passages([f"{text} ." for text in texts])
        rate = _rate(lambda: workers.assess(fresh), len(texts))
        print(f"{options.model}, all of assess, a process a core: {rate:,.0f} texts/s")
    assessor = load_assessor(folder)
    assessor.assess(_passages(texts[:200]))
    own = _rate(lambda: assessor.assess(_passages(texts)), len(texts))
    print(f"{options.model}, all of assess: {own:,.0f} texts/s")
    if options.checkpoint:
        some = texts[:_PIPELINE_TEXTS]
        pipeline = _pipeline(options.checkpoint)
        pipeline(some[:32])
        other = _rate(lambda: pipeline(some), len(some))
        # Not the same again: what was read a moment ago is remembered.
        fresh = _passages([f"{text} !" for text in texts])
        again = _rate(lambda: assessor.assess(fresh), len(texts))
        print(f"transformers pipeline, same weights: {other:,.0f} texts/s")
        print(f"all of assess, again after it: {again:,.0f} texts/s, {again / other:.1f} times")
        print(f"all of assess, a process a core: {rate / other:.1f} times")
    if options.memory:
        _memory(assessor, texts, options.memory)


def posted(folder: Path, count: int) -> list[str]:
    """So many different tweets at most, of which one in twenty complains; drawn once."""
    rows = data.complaints(folder)
    others = [row.text for row in (*rows, *data.sentiment(folder)) if not row.complaint]
    draw = random.Random(5)
    some = draw.sample([row.text for row in rows if row.complaint], count // 20)
    texts = [*some, *draw.sample(others, min(len(others), count - len(some)))]
    draw.shuffle(texts)
    return list(dict.fromkeys(texts))


def _steps(folder: Path, texts: list[str]) -> None:
    """Processor-seconds of the model alone, so that what else runs here counts for little."""
    metadata = read_encoder_metadata(folder)
    linear = load_baseline(folder / LINEAR_FOLDER)
    settled = metadata.blend.settled
    for name, batch, limit in (
        ("a text at a time", 1, 0.0),
        ("texts of one length together", metadata.batch, 0.0),
        ("the clear ones settled by the linear model", metadata.batch, settled),
    ):
        blend = replace(metadata.blend, settled=limit)
        encoder = Encoder(folder, 1, metadata.longest, batch)
        reader = BlendedEncoder(replace(metadata, blend=blend), encoder, linear)
        begin = time.process_time()
        reader.read(texts)
        each = (time.process_time() - begin) / len(texts)
        print(f"{name}: {1e6 * each:,.0f} microseconds a text")
    assessor = load_assessor(folder, threads=1)
    for name in ("all of assess", "the same texts again"):
        begin = time.process_time()
        assessor.assess(_passages(texts))
        each = (time.process_time() - begin) / len(texts)
        print(f"{name}: {1e6 * each:,.0f} microseconds a text")


def generated(count: int) -> list[str]:
    """So many texts of a generated stream."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.csv"
        write_stream(path, count)
        with path.open(encoding="utf-8", newline="") as file:
            return [row["text"] for row in csv.DictReader(file)][:count]


def _passages(texts: list[str]) -> list[Passage]:
    return [Passage(uid=str(at), text=text) for at, text in enumerate(texts)]


def _rate(work: Callable[[], object], texts: int) -> float:
    begin = time.perf_counter()
    work()
    return texts / (time.perf_counter() - begin)


def _pipeline(checkpoint: Path) -> Callable[[list[str]], object]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    ready = pipeline(
        "text-classification",
        model=AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=3),
        tokenizer=AutoTokenizer.from_pretrained(checkpoint),
        batch_size=32,
    )
    return lambda texts: list(ready(texts))


def _memory(assessor: Assessor, texts: list[str], count: int) -> None:
    def endless() -> Iterator[Passage]:
        for at in range(count):
            yield Passage(uid=str(at), text=f"{texts[at % len(texts)]} {at}")

    stream, seen = assessor.stream(endless()), 0
    for _ in range(5):
        seen += sum(1 for _ in itertools.islice(stream, count // 5))
        resident = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE
        print(f"after {seen:,} texts: {resident / 1e6:,.0f} MB resident")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak {peak:,.0f} MB")


if __name__ == "__main__":
    main()
