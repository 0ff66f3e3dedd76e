"""What a post says that only an agent may read: taken out of the row, kept in the vault."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.references import find_references, mask_references
from triage.store.base import StoredMention
from triage.vault import Reference

REACHABLE = ("email", "phone")
"""Personal data that reaches somebody; cards and identity numbers are kept nowhere."""


def without_references(row: StoredMention) -> StoredMention:
    """The row with its order numbers and the like masked; analysts see this one."""
    text = mask_references(row.text, find_references(row.text))
    title = row.title and mask_references(row.title, find_references(row.title))
    hidden = {row.text[one.start : one.end].casefold() for one in find_references(row.text)}
    if text == row.text and title == row.title:
        return row
    evidence = tuple(word for word in row.evidence if word.casefold() not in hidden)
    return msgspec.structs.replace(row, text=text, title=title, evidence=evidence)


def reference_of(mention: Mention, assessment: Assessment, row: StoredMention) -> Reference | None:
    """What the vault keeps of a post; None if there is nothing, or nobody to keep it for."""
    if row.customer is None or row.owner:
        return None
    items = [
        (one.kind, text[one.start : one.end])
        for text in (row.title or "", row.text)
        for one in find_references(text)
    ]
    items += [
        (span.kind, mention.text[span.start : span.end])
        for span in assessment.personal_data
        if span.kind in REACHABLE
    ]
    if not items:
        return None
    return Reference(uid=row.uid, customer=row.customer, items=tuple(dict.fromkeys(items)))


def references_of(
    heard: Iterable[tuple[Mention, Assessment, StoredMention]],
) -> list[tuple[Reference, datetime]]:
    """What the vault keeps of these posts, each with the time of its post."""
    found = []
    for mention, assessment, row in heard:
        reference = reference_of(mention, assessment, row)
        if reference is not None:
            found.append((reference, mention.created_at))
    return found
