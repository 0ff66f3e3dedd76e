"""One reader of several, on the models that are shipped."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from models import registry
from nlp.assess import Assessor
from nlp.assessment import Passage
from nlp.cues import load_cues
from nlp.errors import ModelCorrupt
from nlp.loading import load, model_id
from nlp.reader import Reading
from nlp.several import KIND, Several, SeveralMetadata

METADATA = SeveralMetadata(
    kind=KIND, name="both", version=3, readers={"baseline-en": 1, "german": 1}
)


class German:
    """A reader of German that calls everything positive."""

    model = "german/1"
    languages = frozenset({"de", "en"})

    def read(
        self,
        texts: Sequence[str],
        stars: Sequence[float | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> list[Reading]:
        return [Reading(sentiment="positive", complaint=False) for _ in texts]


@pytest.fixture
def both() -> Several:
    return Several(METADATA, [load(registry.folder("baseline-en")), German()])


def test_each_text_is_read_by_the_first_that_knows_its_language(both: Several) -> None:
    texts = ["my parcel never came", "mein Paket kam nie", "it broke again", "¿dónde está?"]
    found = both.read(texts, [None, 1.0, 0.0, None], ["en", "de", "en", "es"])
    alone = load(registry.folder("baseline-en")).read([texts[0], texts[2]], [None, 0.0])
    assert [found[0], found[2]] == alone
    assert found[1].sentiment == "positive"
    assert found[3] == Reading()
    assert both.languages == {"en", "de"}


def test_an_assessment_names_the_reader_of_all(both: Several) -> None:
    assessor = Assessor(both, load_cues())
    passages = [
        Passage(uid="1", text="my parcel never came and nobody answers", lang="en"),
        Passage(uid="2", text="mein Paket kam nie an und niemand antwortet", lang="de"),
        Passage(uid="3", text="mon colis est perdu depuis deux semaines", lang="fr"),
    ]
    english, german, french = assessor.assess(passages)
    assert {one.model for one in (english, german, french)} == {"both/3"}
    assert english.complaint
    assert german.sentiment == "positive"
    assert french.sentiment is None
    assert french.language == "fr"


def test_a_folder_that_stands_for_others_is_loaded_with_them(tmp_path: Path) -> None:
    shutil.copytree(registry.folder("baseline-en"), tmp_path / "baseline-en")
    folder = tmp_path / "both"
    folder.mkdir()
    one = msgspec.structs.replace(METADATA, readers={"baseline-en": 1})
    (folder / "metadata.json").write_bytes(msgspec.json.encode(one))
    assert load(folder).model == model_id(folder) == "both/3"
    other = msgspec.structs.replace(METADATA, readers={"baseline-en": 2})
    (folder / "metadata.json").write_bytes(msgspec.json.encode(other))
    with pytest.raises(ModelCorrupt, match="raise its version"):
        load(folder)
