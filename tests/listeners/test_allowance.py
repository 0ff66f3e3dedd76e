"""One credential, many targets and processes: nobody takes more than was granted."""

from __future__ import annotations

import multiprocessing
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.allowance import Credential, name_of
from listeners.contract import Rate, Target
from listeners.errors import QuotaExhausted, RateLimited
from listeners.landing import Landing
from listeners.sources.mastodon import Mastodon
from tests.listeners.fakes import IN_MEMORY, NOW

MINUTE = Rate(amount=6, per=60.0)


class Wall:
    """A clock that sleeping moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def credential(root: Path, wall: Wall, *rates: Rate, patience: float = 2.0) -> Credential:
    """The credential of a test, opened anew as another process would."""
    return Credential(Landing(root), "net", rates, clock=wall, sleep=wall.sleep, patience=patience)


def test_a_burst_is_granted_and_then_a_steady_rate(tmp_path: Path) -> None:
    wall = Wall()
    for left in range(5, -1, -1):
        credential(tmp_path, wall, MINUTE).take(1, "calls")
        assert credential(tmp_path, wall, MINUTE).left("calls") == left
    with pytest.raises(RateLimited) as caught:
        credential(tmp_path, wall, MINUTE).take(1, "calls")
    assert caught.value.retry_at == NOW + timedelta(seconds=10)
    assert wall.slept == []
    wall.now += timedelta(seconds=10)
    credential(tmp_path, wall, MINUTE).take(1, "calls")


def test_a_moment_is_waited_for(tmp_path: Path) -> None:
    wall = Wall()
    one = credential(tmp_path, wall, Rate(amount=1, per=1.0))
    for _ in range(3):
        one.take(1, "calls")
    assert wall.slept == [1.0, 1.0]


def test_of_several_rates_the_tightest_holds(tmp_path: Path) -> None:
    one = credential(tmp_path, Wall(), MINUTE, Rate(amount=2, per="day"))
    one.take(2, "calls")
    with pytest.raises(QuotaExhausted, match=r"raise it under \[listen\.rates\]"):
        one.take(1, "calls")
    assert (one.left("calls"), one.left("searches")) == (0, None)


@pytest.mark.parametrize(
    ("per", "zone", "until"),
    [
        ("day", "UTC", datetime(2026, 1, 3, tzinfo=UTC)),
        ("day", "America/Los_Angeles", datetime(2026, 1, 3, 8, tzinfo=UTC)),
        ("month", "UTC", datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_day_and_a_month_begin_anew_at_midnight(
    tmp_path: Path, per: str, zone: str, until: datetime
) -> None:
    wall = Wall()
    rate = Rate(amount=1, per=per, what="searches", zone=zone)  # type: ignore[arg-type]
    one = credential(tmp_path, wall, rate)
    one.take(1, "searches")
    wall.now = until - timedelta(seconds=1)
    with pytest.raises(QuotaExhausted) as caught:
        one.take(1, "searches")
    assert caught.value.retry_at == until
    wall.now = until
    one.take(1, "searches")


def test_what_the_network_says_holds_for_all_targets(tmp_path: Path) -> None:
    wall = Wall()
    credential(tmp_path, wall).block(NOW + timedelta(hours=1))
    credential(tmp_path, wall).block(NOW + timedelta(minutes=1))
    with pytest.raises(RateLimited) as caught:
        credential(tmp_path, wall).take(1, "calls")
    assert caught.value.retry_at == NOW + timedelta(hours=1)
    wall.now += timedelta(hours=1)
    credential(tmp_path, wall).take(1, "calls")


def test_what_was_used_is_counted_by_month(tmp_path: Path) -> None:
    wall = Wall()
    credential(tmp_path, wall).take(0.005, "usd")
    credential(tmp_path, wall).take(0.01, "usd")
    wall.now = datetime(2026, 2, 1, tzinfo=UTC)
    credential(tmp_path, wall).take(3, "calls")
    assert credential(tmp_path, wall).account().used == {
        "2026-01": {"usd": 0.015},
        "2026-02": {"calls": 3},
    }


def test_what_was_used_is_counted_by_day(tmp_path: Path) -> None:
    wall = Wall()
    credential(tmp_path, wall).take(2, "calls")
    wall.now += timedelta(days=1)
    credential(tmp_path, wall).take(3, "calls")
    days = {"2026-01-02": {"calls": 2}, "2026-01-03": {"calls": 3}}
    assert credential(tmp_path, wall).account().days == days


@pytest.mark.parametrize("per", ["day", "month"])
def test_a_cap_that_is_raised_or_lowered_holds_at_once(tmp_path: Path, per: str) -> None:
    def cap(amount: float) -> Credential:
        rate = Rate(amount=amount, per=per, what="usd")  # type: ignore[arg-type]
        return credential(tmp_path, Wall(), rate)

    cap(50).take(50, "usd")
    with pytest.raises(QuotaExhausted):
        cap(50).take(1, "usd")
    assert cap(80).left("usd") == 30
    cap(80).take(10, "usd")
    assert cap(50).left("usd") == 0
    with pytest.raises(QuotaExhausted):
        cap(50).take(1, "usd")
    assert cap(80).left("usd") == 20


def test_what_was_not_used_is_put_back_even_while_the_network_wants_no_calls(
    tmp_path: Path,
) -> None:
    cap = Rate(amount=10, per="month", what="usd")
    one = credential(tmp_path, Wall(), cap)
    one.take(4, "usd")
    one.block(NOW + timedelta(hours=1))
    one.correct(-3, "usd")
    assert (one.left("usd"), one.account().used) == (9, {"2026-01": {"usd": 1}})
    one.correct(-99, "usd")
    assert one.left("usd") == 10
    one.correct(12, "usd")
    assert one.left("usd") == 0


def test_nothing_negative_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="put back with correct"):
        credential(tmp_path, Wall(), MINUTE).take(-1, "calls")


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    old = b'{"levels":{"usd/month":{"left":10,"at":"2026-01-02T12:00:00Z"}}}'
    Landing(tmp_path).write_document("state/allowance/net.json", old)
    one = credential(tmp_path, Wall(), Rate(amount=50, per="month", what="usd"))
    assert one.left("usd") == 10


def _takes(root: Path, granted: multiprocessing.Queue[int]) -> None:
    count = 0
    one = Credential(Landing(root), "net", (Rate(amount=20, per="day"),), patience=0)
    for _ in range(10):
        try:
            one.take(1, "calls")
            count += 1
        except RateLimited:
            pass
    granted.put(count)


def test_processes_share_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    granted: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=_takes, args=(tmp_path, granted)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert sum(granted.get(timeout=30) for _ in workers) == 20
    for worker in workers:
        worker.join()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4)), max_size=20))
def test_no_span_grants_more_than_a_burst_and_its_refill(steps: list[tuple[int, int]]) -> None:
    wall = Wall()
    granted: list[tuple[datetime, int]] = []
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as root:
        _try_all(credential(Path(root), wall, MINUTE, patience=0), wall, steps, granted)
    for first, (start, _) in enumerate(granted):
        for last, (end, _) in enumerate(granted[first:], start=first):
            taken = sum(amount for _, amount in granted[first : last + 1])
            assert taken <= 6 + (end - start).total_seconds() / 10 + 1e-6


def _try_all(
    one: Credential,
    wall: Wall,
    steps: list[tuple[int, int]],
    granted: list[tuple[datetime, int]],
) -> None:
    for pause, amount in steps:
        wall.now += timedelta(seconds=pause)
        try:
            one.take(amount, "calls")
            granted.append((wall.now, amount))
        except RateLimited:
            continue


def test_an_allowance_is_shared_by_server_and_credential_and_its_name_shows_neither() -> None:
    def name(server: str, tag: str, credential: str = "") -> str:
        params = {"server": server, "tag": tag, "access_token": "s3cret"}
        target = Target(source="mastodon", key=tag, params=params, credential=credential)
        return name_of(Mastodon(), target)

    assert name("https://a.example", "x") == name("https://a.example/", "y")
    others = {
        name("https://a.example", "x"),
        name("https://b.example", "x"),
        name("https://a.example", "x", "SECOND"),
    }
    assert len(others) == 3
    assert all("example" not in other and "s3cret" not in other for other in others)
