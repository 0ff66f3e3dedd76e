"""RSS and Atom, from a local site over real HTTP, into the landing zone."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.landing import Landing
from listeners.ledger import LedgerRow
from listeners.mention import Mention
from listeners.run import collect
from listeners.sources.rss import Rss
from tests.listeners.fakes import NOW, budget, rejected, stored
from tests.servers.feeds import FeedServer, expanding_entities, item, rss
from tests.servers.web import Answer, serving


class Desk:
    """A site, and a landing zone that listens to it."""

    def __init__(self, root: Path, site: FeedServer, url: str) -> None:
        self.site = site
        self.landing = Landing(root)
        self.url = url
        self.params: dict[str, object] = {}
        self.now = NOW
        self.listener = Rss(Fetcher(sleep=lambda seconds: None))

    @property
    def target(self) -> Target:
        """The feed."""
        return Target(source="rss", key="blog", params={"url": f"{self.url}/feed", **self.params})

    def listen(self) -> LedgerRow:
        """One run, a quarter of an hour after the one before."""
        self.now += timedelta(minutes=15)
        window = f"{self.now:%H%M}"
        return collect(self.listener, self.target, self.landing, window, budget(now=self.now))

    def mentions(self) -> list[Mention]:
        """All that is stored."""
        return [record for record in stored(self.landing) if isinstance(record, Mention)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A site with a feed of three entries, the newest first."""
    site = FeedServer(rss([item(3), item(2), item(1)]))
    with serving(site) as url:
        yield Desk(tmp_path, site, url)


def test_an_entry_becomes_an_article(desk: Desk) -> None:
    row = desk.listen()
    assert (row.outcome, row.got, row.new, row.gaps) == ("ok", 3, 3, ())
    first = desk.mentions()[0]
    assert first.native_id == "https://blog.example/?p=1"
    assert (first.source, first.instance, first.kind) == ("rss", "127.0.0.1", "article")
    assert (first.title, first.text) == ("Entry 1", "It was late & wet: 1")
    assert first.created_at == datetime(2026, 1, 2, 1, 1, tzinfo=UTC)
    assert (first.time_quality, first.lang, first.author.name) == ("server", "en-ZA", "Ann")
    assert (first.url, first.container) == ("https://blog.example/1/", "A blog")
    assert first.collected_at == desk.now


def test_an_unchanged_feed_is_not_sent_again(desk: Desk) -> None:
    desk.listen()
    row = desk.listen()
    assert desk.site.requests[1].headers["if-none-match"].startswith('"')
    assert desk.site.requests[1].headers["if-modified-since"] == "Fri, 02 Jan 2026 03:00:00 GMT"
    assert (row.outcome, row.got, row.new) == ("ok", 0, 0)
    assert len(desk.mentions()) == 3


def test_only_new_and_edited_entries_are_stored(desk: Desk) -> None:
    desk.listen()
    desk.site.body = rss([item(4), item(3, words="It was early"), item(2)])
    row = desk.listen()
    assert (row.new, row.changed, row.duplicate, row.gaps) == (1, 1, 1, ())


def test_a_feed_in_which_everything_is_new_may_have_hidden_something(desk: Desk) -> None:
    desk.listen()
    desk.site.body = rss([item(9), item(8)])
    (gap,) = desk.listen().gaps
    assert "listen more often" in gap
    desk.site.body = rss([item(10), item(9)])
    assert desk.listen().gaps == ()


def test_a_comment_knows_its_post(desk: Desk) -> None:
    wordpress = item(1, guid="https://blog.example/?p=1#comment-42")
    answer = item(2, extra='<thr:in-reply-to ref="tag:blog.example,2026:7"/>')
    desk.site.body = rss([answer, wordpress], title="Comments for A blog")
    desk.listen()
    one, two = desk.mentions()
    assert (one.kind, one.parent_id) == ("comment", "https://blog.example/?p=1")
    assert (two.kind, two.parent_id) == ("comment", "tag:blog.example,2026:7")


def test_an_atom_entry_and_its_later_edit(desk: Desk) -> None:
    desk.site.content_type = "application/atom+xml"
    desk.site.body = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><id>tag:a,1</id>'
        b'<title type="html">A &amp;amp; B</title><published>2026-01-02T03:00:00+02:00</published>'
        b"<updated>2026-01-02T05:00:00+02:00</updated><author><name>Bo</name>"
        b'<uri>https://bo.example</uri></author><link href="https://a.example/1"/>'
        b'<summary>short</summary><content type="html">&lt;p&gt;long&lt;/p&gt;</content>'
        b"</entry></feed>"
    )
    desk.params = {"owners": ["bo"], "kind": "post"}
    desk.listen()
    (entry,) = desk.mentions()
    assert (entry.native_id, entry.title, entry.text) == ("tag:a,1", "A & B", "long")
    assert entry.created_at == datetime(2026, 1, 2, 1, 0, tzinfo=UTC)
    assert entry.edited_at == datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
    assert (entry.author.url, entry.author.is_owner) == ("https://bo.example", True)
    assert entry.kind == "post"


def test_times_without_a_zone_and_entries_without_a_time_say_so(desk: Desk) -> None:
    no_zone = (
        "<item><guid>1</guid><title>a</title><pubDate>Fri, 02 Jan 2026 03:00:00</pubDate></item>"
    )
    no_time = "<item><guid>2</guid><title>b</title></item>"
    desk.site.body = rss([no_zone, no_time])
    desk.params = {"timezone": "Africa/Johannesburg"}
    desk.listen()
    two, one = desk.mentions()
    assert (one.created_at, one.time_quality) == (
        datetime(2026, 1, 2, 1, 0, tzinfo=UTC),
        "assumed_zone",
    )
    assert (two.created_at, two.time_quality) == (desk.now, "fetched")
    desk.site.body += b" "
    assert desk.listen().duplicate == 2


def test_an_entry_without_an_id_is_known_by_its_link_or_its_words(desk: Desk) -> None:
    by_link = "<item><title>a</title><link>https://a.example/1</link></item>"
    by_words = "<item><title>b</title><description>words</description></item>"
    desk.site.body = rss([by_link, by_words])
    desk.listen()
    desk.site.body += b"\n"
    assert desk.listen().duplicate == 2
    by_its_words, by_its_link = desk.mentions()
    assert by_its_link.native_id == "https://a.example/1"
    assert len(by_its_words.native_id) == 32


def test_an_entry_that_says_nothing_is_rejected_and_can_be_tried_again(desk: Desk) -> None:
    desk.site.body = rss([item(1), "<item><guid>2</guid></item>"])
    row = desk.listen()
    assert (row.new, row.rejected, row.outcome) == (1, 1, "ok")
    (bad,) = rejected(desk.landing)
    assert bad.error == "it has neither a text nor a title"
    with pytest.raises(ValueError, match="neither"):
        desk.listener.remap(bad, desk.target, NOW)


def test_a_feed_that_breaks_off_gives_what_can_be_read(desk: Desk) -> None:
    desk.site.body = desk.site.body[:-120]
    assert desk.listen().new >= 2


@pytest.mark.parametrize(
    "body", [b"<!doctype html><html><body><p>We are back soon</body></html>", b"", b"{}", b"feed"]
)
def test_an_answer_that_is_no_feed_is_said_to_be_none(desk: Desk, body: bytes) -> None:
    desk.listen()
    desk.site.body = body
    desk.site.content_type = "text/html"
    row = desk.listen()
    assert (row.outcome, row.error_class) == ("failed", "SchemaChanged")
    desk.site.body = rss([item(4), item(3)])
    assert (desk.listen().new, len(desk.mentions())) == (1, 4)


def test_a_short_answer_is_not_taken_for_a_path(desk: Desk, tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_bytes(rss([item(1)]))
    desk.site.body = str(feed).encode()
    assert desk.listen().error_class == "SchemaChanged"


def test_entities_that_expand_without_end_do_no_harm(desk: Desk) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    desk.site.body = expanding_entities()
    row = desk.listen()
    assert row.outcome in ("ok", "failed")
    assert all(len(mention.text) < 1000 for mention in desk.mentions())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_one_large_entity_that_is_named_often_is_not_expanded(desk: Desk) -> None:
    declared = f'<!DOCTYPE rss [<!ENTITY a "{"x" * 100_000}">]>'
    body = f"<item><guid>1</guid><title>{'&a;' * 10_000}</title></item>"
    document = f'<?xml version="1.0"?>{declared}<rss version="2.0"><channel>{body}</channel></rss>'
    desk.site.body = document.encode()
    desk.listen()
    assert all(len(mention.text) < 100_000 for mention in desk.mentions())


def test_an_entity_that_names_a_file_is_not_read(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("very private")
    declared = f'<!DOCTYPE rss [<!ENTITY a SYSTEM "file://{tmp_path}/private">]>'
    body = "<item><guid>1</guid><title>says: &a;</title></item>"
    document = f'<?xml version="1.0"?>{declared}<rss version="2.0"><channel>{body}</channel></rss>'
    desk.site.body = document.encode()
    desk.listen()
    assert all("private" not in mention.text for mention in desk.mentions())


def test_a_limit_is_passed_on_and_the_next_run_goes_on(desk: Desk) -> None:
    desk.site.next_answers = [Answer(status=429, headers={"Retry-After": "600"})]
    row = desk.listen()
    assert (row.outcome, row.error_class) == ("partial", "RateLimited")
    assert row.retry_at == desk.now + timedelta(minutes=10)
    assert desk.listen().new == 3


def test_an_empty_feed_is_no_error(desk: Desk) -> None:
    desk.site.body = rss([])
    assert (desk.listen().outcome, desk.listen().outcome) == ("ok", "ok")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"url": "ftp://a.example/feed"}, "not an address of the web"),
        ({"url": "feed.xml"}, "not an address of the web"),
        ({}, "url"),
        ({"url": "http://a.example", "kind": "essay"}, "kind"),
        ({"url": "http://a.example", "timezone": "Nowhere"}, "Nowhere"),
        ({"url": "http://a.example", "urls": 1}, "urls"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    target = Target(source="rss", key="blog", params=params)
    with pytest.raises(BadTarget, match=words):
        next(Rss().collect(target, None, budget()))
