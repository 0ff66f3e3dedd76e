"""Listen, score, triage: one window, or all that waits. The command line and the DAGs call these.

Each step reads what the one before left in the landing zone and leaves something that
lasts. Killed anywhere and run again, a step goes on where it was: parts are written whole
or not at all, and the store is written by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from listeners import ledger
from listeners.contract import Reject, Target
from listeners.landing import RAW, REJECTS, Landing, Part
from listeners.ledger import LedgerRow
from listeners.recheck import recheck as recheck_target
from listeners.registry import family_of, listener
from listeners.run import collect
from nlp.assess import Assessor, load_assessor
from nlp.workers import Workers
from outcry.alerts import alert
from outcry.budgets import budget_of
from outcry.chunks import chunked
from outcry.readings import kind_of, scored_parts
from outcry.scoring import Scored, score_parts
from outcry.settings import Settings, with_secrets
from outcry.storing import Storing, Triaged, keep_refused
from outcry.windows import Window
from triage import joining
from triage.casework import BATCH, fold_cases
from triage.fold_report import FoldReport
from triage.incidents import incidents as all_incidents
from triage.incidents import watch
from triage.outreach import refresh
from triage.publishing import publish
from triage.rules import Rules
from triage.series import Listed
from triage.store.base import Store
from triage.turns import Turn

Progress = Callable[[str, int, int], None]
"""Called with (what, done, of how many) after each part."""


def quiet(what: str, done: int, total: int) -> None:
    """A progress that says nothing."""


def targets_of(settings: Settings, family: str | None = None) -> list[Target]:
    """The configured targets, in the order of the settings; one rate-limit family if named."""
    return [
        target
        for target in settings.targets
        if family is None or family_of(target.source) == family
    ]


def listen_target(
    settings: Settings,
    target: Target,
    window: Window,
    now: datetime,
    *,
    secrets: Mapping[str, str] | None = None,
) -> LedgerRow:
    """Collect one target into the landing zone; the outcome is in the row, errors included."""
    found = listener(target.source)
    return collect(
        found,
        with_secrets(target, secrets),
        settings.landing,
        window.name,
        budget_of(settings, found, target, now),
        asked_from=window.start,
        asked_to=window.end,
    )


def listen(
    settings: Settings, window: Window, now: datetime, progress: Progress = quiet
) -> list[LedgerRow]:
    """Collect every configured target, one after the other; one that fails stops no other."""
    rows = []
    for number, target in enumerate(settings.targets, start=1):
        rows.append(listen_target(settings, target, window, now))
        progress("listen", number, len(settings.targets))
    return rows


def recheck_one(
    settings: Settings,
    target: Target,
    window: Window,
    now: datetime,
    *,
    secrets: Mapping[str, str] | None = None,
) -> LedgerRow | None:
    """Look again at a target's recent mentions; None if its network tells of deletions itself."""
    found = listener(target.source)
    return recheck_target(
        found,
        with_secrets(target, secrets),
        settings.landing,
        window.name,
        budget_of(settings, found, target, now),
    )


def recheck(settings: Settings, window: Window, now: datetime) -> list[LedgerRow]:
    """Look again at recent mentions of the targets whose networks do not tell of deletions."""
    rows = (recheck_one(settings, target, window, now) for target in settings.targets)
    return [row for row in rows if row is not None]


def assessor_of(settings: Settings) -> Assessor:
    """What reads texts in this deployment.

    Raises:
        nlp.errors.NlpError: if the model or the file of cues cannot be used.
    """
    return _assessor(settings)()


def workers_of(settings: Settings) -> Workers:
    """As `assessor_of`, in as many processes as the settings allow; the caller closes it."""
    return Workers(assessor_of(settings), _assessor(settings, threads=1), settings.nlp.processes)


def _assessor(settings: Settings, threads: int | None = None) -> partial[Assessor]:
    return partial(
        load_assessor,
        settings.model_folder,
        cues=Path(settings.nlp.cues) if settings.nlp.cues else None,
        products=settings.products,
        places=settings.places,
        phone_region=settings.nlp.phone_region,
        public_handles=settings.rules.own_handles,
        threads=threads,
    )


def score(settings: Settings, *, window: str | None = None, progress: Progress = quiet) -> Scored:
    """Assess every raw part that no champion has assessed yet; of one window if named.

    A scored part holds one assessment for each mention of the raw part, in its order.
    """
    done = 0

    def durable(part: Part, total: int) -> None:
        nonlocal done
        done += 1
        progress("score", done, total)

    return _score(settings, window, durable)


def _score(settings: Settings, window: str | None, durable: Callable[[Part, int], None]) -> Scored:
    """Score what waits; ``durable`` is told of each part that is written, and how many wait."""
    landing, kinds = settings.landing, settings.scored_kinds
    waiting = [
        part for part in landing.parts(RAW, window=window) if kind_of(landing, kinds, part) is None
    ]
    if not waiting:
        return Scored()
    with workers_of(settings) as assessor:
        return score_parts(
            landing, kinds[0], waiting, assessor, lambda part: durable(part, len(waiting))
        )


def triage(
    settings: Settings,
    store: Store,
    *,
    window: str | None = None,
    now: datetime,
    progress: Progress = quiet,
) -> Triaged:
    """Bring every scored part into the store and fold its cases; of one window if named.

    All mentions are stored before the first case is folded, so that what becomes of a
    mention does not depend on where in the window it stands.

    Raises:
        Busy: if another process is triaging into the same store.
    """
    with Turn(store, "triage") as turn:
        storing = Storing(settings.landing, store, settings.rules, turn, now)
        return _triage(settings, store, storing, window, now, progress)


def catch_up(
    settings: Settings,
    store: Store,
    *,
    window: str | None = None,
    now: datetime,
    progress: Progress = quiet,
) -> tuple[Scored, Triaged]:
    """`score`, then `triage`; what has been scored is stored while other processes read on.

    The tickets are those that one after the other would make.

    Raises:
        Busy: if another process is triaging into the same store.
    """
    kind = settings.scored_kinds[0]
    with Turn(store, "triage") as turn:
        storing = Storing(settings.landing, store, settings.rules, turn, now)

        def durable(part: Part, total: int) -> None:
            storing.add(kind, part)
            progress("score", len(storing.parts), total)

        scored = _score(settings, window, durable)
        return scored, _triage(settings, store, storing, window, now, progress)


def _triage(
    settings: Settings,
    store: Store,
    storing: Storing,
    window: str | None,
    now: datetime,
    progress: Progress,
) -> Triaged:
    landing, turn = settings.landing, storing.turn
    kinds = {part: kind for kind, part in scored_parts(landing, settings.scored_kinds, window)}
    names = {part: f"{kind}/{part.name}" for part, kind in kinds.items()}
    done = store.done("folded", list(names.values()))
    waiting = [part for part in kinds if names[part] not in done]
    report = storing.report
    report.parts = len(waiting)
    for number, part in enumerate(waiting, start=1):
        storing.add(kinds[part], part)
        progress("store", number, len(waiting))
    storing.flush()
    done_parts = 0
    for chunk in chunked(waiting, lambda part: [one.uid for one in landing.records(part)], BATCH):
        turn.keep()
        report.add_folded(_fold(store, chunk, settings.rules, now))
        store.mark("folded", [names[part] for part, _ in chunk])
        done_parts += len(chunk)
        progress("fold", done_parts, len(waiting))
    joining.settle(store, settings.rules, now)
    report.refreshed = refresh(store, settings.rules, now)
    _copy_books(landing, store, window)
    publish(store, settings.rules)
    return report


def _fold(
    store: Store, chunk: Sequence[tuple[Part, Sequence[str]]], rules: Rules, now: datetime
) -> FoldReport:
    """Fold the parts of a chunk at once: how mentions are cut into calls changes no ticket."""
    report = fold_cases(store, [uid for _, uids in chunk for uid in uids], rules, now)
    for part, uids in chunk if report.refused else ():
        # What is refused is refused again, and so says which part it came from.
        keep_refused(store, part, fold_cases(store, uids, rules, now).refused, now)
    return report


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What a look for incidents did."""

    new: int = 0
    changed: int = 0
    alerts_sent: int = 0
    alerts_waiting: int = 0
    alerts_failed: int = 0
    errors: tuple[str, ...] = ()


def incidents(
    settings: Settings, store: Store, *, now: datetime, since: datetime | None = None
) -> Watched:
    """Look for incidents in what has been said since the last look, and alert once for each."""
    known = {one.incident for one in all_incidents(store)}
    listed = Listed(products=settings.products, places=settings.places)
    found = watch(store, settings.rules, settings.incidents, now, since, listed)
    alerts = alert(settings.alerts, store, found, now)
    publish(store, settings.rules)
    new = sum(one.incident not in known for one in found)
    return Watched(
        new=new,
        changed=len(found) - new,
        alerts_sent=alerts.sent,
        alerts_waiting=alerts.waiting,
        alerts_failed=alerts.failed,
        errors=tuple(alerts.errors),
    )


def replay(settings: Settings, store: Store, *, window: str | None = None) -> int:
    """Forget that parts were triaged, so that the next `triage` reads them again; how many.

    Tickets keep their ids and what people decided about them.
    """
    parts = scored_parts(settings.landing, settings.scored_kinds, window)
    names = [f"{kind}/{part.name}" for kind, part in parts]
    store.unmark(names)
    return len(names)


def _copy_books(landing: Landing, store: Store, window: str | None) -> None:
    """Show analysts the ledger rows and rejects that the store has not seen; again is harmless."""
    rows = {
        f"ledger/{row.source}/{row.window}/{row.target}@{row.finished_at.isoformat()}": row
        for row in ledger.rows(landing, window=window)
    }
    seen = store.done("stored", list(rows))
    store.save_ledger([msgspec.to_builtins(row) for name, row in rows.items() if name not in seen])
    store.mark("stored", [name for name in rows if name not in seen])

    parts = {f"{REJECTS}/{part.name}": part for part in landing.parts(REJECTS, window=window)}
    seen = store.done("stored", list(parts))
    for name, part in parts.items():
        if name not in seen:
            store.save_rejects([_reject_row(reject, part) for reject in landing.rejects(part)])
            store.mark("stored", [name])


def _reject_row(reject: Reject, part: Part) -> dict[str, object]:
    """Where and why, without the payload: that stays in the landing zone."""
    row: dict[str, object] = {"id": reject.id, "window": part.window}
    for name in ("source", "target", "stage", "error", "where", "at", "listener"):
        row[name] = msgspec.to_builtins(getattr(reject, name))
    return row
