"""A file of texts in, one line a row out, in order, whatever the rows hold."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from nlp.assessment import Assessment, Passage
from outcry import exits
from outcry.assessing import BadLine, Routes, Text, lines_of, output_to
from outcry.exits import InputError
from tests.outcry.shell import call, call_process, only_line
from triage.departments import DEPARTMENTS, Department

KEYS = (
    *("row", "language", "sentiment", "sentiment_probabilities", "complaint"),
    *(
        "complaint_probability",
        "severity",
        "department",
        "department_probability",
        "cues",
        "products",
    ),
    *("evidence", "personal_data", "model"),
)
ANGRY = "Third week without internet, nobody calls back and I am still charged. Shameful."
HAPPY = "Thank you, the technician was lovely and it works great now!"


class Reader:
    """Stands at the seam of `outcry.assessing.Reads`; knows only how much it was given."""

    def __init__(self, department: str | None = None) -> None:
        self.department = department
        self.asked: list[int] = []

    def assess(self, passages: Sequence[Passage]) -> Sequence[Assessment]:
        self.asked.append(len(passages))
        return [
            Assessment(
                uid=passage.uid,
                model="seam/1",
                language="en",
                severity=len(passage.text),
                department=self.department,
                department_probability=0.9 if self.department else None,
            )
            for passage in passages
        ]


def _assess(home: Path, file: Path, *more: str) -> Result:
    return call(home, "assess", str(file), *more)


def _lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    file = tmp_path / "reviews.csv"
    file.write_text(f'id,text\n1,"{ANGRY}"\n2,"{HAPPY}"\n')
    return file


@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=8)), max_size=600))
def test_every_row_has_its_line_in_its_place(rows: list[str | None]) -> None:
    texts = [
        Text(row=n, error="bad") if text is None else Text(row=n, text=text)
        for n, text in enumerate(rows, start=1)
    ]
    lines = list(lines_of(texts, Reader(), Routes(DEPARTMENTS)))
    assert [line.row for line in lines] == list(range(1, len(rows) + 1))
    for line, text in zip(lines, rows, strict=True):
        assert isinstance(line, BadLine) == (text is None)
        assert line.severity == (None if text is None else len(text))


def test_an_endless_input_is_read_a_bounded_number_of_rows_at_a_time() -> None:
    taken = 0

    def endless() -> Iterator[Text]:
        nonlocal taken
        while True:
            taken += 1
            yield Text(row=taken, text="no signal")

    reader = Reader()
    first = list(islice(lines_of(endless(), reader, Routes(DEPARTMENTS)), 10))
    assert [line.row for line in first] == list(range(1, 11))
    assert taken == reader.asked[0] <= 5000


def test_long_texts_make_smaller_chunks() -> None:
    reader = Reader()
    texts = [Text(row=n, text="x" * 3_000_000) for n in range(1, 6)]
    assert len(list(lines_of(texts, reader, Routes(DEPARTMENTS)))) == 5
    assert max(reader.asked) <= 2


def test_the_models_department_counts_where_it_is_one_of_ours() -> None:
    ours = [Department(name="towers", phrases=("no signal",)), Department(name="shops")]
    routes = Routes(ours)
    texts = [Text(row=1, text="no signal")]
    (line,) = lines_of(texts, Reader("shops"), routes)
    assert (line.department, line.department_probability) == ("shops", 0.9)
    (line,) = lines_of(texts, Reader("catering"), routes)
    assert (line.department, line.department_probability) == ("towers", None)


def test_the_lines_have_these_keys_in_this_order(tmp_path: Path, reviews: Path) -> None:
    result = _assess(tmp_path / "home", reviews)
    assert result.exit_code == exits.DONE
    assert result.stderr == ""
    angry, happy = _lines(result.stdout)
    assert tuple(angry) == KEYS
    assert tuple(happy) == KEYS
    assert (angry["row"], angry["language"], angry["complaint"]) == (1, "en", True)
    assert (happy["row"], happy["complaint"], happy["sentiment"]) == (2, False, "positive")
    assert sum(angry["sentiment_probabilities"].values()) == pytest.approx(1, abs=0.01)


def test_offsets_are_those_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    text = "You charged my card 4111 1111 1111 1111 twice, I want a refund"
    file.write_text(json.dumps({"text": text}))
    (line,) = _lines(_assess(tmp_path / "home", file).stdout)
    (span,) = line["personal_data"]
    assert span["kind"] == "card"
    assert text[span["start"] : span["end"]] == "4111 1111 1111 1111"
    for word in line["evidence"] + line["cues"]:
        assert text[word["start"] : word["end"]] == word["text"]


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, reviews: Path) -> None:
    result = _assess(tmp_path / "home", reviews, "--text-column", "body")
    assert result.exit_code == exits.WRONG
    assert "no column 'body'; the columns are id, text;" in only_line(result)
    assert result.stdout == ""


def test_a_missing_key_in_json_lines_is_named_too(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": 1, "message": "no signal"}\n')
    result = _assess(tmp_path / "home", file)
    assert result.exit_code == exits.WRONG
    assert "the columns are id, message" in only_line(result)


def test_nested_keys_are_reached_with_a_dot(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text(json.dumps({"post": {"body": ANGRY}}))
    (line,) = _lines(_assess(tmp_path / "home", file, "--text-column", "post.body").stdout)
    assert line["complaint"] is True


def test_bad_rows_keep_their_place_and_say_why(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [json.dumps({"text": ANGRY}), '{"text": ', json.dumps({"text": " "}), "[1]"]
    rows += [json.dumps({"text": 7}), json.dumps({"text": HAPPY})]
    file.write_text("\n".join(rows))
    result = _assess(tmp_path / "home", file)
    assert result.exit_code == exits.PARTIAL
    assert "4 of 6 rows could not be read" in only_line(result)
    lines = _lines(result.stdout)
    assert [line["row"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [tuple(line) for line in lines] == [
        KEYS if n in (1, 6) else (*KEYS, "error") for n in range(1, 7)
    ]
    assert all(lines[1][key] is None for key in KEYS if key != "row")
    assert lines[1]["error"].startswith("line 2: it is not JSON")
    assert lines[2]["error"] == "line 3: text is empty"
    assert lines[4]["error"] == "line 5: text is no text"


def test_a_byte_in_another_encoding_costs_its_row_only(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(f"text\n{HAPPY.replace(',', '')}\ncaf\xe9 was dirty\n".encode("cp1252"))
    result = _assess(tmp_path / "home", file)
    assert result.exit_code == exits.PARTIAL
    assert "byte 0xe9 is not utf-8" in _lines(result.stdout)[1]["error"]
    assert _assess(tmp_path / "home", file, "--encoding", "cp1252").exit_code == exits.DONE


def test_a_text_of_ten_megabytes_is_read_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text\n" + "no signal again " * 650_000 + f"\n{HAPPY.replace(',', '')}\n")
    result = _assess(tmp_path / "home", file)
    assert result.exit_code == exits.DONE
    assert [line["row"] for line in _lines(result.stdout)] == [1, 2]


@pytest.mark.parametrize(
    ("name", "words"),
    [("empty.csv", "is empty"), ("folder", "is a folder"), ("none.csv", "there is no file")],
)
def test_what_is_no_file_with_rows_costs_one_line(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    result = _assess(tmp_path / "home", tmp_path / name)
    assert result.exit_code == exits.WRONG
    assert words in only_line(result)


def test_packed_files_and_standard_input_give_the_same_lines(tmp_path: Path, reviews: Path) -> None:
    packed = tmp_path / "reviews.csv.gz"
    packed.write_bytes(gzip.compress(reviews.read_bytes()))
    plain = _assess(tmp_path / "home", reviews).stdout
    assert _assess(tmp_path / "home", packed).stdout == plain
    piped = call(tmp_path / "home", "assess", "-", stdin=reviews.read_bytes())
    assert piped.stdout == plain


def test_an_output_file_holds_the_same_lines(tmp_path: Path, reviews: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = _assess(tmp_path / "home", reviews, "--output", str(out))
    assert result.exit_code == exits.DONE
    assert result.stdout == ""
    assert out.read_text() == _assess(tmp_path / "home", reviews).stdout
    assert not list(tmp_path.glob(".*"))


def test_an_output_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("earlier\n")

    def stop_halfway() -> None:
        with output_to(str(out)) as file:
            file.write(b"half of ")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop_halfway()
    assert out.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [out]


def test_an_output_that_cannot_be_written_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"), output_to(str(tmp_path)):
        pass
    with pytest.raises(InputError, match="there is no folder"), output_to(str(tmp_path / "a/b")):
        pass


def test_assessing_leaves_nothing_in_the_home(tmp_path: Path, reviews: Path) -> None:
    _assess(tmp_path / "home", reviews)
    assert not (tmp_path / "home").exists()


def test_try_reads_one_text_for_people(tmp_path: Path) -> None:
    result = call(tmp_path, "try", ANGRY)
    assert result.exit_code == exits.DONE
    assert "language    en" in result.stdout
    assert "complaint   yes" in result.stdout


def test_try_for_scripts_is_a_line_of_assess(tmp_path: Path) -> None:
    (line,) = _lines(call(tmp_path, "try", ANGRY, "--json").stdout)
    assert tuple(line) == KEYS


def test_try_without_words_costs_one_line(tmp_path: Path) -> None:
    result = call(tmp_path, "try", "  ")
    assert result.exit_code == exits.WRONG
    assert "the text is empty" in only_line(result)


def test_as_a_process_it_reads_a_pipe_and_writes_one(tmp_path: Path, reviews: Path) -> None:
    done = call_process("--home", str(tmp_path), "assess", "-", stdin=reviews.read_bytes())
    assert done.returncode == exits.DONE
    assert [line["row"] for line in _lines(done.stdout.decode())] == [1, 2]
    assert done.stderr == b""
