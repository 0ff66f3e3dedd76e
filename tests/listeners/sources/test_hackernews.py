"""Hacker News over real HTTP, from a local server that speaks Algolia's and Firebase's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.sources.hackernews import HackerNews
from tests.listeners.fakes import NOW, rejected
from tests.listeners.sources.ear import Ear
from tests.servers.hackernews import HackerNewsServer, comment, story
from tests.servers.web import serving

START = int((NOW - timedelta(days=1)).timestamp())


@pytest.fixture
def server() -> HackerNewsServer:
    """Without hits yet."""
    return HackerNewsServer([])


@pytest.fixture
def ear(tmp_path: Path, server: HackerNewsServer) -> Iterator[Ear]:
    """Listens to it."""
    with serving(server) as url:
        params = {"query": "tram", "search_url": url, "items_url": url}
        yield Ear(tmp_path, HackerNews(Fetcher(sleep=lambda seconds: None)), params)


def test_a_story_and_a_comment_become_mentions(ear: Ear, server: HackerNewsServer) -> None:
    ear.params["owners"] = ["bo"]
    server.hits = [story(1, START), comment(2, START + 5, parent=1, root=1)]
    assert (ear.listen().outcome, ear.ids()) == ("ok", ["2", "1"])
    said, asked = ear.mentions()
    assert (asked.title, asked.text) == ("Ask HN: tram 1", "Story 1 was late & wet")
    assert (asked.kind, asked.parent_id, asked.root_id) == ("post", None, None)
    assert (asked.engagement.score, asked.engagement.replies) == (7, 2)
    assert asked.created_at == datetime.fromtimestamp(START, UTC)
    assert (said.kind, said.parent_id, said.root_id, said.title) == ("comment", "1", "1", None)
    assert (said.author.handle, said.author.is_owner) == ("bo", True)
    assert said.url == "https://news.ycombinator.com/item?id=2"
    assert said.raw == server.hits[1]
    assert server.requests[0].query["tags"] == "(story,comment)"


def test_more_items_than_one_query_may_page_through_all_come(
    ear: Ear, server: HackerNewsServer
) -> None:
    server.hits = [story(n, START + n // 2 * 60) for n in range(1, 1301)]
    assert [ear.listen(pages=9).cut_off, ear.listen().cut_off] == [True, False]
    assert set(map(int, ear.ids())) == set(range(1, 1301))


def test_a_page_whose_items_share_a_second_is_turned(ear: Ear, server: HackerNewsServer) -> None:
    server.hits = [story(n, START) for n in range(1, 251)]
    ear.listen()
    assert sorted(map(int, ear.ids())) == list(range(1, 251))


def test_what_is_indexed_hours_late_is_heard(ear: Ear, server: HackerNewsServer) -> None:
    server.hits = [story(1, START + 20_000)]
    ear.listen()
    server.hits.append(story(2, START))
    assert (ear.listen().new, ear.listen().new) == (1, 0)


def test_an_edit_is_a_new_version(ear: Ear, server: HackerNewsServer) -> None:
    server.hits = [story(1, START)]
    ear.listen()
    server.hits[0] = story(1, START, story_text="It came after all")
    assert ear.listen().changed == 1
    assert ear.mentions()[-1].text == "It came after all"


def test_what_is_deleted_is_asked_of_hacker_news_itself(ear: Ear, server: HackerNewsServer) -> None:
    server.hits = [story(n, START + n) for n in range(1, 6)]
    ear.listen()
    server.deleted.add("2")
    server.dead.add("3")
    assert ear.look_again().deleted == 2
    assert ear.deletions() == {"2": "deleted", "3": "removed by moderators"}


def test_a_malformed_hit_costs_itself(ear: Ear, server: HackerNewsServer) -> None:
    broken: dict[str, Any] = {"objectID": "2", "created_at_i": START + 1, "title": "Tram"}
    server.hits = [story(1, START), broken, story(3, START + 2, created_at_i=START + 3, author=7)]
    row = ear.listen()
    assert (row.outcome, row.new, row.rejected) == ("ok", 2, 1)
    (bad,) = rejected(ear.landing)
    assert bad.raw["objectID"] == "3"
    repaired = msgspec.structs.replace(bad, raw={**bad.raw, "author": "ann"})
    assert ear.listener.remap(repaired, ear.target, NOW).native_id == "3"
    with pytest.raises(ValueError, match="'objectID' is missing"):
        ear.listener.remap(msgspec.structs.replace(bad, raw={"title": "x"}), ear.target, NOW)


def test_an_index_that_ignores_the_time_asked_for_is_noticed(
    ear: Ear, server: HackerNewsServer
) -> None:
    server.hits = [story(n, START + n) for n in range(1, 251)]
    answer = server.well_behaved
    server.well_behaved = lambda request: answer(  # type: ignore[method-assign]
        type(request)(request.path, {**request.query, "numericFilters": ""}, request.headers)
    )
    assert ear.listen().error_class == "SchemaChanged"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"query": " "}, "give a query"),
        ({"query": "tram", "tags": []}, "at least one tag"),
        ({"query": "tram", "tags": ["front"]}, "front"),
        ({"query": "tram", "search_url": "ftp://x"}, "search_url"),
        ({"query": "tram", "sort": 1}, "sort"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        HackerNews().check(Target(source="hackernews", key="tram", params=params))
