"""Listen, score, triage and run over a real feed, with targets that fail beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outcry import exits
from tests.outcry.shell import call, objects, only_line
from tests.servers.feeds import FeedServer, item, rss
from tests.servers.web import serving

NOW = ("--as-of", "2026-01-02T06:10Z")


def _target(key: str, url: str) -> str:
    return f'[[targets]]\nsource = "rss"\nkey = "{key}"\nurl = "{url}"\n'


@pytest.fixture
def feed() -> Iterator[str]:
    """A target with two complaints."""
    words = "Third week without internet and nobody calls back, I want my money back"
    with serving(FeedServer(rss([item(2, words=words), item(1, words=words)]))) as url:
        yield _target("blog", f"{url}/feed") + '[listen]\nallow_networks = ["127.0.0.0/8"]\n'


def test_run_goes_from_a_feed_to_a_queue(tmp_path: Path, feed: str) -> None:
    (tmp_path / "outcry.toml").write_text(feed)
    result = call(tmp_path, "run", "--json", *NOW)
    assert result.exit_code == exits.DONE
    listened, scored, triaged, incidents = objects(result)
    assert incidents["new"] == 0
    assert (listened["step"], listened["target"], listened["new"]) == ("listen", "blog", 2)
    assert listened["window"] == "20260102T054500Z"
    assert (scored["step"], scored["mentions"]) == ("score", 2)
    assert (triaged["step"], triaged["new"]) == ("triage", 2)
    assert objects(call(tmp_path, "queue", "--json", *NOW))


def test_the_three_steps_one_by_one_are_a_run(tmp_path: Path, feed: str) -> None:
    (tmp_path / "outcry.toml").write_text(feed)
    window = ("--window", "2026-01-02T06:00Z")
    for step in ("listen", "score", "triage"):
        result = call(tmp_path, step, *window, *(NOW if step != "score" else ()))
        assert result.exit_code == exits.DONE, result.stderr
        assert result.stdout
        assert result.stderr == ""
    assert objects(call(tmp_path, "queue", "--json", *NOW))


def test_triage_scores_too_if_asked_and_does_each_once(tmp_path: Path, feed: str) -> None:
    (tmp_path / "outcry.toml").write_text(feed)
    call(tmp_path, "listen", *NOW)
    scored, triaged = objects(call(tmp_path, "triage", "--score", "--json", *NOW))
    assert (scored["step"], scored["mentions"]) == ("score", 2)
    assert (triaged["step"], triaged["new"]) == ("triage", 2)


def test_another_windows_work_is_left_alone(tmp_path: Path, feed: str) -> None:
    (tmp_path / "outcry.toml").write_text(feed)
    call(tmp_path, "listen", "--window", "2026-01-02T06:00Z")
    (other,) = objects(call(tmp_path, "score", "--window", "2026-01-02T06:15Z", "--json"))
    assert other["mentions"] == 0
    (own,) = objects(call(tmp_path, "score", "--window", "2026-01-02T06:00Z", "--json"))
    assert own["mentions"] == 2


def test_a_target_that_fails_stops_no_other(tmp_path: Path, feed: str) -> None:
    (tmp_path / "outcry.toml").write_text(_target("broken", "nowhere") + feed)
    result = call(tmp_path, "run", "--json", *NOW)
    assert result.exit_code == exits.PARTIAL
    only_line(result)
    broken, blog, _, triaged, _ = objects(result)
    assert (broken["outcome"], broken["error_class"]) == ("failed", "BadTarget")
    assert (blog["outcome"], triaged["new"]) == ("ok", 2)


def test_when_every_target_is_set_wrongly_the_use_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text(_target("broken", "nowhere"))
    result = call(tmp_path, "listen")
    assert result.exit_code == exits.WRONG
    only_line(result)


def test_a_second_run_changes_nothing(tmp_path: Path, feed: str) -> None:
    (tmp_path / "outcry.toml").write_text(feed)
    call(tmp_path, "run", *NOW)
    before = call(tmp_path, "queue", "--json", *NOW).stdout
    again = call(tmp_path, "run", *NOW)
    assert again.exit_code == exits.DONE
    assert "score: nothing to do" in again.stdout
    assert call(tmp_path, "queue", "--json", *NOW).stdout == before


def test_a_store_that_does_not_answer_is_for_later_and_loses_nothing(
    tmp_path: Path, feed: str
) -> None:
    dead = '[store]\nkind = "elasticsearch"\nurl = "http://127.0.0.1:9"\n'
    (tmp_path / "outcry.toml").write_text(feed + dead)
    result = call(tmp_path, "run", *NOW)
    assert result.exit_code == exits.LATER
    only_line(result)
    (tmp_path / "outcry.toml").write_text(feed)
    assert call(tmp_path, "run", *NOW).exit_code == exits.DONE
    assert objects(call(tmp_path, "queue", "--json", *NOW))
