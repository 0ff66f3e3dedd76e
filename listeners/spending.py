"""What credentials have used of what they are granted: the other half of the ledger.

It is read from the allowances (`listeners.allowance`), which count before they are used: a
killed run counts too much, never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from listeners.allowance import Credential, accounts
from listeners.contract import Rate
from listeners.coverage import FORMS, Unit
from listeners.landing import Landing


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The targets that share a credential, and what it is granted."""

    targets: tuple[str, ...]
    """As ``source/key``."""
    rates: tuple[Rate, ...] = ()


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What one credential used of one thing in a period."""

    source: str
    credential: str
    """Its name on file, which shows no secret."""
    targets: tuple[str, ...]
    """Who shares it now; none if no target does any more."""
    period: str
    """``2026-11-20`` or ``2026-11``, UTC."""
    what: str
    """``calls``, ``usd``, ``searches`` and so on."""
    used: float
    granted: tuple[str, ...]
    """As the settings write it: ``10000/day``, ``50/month``, ``300/300s``."""
    left: float | None
    """Now, of the tightest of them; None if nothing is limited or the period is over."""
    blocked_until: datetime | None
    """The network does not want to be asked before."""


def spending(
    landing: Landing, unit: Unit, period: str, holders: Mapping[str, Holder], now: datetime
) -> list[Spent]:
    """A line for each credential and thing that was used in a day or month, sorted.

    ``holders`` are by the credential's name (`listeners.allowance.name_of`).

    Raises:
        LandingError: if an allowance cannot be read.
    """
    found = []
    running = f"{now.astimezone(UTC):{FORMS[unit]}}" == period
    for name in sorted({*accounts(landing), *holders}):
        holder = holders.get(name, Holder(targets=()))
        credential = Credential(landing, name, holder.rates, clock=lambda: now)
        account = credential.account()
        used = (account.days if unit == "day" else account.used).get(period, {})
        granted = {rate.what for rate in holder.rates} if running else set()
        blocked = account.blocked_until
        found += [
            Spent(
                source=name.partition("-")[0],
                credential=name,
                targets=holder.targets,
                period=period,
                what=what,
                used=used.get(what, 0.0),
                granted=tuple(_words(holder.rates, what)),
                left=credential.left(what) if running else None,
                blocked_until=blocked if running and blocked and blocked > now else None,
            )
            for what in sorted(used.keys() | granted)
        ]
    return found


def _words(rates: Iterable[Rate], what: str) -> Iterable[str]:
    for rate in rates:
        if rate.what == what:
            per = rate.per if isinstance(rate.per, str) else f"{rate.per:g}s"
            yield f"{rate.amount:g}/{per}"
