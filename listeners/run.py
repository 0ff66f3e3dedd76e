"""Collect one target: the only code that stores what listeners find.

Each page's items, then its rejects, then the state become durable, in that order. A run
that is killed in between leaves parts that the state does not know of; the next run
reads them, so that what comes again is not stored again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import msgspec

from listeners.contract import Budget, Listener, Page, Reject, Target
from listeners.errors import (
    Busy,
    LandingError,
    ListenerError,
    RateLimited,
    SchemaChanged,
    Transient,
)
from listeners.landing import RAW, REJECTS, Landing, Part
from listeners.ledger import Counts, LedgerRow, Outcome, read_row, write_row
from listeners.mention import Deletion, Mention, Record, encode
from listeners.secrets import secrets_in, without_secrets
from listeners.state import Memory, TargetState, Verdict, load, save

MAX_LINE = 256 * 1024
"""Bytes of a stored mention above which its ``raw`` is left out."""
_MANY = 5
_TOO_MANY = 0.2
_Judged = list[tuple[Record, Verdict]]
_reject_encoder = msgspec.json.Encoder(order="deterministic")


def utc_now() -> datetime:
    """The wall clock, aware, in UTC."""
    return datetime.now(UTC)


def collect(
    listener: Listener,
    target: Target,
    landing: Landing,
    window: str,
    budget: Budget,
    *,
    asked_from: datetime | None = None,
    asked_to: datetime | None = None,
    clock: Callable[[], datetime] = utc_now,
    watch: Callable[[Page], None] = lambda page: None,
) -> LedgerRow:
    """Take what a target has to give within the budget; returns its stored ledger row.

    Whatever interrupts it, and however often it is run, every item that the source shows
    ends up in the landing zone, each version once as far as the target's memory reaches
    (`listeners.state.RECENT`). Existing parts are never overwritten. The listener's own
    errors are in the row, by class and message; a target that another run holds gives a
    row with the outcome ``skipped`` that is not stored. ``watch`` sees each page once it is
    durable.

    Raises:
        LandingError: if the landing zone cannot be read or written; there is no row then.
        Exception: what is not a `ListenerError` is a fault of the code; it is noted in
            the row and goes on to the caller.
    """
    with ExitStack() as stack:
        run = _Run(listener, target, landing, window, budget, clock, (asked_from, asked_to), watch)
        try:
            stack.enter_context(landing.lock(target.source, target.key))
        except Busy as busy:
            return run.row("skipped", error=busy)
        run.open()
        return run.walk()


class _Run:
    """One call of `collect`."""

    def __init__(
        self,
        listener: Listener,
        target: Target,
        landing: Landing,
        window: str,
        budget: Budget,
        clock: Callable[[], datetime],
        asked: tuple[datetime | None, datetime | None],
        watch: Callable[[Page], None],
    ) -> None:
        self.listener = listener
        self.target = target
        self.landing = landing
        self.window = window
        self.budget = budget
        self.clock = clock
        self.asked = asked
        self.watch = watch
        self.started_at = clock()
        self.stored_pages = 0
        self.doc = TargetState(version=0, window=window)
        self.orphans = _Orphans()

    def open(self) -> None:
        """Find what earlier runs left, and make ``window`` the one that is written to."""
        source, key = self.target.source, self.target.key
        stored = load(self.landing, self.target)
        if stored is not None:
            self.doc = stored
            self.landing.sweep(source, stored.window, key)
            self.orphans = _Orphans.find(self.landing, self.target, stored)
        if stored is not None and stored.window == self.window:
            return
        if stored is not None:
            self._leave(stored.window)
        # The state names the window before any part of it exists, so that an
        # interrupted run's parts are looked for where they are.
        self.landing.sweep(source, self.window, key)
        known = read_row(self.landing, source, self.window, key)
        self._save(
            window=self.window,
            next_part=self.landing.next_number(RAW, source, self.window, key),
            next_reject=self.landing.next_number(REJECTS, source, self.window, key),
            counts=_counts_of(known) if known else Counts(),
        )

    def walk(self) -> LedgerRow:
        """Ask for pages until the source or the budget ends."""
        try:
            done = self._take_pages()
        except LandingError:
            raise
        except ListenerError as error:
            if isinstance(error, RateLimited) and not error.ours:
                self.budget.block(error.retry_at)
            return self._finish(self._outcome_of(error), error=error)
        except Exception as error:
            self._finish("failed", error=error)
            if any(secret in f"{error!r}{error}" for secret in secrets_in(self.target)):
                words = f"{type(error).__name__}: {without_secrets(str(error), self.target)}"
                raise ListenerError(f"unexpected {words}: report it") from None
            raise
        return self._finish("ok" if done else "partial", cut_off=not done)

    def _take_pages(self) -> bool:
        """Whether all that is new was heard."""
        state = msgspec.json.decode(msgspec.json.encode(self.doc.state))
        pages = iter(self.listener.collect(self.target, state, self.budget))
        caught_up = False
        try:
            for _ in range(self.budget.max_pages):
                if self.budget.deadline is not None and self.clock() >= self.budget.deadline:
                    return caught_up
                page = next(pages, None)
                if page is None:
                    return False
                self._store(page)
                self.watch(page)
                if page.done:
                    return True
                caught_up = page.caught_up
            return caught_up
        finally:
            _close(pages)

    def _store(self, page: Page) -> None:
        fault = _fault(page) if self.listener.traits.strict_pages else None
        state = self.doc.state if fault else msgspec.json.decode(msgspec.json.encode(page.state))
        seen = max(page.raw_count, len(page.items) + len(page.rejects))
        if seen or page.gap or state != self.doc.state or self.orphans:
            self._commit(page, state, seen)
            self.stored_pages += 1
        if fault:
            raise SchemaChanged(f"{self.target.source}/{self.target.key}: {fault}")

    def _commit(self, page: Page, state: dict[str, object] | None, seen: int) -> None:
        """Make a page durable, and account for what an interrupted run left."""
        memory = Memory({**page.stored, **self.doc.recent}, self.doc.recent_rejects)
        orphans, self.orphans = self.orphans, _Orphans()
        # What is on disk and has not come again was stored first: an edited item follows it.
        before = orphans.not_among(page.items)
        judged: _Judged = [(record, memory.judge(record)) for record in before]
        of_page: _Judged = [(record, memory.judge(record)) for record in page.items]
        judged += of_page
        fresh = [record for record, verdict in of_page if verdict != "duplicate"]
        fresh_rejects = [reject for reject in page.rejects if memory.is_new(reject)]
        # Judged as if nothing had been interrupted; only then is what is on disk left out.
        parts = orphans.parts + self._write_items(orphans.without(fresh), orphans.parts)
        reject_parts = orphans.reject_parts + self._write_rejects(
            orphans.without_rejects(fresh_rejects), orphans.reject_parts
        )
        fresh_rejects += [reject for reject in orphans.rejects if memory.is_new(reject)]
        seen_in_walk = self.doc.seen + len(page.items)
        self._save(
            state=state,
            recent=memory.recent(len(page.items), self.doc.span + seen_in_walk),
            seen=0 if page.done else seen_in_walk,
            span=seen_in_walk if page.done else self.doc.span,
            recent_rejects=memory.recent_rejects(len(page.rejects)),
            next_part=self.doc.next_part + parts,
            next_reject=self.doc.next_reject + reject_parts,
            quota_left=self.doc.quota_left if page.quota_left is None else page.quota_left,
            counts=_add(self.doc.counts, page, seen, judged, len(fresh_rejects), parts),
        )

    def _write_items(self, records: Sequence[Record], skip: int) -> int:
        if not records:
            return 0
        part = self._part(self.doc.next_part + skip)
        self.landing.write_part(RAW, part, map(_line, records))
        return 1

    def _write_rejects(self, rejects: Sequence[Reject], skip: int) -> int:
        if not rejects:
            return 0
        part = self._part(self.doc.next_reject + skip)
        self.landing.write_part(REJECTS, part, map(_reject_encoder.encode, rejects))
        return 1

    def _part(self, number: int) -> Part:
        return Part(self.target.source, self.window, self.target.key, number)

    def _save(self, **changes: object) -> None:
        doc = msgspec.structs.replace(self.doc, version=self.doc.version + 1, **changes)
        save(self.landing, self.target, doc)
        self.doc = doc

    def _settle(self) -> None:
        if self.orphans:
            self._commit(Page(state={}), self.doc.state, 0)

    def _leave(self, window: str) -> None:
        """Close the books of a window that is no longer written to."""
        here, self.window = self.window, window
        self._settle()
        row = read_row(self.landing, self.target.source, window, self.target.key)
        if row is None or _counts_of(row) != self.doc.counts:
            interrupted = ListenerError("the run was interrupted: run this window again")
            self._finish("partial", error=interrupted, cut_off=True)
        self.window = here

    def _outcome_of(self, error: ListenerError) -> Outcome:
        if isinstance(error, RateLimited):
            return "partial"
        return "partial" if isinstance(error, Transient) and self.stored_pages else "failed"

    def _finish(
        self, outcome: Outcome, *, error: Exception | None = None, cut_off: bool = False
    ) -> LedgerRow:
        self._settle()
        row = self.row(outcome, error=error, cut_off=cut_off)
        return write_row(self.landing, row)

    def row(
        self, outcome: Outcome, *, error: Exception | None = None, cut_off: bool = False
    ) -> LedgerRow:
        """The ledger row as things stand."""
        return LedgerRow(
            **msgspec.structs.asdict(self.doc.counts),
            source=self.target.source,
            target=self.target.key,
            window=self.window,
            listener=f"{self.listener.name}/{self.listener.version}",
            outcome=outcome,
            asked_from=self.asked[0],
            asked_to=self.asked[1],
            cut_off=cut_off,
            quota_left=self.doc.quota_left,
            error=without_secrets(" ".join(str(error).split()), self.target) if error else None,
            error_class=_class_of(error) if error else None,
            retry_at=error.retry_at if isinstance(error, RateLimited) else None,
            started_at=self.started_at,
            finished_at=self.clock(),
        )


class _Orphans:
    """Parts that are durable and that the state does not know of."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.rejects: list[Reject] = []
        self.parts = 0
        self.reject_parts = 0

    def __bool__(self) -> bool:
        return bool(self.parts or self.reject_parts)

    @classmethod
    def find(cls, landing: Landing, target: Target, doc: TargetState) -> _Orphans:
        """What lies beyond the numbers that the state knows; a page or two at most."""
        found = cls()
        source, window, key = target.source, doc.window, target.key
        for part in landing.parts(RAW, source=source, window=window, target=key):
            if part.number >= doc.next_part:
                found.records += landing.records(part)
                found.parts += 1
        for part in landing.parts(REJECTS, source=source, window=window, target=key):
            if part.number >= doc.next_reject:
                found.rejects += landing.rejects(part)
                found.reject_parts += 1
        return found

    def without(self, fresh: Sequence[Record]) -> Sequence[Record]:
        """What of ``fresh`` is not on disk yet."""
        if not self.records:
            return fresh
        on_disk = {_version(record) for record in self.records}
        return [record for record in fresh if _version(record) not in on_disk]

    def without_rejects(self, fresh: Sequence[Reject]) -> Sequence[Reject]:
        """What of the rejects is not on disk yet."""
        on_disk = {reject.id for reject in self.rejects}
        return [reject for reject in fresh if reject.id not in on_disk] if on_disk else fresh

    def not_among(self, page: Sequence[Record]) -> list[Record]:
        """What is on disk and did not come again."""
        if not self.records:
            return []
        again = {_version(record) for record in page}
        return [record for record in self.records if _version(record) not in again]


def _class_of(error: Exception) -> str:
    """Its class in the tree of `listeners.errors`; a source may have finer ones of its own."""
    ours = (one.__name__ for one in type(error).__mro__ if one.__module__ == Busy.__module__)
    return next(ours, type(error).__name__)


def _line(record: Record) -> bytes:
    """The record as it is stored; a payload that would make it huge is left out."""
    line = encode(record)
    if len(line) <= MAX_LINE or isinstance(record, Deletion):
        return line
    note = {"left_out": f"a payload that made {len(line)} bytes"}
    return encode(msgspec.structs.replace(record, raw=note))


def _version(record: Record) -> tuple[str, str]:
    return record.uid, record.content_hash


def _fault(page: Page) -> str | None:
    """Why a page is not to be trusted, if so."""
    seen = max(page.raw_count, len(page.items) + len(page.rejects))
    rejected = len(page.rejects)
    example = f" ({page.rejects[0].error})" if page.rejects else ""
    advice = "compare the rejects with the source's documentation"
    if seen >= _MANY and not page.items:
        return f"none of {seen} items was understood{example}: {advice}"
    if rejected >= _MANY and rejected > _TOO_MANY * seen:
        return f"{rejected} of {seen} items were not understood{example}: {advice}"
    return None


def _counts_of(row: LedgerRow) -> Counts:
    return Counts(**{name: getattr(row, name) for name in Counts.__struct_fields__})


def _add(
    counts: Counts, page: Page, seen: int, judged: _Judged, rejected: int, parts: int
) -> Counts:
    tally: dict[Verdict, int] = {"new": 0, "changed": 0, "deleted": 0, "duplicate": 0}
    for _, verdict in judged:
        tally[verdict] += 1
    times = [r.created_at for r, v in judged if v != "duplicate" and isinstance(r, Mention)]
    times += [at for at in (counts.oldest, counts.newest) if at is not None]
    gaps = counts.gaps
    if page.gap is not None and page.gap not in gaps:
        gaps = (*gaps, page.gap)
    return Counts(
        got=counts.got + seen,
        new=counts.new + tally["new"],
        changed=counts.changed + tally["changed"],
        deleted=counts.deleted + tally["deleted"],
        duplicate=counts.duplicate + tally["duplicate"],
        rejected=counts.rejected + rejected,
        pages=counts.pages + (1 if seen else 0),
        parts=counts.parts + parts,
        gaps=gaps,
        oldest=min(times, default=None),
        newest=max(times, default=None),
    )


def _close(pages: Iterator[Page]) -> None:
    close = getattr(pages, "close", None)
    if close is not None:
        close()
