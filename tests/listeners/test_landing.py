"""Files that appear whole or not at all, in a folder and in object stores."""

from __future__ import annotations

import errno
import gzip
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from listeners.errors import Busy, LandingError
from listeners.landing import RAW, REJECTS, Landing, Part, scored, slug, window_name
from listeners.mention import encode
from listeners.places import trouble
from tests.listeners.fakes import NOW, CrashError, CrashingLanding, mention, snapshot

PART = Part("rss", "w1", "one", 0)


@pytest.fixture
def landing(root: Path, tmp_path: Path) -> Landing:
    """An empty landing zone, in each kind of place."""
    return Landing(root, tmp_path / "locks")


def test_a_part_is_read_as_it_was_written(landing: Landing) -> None:
    assert not landing.has(RAW, PART)
    assert landing.write_part(RAW, PART, [b"one", b"", "zwei \u2028".encode()]) == 3
    assert landing.has(RAW, PART)
    assert list(landing.read_lines(RAW, PART)) == [b"one", b"", "zwei \u2028".encode()]
    assert landing.path(RAW, PART) == (
        landing.root / "raw/source=rss/window=w1/target=one/part-00000.jsonl.gz"
    )


def test_the_same_lines_give_the_same_bytes(landing: Landing) -> None:
    lines = [f"line {n} {'x' * (n % 97)}".encode() for n in range(5000)]
    landing.write_part(RAW, PART, lines)
    landing.write_part(REJECTS, PART, iter(lines))
    one, two = (landing.path(kind, PART).read_bytes() for kind in (RAW, REJECTS))
    assert one == two
    assert gzip.decompress(one) == b"\n".join(lines) + b"\n"


def test_parts_are_listed_in_order_and_by_what_they_belong_to(landing: Landing) -> None:
    parts = [
        Part("a", "w1", "x", 2),
        Part("a", "w1", "x", 100_000),
        Part("a", "w1", "y", 0),
        Part("a", "w2", "x", 0),
        Part("b", "w1", "x", 0),
    ]
    for part in reversed(parts):
        landing.write_part(RAW, part, [b"x"])
    assert list(landing.parts(RAW)) == parts == sorted(parts)
    assert list(landing.parts(RAW, window="w1")) == [*parts[:3], parts[4]]
    assert list(landing.parts(RAW, source="a", target="y")) == [parts[2]]
    assert list(landing.parts(RAW, source="none")) == []
    assert list(landing.parts(REJECTS)) == []
    assert landing.next_number(RAW, "a", "w1", "x") == 100_001
    assert landing.next_number(RAW, "a", "w9", "x") == 0


def test_scored_parts_lie_beside_and_a_model_name_is_one_folder(landing: Landing) -> None:
    kind = scored("baseline-en/1")
    landing.write_part(kind, PART, [b"{}"])
    assert list(landing.parts(kind)) == [PART]
    assert list(landing.parts(scored("baseline-en/2"))) == []
    assert kind == "scored/model=baseline-en~1"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "é", "x" * 151, "a\n"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(LandingError, match="cannot name a file"):
        slug(name, "target")
    with pytest.raises(LandingError, match="cannot name a file"):
        scored(f"model/{name}" if name != "a/b" else "a//b")


def test_an_interrupted_part_is_not_there_and_is_swept_up(tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        CrashingLanding(tmp_path, 3).write_part(RAW, PART, [b"1", b"2", b"3"])
    landing = Landing(tmp_path)
    assert list(landing.parts(RAW)) == []
    assert len(snapshot(tmp_path)) == 1
    landing.sweep("rss", "w1", "other")
    assert len(snapshot(tmp_path)) == 1
    landing.sweep("rss", "w1", "one")
    assert snapshot(tmp_path) == {}


def test_records_come_back_as_they_went_in(landing: Landing) -> None:
    landing.write_part(RAW, PART, [encode(mention("1")), encode(mention("2"))])
    assert list(landing.records(PART)) == [mention("1"), mention("2")]


@pytest.mark.parametrize("harm", [b"no gzip at all", b"", None])
def test_a_damaged_part_is_named(landing: Landing, harm: bytes | None) -> None:
    landing.write_part(RAW, PART, [b"x" * 1000])
    path = landing.path(RAW, PART)
    whole = path.read_bytes()
    path.write_bytes(whole[:-6] if harm is None else harm)
    with pytest.raises(LandingError, match=r"part-00000\.jsonl\.gz is damaged"):
        list(landing.read_lines(RAW, PART))


def test_a_line_that_is_no_record_is_damage_too(landing: Landing) -> None:
    landing.write_part(RAW, PART, [b'{"record": "mention"}'])
    landing.write_part(REJECTS, PART, [b"{}"])
    with pytest.raises(LandingError, match="is damaged"):
        list(landing.records(PART))
    with pytest.raises(LandingError, match="is damaged"):
        list(landing.rejects(PART))


def test_a_part_that_is_not_there_is_an_error_of_the_landing_zone(landing: Landing) -> None:
    with pytest.raises(LandingError, match="not there"):
        list(landing.read_lines(RAW, PART))


def test_a_file_where_a_folder_should_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("a file")
    landing = Landing(tmp_path / "landing")
    for attempt in (
        lambda: landing.write_part(RAW, PART, [b"x"]),
        lambda: landing.write_document("ledger/x.json", b"x"),
        lambda: landing.read_document("ledger/x.json"),
        lambda: list(landing.parts(RAW)),
        lambda: landing.lock("rss", "one").__enter__(),
    ):
        with pytest.raises(LandingError, match="a file lies where a folder should be") as caught:
            attempt()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "mend it"),
    ],
)
def test_what_the_system_says_becomes_advice(number: int, words: str) -> None:
    said = str(trouble(OSError(number, "the system's words"), Path("landing")))
    assert words in said
    assert said.startswith("landing zone: landing: ")


def test_a_full_disk_while_writing_leaves_nothing_behind(landing: Landing) -> None:
    def lines() -> list[bytes]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(LandingError, match="disk is full"):
        landing.write_part(RAW, PART, (line for _ in [0] for line in lines()))
    assert snapshot(landing.root) == {}


def test_a_document_is_replaced_in_one_step(landing: Landing) -> None:
    assert landing.read_document("state/x.json") is None
    landing.write_document("state/x.json", b"1")
    landing.write_document("state/x.json", b"2")
    assert landing.read_document("state/x.json") == b"2"
    assert list(snapshot(landing.root)) == ["state/x.json"]


def test_a_lock_is_held_by_one_and_let_go(landing: Landing) -> None:
    with landing.lock("rss", "one"):
        with landing.lock("rss", "two"):
            pass
        with pytest.raises(Busy, match="rss/one"), landing.lock("rss", "one"):
            pass
    with landing.lock("rss", "one"):
        pass


def test_a_window_is_named_by_its_start_in_utc() -> None:
    assert window_name(NOW) == "20260102T120000Z"
    east = NOW.astimezone(timezone(timedelta(hours=2)))
    assert window_name(east) == "20260102T120000Z"
    with pytest.raises(ValueError, match="no time zone"):
        window_name(datetime(2026, 1, 2))
