"""What is ready and what is not: for `outcry check` and `outcry doctor`. Nothing is posted."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

from listeners import ledger
from listeners.contract import Checks, Identifies, Listener, Target
from listeners.coverage import HISTORY, silences
from listeners.errors import AuthFailed, ListenerError, RateLimited, Transient
from listeners.landing import RAW, window_name
from listeners.ledger import LedgerRow
from listeners.registry import SOURCES, listener
from listeners.secrets import without_secrets
from models.errors import ModelsError
from nlp.errors import NlpError
from nlp.loading import model_id
from outcry.budgets import budget_of
from outcry.exits import in_one_line
from outcry.readings import kind_of
from outcry.settings import Settings, with_secrets
from outcry.upkeep import roll_over
from triage.errors import TriageError
from triage.store.base import Store
from triage.ticket import WAITING

Status = Literal["ok", "warn", "fail"]

LOW_DISK = 2 * 1024**3
"""Bytes below which a window may fill the disk."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, in a line."""

    name: str
    status: Status
    detail: str


def ready(settings: Settings, now: datetime) -> Iterator[Check]:
    """Whether a run can start: landing zone, model, store, targets' credentials.

    A credential is tried by a call that changes nothing, and what that costs is counted as
    any other; one whose every call has a price is not tried.
    """
    yield _settings_file(settings)
    yield _tried("landing zone", lambda: _write_probe(settings))
    yield _tried("model", lambda: model_id(settings.model_folder))
    yield _tried("store", lambda: _ask_store(settings))
    if not settings.targets:
        yield Check(
            name="targets",
            status="warn",
            detail="none: add [[targets]] to outcry.toml, or import files",
        )
    for target in settings.targets:
        yield _target(settings, target, now)


def health(settings: Settings, now: datetime) -> Iterator[Check]:
    """How a deployment is: versions, space, what is stored, what waits, what is missing."""
    yield _versions()
    yield from ready(settings, now)
    yield _disk(settings.home)
    yield _tried("landing size", lambda: _sizes(settings))
    yield from _ledger(settings, now)
    yield from _waiting_parts(settings)
    try:
        store = settings.open_store()
    except TriageError:
        return  # `ready` has said why.
    try:
        yield _tried("this month and the next", lambda: "; ".join(roll_over(store, now)))
        yield from _stored(store, now)
    finally:
        store.close()


def _tried(name: str, ask: Callable[[], str]) -> Check:
    try:
        return Check(name=name, status="ok", detail=ask())
    except (ListenerError, NlpError, ModelsError, TriageError, OSError) as error:
        return Check(name=name, status="fail", detail=in_one_line(error))


def _settings_file(settings: Settings) -> Check:
    file = settings.home / "outcry.toml"
    if file.is_file():
        return Check(name="settings", status="ok", detail=str(file))
    return Check(
        name="settings", status="ok", detail=f"defaults; 'outcry init' writes {file} to change them"
    )


def _write_probe(settings: Settings) -> str:
    landing = settings.landing
    landing.write_document("probe", b"")
    (landing.root / "probe").unlink(missing_ok=True)
    return f"{landing.root} can be written"


def _ask_store(settings: Settings) -> str:
    store = settings.open_store()
    try:
        return store.check()
    finally:
        store.close()


def _target(settings: Settings, target: Target, now: datetime) -> Check:
    name = f"target {target.source}/{target.key}"
    try:
        found = listener(target.source)
        target = with_secrets(target)
        if isinstance(found, Checks):
            found.check(target)
    except ListenerError as error:
        detail = without_secrets(in_one_line(error), with_secrets(target))
        return Check(name=name, status="fail", detail=detail)
    price = found.traits.priced
    if price and price not in settings.listen.rates.get(target.source, {}):
        cap = f'{price} = "50/month" under [listen.rates.{target.source}]'
        detail = f"off, since each call has a price: set a cap, as {cap}"
        return Check(name=name, status="warn", detail=detail)
    source = SOURCES[target.source]
    if not source.secrets:
        return Check(name=name, status="ok", detail="needs no credential")
    suffix = f"_{target.credential}" if target.credential else ""
    missing = [
        word + suffix for param, word in source.secrets.items() if not target.params.get(param)
    ]
    if not missing:
        return _credential(name, settings, found, target, now)
    words = " and ".join(missing)
    if source.open:
        return Check(name=name, status="warn", detail=f"no credential, asks anonymously: {words}")
    return Check(name=name, status="fail", detail=f"no credential: set {words}")


def _credential(
    name: str, settings: Settings, found: Listener, target: Target, now: datetime
) -> Check:
    """Whether it works, and what it may do, by the network's own word."""
    if not isinstance(found, Identifies):
        detail = "its credential is set, and was not tried: each call has a price"
        return Check(name=name, status="ok", detail=detail)
    status: Status = "ok"
    budget = budget_of(settings, found, target, now)
    try:
        may = " ".join(found.whoami(target, budget).split())
        detail = f"its credential works: {may}" if may else "makes no use of the credential"
    except RateLimited as error:
        if not error.ours:
            budget.block(error.retry_at)
        status, detail = "warn", f"its credential could not be tried: {in_one_line(error)}"
    except Transient as error:
        status, detail = "fail", f"its credential could not be tried: {in_one_line(error)}"
    except AuthFailed as error:
        status, detail = "fail", f"its credential is refused: {in_one_line(error)}"
    except ListenerError as error:
        status, detail = "fail", in_one_line(error)
    return Check(name=name, status=status, detail=without_secrets(detail, target))


def _versions() -> Check:
    words = [f"outcry {version('outcry-triage')}", f"Python {platform.python_version()}"]
    words += [f"{name} {version(name)}" for name in ("spacy", "elasticsearch", "msgspec")]
    return Check(name="versions", status="ok", detail=", ".join(words))


def _disk(home: Path) -> Check:
    place = next(folder for folder in (home, *home.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    return Check(
        name="disk",
        status="ok" if free >= LOW_DISK else "warn",
        detail=f"{_size(free)} free at {place}",
    )


def _sizes(settings: Settings) -> str:
    root = settings.landing.root
    files = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
    return f"{len(files)} files, {_size(sum(files))}"


def _ledger(settings: Settings, now: datetime) -> Iterator[Check]:
    """The newest row of each target where something is wrong, and every known gap."""
    try:
        newest: dict[tuple[str, str], LedgerRow] = {}
        gaps: list[str] = []
        since = window_name(now - HISTORY)
        recent = ledger.rows(settings.landing, wanted=lambda name: name >= since)
        for row in recent:
            newest[row.source, row.target] = row
            gaps += [f"{row.source}/{row.target} {row.window}: {gap}" for gap in row.gaps]
    except ListenerError as error:
        yield Check(name="ledger", status="fail", detail=in_one_line(error))
        return
    for alert in silences(settings.landing, now):
        words = f"since {alert.since}: {alert.words}"
        yield Check(name=f"silence {alert.source}/{alert.target}", status="warn", detail=words)
    bad = [row for row in newest.values() if row.outcome in ("failed", "partial")]
    for row in bad:
        words = row.error or "cut off by its budget; the next run goes on"
        yield Check(
            name=f"ledger {row.source}/{row.target}",
            status="warn",
            detail=f"{row.window} {row.outcome}: {words}",
        )
    for gap in gaps:
        yield Check(name="gap", status="warn", detail=gap)
    if not bad and not gaps:
        yield Check(name="ledger", status="ok", detail=f"{len(newest)} targets, no known gap")


def _waiting_parts(settings: Settings) -> Iterator[Check]:
    landing = settings.landing
    try:
        kinds = settings.scored_kinds
        waiting = sum(kind_of(landing, kinds, part) is None for part in landing.parts(RAW))
    except (ListenerError, ModelsError, NlpError):
        return  # `ready` has said why.
    if waiting:
        detail = f"{waiting} parts wait to be scored: 'outcry score'"
        yield Check(name="scoring", status="warn", detail=detail)
    else:
        yield Check(name="scoring", status="ok", detail="nothing waits")


def _stored(store: Store, now: datetime) -> Iterator[Check]:
    try:
        counts = store.counts()
        waiting = [
            (ticket.opened_at, ticket.sla_due < now, ticket.ticket)
            for ticket in store.all_tickets()
            if ticket.status in WAITING
        ]
    except TriageError as error:
        yield Check(name="counts", status="fail", detail=in_one_line(error))
        return
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    yield Check(name="counts", status="ok", detail=words)
    if not waiting:
        yield Check(name="unanswered", status="ok", detail="nobody is waiting")
        return
    late = sum(is_late for _, is_late, _ in waiting)
    since, _, ticket = min(waiting)
    yield Check(
        name="unanswered",
        status="warn" if late else "ok",
        detail=f"{len(waiting)} wait, {late} of them late; "
        f"the oldest since {since:%Y-%m-%d %H:%M} UTC ({ticket})",
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
