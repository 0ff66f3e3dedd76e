"""One incident for each cause: noticed in event time, and everybody told once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.triage.build import START, Pair, brand, heard, triage
from triage.causes import IncidentRules
from triage.errors import IllegalMove
from triage.incident import Incident, move
from triage.incidents import act_on, find_incident, incidents, watch
from triage.notices import NoticePlan, approve, notices, propose, tell
from triage.policy import ContactPolicy
from triage.rules import Rules
from triage.series import Listed, phrases
from triage.store import Store, open_store
from triage.templates import NOTICES

RULES = Rules()
OURS = IncidentRules()
LISTED = Listed(places={"Doornvlei": ()})
ALWAYS = ContactPolicy(quiet_from="00:00", quiet_until="00:00")
PLAN = NoticePlan(template=NOTICES["fixed"], brand="Kestrelline", policy=ALWAYS)
DAY = 24.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store("sqlite", path=tmp_path / "outcry.db")
    made.setup()
    yield made
    made.close()


def background(days: int) -> list[Pair]:
    """One different complaint each three hours."""
    things = ("kettle", "invoice", "parcel", "password", "router", "shop", "courier", "charger")
    return [
        heard(
            f"b{n}",
            f"my {things[n % 8]} number{chr(97 + n % 26)}{chr(97 + n // 26)} was wrong again",
            by=f"background-{n}",
            hours=3 * n,
        )
        for n in range(8 * days)
    ]


def outage(at: float, count: int = 5, word: str = "Doornvlei", by: str = "out") -> list[Pair]:
    """Different people, different words, one after the other every nine minutes."""
    ways = ("no light on", "everything dead in", "still nothing in", "we sit in the dark in")
    tails = ("since breakfast", "a second time", "what is wrong", "three hours now", "says nobody")
    if word == "Windmeul":
        ways = ("slow pages near", "bad voice calls around", "dropped again at", "hopeless speed")
        tails = ("tonight", "for days", "like always", "every evening", "at full price")
    return [
        heard(
            f"{by}{n}",
            f"{ways[n % 4]} {word} again, {tails[n // 4]}",
            by=f"{by}-{n}",
            hours=at + n * 0.15,
            source=("mastodon", "bluesky", "reddit")[n % 3],
        )
        for n in range(count)
    ]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def look(store: Store, now: datetime) -> list[Incident]:
    return watch(store, RULES, OURS, now, listed=LISTED)


def test_an_outage_is_one_incident_with_its_customers(store: Store) -> None:
    triage(store, [*background(10), *outage(10 * DAY)])
    (found,) = look(store, at(10 * DAY + 1))
    assert found.customers == 5
    assert found.sources == ("bluesky", "mastodon", "reddit")
    assert "doornvlei" in found.title
    assert found.detected_at - found.first_at <= timedelta(minutes=40)
    assert len(found.tickets) == 5
    assert sum(point.posts for point in found.curve) == 5
    assert found.severity == "minor"


def test_who_says_it_in_a_neighbours_words_is_affected_but_is_no_report_of_its_own(
    store: Store,
) -> None:
    echo = heard(
        "echo", "no light on Doornvlei again, since breakfast!", by="echo", hours=10 * DAY + 0.05
    )
    late = heard(
        "late", "everything dead in Doornvlei again, since breakfast", by="late", hours=10 * DAY + 2
    )
    triage(store, [*background(10), *outage(10 * DAY), echo])
    (found,) = look(store, at(10 * DAY + 1))
    assert found.reports <= 5 < found.customers == 6
    triage(store, [late])
    (grown,) = look(store, at(10 * DAY + 3))
    assert grown.customers == 7


def test_a_place_counts_however_it_is_written(store: Store) -> None:
    triage(store, [*background(10), *outage(10 * DAY, word="Doorn-vlei")])
    (found,) = watch(
        store, RULES, OURS, at(10 * DAY + 1), listed=Listed(places={"Doorn Vlei": ("dvl",)})
    )
    assert "place:doorn vlei" in found.series


def test_a_ticket_knows_its_incident_and_a_replay_leaves_it(store: Store) -> None:
    said = [*background(10), *outage(10 * DAY)]
    triage(store, said)
    (found,) = look(store, at(10 * DAY + 1))
    named = {one.ticket for one in store.all_tickets() if one.incident == found.incident}
    assert named == set(found.tickets)
    before = list(store.all_tickets())
    triage(store, said)
    assert [one.incident for one in store.all_tickets()] == [one.incident for one in before]
    act_on(store, found.incident, "dismiss", "lindiwe", at(10 * DAY + 2))
    assert {one.incident for one in store.all_tickets()} == {None}
    act_on(store, found.incident, "confirm", "lindiwe", at(10 * DAY + 3))
    assert {one.ticket for one in store.all_tickets() if one.incident} == named


def test_looking_again_changes_nothing_and_later_posts_join(store: Store) -> None:
    triage(store, [*background(10), *outage(10 * DAY)])
    (found,) = look(store, at(10 * DAY + 1))
    assert look(store, at(10 * DAY + 1.1)) == []
    act_on(store, found.incident, "own", "lindiwe", at(10 * DAY + 1.2), "lindiwe")
    triage(store, outage(10 * DAY + 2, 20, by="later"))
    (grown,) = look(store, at(10 * DAY + 6))
    assert (grown.incident, grown.owner) == (found.incident, "lindiwe")
    assert grown.customers == 25
    assert grown.severity == "major"
    assert grown.detected_at == found.detected_at


def test_in_one_look_or_in_many_it_is_the_same_incident(tmp_path: Path) -> None:
    pairs = [*background(10), *outage(10 * DAY, 12)]
    seen: list[dict[str, Incident]] = []
    for name, step in (("one", 3.0), ("many", 0.1)):
        store = open_store("sqlite", path=tmp_path / f"{name}.db")
        store.setup()
        triage(store, pairs)
        clock = 10 * DAY + step - 0.1
        while clock <= 10 * DAY + 3:
            look(store, at(clock))
            clock += step
        seen.append({one.incident: one for one in incidents(store)})
        store.close()
    assert seen[0].keys() == seen[1].keys()
    (one,), (other,) = seen[0].values(), seen[1].values()
    assert (one.posts, one.detected_at) == (other.posts, other.detected_at)


def test_a_busy_day_of_everything_is_no_incident_about_a_word(store: Store) -> None:
    busy = [
        heard(f"x{n}", f"{text} {chr(97 + n)}{chr(98 + n)}zz", by=f"x{n}", hours=10 * DAY + n / 20)
        for n, text in enumerate(["the courier was rude", "my invoice is wrong"] * 4)
    ]
    triage(store, [*background(10), *busy])
    assert all("courier" not in one.title for one in look(store, at(10 * DAY + 1)))


def test_copies_of_one_text_are_one_report(store: Store) -> None:
    text = "my father died in Doornvlei and they debit his account every single month"
    copies = [heard(f"c{n}", text, by=f"c{n}", hours=10 * DAY + n / 10) for n in range(12)]
    triage(store, [*background(10), *copies])
    assert look(store, at(10 * DAY + 2)) == []


def test_without_a_past_nothing_is_an_incident(store: Store) -> None:
    triage(store, outage(0.0, 20))
    assert look(store, at(4)) == []


def test_two_causes_at_once_are_two_incidents(store: Store) -> None:
    both = [*outage(10 * DAY, 8), *outage(10 * DAY, 8, "Windmeul", "other")]
    triage(store, [*background(10), *both])
    found = watch(
        store,
        RULES,
        OURS,
        at(10 * DAY + 2),
        listed=Listed(places={"Doornvlei": (), "Windmeul": ()}),
    )
    assert len(found) == 2
    assert not set(found[0].posts) & set(found[1].posts)


def test_when_it_is_fixed_everybody_is_told_once_by_the_channel_they_used(store: Store) -> None:
    same_here = heard(
        "me-too", "same here", by="me-too", hours=10 * DAY + 0.5, parent_id="out0", complaint=False
    )
    triage(store, [*background(10), *outage(10 * DAY), same_here, brand("b", 10 * DAY + 0.6)])
    (found,) = look(store, at(10 * DAY + 1))
    now = at(10 * DAY + 2)
    with pytest.raises(IllegalMove, match="mark it fixed"):
        propose(store, found, PLAN, now)
    fixed = act_on(store, found.incident[:6], "fix", "lindiwe", now)
    first = propose(store, fixed, PLAN, now)
    assert propose(store, fixed, PLAN, now) == first
    assert len({one.customer for one in first}) == len(first) == 6
    assert {one.source for one in first} == {"mastodon", "bluesky", "reddit"}
    assert list(tell(store, fixed, "lindiwe", now, ALWAYS)) == []
    assert len(approve(store, fixed, "thabo", now)) == 6
    assert len(list(tell(store, fixed, "lindiwe", now, ALWAYS))) == 6
    assert list(tell(store, fixed, "lindiwe", now, ALWAYS)) == []
    again = propose(store, fixed, PLAN, now)
    assert {(one.state, one.approved_by, one.told_by) for one in again} == {
        ("told", "thabo", "lindiwe")
    }


def test_who_was_told_of_one_incident_is_left_in_peace_by_the_next(store: Store) -> None:
    triage(store, [*background(10), *outage(10 * DAY)])
    (found,) = look(store, at(10 * DAY + 1))
    fixed = act_on(store, found.incident, "fix", "lindiwe", at(10 * DAY + 2))
    propose(store, fixed, PLAN, at(10 * DAY + 2))
    approve(store, fixed, "lindiwe", at(10 * DAY + 2))
    assert len(list(tell(store, fixed, "lindiwe", at(10 * DAY + 2), ALWAYS))) == 5
    other = msgspec.structs.replace(fixed, incident="I-other")
    held = propose(store, other, PLAN, at(10 * DAY + 3))
    assert {one.state for one in held} == {"withheld"}
    assert all("was contacted" in one.why for one in held)
    assert {one.state for one in propose(store, other, PLAN, at(12 * DAY))} == {"proposed"}
    assert len(notices(store, "I-other")) == 5


def test_a_notice_that_promises_money_is_not_made(store: Store) -> None:
    triage(store, [*background(10), *outage(10 * DAY)])
    (found,) = look(store, at(10 * DAY + 1))
    fixed = act_on(store, found.incident, "fix", "lindiwe", at(10 * DAY + 2))
    generous = msgspec.structs.replace(PLAN, template="Hello {handle}, you get R50 back")
    with pytest.raises(IllegalMove, match="money"):
        propose(store, fixed, generous, at(10 * DAY + 2))


def test_phrases_are_words_and_pairs_that_stand_together() -> None:
    found = phrases("The fibre is down in Doornvlei! @brand https://x.example [phone]\nNo network")
    assert {"fibre", "doornvlei", "network"} <= found
    assert "fibre doornvlei" not in found
    assert not any("brand" in word or "phone" in word for word in found)


BARE = Incident(
    incident="I-1",
    title="x",
    series=("phrase:x",),
    first_at=START,
    detected_at=START,
    last_at=START,
    peak_at=START,
    peak=1,
    expected=0,
    reports=4,
    chance=0,
)


class States(RuleBasedStateMachine):
    """Whatever people do in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.incident = BARE
        self.done = 0

    @rule(action=st.sampled_from(["confirm", "fix", "close", "dismiss", "own", "note"]))
    def somebody_does(self, action: str) -> None:
        with suppress(IllegalMove):
            self.incident = move(self.incident, action, "ann", START, "words")  # type: ignore[arg-type]
            self.done += 1

    @invariant()
    def what_happened_is_on_record(self) -> None:
        assert len(self.incident.steps) == self.done
        assert (self.incident.state in ("fixed", "closed")) <= (self.incident.fixed_at is not None)
        if self.incident.state != "open":
            assert self.incident.owner


TestStates = States.TestCase
TestStates.settings = settings(max_examples=25, stateful_step_count=12)


def test_an_incident_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    triage(store, [*background(10), *outage(10 * DAY)])
    (found,) = look(store, at(10 * DAY + 1))
    assert find_incident(store, found.incident.upper()[:7])[0] == found
