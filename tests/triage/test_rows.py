from __future__ import annotations

import msgspec
import pytest

from listeners.mention import Author, Mention, make_uid
from nlp.assessment import Assessment, Evidence, PersonalData
from tests.triage.build import heard
from triage.intake import Pair
from triage.rows import RowMaker, fingerprint, repost_key
from triage.rules import Rules
from triage.store.base import StoredMention


def made(pair: Pair, rules: Rules | None = None) -> StoredMention:
    mention, assessment = pair
    assert isinstance(mention, Mention)
    assert assessment is not None
    return RowMaker(rules or Rules()).rows(mention, assessment)[0]


def customer(by: Author, rules: Rules | None = None, source: str = "mastodon") -> str | None:
    return made(heard("1", source=source, author=by), rules).customer


def test_personal_data_is_masked_everywhere() -> None:
    text = "call 555-0100 now"
    mention, plain = heard("1", text, title="write to ann@example.com")
    assert plain is not None
    spans = (PersonalData(kind="phone", start=5, end=13),)
    words = (
        Evidence(text="555-0100", start=5, end=13, weight=1),
        Evidence(text="now", start=14, end=17, weight=1),
    )
    row = made((mention, msgspec.structs.replace(plain, personal_data=spans, evidence=words)))
    assert "555" not in row.text
    assert row.text.startswith("call ")
    assert "ann@example.com" not in (row.title or "")
    assert row.evidence == ("now",)
    assert row.personal_data == ("phone",)


def test_a_pseudonym_is_of_the_account_and_of_the_network() -> None:
    ann = Author(id="7", handle="ann")
    assert customer(ann) == customer(Author(id="7", handle="ann_renamed"))
    assert customer(ann) != customer(ann, source="reddit")
    assert customer(Author()) is None
    assert "ann" not in str(customer(ann))


def test_with_a_key_nobody_can_guess_a_pseudonym() -> None:
    ann = Author(id="7")
    keyed = customer(ann, Rules(pseudonym_key="k"))
    assert keyed != customer(ann)
    assert keyed == customer(ann, Rules(pseudonym_key="k"))
    assert keyed != customer(ann, Rules(pseudonym_key="other"))


@pytest.mark.parametrize(
    "account",
    ["mastodon:ANN@social.test", "mastodon:@ann@social.test", "mastodon:7"],
)
def test_linked_accounts_are_one_person(account: str) -> None:
    rules = Rules(customers={"ann": (account, "reddit:annie")}).check()
    one = customer(Author(id="7", handle="ann@social.test"), rules)
    assert one == customer(Author(handle="Annie"), rules, "reddit")
    assert one != customer(Author(handle="annie"), rules, "rss")


@pytest.mark.parametrize("account", ["mastodon:acme", "*:@ACME", "mastodon@social.test:acme"])
def test_own_accounts_are_recognised_however_they_are_written(account: str) -> None:
    rules = Rules(own_accounts=(account,)).check()
    pair = heard("1", author=Author(handle="Acme"), instance="social.test")
    assert made(pair, rules).owner
    other = heard("1", author=Author(handle="acme2"), instance="social.test")
    assert not made(other, rules).owner


def test_copies_look_alike_whatever_surrounds_the_words() -> None:
    plain = fingerprint("The kettle I bought leaks")
    assert plain
    assert plain == fingerprint("@acme THE kettle,  I bought: leaks!!! https://t.test/x")
    assert plain != fingerprint("The kettle I bought works")
    assert fingerprint("too short") == ""
    assert fingerprint("@a @b @c @d @e @f") == ""


def test_a_repost_points_to_its_original_or_has_its_words() -> None:
    named = made(heard("2", "RT: the ket...", repost_of="1"))
    assert named.repost
    assert named.fingerprint == repost_key(make_uid("mastodon", "", "1"))
    written = made(heard("3", "RT @ann: the kettle I bought leaks"))
    assert written.repost
    assert written.fingerprint == fingerprint("the kettle I bought leaks")
    assert not made(heard("4", "so true! RT @ann: the kettle I bought leaks")).repost


def test_a_post_never_answers_itself() -> None:
    assert made(heard("1", parent_id="1")).parent is None


def test_a_department_that_does_not_exist_is_not_believed() -> None:
    mention, read = heard("1", "I want a refund")
    assert isinstance(read, Assessment)
    wrong = msgspec.structs.replace(read, department="moon", department_probability=0.9)
    row = made((mention, wrong))
    assert (row.department, row.department_probability) == ("cancellations and refunds", None)
    right = msgspec.structs.replace(read, department="billing", department_probability=0.9)
    row = made((mention, right))
    assert (row.department, row.department_probability) == ("billing", 0.9)
