"""Listen, score, triage: one window, or all that waits. The command line and the DAGs call these.

Each step reads what the one before left in the landing zone and leaves something that
lasts. Killed anywhere and run again, a step goes on where it was: parts are written whole
or not at all, and the store is written by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from listeners import ledger
from listeners.contract import Reject, Target
from listeners.erase import forget_again
from listeners.landing import RAW, REJECTS, Landing, Part
from listeners.ledger import LedgerRow
from listeners.mention import Deletion, Mention
from listeners.recheck import recheck as recheck_target
from listeners.registry import family_of, listener
from listeners.run import collect
from nlp.assess import Assessor, load_assessor
from nlp.assessment import Assessment
from nlp.assessment import decode as decode_assessment
from nlp.workers import Workers
from outcry.alerts import alert
from outcry.budgets import budget_of
from outcry.chunks import chunked
from outcry.readings import kind_of, scored_parts
from outcry.scoring import Scored, score_parts
from outcry.settings import Settings, with_secrets
from outcry.windows import Window
from triage import joining
from triage.casework import fold_cases
from triage.fold_report import EXAMPLES, Example, FoldReport
from triage.incidents import incidents as all_incidents
from triage.incidents import watch
from triage.intake import StoreReport, store_records
from triage.outreach import refresh
from triage.publishing import publish
from triage.rules import Rules
from triage.series import Listed
from triage.store.base import Refusal, Store
from triage.turns import Turn

Progress = Callable[[str, int, int], None]
"""Called with (what, done, of how many) after each part."""

Pair = tuple[Mention | Deletion, Assessment | None]


def quiet(what: str, done: int, total: int) -> None:
    """A progress that says nothing."""


class Triaged(msgspec.Struct, kw_only=True):
    """What a run of `triage` did, in counts that do not grow with the stream."""

    parts: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0
    """Documents that the store would not take; its rejects say why."""
    opened: int = 0
    updated: int = 0
    reopened: int = 0
    closed: int = 0
    refreshed: int = 0
    """Open tickets whose waiting time moved them."""
    folded: dict[str, int] = {}
    """Mentions that are in a case, by reason."""
    forgotten: int = 0
    """Mentions by forgotten people, heard again and removed again."""
    left_out: dict[str, int] = {}
    """Mentions that are in none, by reason."""
    examples: list[Example] = []
    """Some of those left out."""

    def add_stored(self, report: StoreReport) -> None:
        """Count what one call of `store_records` did."""
        self.new += report.new
        self.changed += report.changed
        self.unchanged += report.unchanged
        self.deleted += report.deleted
        self.refused += len(report.refused)

    def add_folded(self, report: FoldReport) -> None:
        """Count what one call of `fold_cases` did."""
        self.opened += len(report.opened)
        self.updated += len(report.updated)
        self.reopened += len(report.reopened)
        self.closed += len(report.closed)
        for reason, count in report.folded.items():
            self.folded[reason] = self.folded.get(reason, 0) + count
        for reason, count in report.left_out.items():
            self.left_out[reason] = self.left_out.get(reason, 0) + count
        self.examples += report.examples[: EXAMPLES - len(self.examples)]
        self.refused += len(report.refused)


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
    landing, kinds = settings.landing, settings.scored_kinds
    kind = kinds[0]
    waiting = [
        part for part in landing.parts(RAW, window=window) if kind_of(landing, kinds, part) is None
    ]
    if not waiting:
        return Scored()
    with workers_of(settings) as assessor:
        return score_parts(
            landing, kind, waiting, assessor, lambda done: progress("score", done, len(waiting))
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
        return _triage(settings, store, turn, window, now, progress)


def _triage(
    settings: Settings,
    store: Store,
    turn: Turn,
    window: str | None,
    now: datetime,
    progress: Progress,
) -> Triaged:
    landing = settings.landing
    kinds = {part: kind for kind, part in scored_parts(landing, settings.scored_kinds, window)}
    names = {part: f"{kind}/{part.name}" for part, kind in kinds.items()}
    done = store.done("folded", list(names.values()))
    waiting = [part for part in kinds if names[part] not in done]
    report = Triaged(parts=len(waiting))
    done_parts = 0
    for some in chunked(waiting, lambda part: list(_pairs(landing, kinds[part], part))):
        turn.keep()
        with store.together():
            for part, pairs in some:
                stored = store_records(store, pairs, settings.rules)
                report.add_stored(stored)
                if stored.forgotten:
                    report.forgotten += forget_again(landing, part, stored.forgotten)
                _keep_refused(store, part, stored.refused, now)
        done_parts += len(some)
        progress("store", done_parts, len(waiting))
    done_parts = 0
    for chunk in chunked(waiting, lambda part: [one.uid for one in landing.records(part)]):
        turn.keep()
        with store.together():
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
        _keep_refused(store, part, fold_cases(store, uids, rules, now).refused, now)
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


def _pairs(landing: Landing, kind: str, part: Part) -> Iterator[Pair]:
    """The records of a raw part, each mention with its assessment.

    A purge that was killed may have left assessments of mentions that are gone: passed over.
    """
    assessed = map(decode_assessment, landing.read_lines(kind, part))
    for record in landing.records(part):
        if isinstance(record, Mention):
            yield record, next((one for one in assessed if one.uid == record.uid), None)
        else:
            yield record, None


def _keep_refused(store: Store, part: Part, refused: Sequence[Refusal], now: datetime) -> None:
    """List what the store would not take; the landing zone keeps it, for `replay`."""
    rows = [
        {
            "id": refusal.id,
            "source": part.source,
            "window": part.window,
            "target": part.target,
            "stage": "store",
            "error": refusal.reason,
            "at": now.isoformat(),
        }
        for refusal in refused
    ]
    if rows:
        store.save_rejects(rows)


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
