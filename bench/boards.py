"""Boards under load: ``python -m bench.boards [URL] [--mentions N] [--keep]``.

Fills a node with so many mentions as analysts read them, a tenth as many cases with their history,
and outcomes, a ledger and incidents beside them, over the last ninety days. Then puts every
question of each board, over the time that the board opens with, and prints the seconds of all of
them together, the first time and warm (the best of three), one after the other. Without an address
a node of the test suite is started. ``--keep`` leaves the indices for another run with
``--mentions 0``.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import msgspec

from bench.tickets import tickets
from insight.kibana import load
from insight.kibana.asking import Asker, cluster_search
from insight.kibana.files import Saved
from insight.kibana.queries import Span
from tests.servers.elasticsearch import running_node
from triage import facts
from triage.departments import DEPARTMENTS
from triage.facts import EventFact, Fact, IncidentFact, LedgerFact, MentionFact, OutcomeFact
from triage.publishing import SEVERITIES, Hidden, ticket_fact
from triage.store import open_store
from triage.store.elastic_client import Action, Cluster

PREFIX = "boardsbench"
DAYS = {"now-24h": 1, "now-3d": 3, "now-7d": 7, "now-30d": 30, "now-90d": 90}
SOURCES = ("mastodon", "reddit", "hellopeter", "google-play", "bluesky", "rss")
LANGUAGES = ("en", "en", "en", "af", "pt", "de")
WORDS = (
    "parcel",
    "refund",
    "router",
    "invoice",
    "late",
    "broken",
    "never",
    "again",
    "waiting",
    "rude",
    "charged",
    "twice",
    "outage",
    "fibre",
    "app",
    "crash",
    "thanks",
    "lovely",
)
CHUNK = 5000


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        address = given.url
        if address is None:
            node = stack.enter_context(running_node())
            address = node.url.replace("://", f"://{node.user}:{node.password}@")
        parts = urlsplit(address)
        cluster = Cluster.at(
            address,
            user=unquote(parts.username or "") or None,
            password=unquote(parts.password or ""),
        )
        now = datetime.now(UTC).replace(microsecond=0)
        if given.mentions:
            _fill(address, cluster, given.mentions, now)
        _ask(cluster, now)
        if not given.keep:
            for name in cluster.call(lambda client: client.indices.get(index=f"{PREFIX}-*")):
                cluster.call(lambda client: client.indices.delete(index=name))  # noqa: B023


def _fill(address: str, cluster: Cluster, count: int, now: datetime) -> None:
    parts = urlsplit(address)
    store = open_store(
        "elasticsearch",
        url=address,
        prefix=PREFIX,
        user=unquote(parts.username or "") or None,
        password=unquote(parts.password or ""),
    )
    store.setup()
    begin = time.perf_counter()
    batch: list[Action] = []
    for number, (kind, id, fact) in enumerate(_everything(count, now)):
        index = f"{PREFIX}-analysis-{kind}" + ("-undated" if kind == "mentions" else "")
        batch.append(Action(op="index", index=index, id=id, body=facts.document(fact)))
        if len(batch) == CHUNK:
            cluster.bulk(batch)
            batch = []
        if number and number % 200_000 == 0:
            print(f"{number:,} documents after {time.perf_counter() - begin:.0f} s", flush=True)
    cluster.bulk(batch)
    cluster.refresh(f"{PREFIX}-analysis-*", always=True)
    print(f"{count:,} mentions and what belongs to them: {time.perf_counter() - begin:.0f} s")


def _everything(count: int, now: datetime) -> Iterator[tuple[str, str, Fact]]:
    rng = random.Random(8)
    lanes = [*(one.name for one in DEPARTMENTS), "by hand"]
    for number in range(count):
        yield "mentions", f"m{number}", _mention(rng, number, now, lanes)
    nobody = Hidden(None)
    for number, ticket in enumerate(tickets(count // 10, now - timedelta(days=1))):
        fact = ticket_fact(ticket, {}, nobody)
        yield "tickets", ticket.ticket, _spread(rng, fact, now)
        for step in ("opened", "claimed", "resolved")[: rng.randrange(1, 4)]:
            yield (
                "ticket-events",
                f"{number}{step}",
                EventFact(
                    at=_some_time(rng, now),
                    ticket=ticket.ticket,
                    event=step,
                    team=rng.choice(("triage", "a", "b")),
                    source=ticket.source,
                    language="en",
                    department=rng.choice(lanes),
                    severity=rng.choice(SEVERITIES),
                ),
            )
    for number in range(count // 50):
        right = rng.random() < 0.8
        yield (
            "outcomes",
            f"o{number}",
            OutcomeFact(
                at=_some_time(rng, now),
                ticket=f"T-{number}",
                outcome="resolved",
                truth="complaint" if right else "other",
                right_share=int(right),
                complaint_probability=rng.random(),
                model="bench/1",
                source=rng.choice(SOURCES),
                language="en",
                department=rng.choice(lanes),
                severity=rng.choice(SEVERITIES),
            ),
        )
    for number in range(count // 50):
        got = rng.randrange(50)
        yield (
            "ledger",
            f"l{number}",
            LedgerFact(
                at=_some_time(rng, now),
                source=rng.choice(SOURCES),
                target=f"t{number % 40}",
                window=str(number),
                result="ok",
                failed_share=0,
                cut_off=False,
                got=got,
                new=got,
                changed=0,
                deleted=0,
                duplicate=0,
                rejected=rng.randrange(2),
                pages=1,
                gaps=0,
            ),
        )
    for number in range(200):
        at = _some_time(rng, now)
        yield (
            "incidents",
            f"i{number}",
            IncidentFact(
                at=at,
                incident=f"I-{number}",
                title=f"incident {number}",
                kind="burst",
                state="open",
                live=True,
                impact="minor",
                department="by hand",
                customers=9,
                posts=12,
                tickets=8,
                peak=4,
                peak_at=at,
                last_at=at,
                detected_at=at,
                reports=5,
                expected=0.2,
                growth=2,
                minutes_to_detect=12.0,
            ),
        )


def _mention(rng: random.Random, number: int, now: datetime, lanes: list[str]) -> MentionFact:
    share = int(rng.random() < 0.33)
    at = _some_time(rng, now)
    level = rng.randrange(1, 5) if share else 0
    return MentionFact(
        at=at,
        mention=f"m{number}",
        source=rng.choice(SOURCES),
        kind="post",
        said_by="customer",
        repost=False,
        counted="yes",
        text=" ".join(rng.choices(WORDS, k=18)),
        customer=f"c{rng.randrange(300_000)}",
        thread=f"m{number}",
        language=rng.choice(LANGUAGES),
        model="bench/1",
        reading=("other", "complaint")[share],
        complaint_share=share,
        not_read_share=0,
        complaint_probability=rng.random(),
        severity=SEVERITIES[level],
        severity_level=level,
        department=rng.choice(lanes),
        by_hand_share=0,
        words=tuple(rng.sample(WORDS, 4)),
        products=(rng.choice(("fibre", "mobile", "tv")),),
        heard_at=at,
        lag_minutes=rng.random() * 30,
    )


def _spread(rng: random.Random, fact: facts.TicketFact, now: datetime) -> facts.TicketFact:
    """The same case at some time of the last ninety days, one in two dealt with."""
    done = rng.random() < 0.5
    kept = rng.random() < 0.8
    return msgspec.structs.replace(
        fact,
        at=_some_time(rng, now),
        open=not done,
        status="resolved" if done else "new",
        sla=("kept" if kept else "breached") if done else "running",
        sla_kept_share=int(kept) if done else None,
        first_response_minutes=rng.random() * 600 if done else None,
        resolution_minutes=rng.random() * 3000 if done else None,
        incident=f"I-{rng.randrange(200)}" if rng.random() < 0.05 else None,
        reach=rng.randrange(10_000),
        severity=rng.choice(SEVERITIES),
    )


def _some_time(rng: random.Random, now: datetime) -> datetime:
    """Some time of the last ninety days, more of them lately."""
    return now - timedelta(days=90 * rng.random() ** 2)


def _ask(cluster: Cluster, now: datetime) -> None:
    objects = load()
    known = {(one.type, one.id): one for one in objects}
    asker = Asker(objects, cluster_search(cluster), PREFIX)
    for board in (one for one in objects if one.type == "dashboard"):
        days = DAYS[board.attributes["timeFrom"]]
        span = Span(now - timedelta(days=days), now, now)
        panels = [
            known[r["type"], r["id"]] for r in board.references if r["type"] != "index-pattern"
        ]
        times = [_timed(asker, panels, span) for _ in range(4)]
        print(
            f"{board.title}: {len(panels)} panels, {days} days: first {times[0]:.2f} s, "
            f"warm {min(times[1:]):.2f} s",
            flush=True,
        )


def _timed(asker: Asker, panels: list[Saved], span: Span) -> float:
    begin = time.perf_counter()
    for panel in panels:
        asker.anything(panel, span)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
