"""Texts a second of the whole assessment, and its memory: ``python -m bench.reading [TEXTS]``.

With ``--checkpoint DIR`` (a folder of `models.train`) the transformers pipeline reads the same
texts with the same weights in the same run, with as many threads, so that the ratio holds on a
busy machine too. With ``--memory N`` so many texts are streamed and the process's resident memory
is printed along the way. Texts are generated (`bench.stream`).
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.stream import write_stream
from models import registry
from nlp.assess import Assessor, load_assessor
from nlp.assessment import Passage

_PIPELINE_TEXTS = 500
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Print one line a reader, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="?", type=int, default=2_000)
    parser.add_argument("--model", default=registry.DEFAULT)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    options = parser.parse_args()
    texts = generated(options.texts)
    assessor = load_assessor(registry.folder(options.model))
    assessor.assess(_passages(texts[:200]))
    own = _rate(lambda: assessor.assess(_passages(texts)), len(texts))
    print(f"{options.model}, all of assess: {own:,.0f} texts/s")
    if options.checkpoint:
        some = texts[:_PIPELINE_TEXTS]
        pipeline = _pipeline(options.checkpoint)
        pipeline(some[:32])
        other = _rate(lambda: pipeline(some), len(some))
        again = _rate(lambda: assessor.assess(_passages(some)), len(some))
        print(f"transformers pipeline, same weights: {other:,.0f} texts/s")
        print(f"all of assess, again after it: {again:,.0f} texts/s, {again / other:.1f} times")
    if options.memory:
        _memory(assessor, texts, options.memory)


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
