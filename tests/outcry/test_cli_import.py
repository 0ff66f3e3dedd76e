"""Files through the command line: good ones, and every bad one in one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import Result

from outcry import exits
from tests.outcry.shell import call, call_process, objects, only_line

MAP = ("--map", "text=body", "--map", "created_at=when", "--map", "native_id=id")
HEAD = "id,body,when\n"
GOOD = '{},"still no answer from you",2026-11-20T10:00:00Z\n'


def _import(home: Path, file: Path, *more: str) -> Result:
    return call(home, "import", str(file), *(more or MAP))


def _written(place: Path, content: str | bytes) -> Path:
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return _written(tmp_path / "good.csv", HEAD + GOOD.format(1) + GOOD.format(2))


def test_a_good_file_is_counted_and_says_nothing_on_stderr(home: Path, good: Path) -> None:
    result = _import(home, good)
    assert result.exit_code == exits.DONE
    assert "2 rows, 2 new, 0 duplicates, 0 rejected" in result.stdout
    assert result.stderr == ""


def test_the_same_file_again_brings_nothing_new(home: Path, good: Path) -> None:
    _import(home, good)
    result = _import(home, good)
    assert result.exit_code == exits.DONE
    assert "nothing new" in result.stdout


def test_for_scripts_an_import_is_one_object(home: Path, good: Path) -> None:
    (row,) = objects(call(home, "import", str(good), *MAP, "--json"))
    assert (row["step"], row["outcome"], row["new"], row["rejected"]) == ("import", "ok", 2, 0)


def test_standard_input_is_a_file_like_any_other(home: Path, good: Path) -> None:
    piped = call(home, "import", "-", *MAP, stdin=good.read_bytes())
    assert piped.exit_code == exits.DONE
    assert "2 new" in piped.stdout
    assert "nothing new" in _import(home, good).stdout
    assert list((home / "spool").iterdir()) == []


def test_a_missing_text_column_is_named_with_those_that_are_there(home: Path, good: Path) -> None:
    result = _import(home, good, "--map", "text=message", "--map", "created_at=when")
    assert result.exit_code == exits.WRONG
    line = only_line(result)
    assert "message" in line
    assert "id, body, when" in line


def test_rows_in_another_encoding_are_rejected_and_the_others_go_through(
    home: Path, tmp_path: Path
) -> None:
    odd = '3,"caf\xe9 was dirty",2026-11-20T10:00:00Z\n'
    file = _written(tmp_path / "odd.csv", (HEAD + GOOD.format(1) + odd).encode("cp1252"))
    result = _import(home, file)
    assert result.exit_code == exits.PARTIAL
    only_line(result)
    assert "1 new, 0 duplicates, 1 rejected" in result.stdout
    assert "line 3: byte 0xe9 is not utf-8" in result.stdout
    assert _import(home, file, *MAP, "--encoding", "cp1252").exit_code == exits.DONE


def test_a_row_without_a_time_is_rejected_with_its_line(home: Path, tmp_path: Path) -> None:
    file = _written(tmp_path / "a.csv", HEAD + GOOD.format(1) + "2,no time,\n" + GOOD.format(3))
    result = _import(home, file)
    assert result.exit_code == exits.PARTIAL
    only_line(result)
    assert "2 new, 0 duplicates, 1 rejected" in result.stdout
    assert "line 3: it has no time" in result.stdout


def test_a_time_without_a_zone_needs_one(home: Path, tmp_path: Path) -> None:
    file = _written(tmp_path / "a.csv", HEAD + "1,hello there,2026-11-20 10:00\n")
    assert "has no time zone" in _import(home, file).stdout
    zoned = _import(home, file, *MAP, "--timezone", "Africa/Johannesburg")
    assert zoned.exit_code == exits.DONE


def test_broken_json_in_line_17_costs_that_line_only(home: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": n, "body": "no answer yet", "when": "2026-11-20T10:00:00Z"})
        for n in range(1, 21)
    ]
    lines[16] = lines[16][:-9]
    file = _written(tmp_path / "a.jsonl", "\n".join(lines))
    result = _import(home, file)
    assert result.exit_code == exits.PARTIAL
    only_line(result)
    assert "19 new, 0 duplicates, 1 rejected" in result.stdout
    assert "line 17: it is not JSON" in result.stdout


def test_rejected_rows_can_be_listed_and_tried_again(home: Path, tmp_path: Path) -> None:
    file = _written(tmp_path / "a.csv", HEAD + "2,no time,\n" + GOOD.format(3))
    _import(home, file)
    listed = call(home, "replay", "--list")
    assert listed.stdout == "line 2: it has no time\n"
    (row,) = objects(call(home, "replay", "--list", "--json"))
    assert (row["error"], row["where"], row["raw"]["id"]) == ("it has no time", "line 2", "2")
    again = call(home, "replay", "--json")
    assert again.exit_code == exits.PARTIAL
    assert objects(again) == [{"step": "replay", "mended": 0, "still_rejected": 1}]


def test_only_the_first_rejects_are_shown(home: Path, tmp_path: Path) -> None:
    file = _written(tmp_path / "a.csv", HEAD + "".join(f"{n},no time,\n" for n in range(9)))
    result = _import(home, file)
    assert result.stdout.count("it has no time") == 5
    assert "4 more" in result.stdout


def test_a_text_of_ten_megabytes_stops_nothing(home: Path, tmp_path: Path) -> None:
    long = "no signal " * 1_000_000
    row = f"2,{long},2026-11-20T10:00:00Z\n"
    file = _written(tmp_path / "a.csv", HEAD + GOOD.format(1) + row + GOOD.format(3))
    result = _import(home, file)
    assert result.exit_code == exits.PARTIAL
    assert "2 new, 0 duplicates, 1 rejected" in result.stdout
    assert len(only_line(result)) < 200
    assert all(len(line) < 200 for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("name", "words"),
    [("empty.csv", "is empty"), ("folder", "is a folder"), ("none.csv", "there is no file")],
)
def test_what_is_no_file_with_rows_costs_one_line(
    name: str, words: str, home: Path, tmp_path: Path
) -> None:
    _written(tmp_path / "empty.csv", "")
    (tmp_path / "folder").mkdir()
    result = _import(home, tmp_path / name)
    assert result.exit_code == exits.WRONG
    assert words in only_line(result)
    assert result.stdout == ""


def test_nothing_on_standard_input_costs_one_line(home: Path) -> None:
    result = call(home, "import", "-", *MAP, stdin="")
    assert result.exit_code == exits.WRONG
    assert "is empty" in only_line(result)


def test_a_file_where_the_landing_folder_should_be_costs_one_line(home: Path, good: Path) -> None:
    home.mkdir()
    _written(home / "landing", "in the way")
    result = _import(home, good)
    assert result.exit_code == exits.FAILED
    assert "a file lies where a folder should be" in only_line(result)


def test_a_file_where_the_home_should_be_costs_one_line(home: Path, good: Path) -> None:
    _written(home, "in the way")
    result = _import(home, good)
    assert result.exit_code == exits.FAILED
    only_line(result)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--preset", "twiter"), "there is no preset 'twiter'"),
        (("--map", "text"), "--map 'text' is not FIELD=COLUMN"),
        (("--preset", "airline", *MAP), "exclude each other"),
        ((*MAP, "--timezone", "Mars/Olympus"), "timezone 'Mars/Olympus' is not known"),
        ((*MAP, "--encoding", "klingon"), "encoding 'klingon' cannot be read"),
    ],
)
def test_a_wrong_option_costs_one_line(
    options: tuple[str, ...], words: str, home: Path, good: Path
) -> None:
    result = _import(home, good, *options)
    assert result.exit_code == exits.WRONG
    assert words in only_line(result)


def test_as_a_process_an_import_of_bad_rows_ends_with_three(home: Path, tmp_path: Path) -> None:
    file = _written(tmp_path / "a.csv", HEAD + "2,no time,\n" + GOOD.format(3))
    done = call_process("--home", str(home), "import", str(file), *MAP)
    assert done.returncode == exits.PARTIAL
    assert len(done.stderr.splitlines()) == 1


def test_run_after_an_import_needs_no_settings(home: Path, good: Path) -> None:
    _import(home, good)
    result = call(home, "run", "--json", "--as-of", "2026-11-20T12:00Z")
    assert result.exit_code == exits.DONE
    scored, triaged, looked = objects(result)
    assert looked["step"] == "incidents"
    assert (scored["step"], scored["mentions"]) == ("score", 2)
    assert (triaged["step"], triaged["new"]) == ("triage", 2)


def test_listen_without_targets_says_how_to_get_some(home: Path) -> None:
    result = call(home, "listen")
    assert result.exit_code == exits.WRONG
    assert "no targets" in only_line(result)
