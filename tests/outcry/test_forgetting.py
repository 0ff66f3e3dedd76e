"""One person is gone from every file and index, stays gone, and nobody else is harmed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from listeners.landing import RAW, Part
from outcry import exits, forgetting, pipeline
from outcry.demo import AS_OF
from outcry.settings import Settings, load_settings
from tests.outcry.shell import call, objects, only_line
from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import elastic_store, prefix, prefixes  # noqa: F401
from triage import customers
from triage.contacts import Preference, prefer, verdicts
from triage.likeness import sketch
from triage.outreach import act, find
from triage.policy import ContactPolicy
from triage.store import Store, open_store
from triage.store.base import StoredMention
from triage.vault import reads, watched

WHO = "mastodon:thandeka_m"
TRACES = (b"thandeka", b"Thandeka", b"dead since about seven")


@pytest.fixture(params=["sqlite", pytest.param("es", marks=pytest.mark.elasticsearch)])
def deployment(request: pytest.FixtureRequest, desk: Path) -> Iterator[tuple[Settings, Store]]:
    """The demonstration's home with its tickets in a store of each kind."""
    settings = load_settings(desk)
    if request.param == "sqlite":
        store: Store = open_store("sqlite", path=desk / "outcry.db")
        store.setup()
    else:
        node: Node = request.getfixturevalue("elasticsearch")
        (desk / "outcry.db").unlink()
        store = elastic_store(node, request.getfixturevalue("prefix"))
        pipeline.triage(settings, store, now=AS_OF)
        pipeline.incidents(settings, store, now=AS_OF)
    (desk / "kestrelline.jsonl").unlink()
    yield settings, store
    store.close()


def digests(store: Store) -> tuple[bytes, ...]:
    """What stands for the person and for their words in the store."""
    (row,) = [row for row in _rows(store) if "dead since about seven" in row.text]
    made = sketch(row.text)
    assert made is not None
    assert made.fingerprint == row.fingerprint
    assert store.families(made.keys) != []
    return (row.fingerprint.encode(), (row.customer or "").encode())


def _rows(store: Store) -> list[StoredMention]:
    return list(store.mentions_between(AS_OF - timedelta(days=60), AS_OF))


def traces(home: Path, store: Store, wanted: tuple[bytes, ...] = TRACES) -> list[str]:
    """Where the person is still to be found, looked for without any help of the product."""
    found = []
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        found += [f"{path.name}: {trace!r}" for trace in wanted if trace in content]
    for place, key, body in store.every_document():
        found += [f"{place}/{key}: {trace!r}" for trace in wanted if trace in body]
    return found


def forget(settings: Settings, store: Store) -> forgetting.Forgotten:
    return forgetting.forget(settings, store, WHO, by="ann", reason="asked", now=AS_OF)


def test_no_byte_is_left_and_no_replay_brings_them_back(
    deployment: tuple[Settings, Store],
) -> None:
    settings, store = deployment
    assert len(traces(settings.home, store)) > 5
    raw = {part: list(settings.landing.read_lines(RAW, part)) for part in _parts(settings)}
    before = store.counts()
    hashes = digests(store)
    assert len(traces(settings.home, store, hashes)) > 3
    done = forget(settings, store)
    assert traces(settings.home, store, hashes) == []
    assert (done.found, done.tickets) == (0, 1)
    assert traces(settings.home, store) == []
    assert before["tickets"] - store.counts()["tickets"] == 1
    pipeline.replay(settings, store)
    pipeline.triage(settings, store, now=AS_OF)
    assert traces(settings.home, store) == []
    # A listener, or the same file again, brings the posts a second time.
    for part, lines in raw.items():
        settings.landing.write_part(RAW, part, lines)
        for kind in forgetting_kinds(settings):
            settings.landing.path(kind, part).unlink()
    pipeline.score(settings)
    pipeline.replay(settings, store)
    again = pipeline.triage(settings, store, now=AS_OF)
    assert again.forgotten == 1
    assert not any(
        "thandeka_m" in json.loads(body)["author"].get("handle", "")
        for part in _parts(settings)
        for body in settings.landing.read_lines(RAW, part)
    )
    assert store.counts()["tickets"] == before["tickets"] - 1


def _parts(settings: Settings) -> list[Part]:
    return list(settings.landing.parts(RAW))


def forgetting_kinds(settings: Settings) -> list[str]:
    return sorted(f"scored/{path.name}" for path in (settings.landing.root / "scored").iterdir())


class Dying:
    """A store whose process dies before its n-th erasure."""

    def __init__(self, store: Store, left: int) -> None:
        self._store, self._left = store, left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def erase(self, *given: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        self._store.erase(*given)


@pytest.mark.parametrize("erasures", [0, 1, 2])
def test_killed_on_the_way_the_same_call_goes_on(erasures: int, desk: Path) -> None:
    settings = load_settings(desk)
    (desk / "kestrelline.jsonl").unlink()
    store = open_store("sqlite", path=desk / "outcry.db")
    with pytest.raises(KeyboardInterrupt):
        forget(settings, cast("Store", Dying(store, erasures)))
    pipeline.replay(settings, store)
    pipeline.triage(settings, store, now=AS_OF)
    forget(settings, store)
    assert traces(desk, store) == []
    store.close()


def test_forgetting_twice_finds_nobody_and_changes_nothing(desk: Path) -> None:
    assert call(desk, "forget", WHO, "--reason", "asked").exit_code == exits.PARTIAL
    (desk / "kestrelline.jsonl").unlink()
    result = call(desk, "forget", WHO, "--reason", "asked")
    assert result.exit_code == exits.WRONG
    assert "nobody is known" in only_line(result)


def test_of_linked_accounts_all_go_and_a_neighbour_keeps_their_own_links(desk: Path) -> None:
    settings = load_settings(desk)
    store = open_store("sqlite", path=desk / "outcry.db")
    entries = [who for who in forgetting._vault(store) if who.customer]
    gone = next(who for who in entries if who.handle == "thandeka_m")
    one, other, third = [who for who in entries if who.customer != gone.customer][:3]
    customers.join(store, gone.customer, one.customer, "ann", AS_OF)
    customers.join(store, other.customer, third.customer, "ann", AS_OF)
    prefer(
        store,
        Preference(customer=gone.customer, at=AS_OF, by="ann", opted_out="leave me alone"),
    )
    done = forget(settings, store)
    assert done.accounts == 2
    assert store.identities([gone.customer, one.customer]) == {}
    assert [link.state for link in customers.links(store)] == ["joined"]
    pair = sorted((other.customer, third.customer))
    assert customers.accounts(store, other.customer) == pair
    assert traces(desk, store, (gone.customer.encode(), one.customer.encode())) == []
    # Should they ever come up again, by whatever way, nobody contacts them.
    wanted = [(gone.customer, "mastodon"), (other.customer, "mastodon")]
    found = verdicts(store, wanted, ContactPolicy(quiet_from="00:00", quiet_until="00:00"), AS_OF)
    assert [found[key].allowed for key in wanted] == [False, True]
    store.close()


def test_the_cases_of_others_and_what_agents_decided_stay(desk: Path) -> None:
    settings = load_settings(desk)
    store = open_store("sqlite", path=desk / "outcry.db")
    shared = next(one for one in store.all_tickets() if "Doornvlei?" in one.excerpt)
    act(store, shared.ticket, "claim", "ann", AS_OF, settings.rules)
    act(store, shared.ticket, "note", "ann", AS_OF, settings.rules, "told oomkallie as well")
    forgetting.forget(settings, store, "reddit:oomkallie", by="ann", reason="asked", now=AS_OF)
    after = find(store, shared.ticket).ticket
    assert (after.status, after.handling.agent) == ("claimed", "ann")
    assert (after.excerpt, after.voices) == (shared.excerpt, shared.voices - 1)
    assert after.handling.note == "told [erased] as well"
    history = store.events(shared.ticket)
    assert sorted(event.kind for event in history) == ["claimed", "noted", "opened"]
    assert "oomkallie" not in msgspec.json.encode(history).decode()
    store.close()


def test_the_command_shows_each_place_and_what_it_may_not_change(desk: Path) -> None:
    result = call(desk, "forget", WHO, "--reason", "asked by mail")
    assert result.exit_code == exits.PARTIAL
    assert "kestrelline.jsonl still holds" in result.stderr
    for place in ("landing zone", "store: mentions", "store: identities", "file outcry.db"):
        assert f"of {place}" in result.stdout
    assert result.stdout.count("     0 bytes") >= 8


def test_every_look_at_who_somebody_is_is_logged_with_reason(desk: Path) -> None:
    call(desk, "queue")
    call(desk, "show", "T-uqu6jq")
    call(desk, "next", "--agent", "lindiwe", "--as-of", "2026-11-20T08:00Z")
    rows = objects(call(desk, "vault", "--json"))
    reasons = [row["reason"] for row in rows]
    assert reasons[0] == "queue"
    assert "show T-uqu6jq" in reasons
    assert {row["by"] for row in rows if row["reason"].startswith("next")} == {"lindiwe"}
    assert all(row["customers"] for row in rows)


def test_a_read_that_cannot_be_logged_is_not_answered(tmp_path: Path) -> None:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    seen = watched(store, "ann", "half \ud800", AS_OF)
    with pytest.raises(Exception, match="vault's log"):
        seen.identities(["c1"])
    assert list(reads(store)) == []
    assert seen.identities([]) == {}
    store.close()


def test_an_order_number_is_for_agents_and_not_for_analysts(tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(
        "id,text,author,created_at\n"
        '1,"My order number KF-2291-88 never came, call me on 082 123 4567, this is awful",'
        "ann_b,2026-11-20T07:00:00Z\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    (home / "outcry.toml").write_text('[nlp]\nphone_region = "ZA"\n')
    columns = {"text": "text", "native_id": "id", "author.handle": "author"}
    maps = [w for field, column in columns.items() for w in ("--map", f"{field}={column}")]
    done = call(home, "import", str(file), *maps, "--map", "created_at=created_at")
    assert done.exit_code == exits.DONE, done.stderr
    call(home, "run", "--as-of", "2026-11-20T08:00Z")
    (row,) = objects(call(home, "queue", "--json"))
    assert "KF-2291-88" not in json.dumps(row)
    assert "[reference]" in row["excerpt"]
    shown = call(home, "show", row["ticket"]).stdout
    assert "KF-2291-88" in shown
    assert "082 123 4567" in shown
    store = open_store("sqlite", path=home / "outcry.db")
    places = {place for place, key, body in store.every_document() if b"KF-2291-88" in body}
    store.close()
    assert places == {"shelf"}


def test_what_a_source_may_no_longer_keep_goes(desk: Path) -> None:
    with (desk / "outcry.toml").open("a") as file:
        file.write('\n[retention]\nreddit = 30\n"*" = 365\n')
    later = (AS_OF + timedelta(days=31)).isoformat()
    before = objects(call(desk, "queue", "--limit", "50", "--json"))
    done = objects(call(desk, "retention", "--as-of", later, "--json"))[0]
    assert done["mentions"] > 0
    after = objects(call(desk, "queue", "--limit", "50", "--json"))
    assert {row["source"] for row in before} - {row["source"] for row in after} == {"reddit"}
    settings = load_settings(desk)
    kept = [record for part in _parts(settings) for record in settings.landing.records(part)]
    assert {record.source for record in kept} >= {"mastodon", "bluesky"}
    assert "reddit" not in {record.source for record in kept}
    assert b"Protea Street" not in (desk / "outcry.db").read_bytes()
    assert objects(call(desk, "retention", "--as-of", later, "--json"))[0]["mentions"] == 0
