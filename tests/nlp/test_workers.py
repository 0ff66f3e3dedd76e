from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from nlp import workers
from nlp.assess import Assessor, load_assessor
from nlp.assessment import Passage, encode
from nlp.errors import WorkerLost
from nlp.workers import Workers
from tests.nlp import small_model

PASSAGES = [
    Passage(uid=str(at), text=f"the parcel {at % 40} is broken again", lang="en")
    for at in range(2_000)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(workers, "FEW", 300)
    return small_model.write(tmp_path / "m", broken=2.0)


def test_several_processes_say_what_one_says_in_order(folder: Path) -> None:
    own = load_assessor(folder)
    expected = [encode(one) for one in own.assess(PASSAGES)]
    with Workers(own, partial(load_assessor, folder, threads=1), 2) as several:
        assert several.model == own.model
        first = several.assess(PASSAGES[:100])
        assert multiprocessing.active_children() == []
        rest = several.assess(PASSAGES[100:])
        assert len(multiprocessing.active_children()) == 2
    assert [encode(one) for one in (*first, *rest)] == expected
    assert multiprocessing.active_children() == []


def test_one_process_starts_no_other(folder: Path) -> None:
    with Workers(load_assessor(folder), _never, 1) as one:
        assert len(one.assess(PASSAGES)) == len(PASSAGES)
        assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_is_told_in_one_line(folder: Path) -> None:
    with Workers(load_assessor(folder), _killed, 2) as several:
        with pytest.raises(WorkerLost, match="processes = 1") as lost:
            several.assess(PASSAGES)
        assert "\n" not in str(lost.value)
        assert multiprocessing.active_children() == []


def test_processes_end_with_a_parent_that_is_killed(folder: Path) -> None:
    script = (
        "import os, signal, sys; from functools import partial; from pathlib import Path;"
        "from nlp import workers; from nlp.assess import load_assessor;"
        "from nlp.assessment import Passage; workers.FEW = 1; folder = Path(sys.argv[1]);"
        "several = workers.Workers(load_assessor(folder), partial(load_assessor, folder), 2);"
        "several.assess([Passage(uid=str(at), text=f'broken {at}') for at in range(2000)]);"
        "print(*several._pool._processes, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == -signal.SIGKILL
    left = [Path(f"/proc/{number}") for number in done.stdout.split()]
    assert len(left) == 2
    deadline = time.monotonic() + 20
    while any(map(_is_running, left)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_running, left))


def _is_running(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text("ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _never() -> Assessor:
    raise AssertionError("no process was wanted")


def _killed() -> Assessor:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")
