"""What differs between a folder and an object store, and that nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from listeners.allowance import Credential, accounts
from listeners.contract import Page, Rate
from listeners.erase import erase
from listeners.errors import LandingError
from listeners.landing import RAW, Landing, Part, scored
from listeners.ledger import rows
from listeners.mention import Deletion, Mention
from listeners.places import place
from listeners.purge import purge
from listeners.run import collect
from tests.listeners.fakes import (
    NOW,
    TARGET,
    CrashError,
    CrashingLanding,
    FakeListener,
    budget,
    mention,
    reject,
    snapshot,
    stored,
    stored_texts,
)
from tests.servers import s3 as server

PAGES = [
    Page(items=[mention("1"), mention("2")], rejects=[reject("a")], state={"at": 1}),
    Page(items=[mention("2"), mention("3", "first"), mention("3", "second")], state={"at": 2}),
    Page(items=[mention("4")], rejects=[reject("a"), reject("b")], state={"at": 3}, done=True),
]


def listen(landing: Landing) -> None:
    def pages(state: Any) -> Iterator[Page]:
        yield from PAGES[(state or {}).get("at", 0) :]

    collect(FakeListener(pages), TARGET, landing, "w1", budget(), clock=lambda: NOW)


def test_wherever_it_lies_and_whenever_it_is_killed_the_landing_zone_is_the_same(
    root: Path, tmp_path: Path
) -> None:
    whole = Landing(tmp_path / "whole")
    listen(whole)
    for step in range(0, 24, 1 if "s3" not in str(root) else 5):
        here, locks = root / f"killed{step}", tmp_path / "locks"
        with pytest.raises(CrashError):
            listen(CrashingLanding(here, step, locks))
        listen(Landing(here, locks))
        assert snapshot(here) == snapshot(whole.root), step


WRITER = """
import sys
from pathlib import Path
import msgspec
from listeners.landing import RAW, Landing, Part
from listeners.places import place
options = msgspec.json.decode(sys.argv[2])
landing = Landing(place(sys.argv[1], **options), Path(sys.argv[3]))
for number in range(10_000):
    lines = (f"{number} {line} {'x' * 50}".encode() for line in range(2_000))
    landing.write_part(RAW, Part("rss", "w1", "one", number), lines)
    landing.write_document("state/last.json", str(number).encode())
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_objects_only(
    s3: dict[str, Any], tmp_path: Path
) -> None:
    address = f"s3://{server.BUCKET}/killed"
    command = (sys.executable, "-c", WRITER, address, msgspec.json.encode(s3).decode())
    landing = Landing(place(address, **s3), tmp_path / "locks")
    for wait in (0.0, 0.01, 0.05):
        writer = subprocess.Popen((*command, str(tmp_path)), stdout=subprocess.PIPE)
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(3)]
        time.sleep(wait)
        os.kill(writer.pid, signal.SIGKILL)
        said += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        parts = list(landing.parts(RAW))
        assert len(parts) >= len([line for line in said if line.endswith(b"\n")]) >= 3
        for part in parts:
            lines = list(landing.read_lines(RAW, part))
            assert len(lines) == 2_000
            assert all(line.startswith(b"%d " % part.number) for line in lines)
        assert int(landing.read_document("state/last.json") or b"-1") >= 2


def test_what_sweeps_the_landing_zone_sweeps_it_everywhere(root: Path, tmp_path: Path) -> None:
    landing = Landing(root, tmp_path / "locks")
    assert list(rows(landing)) == []
    listen(landing)
    assert [(row.window, row.new, row.rejected) for row in rows(landing)] == [("w1", 4, 2)]
    landing.write_part(scored("m/1"), Part("fake", "w1", TARGET.key, 0), [b'{"uid":"x"}'])
    assert landing.scored_kinds() == ["scored/model=m~1"]

    second = mention("2")
    gone = Deletion(source=second.source, native_id=second.native_id, seen_at=NOW)
    landing.write_part(RAW, Part(TARGET.source, "w2", TARGET.key, 0), [msgspec.json.encode(gone)])
    assert purge(landing).mentions == 1
    done = erase(landing, lambda one: isinstance(one, Mention) and one.text == "first", lambda b: b)
    assert done.records == 1
    assert "first" not in stored_texts(landing)
    cleaned = erase(landing, lambda one: False, lambda line: line.replace(b"second", b"other"))
    assert cleaned.cleaned > 0
    assert len(stored(landing)) == 5

    rate = Rate(amount=3, per="day")
    Credential(landing, "net", (rate,), clock=lambda: NOW).take(1, "calls")
    assert list(accounts(landing)) == ["net"]


def test_a_store_that_does_not_answer_is_one_clear_line(s3: dict[str, Any], tmp_path: Path) -> None:
    elsewhere = {
        **s3,
        "endpoint_url": "http://127.0.0.1:9",
        "config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1},
    }
    for address, options in (
        ("s3://outcry-tests/x", elsewhere),
        ("s3://no-such-bucket-here/x", s3),
    ):
        landing = Landing(place(address, **options), tmp_path)
        with pytest.raises(LandingError) as caught:
            landing.write_document("state/x.json", b"1")
        assert str(caught.value).startswith(f"landing zone: {address}/state/x.json: ")
        assert "\n" not in str(caught.value)


def test_an_address_is_a_folder_or_a_store_or_is_refused(tmp_path: Path) -> None:
    assert place(str(tmp_path)) == tmp_path == place(tmp_path.as_uri())
    with pytest.raises(LandingError, match="correct it"):
        place("no-such-protocol://x/y")
    with pytest.raises(LandingError, match="needs a folder of this machine for its locks"):
        Landing(place("memory://x"))
