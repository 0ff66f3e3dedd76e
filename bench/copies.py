"""Near-copies of real posts, made at run time: ``python -m bench.copies FOLDER [--rows N]``.

``FOLDER`` holds the labelled sets (see `models.data`). Each of the chosen rows is copied once or
more by edits, truncation, added handles, emoji and links, or several of these; copies, originals
and thousands of other real rows go through `triage.families`, with an embedded store, in random
order. A copy is found if it is in one family with its original; a join is right if both texts
come from the same row.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from models import data
from triage.families import place
from triage.likeness import sketch, words_of
from triage.store import open_store

CHUNK = 1000
EMOJI = ("😡", "🙄", "😂", "💀", "🤬", "👎", "😭")
HANDLES = ("@acme", "@newsdesk", "@a_friend", "@ombud", "@watchdog_za")
FILLERS = ("really", "please", "seriously", "again", "still", "omg", "honestly", "just")


def main() -> None:
    """Print recall by kind of copy, precision, the time, and the ten least like joins."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=3000, help="originals that are copied")
    parser.add_argument("--worst", action="store_true", help="print wrong joins (not for a log)")
    given = parser.parse_args()
    recall, precision, seconds, wrong, texts = measure(given.folder, given.rows)
    for kind, (found, of) in recall.items():
        print(f"recall {kind:22} {found / of:6.3f}  ({found:,} of {of:,})")
    print(f"precision{'':20} {precision[0] / precision[1]:6.4f}  ({precision[0]:,} of "
          f"{precision[1]:,} joins)")  # fmt: skip
    print(f"{texts:,} texts in {seconds:.1f} s: {texts / seconds:,.0f}/s")
    if given.worst:
        for one, other in wrong[:10]:
            print(f"- {one}\n  {other}")


Counts = dict[str, tuple[int, int]]


def measure(
    folder: Path, rows: int, seed: int = 11
) -> tuple[Counts, tuple[int, int], float, list[tuple[str, str]], int]:
    """Recall by kind (found, of), precision (right, of), seconds, wrong joins, texts."""
    rng = random.Random(seed)
    rows_of = [row for row in data.airline(folder) if row.sentiment == "negative"]
    rows_of += [row for row in data.complaints(folder) if row.complaint]
    pool = _distinct(rows_of)
    rng.shuffle(pool)
    originals, others = pool[:rows], pool[rows : rows * 4]
    texts = [(text, n, "original") for n, text in enumerate(originals)]
    texts += [(text, rows + n, "other") for n, text in enumerate(others)]
    for n, text in enumerate(originals):
        kind = rng.choice(sorted(KINDS))
        texts.append((KINDS[kind](text, rng), n, kind))
    rng.shuffle(texts)
    family_of, wrong, right, joins, seconds = _join(texts)
    found: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for text, n, kind in texts:
        if kind in KINDS:
            of[kind] += 1
            found[kind] += family_of[text, n] == family_of[originals[n], n]
    recall = {kind: (found[kind], of[kind]) for kind in sorted(of)}
    recall["all"] = (found.total(), of.total())
    return recall, (right, joins), seconds, wrong, len(texts)


def _join(
    texts: list[tuple[str, int, str]],
) -> tuple[dict[tuple[str, int], str], list[tuple[str, str]], int, int, float]:
    family_of: dict[tuple[str, int], str] = {}
    sources: dict[str, int] = {}
    leader: dict[str, str] = {}
    wrong: list[tuple[float, str, str]] = []
    right = joins = 0
    start = time.perf_counter()
    for (text, n, _), (family, like) in zip(texts, _placed(texts), strict=True):
        family_of[text, n] = family
        if family not in sources:
            sources[family], leader[family] = n, text
            continue
        joins += 1
        right += sources[family] == n
        if sources[family] != n:
            wrong.append((like, text, leader[family]))
    seconds = time.perf_counter() - start
    wrong.sort()
    return family_of, [pair[1:] for pair in wrong], right, joins, seconds


def _placed(texts: list[tuple[str, int, str]]) -> Iterator[tuple[str, float]]:
    """The family of each text, found in an embedded store a chunk at a time, as triage does."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite", path=Path(folder) / "outcry.db")
        store.setup()
        for start in range(0, len(texts), CHUNK):
            some = texts[start : start + CHUNK]
            made = [sketch(text) for text, _, _ in some]
            found = iter(place(store, [one for one in made if one is not None]))
            for (text, n, _), one in zip(some, made, strict=True):
                yield (f"short {text} {n}", 1.0) if one is None else next(found)
        store.close()


def _distinct(rows: list[data.Row]) -> list[str]:
    """Texts of at least 8 words that are no reposts, one of each wording."""
    found: dict[str, str] = {}
    for row in rows:
        words = words_of(row.text)
        if len(words) >= 8 and not row.text.lstrip().lower().startswith("rt @"):
            found.setdefault(" ".join(words), row.text)
    return sorted(found.values())


def _edited(text: str, rng: random.Random) -> str:
    words = text.split()
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(words))
        match rng.choice(("typo", "drop", "add", "other")):
            case "typo" if len(words[at]) > 3:
                cut = rng.randrange(1, len(words[at]) - 1)
                words[at] = words[at][:cut] + words[at][cut + 1 :]
            case "drop" if len(words) > 6:
                del words[at]
            case "add":
                words.insert(at, rng.choice(FILLERS))
            case _:
                words[at] = rng.choice(FILLERS)
    return " ".join(words)


def _truncated(text: str, rng: random.Random) -> str:
    keep = max(35, int(len(text) * rng.uniform(0.5, 0.9)))
    return text[:keep] + rng.choice(("…", "...", ""))


def _handles(text: str, rng: random.Random) -> str:
    return f"{' '.join(rng.sample(HANDLES, 2))} {text} {rng.choice(HANDLES)}"


def _emoji(text: str, rng: random.Random) -> str:
    words = text.split()
    for _ in range(3):
        words.insert(rng.randrange(len(words) + 1), rng.choice(EMOJI))
    return " ".join(words)


def _links(text: str, rng: random.Random) -> str:
    return f"{text} https://t.example/{rng.randrange(10**9):x}"


def _several(text: str, rng: random.Random) -> str:
    return _links(_emoji(_handles(_edited(text, rng), rng), rng), rng)


KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "edits": _edited,
    "truncation": _truncated,
    "handles": _handles,
    "emoji": _emoji,
    "links": _links,
    "several at once": _several,
}

if __name__ == "__main__":
    main()
