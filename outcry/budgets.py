"""What a run may take from a target, and which targets share a credential."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from listeners.allowance import Credential, name_of
from listeners.contract import Budget, Listener, Target
from listeners.errors import ListenerError
from listeners.registry import listener
from listeners.spending import Holder
from outcry.settings import Settings


def budget_of(settings: Settings, found: Listener, target: Target, now: datetime) -> Budget:
    """The budget of a run of ``target`` that begins now, as the settings have it."""
    rates = settings.listen.rates_of(target.source, found.traits.rates)
    return Budget(
        max_pages=settings.listen.max_pages,
        now=now,
        deadline=datetime.now(UTC) + timedelta(minutes=settings.listen.deadline_minutes),
        reach=settings.reach,
        allowance=Credential(settings.landing, name_of(found, target), rates),
    )


def holders_of(settings: Settings) -> dict[str, Holder]:
    """Who shares which credential, by its name on file.

    A target whose source is unknown, or whose client is not installed, uses none.
    """
    found: dict[str, Holder] = {}
    for target in settings.targets:
        try:
            source = listener(target.source)
        except ListenerError:
            continue
        rates = settings.listen.rates_of(target.source, source.traits.rates)
        name, key = name_of(source, target), f"{target.source}/{target.key}"
        known = found.get(name, Holder(targets=(), rates=rates))
        found[name] = msgspec.structs.replace(known, targets=(*known.targets, key))
    return found
