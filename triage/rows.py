"""From what a listener heard and a model made of it to what the store keeps.

Analysts see masked text and a pseudonym; who it is goes to the vault as an `Identity`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final, get_args

import msgspec

from listeners.mention import Author, Mention, make_uid
from nlp.assessment import Assessment, CueKind, Evidence
from nlp.brand import BrandReader
from nlp.privacy import find, mask
from triage.likeness import fingerprint
from triage.routing import router_of
from triage.rules import Accounts, Rules
from triage.store.base import Identity, StoredMention

OWNER_REPLY = "/owner-reply"
"""Ends the native id of the brand's answer where a site attaches it to a review."""

REPOST_KEY = "of:"
"""Begins the fingerprint of a repost that names its original."""

_CUES: Final = frozenset(get_args(CueKind))
REPOST_PREFIX = re.compile(r"\s*RT @[\w.-]+:\s*", re.IGNORECASE)


class RowMaker:
    """Makes rows by one set of rules; pure, the same input gives the same rows."""

    def __init__(self, rules: Rules) -> None:
        self._accounts = Accounts(rules)
        self._region = rules.phone_region
        self._handles = frozenset(rules.own_handles)
        words = msgspec.structs.replace(rules.brand, handles=rules.own_handles)
        self._brand = BrandReader(words)
        self._router = router_of(rules.departments, rules.routing)
        self._praise, self._questions = rules.praise, rules.questions
        self._always = frozenset(rules.always)
        self._values = rules.customer_values
        self._private = frozenset(rules.private_sources)
        self._names = frozenset(department.name for department in rules.departments)
        self._key = rules.pseudonym_key.encode() if rules.pseudonym_key else None

    def rows(self, mention: Mention, assessment: Assessment) -> list[StoredMention]:
        """The mention's row, then one for the brand's attached answer where there is one.

        ``thread`` is provisional: see `triage.threads.settle`.
        """
        row = self._row(mention, assessment)
        answer = mention.owner_reply
        if answer is None:
            return [row]
        native_id = mention.native_id + OWNER_REPLY
        reply = StoredMention(
            uid=make_uid(mention.source, mention.instance, native_id),
            source=mention.source,
            instance=mention.instance,
            native_id=native_id,
            kind="comment",
            text=self._masked(answer.text),
            url=mention.url,
            created_at=answer.at or mention.collected_at,
            collected_at=mention.collected_at,
            content_hash=_digest(answer.text)[:16],
            owner=True,
            container=mention.container,
            matched=mention.matched,
            parent=row.uid,
            thread=row.uid,
            fingerprint="",
        )
        return [row, reply]

    def identity(self, mention: Mention) -> Identity | None:
        """The vault's entry for the author; None for the brand and for nobody."""
        customer = self.customer(mention)
        author = mention.author
        if customer is None or self._is_own(mention):
            return None
        return Identity(
            customer=customer,
            source=mention.source,
            instance=mention.instance,
            native_id=author.id,
            handle=author.handle,
            name=author.name,
            url=author.url,
        )

    def customer(self, mention: Mention) -> str | None:
        """32 hex digits that stand for the person; None when the source says nothing of them.

        The accounts that the operator links to one person share a pseudonym. A bare name is
        no identity: it stands for this one item's author and never joins two items.
        """
        author = mention.author
        place = (mention.source, mention.instance)
        person = self._accounts.person(*place, author)
        if person is not None:
            return self._pseudonym("person", person)
        if author.id or author.handle:
            return self._pseudonym("account", *place, author.id or _handle(author))
        if author.name:
            return self._pseudonym("name", *place, mention.native_id, author.name)
        return None

    def _is_own(self, mention: Mention) -> bool:
        return self._accounts.is_own(mention.source, mention.instance, mention.author)

    def _pseudonym(self, *identity: str) -> str:
        words = "\x1f".join(identity).encode()
        if self._key is None:
            return hashlib.sha256(words).hexdigest()[:32]
        return hmac.digest(self._key, words, "sha256").hex()[:32]

    def _row(self, mention: Mention, assessment: Assessment) -> StoredMention:
        source, instance = mention.source, mention.instance
        prefix = REPOST_PREFIX.match(mention.text)
        repost = mention.repost_of is not None or prefix is not None
        answered = mention.parent_id or mention.root_id
        parent = make_uid(source, instance, answered) if answered and not repost else None
        if parent == mention.uid:
            parent = None
        words = own_words(mention)
        copied = fingerprint(words)
        if mention.repost_of is not None:
            copied = repost_key(make_uid(source, instance, mention.repost_of))
        cues = tuple(sorted({cue.kind for cue in assessment.cues} & _CUES))
        department, probability = assessment.department, assessment.department_probability
        if department not in self._names:
            route = self._router.route(words, cues)
            department, probability = route.department, route.probability
        lane = self._lane(assessment, cues)
        if lane:
            department, probability = lane, None
        engagement = mention.engagement
        return StoredMention(
            uid=mention.uid,
            source=source,
            instance=instance,
            native_id=mention.native_id,
            kind=mention.kind,
            text=mask(mention.text, assessment.personal_data),
            title=self._masked(mention.title) if mention.title else None,
            url=mention.url,
            created_at=mention.created_at,
            collected_at=mention.collected_at,
            edited_at=mention.edited_at,
            content_hash=mention.content_hash,
            customer=self.customer(mention),
            value=self._values.get(self._accounts.person(source, instance, mention.author) or ""),
            owner=self._is_own(mention),
            followers=mention.author.followers,
            container=mention.container,
            matched=tuple(sorted(set(mention.matched))),
            parent=parent,
            thread=parent or mention.uid,
            repost=repost,
            private=mention.is_private or source in self._private,
            namesake=self._brand.verdict(words) == "theirs",
            fingerprint=copied,
            likes=engagement.likes,
            replies=engagement.replies,
            shares=engagement.shares,
            views=engagement.views,
            rating=mention.rating,
            rating_max=mention.rating_max,
            model=assessment.model,
            language=assessment.language,
            sentiment=assessment.sentiment,
            complaint=assessment.complaint,
            complaint_probability=assessment.complaint_probability,
            severity=assessment.severity,
            department=department,
            department_probability=probability,
            cues=cues,
            evidence=tuple(e.text for e in assessment.evidence if _is_showable(e, assessment)),
            personal_data=tuple(sorted({span.kind for span in assessment.personal_data})),
            products=tuple(assessment.products),
        )

    def _lane(self, assessment: Assessment, cues: tuple[str, ...]) -> str:
        """The department of praise, or of questions, where there is one and it is either."""
        if assessment.complaint is not False or any(cue in self._always for cue in cues):
            return ""
        if assessment.sentiment == "positive" or "thanks" in cues:
            return self._praise
        return self._questions if "question" in cues else ""

    def _masked(self, text: str) -> str:
        return mask(text, find(text, self._region, self._handles))


def own_words(mention: Mention) -> str:
    """Title and text, without what marks a repost."""
    prefix = REPOST_PREFIX.match(mention.text)
    return f"{mention.title or ''} {mention.text[prefix.end() :] if prefix else mention.text}"


def repost_key(uid: str) -> str:
    """The fingerprint of plain reposts of a known item, however they shorten its words."""
    return REPOST_KEY + uid


def _is_showable(evidence: Evidence, assessment: Assessment) -> bool:
    """Whether the words lie outside everything that is masked."""
    return all(
        evidence.end <= span.start or span.end <= evidence.start
        for span in assessment.personal_data
    )


def _handle(author: Author) -> str:
    return (author.handle or "").casefold().removeprefix("@")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
