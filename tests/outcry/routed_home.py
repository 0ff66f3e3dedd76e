"""A deployment whose agents have sent many cases to another department."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listeners.mention import Author, Mention
from nlp.assessment import Assessment
from outcry.settings import Settings, load_settings
from triage.casework import fold_cases
from triage.claims import route
from triage.contacts import learn
from triage.intake import store_records
from triage.store.base import Store

NOW = datetime(2026, 11, 20, tzinfo=UTC)
AGENT = "nomsa"
TABLE = """
[[departments]]
name = "till"
phrases = ["receipt"]

[[departments]]
name = "machines"
phrases = ["ticket machine"]
"""
"""By its words a slip that no machine printed is the till's; agents know better."""

_MACHINE = ("the kiosk printed no receipt", "the terminal swallowed my receipt")
_TILL = ("the cashier gave me no receipt", "the counter clerk tore my receipt")
_FILL = """
again today really still home with friend second week after before evening morning town street
people watching never always three five train rain coffee window paper music
"""


def settle(home: Path) -> Settings:
    """A home with two departments that have phrases and no examples."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "outcry.toml").write_text(TABLE)
    return load_settings(home)


def said(number: int, kiosk: bool, at: datetime) -> tuple[Mention, Assessment]:
    """A complaint, and what was made of it."""
    chance = random.Random(number)
    words = " ".join(chance.sample(_FILL.split(), 9))
    mention = Mention(
        source="import",
        native_id=str(number),
        text=f"{words}, {chance.choice(_MACHINE if kiosk else _TILL)}",
        author=Author(handle=f"ayanda_dlamini_{number}", name=f"Ayanda Dlamini {number}"),
        created_at=at,
        collected_at=at,
        listener="import/1",
        raw={},
    )
    read = Assessment(
        uid=mention.uid, model="baseline-en/1", language="en", complaint=True,
        complaint_probability=0.8, sentiment="negative", severity=2,
    )  # fmt: skip
    return mention, read


def fill(
    store: Store, settings: Settings, count: int = 200, days: int = 120, *, honest: bool = True
) -> None:
    """So many cases of both kinds: some are sent to the machines, the others closed at the till.

    Not ``honest``, agents send whichever, so that there is nothing to learn.
    """
    chance = random.Random(1)
    pairs, belongs = [], {}
    for number in range(count):
        at = NOW - timedelta(days=days * (1 - number / count))
        pair = said(number, number % 2 == 0, at)
        pairs.append(pair)
        belongs[pair[0].uid] = number % 2 == 0 if honest else chance.random() < 0.5
    store_records(store, pairs, settings.rules)
    fold_cases(store, list(belongs), settings.rules, NOW)
    for ticket in list(store.all_tickets()):
        if belongs[ticket.mentions[0].uid]:
            route(store, ticket.ticket, "machines", AGENT, ticket.opened_at, settings.rules)
        else:
            learn(store, ticket, "resolved", AGENT, ticket.opened_at)
