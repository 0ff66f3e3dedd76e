from __future__ import annotations

from typing import Any

import msgspec
import pytest

from triage.errors import BadRules
from triage.rules import Rules


def test_the_rules_out_of_the_box_make_sense() -> None:
    rules = Rules().check()
    assert len(rules.departments) == 8
    assert all(d.description and len(d.phrases) >= 10 for d in rules.departments)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"own_accounts": ["acme"]}, "'acme' is no account; write source:handle"),
        ({"customers": {"ann": ["*:ann"]}}, "name the source"),
        (
            {"customers": {"ann": ["rss:a"], "ben": ["RSS:@A"]}},
            "'RSS:@A' is also in customers.ann; keep one of the two",
        ),
        ({"departments": [{"name": "shop"}, {"name": "shop"}]}, "'shop' is there twice"),
        ({"departments": [{"name": " "}]}, "give every department a name"),
        ({"cuts": {"p1": 50, "p2": 60}}, "cuts: must fall from p1"),
        ({"sla_hours": {"P1": 1}}, "P2 is missing"),
        ({"sla_hours_by_source": {"rss": {"P9": 1}}}, "sla_hours_by_source.rss: 'P9' is no tier"),
        ({"sla_hours_by_source": {"rss": {"P1": 0}}}, "give more than 0"),
        ({"weights": {"safety": -1}}, "weights.safety: -1 is negative"),
        ({"thresholds": {"rss": 1.5}}, "thresholds.rss: 1.5 is not between 0 and 1"),
        ({"complaint_shares": {"rss": 0}}, "complaint_shares.rss: 0 is not between 0 and 1"),
        ({"precision": {"rss": 1}}, "precision.rss: 1 is not between 0 and 1"),
        ({"precision": {"rss": 0.8}, "thresholds": {"rss": 0.5}}, "keep one of the two"),
        ({"matter_days": 0}, "matter_days: 0; give more than 0"),
    ],
)
def test_rules_that_contradict_themselves_are_refused_in_one_line(
    values: dict[str, Any], fault: str
) -> None:
    rules = msgspec.convert(values, Rules)
    with pytest.raises(BadRules) as refused:
        rules.check()
    assert fault in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_setting_that_does_not_exist_is_not_taken_silently() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"matter_dayz": 3}, Rules)
