"""What a credential may still do: counted in one file that all targets and processes share.

    state/allowance/NAME.json     levels of its rates, until when it is blocked, what was used

A short wait is waited for; a long one is a `RateLimited` with the time to come back, so that
no worker sleeps. Uses are counted before they happen: a crash counts one too many, never
one too few.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from filelock import FileLock, Timeout

from listeners.contract import Listener, Rate, Target
from listeners.errors import QuotaExhausted, RateLimited, Transient
from listeners.landing import Landing
from listeners.places import damaged, trouble

PATIENCE = 2.0
"""Seconds that `Credential.take` waits itself."""
_FOLDER = "state/allowance"
_LOCK_SECONDS = 10
_MONTHS = 13
_DAYS = 93


class Level(msgspec.Struct, frozen=True):
    """How much of a rate was left, and when."""

    left: float
    """Below zero if the rate was lowered since."""
    at: datetime
    of: float | None = None
    """What the rate granted then, so that a cap that is raised or lowered holds at once."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file for a credential."""

    levels: dict[str, Level] = {}
    blocked_until: datetime | None = None
    used: dict[str, dict[str, float]] = {}
    """Amounts by what was used, by month (UTC)."""
    days: dict[str, dict[str, float]] = {}
    """The same by day (UTC)."""


def name_of(listener: Listener, target: Target) -> str:
    """Which allowance a target shares: its source, its credential, and its server if that matters.

    The name is safe in a path and shows no secret.
    """
    words = [target.credential]
    for param in listener.traits.rate_by:
        value = str(target.params.get(param, ""))
        words.append(urlsplit(value if "://" in value else f"//{value}").hostname or value)
    if not any(words):
        return target.source
    digest = hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:12]
    return f"{target.source}-{digest}"


def accounts(landing: Landing) -> Iterator[str]:
    """The names of all credentials that have used something, sorted."""
    for name in landing.names(_FOLDER):
        if name.endswith(".json") and not name.startswith("."):
            yield name.removesuffix(".json")


class Credential:
    """The allowance of one credential. Safe across processes."""

    def __init__(
        self,
        landing: Landing,
        name: str,
        rates: Sequence[Rate] = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        self._landing = landing
        self._name = name
        self._rates = rates
        self._clock = clock
        self._sleep = sleep
        self._patience = patience

    def take(self, amount: float, what: str) -> None:
        """Count ``amount`` as used, before it is used. Waits for it for a moment at most.

        Raises:
            QuotaExhausted: if the day's or the month's allowance is used up.
            RateLimited: if there is more to wait for; nothing is counted then.
            ValueError: if ``amount`` is negative: `correct` puts back.
        """
        if amount < 0:
            raise ValueError(f"{amount:g} {what} cannot be taken: put back with correct()")
        end = self._clock() + timedelta(seconds=self._patience)
        while True:
            problem = self._try(amount, what)
            if problem is None:
                return
            if isinstance(problem, QuotaExhausted) or problem.retry_at > end:
                raise problem
            self._sleep(max(0.0, (problem.retry_at - self._clock()).total_seconds()))

    def correct(self, by: float, what: str) -> None:
        """Count ``by`` more as used, or less if it is negative, after the fact; never refuses."""
        with self._locked():
            self._write(self._after(by, what, self.account(), self._clock()))

    def left(self, what: str) -> float | None:
        """How much is left now, or None where there is no limit."""
        now = self._clock()
        account = self.account()
        levels = [_refilled(rate, account, now) for rate in self._rates if rate.what == what]
        return max(0.0, min(levels)) if levels else None

    def block(self, until: datetime) -> None:
        """Let nobody take anything before ``until``: the network has said so."""
        with self._locked():
            account = self.account()
            if account.blocked_until is None or account.blocked_until < until:
                self._write(msgspec.structs.replace(account, blocked_until=until))

    def account(self) -> Account:
        """What is on file.

        Raises:
            LandingError: if it cannot be read.
        """
        content = self._landing.read_document(self._path)
        if content is None:
            return Account()
        try:
            return msgspec.json.decode(content, type=Account)
        except msgspec.MsgspecError as error:
            raise damaged(self._landing.root / self._path, error) from error

    def _try(self, amount: float, what: str) -> RateLimited | None:
        with self._locked():
            now, account = self._clock(), self.account()
            if account.blocked_until is not None and account.blocked_until > now:
                at = account.blocked_until
                words = f"{self._name}: the network asked to come back at {at.isoformat()}: wait"
                return RateLimited(words, at, ours=True)
            for rate in self._rates:
                asked, left = min(amount, rate.amount), _refilled(rate, account, now)
                if rate.what == what and left < asked:
                    return self._missing(rate, asked - left, now)
            self._write(self._after(amount, what, account, now))
        return None

    def _after(self, amount: float, what: str, account: Account, now: datetime) -> Account:
        """The account once ``amount`` was used."""
        levels = dict(account.levels)
        for rate in self._rates:
            if rate.what == what:
                left = _refilled(rate, account, now) - min(amount, rate.amount)
                levels[_key(rate)] = Level(min(left, rate.amount), now, rate.amount)
        return msgspec.structs.replace(
            account,
            levels=levels,
            used=_counted(account.used, f"{now.astimezone(UTC):%Y-%m}", amount, what, _MONTHS),
            days=_counted(account.days, f"{now.astimezone(UTC):%Y-%m-%d}", amount, what, _DAYS),
        )

    def _missing(self, rate: Rate, lacking: float, now: datetime) -> RateLimited:
        if isinstance(rate.per, str):
            at = _next_period(rate, now)
            return QuotaExhausted(
                f"{self._name}: the {rate.per}'s {rate.amount:g} {rate.what} are used up until "
                f"{at.isoformat()}: wait, or raise it under [listen.rates]",
                at,
                ours=True,
            )
        # Whole microseconds, upwards: a time that is cut would be too early for ever.
        micros = max(1, ceil(lacking * rate.per / rate.amount * 1e6 - 1e-3))
        at = now + timedelta(microseconds=micros)
        return RateLimited(
            f"{self._name}: {rate.amount:g} {rate.what} in {rate.per:g} s are used up: "
            f"come back at {at.isoformat()}",
            at,
            ours=True,
        )

    def _write(self, account: Account) -> None:
        self._landing.write_document(self._path, msgspec.json.encode(account))

    @property
    def _path(self) -> str:
        return f"{_FOLDER}/{self._name}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._landing.lock_file(self._path)
        try:
            with FileLock(path, timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise Transient(f"{self._name}: its allowance is being counted: run again") from error
        except OSError as error:
            raise trouble(error, path) from error


def _key(rate: Rate) -> str:
    return f"{rate.what}/{rate.per}"


def _refilled(rate: Rate, account: Account, now: datetime) -> float:
    """What is left of a rate at ``now``; never more than its amount.

    Of a day or a month it is what the rate grants today less what was used, whatever it
    granted then.
    """
    level = account.levels.get(_key(rate))
    if level is None:
        return rate.amount
    if isinstance(rate.per, str):
        if _period(rate, now) > _period(rate, level.at):
            return rate.amount
        granted = rate.amount if level.of is None else level.of
        return min(level.left + rate.amount - granted, rate.amount)
    elapsed = max(0.0, (now - level.at).total_seconds())
    return min(rate.amount, level.left + elapsed * rate.amount / rate.per)


def _period(rate: Rate, at: datetime) -> tuple[int, ...]:
    local = at.astimezone(ZoneInfo(rate.zone))
    return (local.year, local.month, local.day)[: 3 if rate.per == "day" else 2]


def _next_period(rate: Rate, now: datetime) -> datetime:
    """The midnight at which the next day or month begins."""
    local = now.astimezone(ZoneInfo(rate.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    ahead = midnight.replace(day=1) + timedelta(days=32) if rate.per == "month" else midnight
    start = ahead.replace(day=1) if rate.per == "month" else midnight + timedelta(days=1)
    return start.astimezone(UTC)


def _counted(
    used: dict[str, dict[str, float]], period: str, amount: float, what: str, kept: int
) -> dict[str, dict[str, float]]:
    within = dict(used.get(period, {}))
    within[what] = max(0.0, round(within.get(what, 0) + amount, 6))
    return dict(sorted({**used, period: within}.items())[-kept:])
