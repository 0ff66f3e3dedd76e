"""Stack Exchange over real HTTP, from a local server that speaks its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.sources.stackexchange import StackExchange
from tests.listeners.fakes import NOW
from tests.listeners.sources.ear import Ear
from tests.servers.stackexchange import StackExchangeServer, error, question
from tests.servers.web import Answer, serving

START = int((NOW - timedelta(days=1)).timestamp())


@pytest.fixture
def server() -> StackExchangeServer:
    """A site without questions yet."""
    return StackExchangeServer([])


@pytest.fixture
def slept() -> list[float]:
    """The pauses of the listener."""
    return []


@pytest.fixture
def ear(tmp_path: Path, server: StackExchangeServer, slept: list[float]) -> Iterator[Ear]:
    """Listens to it."""
    with serving(server) as url:
        params = {"site": "stackoverflow", "query": "tram", "api_url": f"{url}/2.3"}
        listener = StackExchange(Fetcher(sleep=lambda seconds: None), sleep=slept.append)
        yield Ear(tmp_path, listener, params)


def test_a_question_becomes_a_mention(ear: Ear, server: StackExchangeServer) -> None:
    ear.params |= {"owners": [12], "key": "a-secret", "tags": ["bus", "rail"]}
    server.questions = [question(1, START, last_edit_date=START + 5)]
    row = ear.listen()
    assert (row.outcome, row.quota_left) == ("ok", 299)
    (asked,) = ear.mentions()
    assert (asked.instance, asked.native_id) == ("stackoverflow", "1")
    assert (asked.title, asked.text) == ('Why is tram 1 "late"?', "Question 1 about the tram")
    assert asked.created_at == datetime.fromtimestamp(START, UTC)
    assert asked.edited_at == datetime.fromtimestamp(START + 5, UTC)
    assert (asked.author.id, asked.author.name, asked.author.is_owner) == ("12", "Ann & Bo", True)
    assert (asked.engagement.score, asked.engagement.views, asked.engagement.replies) == (4, 55, 1)
    assert asked.matched == ("tram", "bus", "rail")
    query = server.requests[0].query
    assert (query["q"], query["tagged"], query["key"]) == ("tram", "bus;rail", "a-secret")


def test_old_questions_that_are_lively_do_not_come(ear: Ear, server: StackExchangeServer) -> None:
    long_ago = int((NOW - timedelta(days=900)).timestamp())
    server.questions = [question(1, long_ago, last_activity_date=START), question(2, START)]
    ear.listen()
    assert ear.ids() == ["2"]


def test_an_edit_weeks_later_is_a_new_version(ear: Ear, server: StackExchangeServer) -> None:
    server.questions = [question(1, START)]
    ear.listen()
    later = ear.now + timedelta(days=20)
    server.questions[0] |= {
        "body": "<p>It came</p>",
        "last_activity_date": int(later.timestamp()) - 5,
    }
    ear.now = later
    assert (ear.listen().changed, ear.mentions()[-1].text) == (1, "It came")


def test_a_short_backoff_is_waited_for_and_a_long_one_ends_the_run(
    ear: Ear, server: StackExchangeServer, slept: list[float]
) -> None:
    server.page_size = 2
    server.questions = [question(n, START + n) for n in range(1, 10)]
    server.backoffs = [5, 0, 90]
    row = ear.listen()
    assert (slept, row.outcome, row.error_class) == ([7], "partial", "RateLimited")
    assert row.retry_at == NOW + timedelta(seconds=92)
    asked = len(server.requests)
    ear.now += timedelta(seconds=60)
    assert (ear.listen().error_class, len(server.requests)) == ("RateLimited", asked)
    ear.now += timedelta(seconds=60)
    ear.listen()
    assert sorted(map(int, ear.ids())) == list(range(1, 10))


def test_a_page_whose_questions_share_a_second_is_turned(
    ear: Ear, server: StackExchangeServer
) -> None:
    server.page_size = 2
    server.questions = [question(n, START) for n in range(1, 8)]
    assert (ear.listen().cut_off, sorted(map(int, ear.ids()))) == (False, list(range(1, 8)))


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (
            error(502, "throttle_violation", "too many, more requests available in 999 seconds"),
            "QuotaExhausted",
            "give a key",
        ),
        (
            error(502, "throttle_violation", "Violation of backoff parameter", 503),
            "RateLimited",
            "listen less often",
        ),
        (error(400, "bad_parameter", "No site found for name `x`"), "BadTarget", "No site"),
        (error(400, "bad_parameter", "`key` doesn't match"), "AuthFailed", "check the key"),
        (error(500, "internal_error", "oh", 500), "Transient", "oh"),
        (Answer(b'{"questions": []}'), "SchemaChanged", "no items"),
    ],
)
def test_an_error_has_the_class_of_its_number(
    ear: Ear, server: StackExchangeServer, answer: Answer, outcome: str, words: str
) -> None:
    server.next_answers = [answer] * 3
    row = ear.listen()
    assert (row.error_class, words in (row.error or "")) == (outcome, True)
    if outcome == "QuotaExhausted":
        assert row.retry_at == NOW + timedelta(seconds=999)


def test_what_the_site_no_longer_shows_is_gone(ear: Ear, server: StackExchangeServer) -> None:
    server.questions = [question(n, START + n) for n in range(1, 4)]
    ear.listen()
    shown, server.questions = server.questions, []
    assert ear.look_again().deleted == 0
    server.questions = shown[1:]
    assert (ear.look_again().deleted, ear.deletions()) == (1, {"1": "deleted"})


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"query": "tram"}, "site"),
        ({"site": "stackoverflow"}, "give a site, and a query"),
        ({"site": "stackoverflow", "query": "x", "page": 1}, "page"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        StackExchange().check(Target(source="stackexchange", key="tram", params=params))
