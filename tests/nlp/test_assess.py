from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.assess import Assessor, load_assessor
from nlp.assessment import Assessment, Passage, decode, encode
from nlp.errors import CuesInvalid, ModelMissing
from nlp.privacy import mask
from tests.nlp import small_model

TEXTS = [
    "My router is broken and I am angry, call me on (415) 555-2671",
    "",
    "😡😡😡",
    "Mein Paket ist seit drei Wochen nicht angekommen, Karte 4111 1111 1111 1111",
    "Your charger caught fire last night!",
    "ما زلت أنتظر طلبي منذ أسبوع",
    "I am \ud83d broken \x00 but still here",
    "lovely service, thank you",
    "a" * 3000,
]


@pytest.fixture(scope="module")
def assessor(tmp_path_factory: pytest.TempPathFactory) -> Assessor:
    return load_assessor(small_model.write(tmp_path_factory.mktemp("m"), broken=2.0, angry=1.0))


def passages(texts: list[str]) -> list[Passage]:
    return [Passage(uid=str(at), text=text) for at, text in enumerate(texts)]


def check_offsets(text: str, found: Assessment) -> None:
    places = [(item.start, item.end) for item in found.cues]
    places += [(item.start, item.end) for item in found.evidence]
    places += [(item.start, item.end) for item in found.personal_data]
    for start, end in places:
        assert 0 <= start < end <= len(text)
    for item in found.evidence:
        assert text[item.start : item.end] == item.text


def test_assessments_come_in_the_order_of_their_passages(assessor: Assessor) -> None:
    found = assessor.assess(passages(TEXTS * 100))
    assert [item.uid for item in found] == [str(at) for at in range(len(TEXTS) * 100)]
    assert {item.model for item in found} == {"small/1"}


def test_a_readable_text_is_filled_in(assessor: Assessor) -> None:
    found = assessor.assess(passages(TEXTS))[0]
    assert found.language == "en"
    assert found.complaint
    assert [item.kind for item in found.personal_data] == ["phone"]
    assert decode(encode(found)) == found


def test_a_text_in_another_language_has_a_language_and_personal_data_only(
    assessor: Assessor,
) -> None:
    text = TEXTS[3]
    found = assessor.assess(passages([text]))[0]
    assert found.language == "de"
    assert [item.kind for item in found.personal_data] == ["card"]
    assert mask(text, found.personal_data).endswith("Karte [card]")
    assert found == Assessment(
        uid="0", model="small/1", language="de", personal_data=found.personal_data
    )


def test_the_same_passage_has_the_same_assessment_in_any_company(assessor: Assessor) -> None:
    together = assessor.assess(passages(TEXTS))
    assert [assessor.assess([one])[0] for one in passages(TEXTS)] == together
    assert assessor.assess(passages(TEXTS)[::-1])[::-1] == together
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: assessor.assess(passages(TEXTS)), range(12)):
            assert [encode(item) for item in found] == [encode(item) for item in together]


def test_a_title_is_read_but_offsets_stay_those_of_the_text(assessor: Assessor) -> None:
    passage = Passage(
        uid="1",
        title="Charger caught fire, mail me@example.org",
        text="It is broken and it is a scam. Write to you@example.org",
    )
    found = assessor.assess([passage])[0]
    check_offsets(passage.text, found)
    assert [item.kind for item in found.title_cues] == ["safety"]
    assert [item.kind for item in found.cues] == ["fraud"]
    assert "broken" in {item.text for item in found.evidence}
    assert passage.title is not None
    assert mask(passage.title, found.title_personal_data).endswith("mail [email]")
    assert mask(passage.text, found.personal_data).endswith("Write to [email]")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            Passage,
            uid=st.just("x"),
            text=st.text(),
            title=st.none() | st.text(max_size=20),
            lang=st.none() | st.sampled_from(["en", "de", "x", ""]),
        ),
        max_size=4,
    )
)
def test_no_text_makes_it_raise(assessor: Assessor, given_passages: list[Passage]) -> None:
    for passage, found in zip(given_passages, assessor.assess(given_passages), strict=True):
        check_offsets(passage.text, found)


def test_a_huge_text_is_done_in_seconds_and_masked_to_its_end(assessor: Assessor) -> None:
    text = "I am angry about order 12345678 of 3 May, it is broken. " * 180_000 + "me@example.org"
    assert len(text) > 10_000_000
    begin = time.process_time()
    found = assessor.assess(passages([text]))[0]
    assert time.process_time() - begin < 20
    assert [(item.kind, item.end) for item in found.personal_data] == [("email", len(text))]


def test_a_stream_is_held_a_few_hundred_passages_at_a_time(assessor: Assessor) -> None:
    taken = 0

    def endless() -> Iterator[Passage]:
        nonlocal taken
        while True:
            taken += 1
            yield Passage(uid=str(taken), text=f"the parcel number {taken % 50} is broken")

    found = assessor.stream(endless())
    first = next(found)
    assert first.uid == "1"
    assert taken <= 1000


def test_memory_stays_flat_over_a_stream_of_new_words(assessor: Assessor) -> None:
    def stream(size: int) -> Iterator[Passage]:
        for at in range(size):
            text = f"my parcel z{small_model.word(at)} is broken and angry"
            yield Passage(uid=str(at), text=text, lang="en")

    for _ in assessor.stream(stream(2_000)):
        pass
    tracemalloc.start()
    for _ in assessor.stream(stream(4_000)):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30e6


def test_what_is_missing_is_said_at_loading(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        load_assessor(tmp_path)
    folder = small_model.write(tmp_path / "m")
    with pytest.raises(CuesInvalid):
        load_assessor(folder, cues=tmp_path / "none.toml")
