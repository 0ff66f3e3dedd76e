"""Another customer's helpful answer: the case rests, marked, and comes back on a new complaint."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from triage.cases import Case, is_by, oldest_first
from triage.rules import Rules
from triage.store.base import StoredMention

_ADVICE = re.compile(
    r"\b(try|you can|you could|you need to|you have to|you should|go to|click|tap|press|"
    r"restart|reset|reinstall|update|check (your|the)|here(?:'|’)?s how|this (fixed|worked|helped)|"
    r"worked for me|fixed (it|mine)|solved|call(?:ing)? them|ring them|e-?mail them|dm them|"
    r"send them|ask for|the number is|contact them)\b",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\b(thanks|thank you|thx|ty|cheers|that (worked|did it|helped)|works now|it works|sorted|"
    r"solved|legend)\b",
    re.IGNORECASE,
)


class Help(msgspec.Struct, frozen=True, kw_only=True):
    """Who helped when, and how long the case rests for it."""

    uid: str
    at: datetime
    rest_until: datetime | None
    accepted: bool
    """The author said so."""


def answered(case: Case, rules: Rules) -> Help | None:
    """The newest helpful answer by another customer; None where the author is still unhappy.

    Helpful is what answers the author, is no complaint, no question and not negative, and
    either says what to do (in English) or is thanked for by the author. The author is unhappy
    whose complaint, or other negative post, is newer. A case with one of ``Rules.always``
    never rests; one whose author said thanks rests until its matter is over.
    """
    opening = case.openers[0]
    own = [row for row in [*case.openers, *case.posts] if is_by(row, opening)]
    uids = {row.uid for row in own}
    complaints = {row.uid for row in case.openers}
    unhappy = max(
        row.created_at for row in own if row.uid in complaints or row.sentiment == "negative"
    )
    for row in reversed(oldest_first(case.posts)):
        if row.created_at <= unhappy:
            return None
        if row.parent not in uids or is_by(row, opening) or not _may_help(row):
            continue
        accepted = any(_thanks(post, row) for post in own if post.uid not in complaints)
        if accepted or _ADVICE.search(row.text):
            return _help(case, row, accepted, rules)
    return None


def _may_help(row: StoredMention) -> bool:
    return row.sentiment != "negative" and not row.text.rstrip().endswith("?")


def _thanks(post: StoredMention, answer: StoredMention) -> bool:
    return (
        post.created_at > answer.created_at
        and post.parent in (answer.uid, answer.parent)
        and (post.sentiment == "positive" or bool(_THANKS.search(post.text)))
    )


def _help(case: Case, row: StoredMention, accepted: bool, rules: Rules) -> Help:
    pressing = any(cue in rules.always for opener in case.openers for cue in opener.cues)
    rest = rules.matter if accepted else timedelta(hours=rules.community_hours)
    until = None if pressing or not rules.community_hours else row.created_at + rest
    return Help(uid=row.uid, at=row.created_at, rest_until=until, accepted=accepted)
