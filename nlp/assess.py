"""Texts in, assessments out: language, model, cues and personal data together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from nlp import privacy
from nlp.assessment import Assessment, Cue, Evidence, Passage
from nlp.cues import LANGUAGES as CUE_LANGUAGES
from nlp.cues import CueFinder, load_cues
from nlp.language import guess, model_path
from nlp.listed import Names, products_of
from nlp.loading import load
from nlp.reader import Reader, Reading
from nlp.recent import Recent
from nlp.stars import stars
from nlp.text import MODEL_CHARACTERS

_BATCH = 512
_REMEMBERED = 4_096
_LONGEST_REMEMBERED = 400
"""Characters; what is posted over and over is short, and so it takes 10 MB at most."""
_Place = TypeVar("_Place", Cue, Evidence)


class Assessor:
    """Assesses passages by one model.

    An assessment depends on its passage alone: not on the batch, the order or the thread. The
    language, the model and the cues read a text's first ``MODEL_CHARACTERS`` characters; personal
    data is searched in all of it. Safe to call from several threads.
    """

    def __init__(
        self,
        reader: Reader,
        cues: CueFinder,
        phone_region: str = "US",
        public_handles: Collection[str] = (),
    ) -> None:
        self._reader = reader
        self._cues = cues
        self._region = phone_region
        self._handles = frozenset(public_handles)
        self._recent: Recent[Passage, Assessment] = Recent(_REMEMBERED)

    @property
    def model(self) -> str:
        """Name and version of the model, the half of an assessment's key."""
        return self._reader.model

    def assess(self, passages: Sequence[Passage]) -> list[Assessment]:
        """One assessment a passage, in the same order; no text makes it raise."""
        return list(self.stream(passages))

    def stream(self, passages: Iterable[Passage]) -> Iterator[Assessment]:
        """As `assess`, for any number of passages; holds a few hundred of them at a time."""
        remaining = iter(passages)
        while chunk := tuple(islice(remaining, _BATCH)):
            yield from self._chunk(chunk)

    def _chunk(self, passages: Sequence[Passage]) -> Iterator[Assessment]:
        # A passage but for its identity; reposts and small talk come again and again.
        said = [msgspec.structs.replace(passage, uid="") for passage in passages]
        known = {one: kept for one in set(said) if (kept := self._recent.get(one)) is not None}
        fresh = [one for one in dict.fromkeys(said) if one not in known]
        for one, found in zip(fresh, self._assessed(fresh), strict=True):
            known[one] = found
            if len(one.text) <= _LONGEST_REMEMBERED:
                self._recent.put(one, found)
        for passage, one in zip(passages, said, strict=True):
            yield msgspec.structs.replace(known[one], uid=passage.uid)

    def _assessed(self, passages: Sequence[Passage]) -> Iterator[Assessment]:
        texts = [_whole(passage)[:MODEL_CHARACTERS] for passage in passages]
        languages = [
            guess(text, passage.lang) for text, passage in zip(texts, passages, strict=True)
        ]
        readable = [at for at, code in enumerate(languages) if code in self._reader.languages]
        readings = self._reader.read(
            [texts[at] for at in readable],
            [stars(passages[at].rating, passages[at].rating_max) for at in readable],
            [languages[at] for at in readable],
        )
        spoken = [at for at, code in enumerate(languages) if code in CUE_LANGUAGES]
        cues = dict(zip(spoken, self._cues.find([texts[at] for at in spoken]), strict=True))
        read = dict(zip(readable, readings, strict=True))
        for at, passage in enumerate(passages):
            yield self._assessment(
                passage, languages[at], read.get(at, Reading()), cues.get(at, ())
            )

    def _assessment(
        self, passage: Passage, language: str, reading: Reading, cues: tuple[Cue, ...]
    ) -> Assessment:
        shift = len(passage.title) + 1 if passage.title else 0
        return Assessment(
            uid=passage.uid,
            model=self._reader.model,
            language=language,
            sentiment=reading.sentiment,
            sentiment_probabilities=reading.sentiment_probabilities,
            complaint=reading.complaint,
            complaint_probability=reading.complaint_probability,
            severity=reading.severity,
            cues=_in_text(cues, shift),
            products=products_of(cues),
            evidence=_in_text(reading.evidence, shift),
            title_cues=_in_title(cues, shift),
            personal_data=privacy.find(passage.text, self._region, self._handles),
            title_personal_data=privacy.find(passage.title or "", self._region, self._handles),
        )


def load_assessor(
    model_folder: Path,
    *,
    cues: Path | None = None,
    products: Names | None = None,
    places: Names | None = None,
    phone_region: str = "US",
    public_handles: Collection[str] = (),
    threads: int | None = None,
) -> Assessor:
    """The assessor of a model's folder.

    Args:
        model_folder: what `nlp.loading.load` takes.
        cues: a file of cues in the place of the one that comes with Outcry, or added to it.
        products: the operator's products, each with the other ways to write it.
        places: the operator's places, likewise.
        phone_region: ISO 3166 code of the country whose telephone numbers need no country code.
        public_handles: the brand's own, in small letters without ``@``: nobody's personal data.
        threads: as `nlp.loading.load`.

    Raises:
        ModelMissing: if the folder, or the language model, is not there.
        ModelCorrupt: if a file of the model is damaged.
        CuesInvalid: if the cues cannot be read.
    """
    model_path()
    finder = load_cues(cues, products=products, places=places)
    return Assessor(load(model_folder, threads), finder, phone_region, public_handles)


def _whole(passage: Passage) -> str:
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text


def _in_text(places: tuple[_Place, ...], shift: int) -> tuple[_Place, ...]:
    if not shift:
        return places
    return tuple(
        msgspec.structs.replace(place, start=place.start - shift, end=place.end - shift)
        for place in places
        if place.start >= shift
    )


def _in_title(cues: tuple[Cue, ...], shift: int) -> tuple[Cue, ...]:
    return tuple(cue for cue in cues if cue.end < shift)
