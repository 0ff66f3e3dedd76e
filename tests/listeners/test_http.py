"""Fetching over HTTP: bounded, and every failure by its class."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from listeners.allowance import Credential
from listeners.errors import (
    AuthFailed,
    BadTarget,
    ListenerError,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
)
from listeners.http import Bearer, Fetched, Fetcher, basic
from listeners.landing import Landing
from listeners.limits import retry_at
from tests.listeners.fakes import NOW, budget
from tests.servers.web import Answer, Request, serving


class Site:
    """Gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def fetcher(pauses: list[float] | None = None, **limits: float) -> Fetcher:
    """A fetcher that does not really wait."""
    sleep: Callable[[float], None] = (pauses if pauses is not None else []).append
    return Fetcher(sleep=sleep, jitter=lambda: 1.0, **limits)  # type: ignore[arg-type]


def test_a_page_comes_with_its_headers_and_final_address() -> None:
    site = Site(Answer(status=302, headers={"Location": "/there"}), Answer(b"hello"))
    with serving(site) as url:
        got = fetcher().get(f"{url}/here", budget=budget(), headers={"if-none-match": '"x"'})
    assert (got.status, got.body, got.url) == (200, b"hello", f"{url}/there")
    assert got.headers["content-length"] == "5"
    assert site.requests[0].headers["if-none-match"] == '"x"'
    assert "outcry" in site.requests[0].headers["user-agent"]


def test_a_passing_failure_is_tried_again_with_growing_pauses() -> None:
    pauses: list[float] = []
    with serving(Site(Answer(status=502), Answer(status=500), Answer(b"ok"))) as url:
        assert fetcher(pauses).get(url, budget=budget()).body == b"ok"
    assert pauses == [0.5, 1.0]


def test_a_lasting_failure_is_given_up_after_three_tries() -> None:
    site = Site(Answer(status=503))
    with serving(site) as url, pytest.raises(Transient, match="status 503"):
        fetcher().get(url, budget=budget())
    assert len(site.requests) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthFailed),
        (403, AuthFailed),
        (404, TargetGone),
        (410, TargetGone),
        (429, RateLimited),
        (418, SchemaChanged),
    ],
)
def test_a_status_that_will_not_pass_is_not_tried_again(
    status: int, error: type[ListenerError]
) -> None:
    site = Site(Answer(status=status))
    with serving(site) as url, pytest.raises(error) as caught:
        fetcher().get(url, budget=budget())
    assert len(site.requests) == 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_says_when_to_come_back(status: int) -> None:
    site = Site(Answer(status=status, headers={"Retry-After": "120"}))
    with serving(site) as url, pytest.raises(RateLimited) as caught:
        fetcher().get(url, budget=budget())
    assert caught.value.retry_at == NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("soon", None),
        ("0", timedelta()),
        ("90", timedelta(seconds=90)),
        ("9" * 30, timedelta(days=1)),
        ("Fri, 02 Jan 2026 13:00:00 GMT", timedelta(hours=1)),
        ("Fri, 02 Jan 2015 13:00:00 GMT", timedelta()),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, wait: timedelta | None) -> None:
    assert retry_at(value, NOW) == (None if wait is None else NOW + wait)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    packed = gzip.compress(b"x" * 10_000_000)
    site = Site(Answer(packed, headers={"Content-Encoding": "gzip"}))
    with serving(site) as url, pytest.raises(SchemaChanged, match="more than 1000000 bytes"):
        fetcher(max_bytes=1_000_000).get(url, budget=budget())


def test_an_answer_that_drips_is_given_up() -> None:
    with serving(Site(Answer(b"x"))) as url, pytest.raises(Transient, match="too slowly"):
        fetcher(total_timeout=-1).get(url, budget=budget())


def test_redirects_without_end_are_the_targets_fault() -> None:
    site = Site(Answer(status=302, headers={"Location": "/"}))
    with serving(site) as url, pytest.raises(BadTarget, match="redirects without end"):
        fetcher().get(url, budget=budget())


def test_a_redirect_out_of_the_web_is_refused() -> None:
    site = Site(Answer(status=302, headers={"Location": "file:///etc/hostname"}))
    with serving(site) as url, pytest.raises(BadTarget, match="not an address of the web"):
        fetcher().get(url, budget=budget())


def test_a_connection_that_breaks_or_is_refused_may_work_later() -> None:
    with (
        serving(Site(Answer(b"half", promised=99))) as url,
        pytest.raises(Transient, match="did not answer"),
    ):
        fetcher().get(url, budget=budget())
    with pytest.raises(Transient, match="did not answer"):
        fetcher().get(url, budget=budget())


def test_a_damaged_packing_may_work_later() -> None:
    site = Site(Answer(b"no gzip", headers={"Content-Encoding": "gzip"}))
    with serving(site) as url, pytest.raises(Transient, match="damaged answer"):
        fetcher().get(url, budget=budget())


def test_json_is_asked_for_and_comes_with_its_limits() -> None:
    site = Site(Answer(b'{"posts": [1]}', headers={"X-RateLimit-Remaining": "41.0"}))
    with serving(site) as url:
        got = fetcher().json(url, budget=budget(), params={"q": "a b", "after": None})
    assert (got.value, got.quota_left) == ({"posts": [1]}, 41)
    assert (site.requests[0].query, site.requests[0].method) == ({"q": "a b"}, "GET")


@pytest.mark.parametrize(
    ("given", "body", "kind"),
    [
        ({"form": {"grant_type": "x y"}}, b"grant_type=x+y", "application/x-www-form-urlencoded"),
        ({"body": {"a": [1]}}, b'{"a":[1]}', "application/json"),
    ],
)
def test_a_form_or_a_body_is_posted(given: dict[str, Any], body: bytes, kind: str) -> None:
    site = Site(Answer(b"{}"))
    with serving(site) as url:
        fetcher().json(url, budget=budget(), headers={"authorization": basic("a", "b")}, **given)
    (asked,) = site.requests
    assert (asked.method, asked.body, asked.headers["content-type"]) == ("POST", body, kind)
    assert asked.headers["authorization"] == "Basic YTpi"


@pytest.mark.parametrize(
    ("body", "error"),
    [(b'{"posts": [', Transient), (b"<html>", SchemaChanged), (b"", SchemaChanged)],
)
def test_what_is_no_json_has_a_class(body: bytes, error: type[ListenerError]) -> None:
    with serving(Site(Answer(body))) as url, pytest.raises(error):
        fetcher().json(url, budget=budget())


def test_a_token_that_is_refused_is_renewed_once() -> None:
    site = Site(Answer(status=401), Answer(b"1"), Answer(status=401))
    tokens = iter("abc")
    bearer = Bearer(lambda: next(tokens))
    with serving(site) as url:
        assert fetcher().json(url, budget=budget(), bearer=bearer).value == 1
        with pytest.raises(AuthFailed):
            fetcher().json(url, budget=budget(), bearer=bearer)
    sent = [asked.headers["authorization"] for asked in site.requests]
    assert sent == ["Bearer a", "Bearer b", "Bearer b", "Bearer c"]


def test_a_network_may_say_in_the_body_what_is_wrong() -> None:
    def judge(answer: Fetched) -> ListenerError | None:
        return TargetGone("closed: remove it") if b"closed" in answer.body else None

    site = Site(Answer(b'{"reason": "closed"}', status=403))
    with serving(site) as url, pytest.raises(TargetGone, match="remove it"):
        fetcher().json(url, budget=budget(), judge=judge)


def test_secrets_do_not_follow_a_redirect_to_another_host() -> None:
    there = Site(Answer(b"1"))
    with serving(there) as other:
        away = Answer(status=302, headers={"Location": f"{other}/x"})
        with serving(Site(away)) as url:
            fetcher().json(url, budget=budget(), headers={"apiKey": "secret", "authorization": "s"})
    assert not {"apikey", "authorization"} & there.requests[0].headers.keys()


def test_an_address_in_an_error_shows_no_secret() -> None:
    with serving(Site(Answer(status=404))) as url, pytest.raises(TargetGone) as caught:
        fetcher().json(url.replace("//", "//me:s3cret@"), budget=budget(), params={"key": "s3cret"})
    assert "s3cret" not in str(caught.value)


def test_a_form_does_not_follow_to_another_host() -> None:
    there = Site(Answer(b"1"))
    with serving(there) as other:
        away = Answer(status=307, headers={"Location": f"{other}/x"})
        with serving(Site(away)) as url, pytest.raises(BadTarget, match="another host"):
            fetcher().json(url, budget=budget(), form={"client_secret": "s"})
    assert there.requests == []


def test_the_last_call_of_an_allowance_keeps_all_from_asking_again(tmp_path: Path) -> None:
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "600"}
    clock = [NOW]
    allowance = Credential(Landing(tmp_path), "net", clock=lambda: clock[0])
    granted = msgspec.structs.replace(budget(), allowance=allowance)
    site = Site(Answer(b"1", headers=used_up))
    with serving(site) as url:
        assert fetcher().json(url, budget=granted).quota_left == 0
        with pytest.raises(RateLimited) as caught:
            fetcher().json(url, budget=granted)
        assert caught.value.retry_at == NOW + timedelta(minutes=10)
        clock[0] += timedelta(minutes=10)
        fetcher().json(url, budget=granted)
    assert len(site.requests) == 2


def test_a_connection_is_kept_for_the_next_page_and_for_no_other_host() -> None:
    kept: list[object] = []
    site = Site(Answer(b"hello", headers={"Set-Cookie": "who=ann"}))
    with serving(site, kept=kept) as url:
        ours = fetcher()
        for _ in range(3):
            ours.get(url, budget=budget())
        assert len(kept) == 1
        ours.get(url.replace("127.0.0.1", "localhost"), budget=budget())
        assert len(kept) == 2, "another host at the same address proves itself again"
        fetcher().get(url, budget=budget())
        assert len(kept) == 3
    assert not any("cookie" in request.headers for request in site.requests)


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    kept: list[object] = []
    pauses: list[float] = []
    ours = fetcher(pauses)
    with serving(Site(Answer(b"hello")), kept=kept, idle=0.1) as url:
        for _ in range(2):
            assert ours.get(url, budget=budget()).body == b"hello"
            time.sleep(0.3)
    assert (len(kept), pauses) == (2, [])
