"""A deployment whose agents have closed many tickets."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from listeners.mention import Author, Mention
from nlp.assessment import Assessment
from outcry.settings import Settings, load_settings
from tests.models.decided_rows import NOW, rows
from triage.casework import fold_cases
from triage.contacts import learn
from triage.intake import store_records
from triage.store.base import Store

LATER = datetime(2026, 11, 20, 9, tzinfo=UTC)
TABLE = f'[retraining]\npython = "{sys.executable}"\n'


def settle(home: Path, table: str = TABLE) -> Settings:
    """A home whose challengers are trained by this interpreter."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "outcry.toml").write_text(table)
    return load_settings(home)


def fill(store: Store, settings: Settings, now: datetime = NOW) -> None:
    """Many cases before ``now``, each heard, folded, and closed with an outcome by an agent."""
    ended = {}
    pairs = []
    for number, row in enumerate(rows(now=now)):
        said = Mention(
            source="import",
            native_id=str(number),
            text=f"{row.text}; write to ayanda.{number}@mailbox.example or 082 555 {number:04}",
            author=Author(handle=f"ayanda_dlamini_{number}", name=f"Ayanda Dlamini {number}"),
            created_at=row.at,
            collected_at=row.at,
            listener="import/1",
            raw={},
        )
        read = Assessment(
            uid=said.uid, model="baseline-en/1", language="en", complaint=True,
            complaint_probability=0.8, sentiment="negative", severity=2,
        )  # fmt: skip
        pairs.append((said, read))
        ended[said.uid] = row
    store_records(store, pairs, settings.rules)
    fold_cases(store, list(ended), settings.rules, now)
    for ticket in store.all_tickets():
        row = ended[ticket.mentions[0].uid]
        learn(store, ticket, "resolved" if row.complaint else "not a complaint", "nomsa", row.at)
