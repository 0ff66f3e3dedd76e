"""Families of texts: each text is a copy of the first one heard that it is like enough.

A family is known by its first text's sketch. A text joins the family whose first text it is
most like, or founds one. So no chain of small changes leads from one complaint to another, and
a storm of copies costs one comparison a copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from triage import cases
from triage.likeness import Sketch, likeness, sketch
from triage.rows import REPOST_KEY
from triage.rules import Rules
from triage.store.base import Store, StoredMention

AT_ONCE = 25
"""Texts whose families are in memory together."""


class Families:
    """Families by their keys, in memory."""

    def __init__(self) -> None:
        self._stored: dict[str, dict[str, Sketch]] = {}
        self._fresh: dict[str, dict[str, Sketch]] = {}
        self._texts: set[str] = set()
        self.founded: list[Sketch] = []
        """Families that are new since, in order."""

    def know(self, stored: Iterable[Sketch], keys: set[str]) -> None:
        """Forget what was known of the store, but not what was founded, and know these.

        ``keys`` are those by which they will be asked for.
        """
        self._stored.clear()
        self._texts = {one.fingerprint for one in self.founded}
        for one in stored:
            self._texts.add(one.fingerprint)
            for key in keys.intersection(one.keys):
                self._stored.setdefault(key, {})[one.fingerprint] = one

    def place(self, text: Sketch) -> tuple[str, float]:
        """The text's family and how like its first text it is; founds one where none fits."""
        if text.fingerprint in self._texts:
            return text.fingerprint, 1.0
        near: dict[str, Sketch] = {}
        for key in text.keys:
            near |= self._stored.get(key, {})
            near |= self._fresh.get(key, {})
        ranked = ((likeness(text, one), name) for name, one in near.items())
        # Of equals the one with the smaller name, whatever the order of reading.
        like, name = min(((-like, name) for like, name in ranked if like), default=(0.0, ""))
        if name:
            return name, -like
        self.founded.append(text)
        self._texts.add(text.fingerprint)
        for key in text.keys:
            self._fresh.setdefault(key, {})[text.fingerprint] = text
        return text.fingerprint, 1.0


def settle_families(
    store: Store, rows: Sequence[StoredMention], words: Mapping[str, str], rules: Rules
) -> list[StoredMention]:
    """These rows, in their order, with the family of each as its fingerprint.

    Only what could be a case or the voice of one is looked up; ``words`` are the texts by uid.
    New families are in the store before this returns. Idempotent for rows that are stored
    afterwards: a stored row keeps its family while its words stay.
    """
    sketches = {
        row.uid: made
        for row in rows
        if _is_telling(row, rules) and (made := sketch(words[row.uid])) is not None
    }
    if not sketches:
        return list(rows)
    repeated = Counter(made.fingerprint for made in sketches.values())
    # What many repeat word for word is the middle of its family: it comes first.
    ordered = sorted(
        (row for row in rows if row.uid in sketches),
        key=lambda row: (-repeated[sketches[row.uid].fingerprint], row.created_at, row.uid),
    )
    places = place(store, [sketches[row.uid] for row in ordered])
    placed = {row.uid: found for row, found in zip(ordered, places, strict=True)}
    return [_in_family(row, *placed[row.uid]) if row.uid in placed else row for row in rows]


def place(store: Store, texts: Sequence[Sketch]) -> list[tuple[str, float]]:
    """The family of each text and how like its first text it is; new ones are stored."""
    families = Families()
    found = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        keys = {key for one in some for key in one.keys}
        families.know(store.families(sorted(keys)), keys)
        found += [families.place(one) for one in some]
    if families.founded:
        store.save_families(families.founded)
    return found


def _is_telling(row: StoredMention, rules: Rules) -> bool:
    """Whether it could be a case, or a repost of one in words of its own."""
    if not row.fingerprint or row.fingerprint.startswith(REPOST_KEY):
        return False
    return cases.refusal(msgspec.structs.replace(row, repost=False), rules) is None


def _in_family(row: StoredMention, family: str, like: float) -> StoredMention:
    return msgspec.structs.replace(
        row, fingerprint=family, likeness=None if like == 1.0 else round(like, 3)
    )
