"""Telegram by the real snscrape, which runs unmodified against a preview of our own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from listeners.contract import Target
from listeners.errors import BadTarget, ListenerError, Unsupported
from listeners.mention import Mention
from listeners.sources.telegram import Run, Snscrape, Telegram
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import NOW, budget, rejected
from tests.servers.telegram import Station
from tests.servers.tls_proxy import terminating

REAL = Path(sys.executable).with_name("snscrape")
real = pytest.mark.skipif(
    not REAL.exists(), reason='snscrape is not installed: pip install "outcry-triage[telegram]"'
)


@pytest.fixture
def station() -> Iterator[Station]:
    """A channel with pages of four posts."""
    station = Station()
    with station.open():
        yield station


@pytest.fixture
def desk(station: Station, tmp_path: Path) -> Desk:
    """Listens to it, by the stand-in."""
    return Desk(station, tmp_path / "landing")


@pytest.fixture
def lead_here(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mapping[str, str]]:
    """Every client that follows the environment ends up at the station."""
    with terminating(station._answer, tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def program(tmp_path: Path, script: str) -> str:
    """A program of ours in snscrape's place."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def collected(listener: Telegram, station: Station) -> list[Mention]:
    """All that one run gives."""
    pages = listener.collect(station.target(), None, budget(now=station.world.now))
    return [item for page in pages for item in page.items if isinstance(item, Mention)]


@real
@pytest.mark.usefixtures("lead_here")
def test_the_real_snscrape_walks_through_a_channel(station: Station, desk: Desk) -> None:
    desk.world.write(9)
    station.params["owners"] = ["@Harrowgate_Trams"]
    mentions = collected(Telegram(), station)
    assert [mention.native_id for mention in mentions] == [
        f"harrowgate_trams/{number}" for number in range(9, 0, -1)
    ]
    newest, post = mentions[0], desk.world.posts[-1]
    assert (newest.text, newest.created_at) == (post.text, post.at)
    assert newest.url == "https://t.me/harrowgate_trams/9"
    assert (newest.author.handle, newest.author.is_owner) == ("harrowgate_trams", True)
    assert (newest.container, newest.flags) == ("harrowgate_trams", ("scraped",))
    assert {request.headers["host"] for request in station.requests} == {"t.me"}


@real
@pytest.mark.usefixtures("lead_here")
def test_the_stand_in_prints_what_the_real_snscrape_prints(station: Station, desk: Desk) -> None:
    desk.world.write(7)
    desk.world.write(text="")
    desk.world.write(malformed=True)

    def printed(run: Run, channel: str) -> tuple[int, list[dict[str, object]], bool]:
        done = run(["--retry", "0", "--jsonl", "--max-results", "6", "telegram-channel", channel])
        posts = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
        said = done.stderr.decode()
        return done.returncode, posts, "No public post list" in said or "status code 429" in said

    genuine, stand_in = Snscrape(str(REAL)), station.stand_in
    for case, count in (("harrowgate_trams", 6), ("harrowgate_trams?before=4", 3)):
        answer = printed(genuine, case)
        assert answer == printed(stand_in, case)
        assert len(answer[1]) == count
    station.world.script = ["429"] * 2
    assert printed(genuine, "harrowgate_trams") == printed(stand_in, "harrowgate_trams")
    station.private = True
    assert printed(genuine, "harrowgate_trams") == printed(stand_in, "harrowgate_trams")


@real
@pytest.mark.usefixtures("lead_here")
def test_what_snscrape_leaves_when_it_fails_does_not_stay(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    station.world.script = ["403"]
    with pytest.raises(ListenerError, match="refuses us with status 403"):
        collected(Telegram(), station)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_channel_without_a_preview_is_not_silence(station: Station, desk: Desk) -> None:
    station.private = True
    row = desk.listen()
    assert (row.outcome, row.error_class) == ("failed", "TargetGone")
    assert "remove the target" in (row.error or "")


def test_a_limit_waits_a_quarter_of_an_hour(station: Station, desk: Desk) -> None:
    desk.world.write(2)
    desk.world.script = ["429"]
    row = desk.listen()
    assert row.error_class == "RateLimited"
    assert row.retry_at is not None
    assert 890 <= (row.retry_at - row.started_at).total_seconds() <= 901


def test_posts_without_one_of_the_words_are_left_out(station: Station, desk: Desk) -> None:
    station.params["words"] = ["ferry", "LATE"]
    desk.world.write(2)
    desk.world.write(text="The weather is fine")
    desk.world.write(text="")
    row = desk.listen()
    assert (row.new, row.rejected) == (2, 0)
    assert {mention.matched for mention in desk.mentions()} == {("LATE",)}


def test_an_end_that_is_there_is_an_end(station: Station, desk: Desk) -> None:
    """The first posts of a channel may be gone, so its last page is empty."""
    desk.world.write(9)
    desk.world.delete(desk.world.posts[0])
    row = desk.listen()
    assert (row.outcome, row.new) == ("ok", 8)


def test_an_address_of_no_post_is_kept_with_its_reason(station: Station, desk: Desk) -> None:
    desk.world.write(2)
    desk.world.write(malformed=True)
    assert desk.listen().rejected == 1
    (reject,) = rejected(desk.landing)
    with pytest.raises(ValueError, match="is not the address of a post"):
        Telegram().remap(reject, station.target(), NOW)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("sleep 9", "Transient", "did not end in 0.2 s"),
        ("echo '4 requests failed, giving up.' >&2; exit 1", "Transient", "cannot be reached"),
        ("echo \"AttributeError: 'NoneType'\" >&2; exit 1", "SchemaChanged", "NoneType"),
        ("echo \"no attribute 'find_module'\" >&2; exit 1", "Unsupported", "Python 3.11"),
        ("echo hello", "SchemaChanged", "printed no JSON"),
        ("exit 0", "SchemaChanged", "shows no posts"),
    ],
)
def test_a_program_that_fails_is_named(
    station: Station, tmp_path: Path, script: str, error: str, words: str
) -> None:
    listener = Telegram(
        Snscrape(program(tmp_path, script), timeout=0.2), sleep=lambda seconds: None
    )
    with pytest.raises(ListenerError, match=words) as raised:
        collected(listener, station)
    assert type(raised.value).__name__ == error


def test_without_snscrape_it_says_what_to_install(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match=r'pip install "outcry-triage\[telegram\]"'):
        collected(Telegram(), station)


@pytest.mark.parametrize(
    ("scraper", "instead"),
    [
        ("twitter-search", "use the source x"),
        ("reddit-subreddit", "use the source reddit"),
        ("mastodon-profile", "use the source mastodon"),
        ("facebook-user", "import an export"),
        ("instagram-hashtag", "import an export"),
        ("vkontakte-user", "import an export"),
        ("weibo-user", "import an export"),
    ],
)
def test_a_scraper_that_finds_nothing_is_refused_before_it_runs(scraper: str, instead: str) -> None:
    target = Target(source="telegram", key="t", params={"channel": "trams", "scraper": scraper})
    with pytest.raises(Unsupported, match=instead):
        Telegram().check(target)
    with pytest.raises(Unsupported, match=instead):
        next(Telegram().collect(target, None, budget()))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "channel"),
        ({"channel": "@trams"}, "behind t.me/"),
        ({"channel": "trams?before=1"}, "behind t.me/"),
        ({"channel": "--help"}, "behind t.me/"),
        ({"channel": "trams", "scraper": "telegram-group"}, "not known"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        Telegram().check(Target(source="telegram", key="t", params=params))


def test_nothing_of_snscrape_is_imported() -> None:
    root = Path(__file__).parents[3]
    guilty = [
        str(file.relative_to(root))
        for room in ("listeners", "outcry", "dags", "triage", "nlp", "models", "tests")
        for file in sorted((root / room).rglob("*.py"))
        if any(
            line.lstrip().startswith(("import snscrape", "from snscrape"))
            for line in file.read_text().splitlines()
        )
    ]
    assert guilty == []
