"""A demonstration: an invented brand and its stream through the real pipeline.

Everybody and everything in ``stream.jsonl`` is made up. Times there are minutes before
`AS_OF`; ``about`` says why a line is there and is not part of the post. Nothing else in
the pipeline knows that it is a demonstration.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from listeners.ledger import LedgerRow
from listeners.mention import make_uid
from outcry import case, pipeline
from outcry.case import Case
from outcry.exits import InputError
from outcry.importing import import_file
from outcry.sections import StoreSettings
from outcry.settings import Settings, load_settings
from outcry.storing import Triaged
from triage.incident import Incident
from triage.incidents import incidents
from triage.outreach import queue_rows
from triage.store.base import Store

AS_OF = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
"""The demonstration's now: ten in the morning where Kestrelline is at home."""

_HERE = Path(__file__).parent


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """A post that is in no case."""

    source: str
    about: str
    reason: str
    excerpt: str


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """What the demonstration found."""

    home: Path
    as_of: datetime
    posts: int
    sources: int
    imported: LedgerRow
    queue: list[dict[str, Any]]
    """All open tickets, best first, as `triage.outreach.queue_rows` gives them."""
    cases: dict[str, Case]
    """By ticket."""
    folded: dict[str, int]
    left_out: dict[str, int]
    incidents: tuple[Incident, ...]
    """What several people report at once, oldest first."""
    silent: tuple[Silent, ...]
    """The posts in no case, oldest first."""
    about: dict[str, str]
    """Why a post is in the stream, by uid."""


def run_demo(home: Path | None = None) -> Demo:
    """Import, score and triage the stream in ``home``, or in a new temporary folder.

    The outcome is the same every time. The store is always the embedded one.

    Raises:
        InputError: if ``home`` holds another deployment.
    """
    settings = _settings(home)
    lines = list(stream())
    file = settings.home / "kestrelline.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(post(line)) + b"\n" for line in lines))
    os.utime(file, (AS_OF.timestamp(), AS_OF.timestamp()))
    row = import_file(settings, file, preset="canonical", now=AS_OF)
    pipeline.score(settings)
    store = settings.open_store()
    try:
        pipeline.replay(settings, store)
        done = pipeline.triage(settings, store, now=AS_OF)
        pipeline.incidents(settings, store, now=AS_OF)
        return Demo(
            home=settings.home,
            as_of=AS_OF,
            posts=len(lines),
            sources=len({line["source"] for line in lines}),
            imported=row,
            queue=queue_rows(store, size=len(lines)),
            cases=_cases(store),
            folded=done.folded,
            left_out=done.left_out,
            incidents=tuple(incidents(store)),
            silent=_silent(done, lines),
            about={_uid(line): line["about"] for line in lines},
        )
    finally:
        store.close()


def stream() -> Iterator[dict[str, Any]]:
    """The lines of the stream, oldest first."""
    for line in (_HERE / "stream.jsonl").read_text(encoding="utf-8").splitlines():
        yield msgspec.json.decode(line)


def post(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line as a canonical mention for the import."""
    said = AS_OF - timedelta(minutes=line["minutes_ago"])
    rest = {name: value for name, value in line.items() if name not in ("minutes_ago", "about")}
    return {**rest, "created_at": said.isoformat()}


def _settings(home: Path | None) -> Settings:
    ours = _HERE / "outcry.toml"
    if home is None:
        home = Path(tempfile.mkdtemp(prefix="outcry-demo-"))
    elif home.exists() and any(home.iterdir()) and not _is_ours(home / "outcry.toml", ours):
        raise InputError(f"{home} holds something else; give the demo a new folder as --home")
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ours, home / "outcry.toml")
    return msgspec.structs.replace(load_settings(home), store=StoreSettings())


def _is_ours(file: Path, ours: Path) -> bool:
    return file.is_file() and file.read_bytes() == ours.read_bytes()


def _cases(store: Store) -> dict[str, Case]:
    return {ticket.ticket: case.read(store, ticket) for ticket in list(store.all_tickets())}


def _silent(done: Triaged, lines: list[dict[str, Any]]) -> tuple[Silent, ...]:
    reasons = {example.uid: example for example in done.examples}
    return tuple(
        Silent(
            source=line["source"],
            about=line["about"],
            reason=reasons[uid].reason,
            excerpt=reasons[uid].excerpt,
        )
        for line in lines
        if (uid := _uid(line)) in reasons
    )


def _uid(line: Mapping[str, Any]) -> str:
    return make_uid(line["source"], line.get("instance", ""), line["native_id"])
