"""Each number of a report is counted again, row by row."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from insight.counts import sla
from insight.figures import Figures, figures
from insight.frames import BEGINNING, END, Frames, frame_of
from insight.scope import SORTED_BY_HAND, WEEK, Scope
from outcry.demo import AS_OF
from tests.triage.store.samples import T0, mention, minutes, ticket
from triage.contacts import labels
from triage.store import open_store
from triage.ticket import Handling, Ticket

NOW = AS_OF + timedelta(hours=6)


def of_week(data: Frames, end: datetime = NOW, department: str | None = None) -> Figures:
    return figures(data, Scope("week", end - WEEK, end, department), {"router": ("modem",)})


def test_posts_and_complaints_are_those_of_people(data: Frames) -> None:
    said = [row for row in data.store.mentions_between(BEGINNING, END) if not row.owner]
    complaints = [row for row in said if row.complaint]
    read = [row for row in said if row.complaint is not None]
    assert len(said) > len(read) > len(complaints) > 20
    heard = of_week(data).heard.loc["now"]
    assert (heard.mentions, heard.complaints) == (len(said), len(complaints))
    assert heard.share == len(complaints) / len(read)


def test_every_split_adds_up_to_the_whole(data: Frames) -> None:
    found = of_week(data)
    for name in ("source", "department", "language", "severity"):
        table = found.by[name]
        assert table["mentions"].sum() == found.heard.loc["now", "mentions"], name
        assert table["complaints"].sum() == found.heard.loc["now", "complaints"], name
    assert found.days["mentions"].sum() == found.heard.loc["now", "mentions"]


def test_a_product_is_found_however_it_is_written(data: Frames) -> None:
    naming = [
        row
        for row in data.store.mentions_between(BEGINNING, END)
        if not row.owner and any(word in row.text.casefold() for word in ("router", "modem"))
    ]
    (router,) = of_week(data).by["product"].itertuples()
    assert router.mentions == len(naming) > 0


def test_words_that_set_complaints_apart_are_counted_by_post(tmp_path: Path) -> None:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    for number in range(12):
        said = "router router is dead [phone] @brand" if number < 6 else "the shop is lovely"
        row = mention(f"m{number}", text=said, complaint=number < 6)
        store.save_mentions([row])
    found = figures(Frames(store), Scope("day", T0 - WEEK, T0 + WEEK)).words
    store.close()
    assert found.set_index("word")["complaints"].to_dict() == {"dead": 6, "router": 6}
    assert found["elsewhere"].tolist() == [0, 0]
    assert found["score"].tolist() == [pytest.approx(2 * 12 * math.log(2), rel=0.01)] * 2


def test_the_week_after_has_this_one_as_its_before(data: Frames) -> None:
    this, following = of_week(data), of_week(data, NOW + WEEK)
    assert following.heard.loc["now", "mentions"] == 0
    assert math.isnan(following.heard.loc["now", "share"])
    assert following.heard.loc["before"].to_dict() == this.heard.loc["now"].to_dict()
    assert following.days["before"].sum() == this.heard.loc["now", "mentions"]


def test_a_department_is_counted_alone(data: Frames) -> None:
    whole = of_week(data)
    lanes = [*whole.by["department"]["name"]]
    assert SORTED_BY_HAND in lanes
    for lane in lanes:
        one = of_week(data, department=lane)
        (row,) = whole.by["department"].query("name == @lane").itertuples()
        assert one.heard.loc["now", "mentions"] == row.mentions
        assert set(one.answers["department"]) <= {lane, "all"}


def test_cases_and_their_answers_are_those_of_the_store(data: Frames) -> None:
    cases = list(data.store.all_tickets())
    every = of_week(data).answers.iloc[-1]
    contacted = [one for one in cases if one.handling.contacted_at]
    answered = [one for one in cases if one.handling.contacted_at or one.answered_at]
    kept = [one for one in contacted if (one.handling.contacted_at or NOW) <= one.sla_due]
    assert (every.cases, every.answered, every.kept) == (len(cases), len(answered), len(kept))
    assert every.kept + every.breached + every.running == every.cases
    assert of_week(data).waiting["cases"].sum() == len(cases) - len(contacted)


@pytest.mark.parametrize(
    ("handling", "expected"),
    [
        (Handling(), "running"),
        (Handling(contacted_at=minutes(59)), "kept"),
        (Handling(contacted_at=minutes(61)), "breached"),
        (Handling(status="dismissed", closed_at=minutes(30)), "kept"),
    ],
)
def test_the_promise_is_kept_or_broken_by_the_ticket_s_clock(
    handling: Handling, expected: str
) -> None:
    table = frame_of(Ticket, [ticket(handling=handling)])
    assert list(sla(table, minutes(45))) == [expected]
    if expected == "running":
        assert list(sla(table, minutes(60))) == ["breached"]


def test_outcomes_stand_beside_what_the_model_had_said(data: Frames) -> None:
    known = [
        one for one in labels(data.store) if one.complaint is not None and one.said is not None
    ]
    found = of_week(data)
    assert found.outcomes.set_index("outcome")["cases"].to_dict() == {
        "not a complaint": 1,
        "resolved": 3,
    }
    assert found.calibration["labels"].sum() == len(known) > 0
    mean = (found.calibration["said"] * found.calibration["labels"]).sum() / len(known)
    assert mean == pytest.approx(sum(one.said or 0 for one in known) / len(known))


def test_the_incident_is_in_the_week_and_in_no_other(data: Frames) -> None:
    assert len(of_week(data).incidents) == 1
    assert of_week(data, NOW + 3 * WEEK).incidents.empty


def test_the_case_that_is_shown_is_on_several_networks(data: Frames) -> None:
    case = of_week(data).case
    assert case.loc[case["what"] == "post", "source"].nunique() == 2
    assert list(case["at"]) == sorted(case["at"])


def test_what_a_source_did_is_read_from_the_ledger(tmp_path: Path) -> None:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    store.save_mentions([mention(collected_at=minutes(20))])
    row = {
        "source": "rss", "target": "a", "listener": "rss/1", "outcome": "ok",
        "started_at": T0, "finished_at": NOW, "got": 3, "new": 2, "rejected": 1,
    }  # fmt: skip
    failed = {"window": "20240301T121500Z", "outcome": "failed", "error": "shut", "gaps": ["all"]}
    long_ago = {"window": "20230301T120000Z", "new": 99}
    store.save_ledger([row | {"window": "20240301T120000Z"}, row | failed, row | long_ago])
    store.save_rejects([{"id": "r1", "source": "rss", "stage": "map", "at": T0}])
    found = figures(Frames(store), Scope("day", T0 - timedelta(days=1), T0 + timedelta(days=1)))
    store.close()
    (rss,) = found.coverage.itertuples()
    assert (rss.asked, rss.answered, rss.heard, rss.gaps) == (2, 1, 4, 1)
    assert rss.lag_minutes == 20
    assert found.rejects.to_dict("records") == [{"source": "rss", "stage": "map", "rejects": 1}]
