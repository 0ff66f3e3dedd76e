"""JSON Schema of every record, generated from its type: ``python -m outcry.schemas``.

The files in ``docs/schemas`` are committed, so that a change of a record is seen in review.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from listeners.contract import Reject
from listeners.ledger import LedgerRow
from listeners.mention import Deletion, Mention
from nlp.assessment import Assessment
from triage.contacts import Label
from triage.incident import Incident
from triage.notices import Notice
from triage.store.base import StoredMention
from triage.ticket import Event, Ticket

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"
RECORDS: tuple[type[msgspec.Struct], ...] = (
    Mention,
    Deletion,
    Reject,
    LedgerRow,
    Assessment,
    StoredMention,
    Ticket,
    Event,
    Incident,
    Notice,
    Label,
)


def schemas() -> Mapping[str, str]:
    """The schema of each record as text, by file name."""
    return {
        f"{record.__name__.lower()}.json": msgspec.json.format(
            msgspec.json.encode(msgspec.json.schema(record), order="sorted"), indent=2
        ).decode()
        + "\n"
        for record in RECORDS
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
