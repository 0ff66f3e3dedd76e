"""Real input through the whole pipeline: twice, killed, into both stores, a store that dies."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from bench.stream import ACCOUNT, write_stream
from outcry.importing import import_file
from outcry.pipeline import catch_up, quiet, score, triage
from outcry.settings import load_settings
from tests.outcry.pipeline_home import AS_OF, kept, landed, queued, run_file
from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import remove_prefix

FOLD_THEN_WAIT = """
import sys
from datetime import datetime
from pathlib import Path
from outcry import pipeline
from outcry.settings import load_settings

pipeline.BATCH = 1_000

def stop_midway(what, done, total):
    if what == "fold" and 0 < done < total:
        print("midway", flush=True)
        sys.stdin.readline()

settings = load_settings(Path(sys.argv[1]))
now = datetime.fromisoformat(sys.argv[2])
pipeline.triage(settings, settings.open_store(), now=now, progress=stop_midway)
"""
"""A process of its own, as its turn is over once it has died."""

FILES = {"support-threads": "support_threads.csv", "airline": "airline.csv"}


@pytest.fixture(params=sorted(FILES))
def preset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _use(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCRY_ELASTICSEARCH", node.url)
    monkeypatch.setenv("OUTCRY_ES_USER", node.user)
    monkeypatch.setenv("OUTCRY_ES_PASSWORD", node.password)


def _home(place: Path) -> Path:
    """A home whose indices, if it comes to that, are nobody else's."""
    place.mkdir()
    (place / "outcry.toml").write_text(f'[store]\nprefix = "test-{uuid.uuid4().hex[:12]}"\n')
    return place


@pytest.mark.slow
@pytest.mark.elasticsearch
def test_real_input_gives_the_same_tickets_in_both_stores_and_a_second_run_changes_nothing(
    preset: str,
    labelled_data: Path,
    elasticsearch: Node,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, file = _home(tmp_path / "home"), labelled_data / FILES[preset]
    first = run_file(home, file, preset)
    embedded = kept(load_settings(home))
    parts = landed(home)
    again = run_file(home, file, preset)
    assert first.opened > 100
    assert (again.parts, again.opened, again.updated) == (0, 0, 0)
    assert kept(load_settings(home)) == embedded
    assert landed(home) == parts

    _use(elasticsearch, monkeypatch)
    settings = load_settings(home)
    store = settings.open_store()
    try:
        served = triage(settings, store, now=AS_OF)
        assert (served.opened, served.new) == (first.opened, first.new)
        assert kept(settings) == embedded
    finally:
        store.close()
        remove_prefix(elasticsearch, settings.store.prefix)


@pytest.mark.slow
def test_replies_of_brands_open_no_ticket(labelled_data: Path, tmp_path: Path) -> None:
    home = _home(tmp_path / "home")
    report = run_file(home, labelled_data / FILES["support-threads"], "support-threads")
    store = load_settings(home).open_store()
    try:
        tickets = list(store.all_tickets())
        authors = store.identities([ticket.customer for ticket in tickets])
        openers = store.mentions([ticket.mentions[0].uid for ticket in tickets])
    finally:
        store.close()
    handles = [authors[ticket.customer].handle or "" for ticket in tickets]
    assert [handle for handle in handles if not handle.isdigit()] == []
    assert not any(row.owner for row in openers.values() if row.complaint)
    assert report.left_out["own account"] > 0


@pytest.mark.slow
def test_killed_at_twenty_random_moments_the_result_is_the_same(
    labelled_data: Path, tmp_path: Path
) -> None:
    file, preset = labelled_data / FILES["support-threads"], "support-threads"
    calm = _home(tmp_path / "calm")
    started = time.monotonic()
    _forked(calm, file, preset)
    whole = time.monotonic() - started
    expected = kept(load_settings(calm)), landed(calm)
    rng = random.Random(20)
    killed = 0
    for number in range(20):
        home = _home(tmp_path / f"home{number}")
        for longest in itertools.count(1):
            if not _forked(home, file, preset, kill_after=rng.uniform(0, longest * whole / 8)):
                break
            killed += 1
        assert (kept(load_settings(home)), landed(home)) == expected, number
        if killed >= 20:
            return
    pytest.fail(f"only {killed} kills came before the end")


def _forked(home: Path, file: Path, preset: str, kill_after: float | None = None) -> bool:
    """Run in a child of this process, which has all imports already; whether it was killed."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            run_file(home, file, preset)
            code = 0
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.WIFSIGNALED(status)


def _outcry(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outcry", "--home", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
@pytest.mark.elasticsearch
def test_a_store_that_dies_midway_costs_one_line_and_the_next_run_catches_up(
    own_elasticsearch: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, home, stream = own_elasticsearch, _home(tmp_path / "home"), tmp_path / "stream.jsonl"
    _write_canonical(stream, 3000)
    run_file(home, stream, "canonical")
    expected = kept(load_settings(home))
    _use(node, monkeypatch)
    settings = load_settings(home)
    command = [sys.executable, "-c", FOLD_THEN_WAIT, str(home), AS_OF.isoformat()]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) as folding:
        assert folding.stdout is not None
        assert folding.stdout.readline() == "midway\n"
        node.stop_hard()
        _, said = folding.communicate("the store is gone\n")
    assert said.strip().splitlines()[-1].startswith("triage.errors.StoreUnavailable: ")

    down = _outcry(home, "triage", "--as-of", AS_OF.isoformat())
    assert down.returncode == 4
    assert len(down.stderr.strip().splitlines()) == 1
    assert "Traceback" not in down.stderr

    node.start_again()
    up = _outcry(home, "triage", "--as-of", AS_OF.isoformat(), "--json")
    assert up.returncode == 0, up.stderr
    assert kept(settings) == expected


@pytest.mark.slow
def test_memory_stays_flat_as_the_input_grows(tmp_path: Path) -> None:
    peaks = [_peak(tmp_path / str(size), size) for size in (2_000, 20_000)]
    assert peaks[1] < 1.25 * peaks[0], peaks


def _peak(place: Path, size: int) -> float:
    """Peak megabytes of a process that takes a stream of that size through the pipeline."""
    place.mkdir()
    home = _home(place / "home")
    stream = place / "stream.jsonl"
    _write_canonical(stream, size)
    code = (
        "import resource, sys; from pathlib import Path;"
        "from tests.outcry.pipeline_home import run_file;"
        "run_file(Path(sys.argv[1]), Path(sys.argv[2]), 'canonical');"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-c", code, str(home), str(stream)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _write_canonical(path: Path, size: int) -> None:
    import csv

    table = path.with_suffix(".csv")
    write_stream(table, size)
    with table.open(newline="", encoding="utf-8") as rows, path.open("w") as out:
        for row in csv.DictReader(rows):
            mention = {
                "source": "bench",
                "native_id": row["id"],
                "text": row["text"],
                "created_at": row["created_at"],
                "parent_id": row["parent_id"] or None,
                "author": {"handle": row["author"], "is_owner": row["author"] == ACCOUNT},
            }
            out.write(json.dumps(mention) + "\n")
    os.utime(path, (AS_OF.timestamp(), AS_OF.timestamp()))


def test_storing_while_the_rest_is_read_makes_the_same_tickets(tmp_path: Path) -> None:
    stream = tmp_path / "stream.jsonl"
    _write_canonical(stream, 400)
    lines = stream.read_text().splitlines(keepends=True)
    found = []
    for name in ("apart", "together"):
        settings = load_settings(_home(tmp_path / name))
        for part in range(3):  # One is stored while another is read.
            some = tmp_path / f"part-{part}.jsonl"
            some.write_text("".join(lines[part::3]))
            os.utime(some, (AS_OF.timestamp(), AS_OF.timestamp()))
            import_file(settings, some, preset="canonical", now=AS_OF)
        store = settings.open_store()
        try:
            if name == "apart":
                scored, report = score(settings), triage(settings, store, now=AS_OF)
            else:
                scored, report = catch_up(settings, store, now=AS_OF)
        finally:
            store.close()
        found.append((scored, report, kept(settings), landed(settings.home)))
    assert found[0] == found[1]
    assert found[0][0].mentions == found[0][1].new == 400
    assert len(found[0][2]) > 100


def test_an_empty_landing_zone_is_no_error(tmp_path: Path) -> None:
    settings = load_settings(_home(tmp_path / "home"))
    store = settings.open_store()
    try:
        report = triage(settings, store, now=AS_OF, progress=quiet)
        assert (report.parts, report.opened, queued(store)) == (0, 0, [])
    finally:
        store.close()


def test_a_post_about_another_brand_of_the_name_opens_no_ticket(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "outcry.toml").write_text(
        '[brand]\nname = "Heron"\nabout = ["bank", "card"]\nnot_about = ["bird", "pond"]\n'
        '[products]\n"Blue Card" = ["blue"]\n'
    )
    file = tmp_path / "posts.csv"
    file.write_text(
        "id,text,at\n"
        "1,the heron at our pond is dangerous and hurt my dog,2026-11-20T08:00:00Z\n"
        "2,Heron is dangerous: my blue-card was charged twice,2026-11-20T08:00:00Z\n"
    )
    settings = load_settings(home)
    mapping = {"text": "text", "native_id": "id", "created_at": "at"}
    import_file(settings, file, fields=mapping, now=AS_OF)
    score(settings)
    store = settings.open_store()
    try:
        report = triage(settings, store, now=AS_OF)
        (ticket,) = store.all_tickets()
    finally:
        store.close()
    assert report.left_out == {"another brand of that name": 1}
    assert "charged twice" in ticket.excerpt
