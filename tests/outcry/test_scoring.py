"""Parts of any size are scored as one would be, and chunks of them change no ticket."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from bench.backfill import digest
from bench.month import month
from bench.stream import ACCOUNT
from listeners.errors import LandingError
from listeners.landing import RAW, Landing, Part, scored
from listeners.mention import Deletion, Mention, encode
from listeners.places import files_of
from nlp.assessment import decode
from nlp.loading import model_id
from outcry import pipeline, storing
from outcry.pipeline import score, triage
from outcry.settings import Settings, load_settings
from tests.listeners.fakes import snapshot
from tests.servers import s3 as server
from triage import casework

SAID = [mention for _, _, mention in month(400, seed=3)]
NOW = SAID[-1].created_at + timedelta(hours=1)


def home_of(folder: Path, landing: str = "") -> Settings:
    folder.mkdir()
    (folder / "outcry.toml").write_text(f'[brand]\naccounts = ["*:{ACCOUNT}"]\n{landing}')
    return load_settings(folder)


def fill(landing: Landing, sizes: list[int]) -> list[Part]:
    """Parts of these sizes; the last of a part of three is a deletion."""
    said, parts = iter(SAID), []
    for number, size in enumerate(sizes):
        records: list[Mention | Deletion] = [next(said) for _ in range(size)]
        if size == 3:
            gone = SAID[0]
            records.append(Deletion(source=gone.source, native_id=gone.native_id, seen_at=NOW))
        parts.append(Part("rss", "w1", "forum", number))
        landing.write_part(RAW, parts[-1], map(encode, records))
    return parts


def tickets(settings: Settings) -> str:
    store = settings.open_store()
    try:
        triage(settings, store, now=NOW)
        return digest(store)
    finally:
        store.close()


def test_a_part_holds_the_assessments_of_its_own_mentions_whatever_stands_beside_it(
    tmp_path: Path,
) -> None:
    settings = home_of(tmp_path / "home")
    parts = fill(settings.landing, [0, 3, 1, 0, 0, 120, 5, 0])
    seen: list[tuple[int, int]] = []
    done = score(settings, progress=lambda _, number, total: seen.append((number, total)))
    assert (done.parts, done.mentions) == (8, 129)
    assert seen == [(number, 8) for number in range(1, 9)]
    kind = scored(model_id(settings.model_folder))
    for part in parts:
        said = [one.uid for one in settings.landing.records(part) if isinstance(one, Mention)]
        assert [decode(line).uid for line in settings.landing.read_lines(kind, part)] == said
    together = snapshot(settings.landing.root / kind)
    for part in parts:
        settings.landing.path(kind, part).unlink()
        score(settings)
    assert snapshot(settings.landing.root / kind) == together
    assert score(settings).parts == 0


def test_what_stands_before_a_damaged_part_is_scored(tmp_path: Path) -> None:
    settings = home_of(tmp_path / "home")
    parts = fill(settings.landing, [3, 4, 5, 6])
    settings.landing.path(RAW, parts[2]).write_bytes(b"damaged")
    with pytest.raises(LandingError, match="part-00002"):
        score(settings)
    kind = scored(model_id(settings.model_folder))
    assert list(settings.landing.parts(kind)) == parts[:2]


def test_an_object_store_and_chunks_of_any_size_give_the_tickets_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [7] * 50
    here = home_of(tmp_path / "here")
    fill(here.landing, sizes)
    score(here)
    expected = tickets(here)

    monkeypatch.setattr(storing, "STORED", 20)
    monkeypatch.setattr(pipeline, "BATCH", 20)
    monkeypatch.setattr(casework, "BATCH", 7)
    one_by_one = home_of(tmp_path / "small")
    fill(one_by_one.landing, sizes)
    score(one_by_one)
    assert tickets(one_by_one) == expected

    with server.serving(tmp_path / "buckets") as options:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["key"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret"])
        url = msgspec.json.encode(options["endpoint_url"]).decode()
        landing = (
            f'[landing]\nurl = "s3://{server.BUCKET}/zone"\noptions = {{endpoint_url = {url}}}\n'
        )
        there = home_of(tmp_path / "there", landing)
        fill(there.landing, sizes)
        score(there)
        assert tickets(there) == expected
        assert snapshot(there.landing.root) == snapshot(here.landing.root)
    kept = [path.relative_to(there.home).as_posix() for path in files_of(there.home)]
    assert [name for name in kept if not name.startswith(("locks/", "outcry."))] == []
