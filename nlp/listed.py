"""Products and places that the operator lists, found in a text however they are written there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Final, Literal

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.util import filter_spans

from nlp.assessment import Cue

ListedKind = Literal["product", "place"]
Names = Mapping[str, Sequence[str]]
"""What the operator calls a thing, and how else people write it."""

_JOINT: Final = re.compile(r"(?<=[^\W\d_])[- ]?(?=\d)|(?<=\w)[- ](?=\w)")

_MOST_PIECES: Final = 4
"""A name of more words is found as it is written only."""


class Listed:
    """Finds the names of lists by spaCy's phrase matcher; case does not matter.

    A name is found as it is written, with hyphens for its spaces, and without either: `Aqua Jet 2`
    finds ``aqua-jet 2`` and ``aquajet2``. Where two names overlap, the longer counts.
    """

    def __init__(self, pipeline: Language, lists: Mapping[ListedKind, Names]) -> None:
        self._matcher = PhraseMatcher(pipeline.vocab, attr="LOWER")
        self._names: dict[str, tuple[ListedKind, str]] = {}
        self.forms: list[list[str]] = []
        """The words of each way to write a name, as the pipeline cuts them."""
        for kind, names in lists.items():
            for name, others in names.items():
                key = f"{kind}:{name}"
                self._names[key] = (kind, name)
                written = sorted({form for one in (name, *others) for form in spellings(one)})
                docs = [pipeline.make_doc(form) for form in written]
                self.forms += [[token.lower_ for token in doc] for doc in docs]
                self._matcher.add(key, docs)

    def find(self, doc: Doc) -> Iterator[Cue]:
        """The listed names of a text, in order of place."""
        if not self._names:
            return
        for span in filter_spans(self._matcher(doc, as_spans=True)):
            kind, name = self._names[span.label_]
            yield Cue(
                kind=kind, text=span.text, start=span.start_char, end=span.end_char, name=name
            )


def spellings(name: str) -> set[str]:
    """How a name may be written; nothing for a name without letters or digits."""
    plain = " ".join(name.split())
    if not any(map(str.isalnum, plain)):
        return set()
    pieces = _JOINT.split(plain)
    if len(pieces) > _MOST_PIECES:
        return {plain}
    return {
        "".join(chain(*zip(pieces, (*joints, ""), strict=True)))
        for joints in product((" ", "-", ""), repeat=len(pieces) - 1)
    }


def products_of(cues: Iterable[Cue]) -> tuple[str, ...]:
    """The operator's names of the products among some cues, sorted, each once."""
    return tuple(sorted({cue.name for cue in cues if cue.kind == "product" and cue.name}))
