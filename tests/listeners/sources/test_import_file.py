"""Import of files into the landing zone: good rows go through, bad ones say why."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget, TargetGone
from listeners.landing import RAW, Landing
from listeners.ledger import LedgerRow, read_row
from listeners.mention import Deletion, Mention
from listeners.run import collect
from listeners.sources.import_file import ImportFile, target_for, window_for
from tests.listeners.fakes import (
    NOW,
    CrashError,
    CrashingLanding,
    budget,
    rejected,
    snapshot,
    stored,
    stored_texts,
)

HEADER = "id,text,created_at,author"
EXPORTED = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    """An empty landing zone."""
    return Landing(tmp_path / "landing")


def write(path: Path, content: str | bytes) -> Path:
    """A file that was exported some time ago."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (EXPORTED.timestamp(), EXPORTED.timestamp()))
    return path


def rows_of(count: int) -> str:
    """A CSV file of so many rows, some of them with line breaks in their text."""
    lines = [HEADER]
    for n in range(count):
        text = f'"Row {n}, she said ""no""\nand left"' if n % 7 == 0 else f"Row {n} is plain"
        lines.append(f"{n},{text},2026-01-01T{n // 60 % 24:02}:{n % 60:02}:00Z,ann")
    return "\n".join(lines) + "\n"


def take(landing: Landing, path: Path, **options: Any) -> LedgerRow:
    """Import a file."""
    return run(landing, target_for(path, **options))


def run(landing: Landing, target: Target, pages: int = 10_000) -> LedgerRow:
    """Collect a file's target."""
    return collect(
        ImportFile(), target, landing, window_for(target), budget(pages), clock=lambda: NOW
    )


def problems(landing: Landing) -> dict[str | None, str]:
    """Why rows were rejected, by where."""
    return {reject.where: reject.error for reject in rejected(landing)}


def test_a_row_becomes_a_mention(landing: Landing, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "id,text,created_at,username,followers,url,likes,rating,rating_max\n"
        "7,It broke,2026-01-01 08:00:00+02:00,ann,12,https://a.example/7,3,2,5\n",
    )
    row = take(landing, path, source="helpdesk")
    assert (row.outcome, row.new, row.rejected) == ("ok", 1, 0)
    (got,) = stored(landing)
    assert isinstance(got, Mention)
    assert (got.source, got.native_id, got.text) == ("helpdesk", "7", "It broke")
    assert got.created_at == datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
    assert got.collected_at == EXPORTED
    assert (got.author.handle, got.author.followers) == ("ann", 12)
    assert (got.url, got.engagement.likes, got.rating, got.rating_max) == (
        "https://a.example/7",
        3,
        2.0,
        5.0,
    )
    assert got.raw["text"] == "It broke"
    assert got.listener == "import/1"


def test_json_lines_and_packed_files_are_read_alike(landing: Landing, tmp_path: Path) -> None:
    row = {"id": 1, "text": "It broke", "created_at": 1767225600, "author": {"handle": "ann"}}
    line = json.dumps(row) + "\n\n"
    take(landing, write(tmp_path / "a.jsonl", line))
    take(
        landing,
        write(tmp_path / "b.ndjson.gz", gzip.compress(line.replace("1,", "2,", 1).encode())),
    )
    take(landing, write(tmp_path / "c.txt", b"\xef\xbb\xbf" + line.replace("1,", "3,", 1).encode()))
    got = [record for record in stored(landing) if isinstance(record, Mention)]
    assert sorted(record.native_id for record in got) == ["1", "2", "3"]
    assert {record.author.handle for record in got} == {"ann"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(
    landing: Landing, tmp_path: Path, delimiter: str
) -> None:
    text = f"{HEADER}\n1,hello,2026-01-01T00:00:00Z,ann\n".replace(",", delimiter)
    assert take(landing, write(tmp_path / "a.csv", "\ufeff" + text)).new == 1


def test_a_file_sent_again_changes_nothing_wherever_it_lies(
    landing: Landing, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", rows_of(10))
    take(landing, path)
    before = snapshot(landing.root)
    again = tmp_path / "again.csv"
    shutil.copy(path, again)
    assert take(landing, path).new == 10
    assert take(landing, again).new == 10
    assert snapshot(landing.root) == before


def test_another_way_to_read_a_file_is_another_target_in_the_same_window(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(1))
    one, two = target_for(path), target_for(path, source="other")
    assert one.key != two.key
    assert window_for(one) == window_for(two) == f"file-{one.params['sha256'][:12]}"


def test_bad_rows_say_where_and_why_and_cost_no_other(landing: Landing, tmp_path: Path) -> None:
    good = "2026-01-01T00:00:00Z,ann\n"
    path = write(
        tmp_path / "a.csv",
        b"".join(
            line if isinstance(line, bytes) else line.encode()
            for line in (
                HEADER + "\n",
                f"1,good,{good}",
                f"2,,{good}",
                "3,no time,,ann\n",
                "4,odd time,last week,ann\n",
                "5,no zone,2026-01-01 00:00:00,ann\n",
                f"6,ragged,row,{good}",
                f"7,caf\xe9,{good}".encode("latin-1"),
                f"8,nul\0,{good}",
                "9\n",
                "\n",
                f'10,"two\nlines",{good}',
                f"11,{'x' * 1_000_001},{good}",
                f"12,good,{good}",
            )
        ),
    )
    row = take(landing, path)
    assert stored_texts(landing) == ["good", "two\nlines", "good"]
    assert (row.got, row.new, row.rejected) == (12, 3, 9)
    found = problems(landing)
    assert list(found) == [f"line {n}" for n in (3, 4, 5, 6, 7, 8, 9, 10, 14)]
    for line, words in {
        3: "no text",
        4: "no time",
        5: "in no known form",
        6: "set timezone",
        7: "5 cells where the header has 4",
        8: "byte 0xe9 is not utf-8: set encoding",
        9: "NUL",
        10: "1 cells where",
        14: "longer than 1000000 characters",
    }.items():
        assert words in found[f"line {line}"]


def test_broken_json_in_one_line_costs_that_line(landing: Landing, tmp_path: Path) -> None:
    lines = [f'{{"id": {n}, "text": "t{n}", "created_at": 1767225600}}' for n in range(1, 21)]
    lines[16] = lines[16][:-3]
    lines[17] = "[1]"
    lines[18] = "[" * 100_000
    row = take(landing, write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert (row.new, row.rejected) == (17, 3)
    found = problems(landing)
    assert list(found) == ["line 17", "line 18", "line 19"]
    assert "not JSON" in found["line 17"]
    assert "not a JSON object" in found["line 18"]


def test_a_text_of_ten_megabytes_is_one_reject(landing: Landing, tmp_path: Path) -> None:
    long = "word word\n" * 1_000_000
    path = write(
        tmp_path / "a.csv",
        f'{HEADER}\n1,good,2026-01-01T00:00:00Z,a\n2,"{long}",2026-01-01T00:00:00Z,a\n'
        "3,good,2026-01-01T00:00:00Z,a\n",
    )
    row = take(landing, path)
    assert (row.new, row.rejected) == (2, 1)
    assert "longer than" in problems(landing)["line 3"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_line_without_end_is_passed_over(landing: Landing, tmp_path: Path, suffix: str) -> None:
    long = "x" * (40 * 1024 * 1024)
    if suffix == "csv":
        lines = [HEADER, "1,good,2026-01-01T00:00:00Z,a", long, "3,good,2026-01-01T00:00:00Z,a"]
    else:
        lines = [f'{{"id": {n}, "text": "good", "created_at": 1767225600}}' for n in range(3)]
        lines[1] = long
    row = take(landing, write(tmp_path / f"a.{suffix}", "\n".join(lines)))
    assert (row.new, row.rejected) == (2, 1)
    (bad,) = rejected(landing)
    assert "longer than 16 MB" in bad.error
    assert len(bad.raw) < 100_000


def test_a_quote_that_is_never_closed_costs_its_own_line(landing: Landing, tmp_path: Path) -> None:
    lines = [f"{n},good,2026-01-01T00:00:00Z,a" for n in range(1, 2501)]
    lines[1] = '2,"a quote,2026-01-01T00:00:00Z,a'
    row = take(landing, write(tmp_path / "a.csv", "\n".join([HEADER, *lines])))
    assert (row.new, row.rejected) == (2499, 1)
    assert "a quote is opened and never closed" in problems(landing)["line 3"]


def test_rejected_rows_can_be_replayed_with_better_settings(
    landing: Landing, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", f"{HEADER}\n1,hello,2026-01-01 10:00:00,ann\nragged\n")
    take(landing, path)
    naive, ragged = rejected(landing)
    better = target_for(path, timezone="Africa/Johannesburg")
    again = ImportFile().remap(naive, better, NOW)
    assert isinstance(again, Mention)
    assert again.created_at == datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
    assert again.time_quality == "assumed_zone"
    with pytest.raises(ValueError, match="set timezone"):
        ImportFile().remap(naive, target_for(path), NOW)
    with pytest.raises(ValueError, match="mend the file and import it again"):
        ImportFile().remap(ragged, better, NOW)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "is empty"),
        ("a.csv", b"PK\x03\x04" + b"x" * 100, "a spreadsheet"),
        ("a.csv", rows_of(3).encode("utf-16"), "UTF-16"),
        ("a.csv", rows_of(3).encode("utf-16-le"), "UTF-16"),
        ("a.csv", b"abc\0" * 100, "is not text"),
        ("a.csv", "id,wörds,time\n".encode("latin-1"), "set encoding"),
        ("a.csv", b"id,words,created_at\n1,x,2026-01-01\n", "no column for text .*id, words, cre"),
        ("a.csv", b"id,text\n1,x\n", "no column for created_at"),
        ("a.jsonl", b'{"id": 1, "words": "x", "created_at": 1}\n', "no column for text"),
        ("a.jsonl", b'[{"id": 1}]', "one object a line"),
        ("a.csv.gz", gzip.compress(rows_of(3000).encode())[:-20], "is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(
    landing: Landing, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    row = take_or_row(landing, write(tmp_path / name, content))
    assert isinstance(row, str)
    assert "\n" not in row
    assert re.search(words, row), row


def take_or_row(landing: Landing, path: Path) -> str | None:
    """The error of an import, raised at once or in the ledger."""
    try:
        return take(landing, path).error
    except BadTarget as error:
        return str(error)


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match="is a folder"):
        target_for(tmp_path)
    with pytest.raises(TargetGone, match="there is no file"):
        target_for(tmp_path / "none.csv")


def test_a_file_that_changed_or_went_away_after_all_is_said_to(
    landing: Landing, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", rows_of(10))
    target = target_for(path)
    path.write_text(rows_of(11))
    assert "has changed" in (run(landing, target).error or "")
    path.unlink()
    assert run(landing, target).error_class == "TargetGone"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"preset": "none"},
            "use one of support-threads, airline, zendesk, freshdesk, helpdesk, canonical",
        ),
        ({"preset": "airline", "fields": {}}, "exclude each other"),
        ({"timezone": "Nowhere/Land"}, "timezone 'Nowhere/Land' is not known"),
        ({"encoding": "utf-16"}, "encoding 'utf-16' cannot be read"),
        ({"encoding": "klingon"}, "encoding 'klingon' cannot be read"),
        ({"delimiter": "::"}, "not one character"),
        ({"colour": "red"}, "colour"),
        ({"preset": "canonical"}, "reads JSON Lines only"),
        ({"preset": "airline"}, "no column for native_id"),
    ],
)
def test_wrong_options_are_named(
    landing: Landing, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "a.csv", rows_of(1))
    try:
        said = take(landing, path, **options).error
    except BadTarget as error:
        said = str(error)
    assert words in (said or "")


def test_another_encoding_can_be_set(landing: Landing, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", f"{HEADER}\n1,caf\xe9,2026-01-01T00:00:00Z,a\n".encode("cp1252")
    )
    take(landing, path, encoding="cp1252")
    assert stored_texts(landing) == ["café"]


def test_support_threads_are_read_by_name(landing: Landing, tmp_path: Path) -> None:
    path = write(
        tmp_path / "threads.csv",
        "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n"
        "5,1234,True,Tue Oct 31 22:10:47 +0000 2017,"
        "@Brand_A @99 @brandb my tram &amp; I are late @other,6,\n"
        "6,Brand_A,False,Tue Oct 31 22:15:47 +0000 2017,@1234 sorry,,5.0\n",
    )
    assert take(landing, path, preset="support-threads").new == 2
    customer, brand = (r for r in stored(landing) if isinstance(r, Mention))
    assert (customer.source, customer.author.id, customer.author.is_owner) == (
        "support-threads",
        "1234",
        False,
    )
    assert customer.text == "@Brand_A @99 @brandb my tram & I are late @other"
    assert (customer.matched, customer.parent_id) == (("brand_a", "brandb"), None)
    assert (brand.author.is_owner, brand.parent_id, brand.matched) == (True, "5", ())


def test_canonical_mentions_and_deletions_come_back_as_they_are(
    landing: Landing, tmp_path: Path
) -> None:
    lines = [
        {
            "source": "forum",
            "native_id": "1",
            "text": "late",
            "created_at": "2026-01-01T00:00:00Z",
            "author": {"handle": "ann", "followers": 4},
            "matched": ["tram"],
            "kind": "comment",
        },
        {"record": "deletion", "source": "forum", "native_id": "1"},
        {"source": "forum", "native_id": "2", "text": "", "created_at": "2026-01-01T00:00:00Z"},
        {"source": "forum", "native_id": "3", "text": "x", "created_at": "2026-01-01"},
        {"source": "forum", "native_id": 4, "text": "x", "created_at": "2026-01-01T00:00:00Z"},
    ]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    row = take(landing, path, preset="canonical")
    assert (row.new, row.deleted, row.rejected) == (1, 1, 3)
    mention, deletion = stored(landing)
    assert isinstance(mention, Mention)
    assert (mention.author.followers, mention.matched, mention.kind) == (4, ("tram",), "comment")
    assert (mention.collected_at, mention.listener) == (EXPORTED, "import/1")
    assert deletion == Deletion(source="forum", native_id="1", seen_at=EXPORTED)


def test_the_budget_may_cut_a_file_and_the_next_run_goes_on(
    landing: Landing, tmp_path: Path
) -> None:
    for name, packed in (("a.csv", False), ("b.csv.gz", True)):
        content = rows_of(2500).encode()
        path = write(tmp_path / name, gzip.compress(content) if packed else content)
        target = target_for(path, source=name)
        assert run(landing, target, pages=1).cut_off
        row = run(landing, target, pages=5)
        assert (row.outcome, row.got, row.new, row.pages, row.parts) == ("ok", 2500, 2500, 3, 3)
        part = next(landing.parts(RAW, target=target.key))
        assert len(list(landing.records(part))) == 1000


@pytest.mark.parametrize("steps", [*range(1, 12), 500, 1200, 2200, 2600, 3500])
def test_killed_at_any_step_the_landing_zone_is_byte_for_byte_the_same(
    tmp_path: Path, steps: int
) -> None:
    content = rows_of(3500).replace("Row 12 is plain", "").replace("Row 2222 is plain", "")
    target = target_for(write(tmp_path / "a.csv", content))
    whole, killed = Landing(tmp_path / "whole"), tmp_path / "killed"
    run(whole, target)
    with pytest.raises(CrashError):
        run(CrashingLanding(killed, steps), target)
    run(Landing(killed), target)
    assert snapshot(killed) == snapshot(whole.root)
    assert len(rejected(whole)) == 2


_CHILD = """
import sys
from pathlib import Path
from tests.listeners.fakes import NOW, budget
from listeners.landing import Landing
from listeners.run import collect
from listeners.sources.import_file import ImportFile, target_for, window_for
target = target_for(Path(sys.argv[1]))
print("started", flush=True)
collect(ImportFile(), target, Landing(Path(sys.argv[2])), window_for(target), budget(10_000),
        clock=lambda: NOW)
"""


def test_killed_by_the_system_at_random_moments_it_ends_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(15_000))
    whole = Landing(tmp_path / "whole")
    began = time.monotonic()
    row = take(whole, path)
    seconds = time.monotonic() - began
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", _CHILD, str(path), str(killed)]
    moments = random.Random(7)
    deaths = 0
    for _ in range(5):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(moments.uniform(0, seconds / 4))
        child.kill()
        deaths += child.wait() != 0
        child.stdout.close()
    assert deaths >= 3
    assert subprocess.run(command, check=True, capture_output=True).returncode == 0
    assert snapshot(killed) == snapshot(whole.root)
    assert (row.new, row.got) == (15_000, 15_000)


def test_the_given_threads_and_reviews_are_read_whole(
    landing: Landing, labelled_data: Path
) -> None:
    threads = take(landing, labelled_data / "support_threads.csv", preset="support-threads")
    assert (threads.got, threads.new, threads.rejected) == (2464, 2464, 0)
    owners = Counter(
        record.author.is_owner for record in stored(landing) if isinstance(record, Mention)
    )
    assert owners[True] > 0
    airline = take(landing, labelled_data / "airline.csv", preset="airline")
    assert airline.got == 11473
    assert airline.rejected == 0
    assert airline.new + airline.changed + airline.duplicate == airline.got
    assert read_row(landing, "import", airline.window, airline.target) == airline
