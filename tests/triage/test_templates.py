"""What is written to customers has its fields filled and nothing in it that must not go out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import BadRules
from triage.templates import FIELDS, NOTICES, check_template, faults, fill


def test_fields_are_filled_and_a_missing_one_leaves_no_gap() -> None:
    assert fill("Hello {handle}, {link} {about}.", {"handle": "ann", "about": "it works"}) == (
        "Hello ann, it works."
    )


@pytest.mark.parametrize("template", ["{name}", "{", "{handle!r}", "{handle:>99999999}", "{0}"])
def test_a_template_that_cannot_be_filled_is_refused(template: str) -> None:
    with pytest.raises(BadRules, match="template"):
        check_template(template)


@given(st.text())
def test_any_text_is_a_template_or_refused(text: str) -> None:
    with suppress(BadRules):
        fill(text, dict.fromkeys(FIELDS, "x"))


@pytest.mark.parametrize("name", sorted(NOTICES))
def test_the_templates_that_come_along_may_go_out(name: str) -> None:
    filled = fill(NOTICES[name], {"handle": "ann", "about": "the fault", "brand": "Kestrelline"})
    assert faults(filled, "ZA") == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("please call 082 123 4567", "personal data"),
        ("is your card 4111 1111 1111 1111?", "personal data"),
        ("please reply with your account number", "asks for personal data"),
        ("you will be refunded tomorrow", "money"),
        ("we give you R 200", "money"),
        ("as we already said, it works", "blame"),
        ("THIS IS NOT OUR PROBLEM AT ALL", "shouting"),
        ("so sorry!!", "shouting"),
    ],
)
def test_what_must_not_go_out_is_named(text: str, kind: str) -> None:
    assert kind in {fault.kind for fault in faults(text, "ZA")}


def test_telling_people_not_to_post_their_number_is_no_fault() -> None:
    assert faults("Please do not post your account number here.", "ZA") == []
