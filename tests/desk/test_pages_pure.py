"""What pages compute without a desk: words, threads, curves, readings, settings as lines."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.desk_pictures import packed
from desk.pages import words
from desk.pages.curves import HEIGHT, MOST_BARS, QUARTER, WIDTH, curve_of
from desk.pages.drawing import zone_of
from desk.pages.settings import lines
from desk.pages.threads import DEEPEST, threads_of, voices_of
from desk.pages.updates import Readings, reading
from desk.views import Post
from triage.incident import Point

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def post(uid: str, parent: str | None = None, thread: str = "t", repeats: bool = False) -> Post:
    return Post(
        uid=uid,
        source="mastodon",
        kind="post",
        at=NOW,
        title=None,
        text=uid,
        url=None,
        parent=parent,
        thread=thread,
        brand=False,
        private=False,
        deleted=False,
        reason="",
        repeats=repeats,
        evidence=(),
        masked=(),
    )


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(25, "25 min left"), (-1, "1 min late"), (-200, "3 h late"), (60 * 24 * 4, "4 d left")],
)
def test_a_deadline_in_words(minutes: int, said: str) -> None:
    assert words.due(NOW + timedelta(minutes=minutes), NOW) == said


def test_times_are_of_the_desks_zone_and_as_short_as_they_can_be() -> None:
    zone = timezone(timedelta(hours=2))
    assert words.clock(NOW, zone, NOW) == "10:00"
    assert words.clock(NOW - timedelta(days=12), zone, NOW) == "8 Nov 10:00"
    assert words.clock(NOW - timedelta(days=400), zone, NOW) == "16 Oct 2025"
    # Midnight is the zone's own.
    assert words.clock(NOW - timedelta(hours=9), zone, NOW) == "01:00"
    assert words.ago(NOW, NOW) == "just now"
    assert words.ago(NOW + timedelta(hours=3), NOW) == "in 3 h"
    assert zone_of("no/such place") == UTC


def test_answers_stand_under_what_they_answer() -> None:
    posts = [post("a"), post("b", "a"), post("c", "a"), post("d", "b"), post("e", "gone")]
    (thread,) = threads_of(posts)
    assert [(one.post.uid, one.depth) for one in thread.said] == [
        ("a", 0),
        ("b", 1),
        ("d", 2),
        ("c", 1),
        ("e", 0),
    ]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans()), max_size=13))
def test_every_post_is_shown_once_whatever_answers_what(
    drawn: list[tuple[int, int, bool]],
) -> None:
    unique = {uid: (parent, repeats) for uid, parent, repeats in drawn}
    posts = [post(str(u), str(p), f"t{u % 2}", r) for u, (p, r) in unique.items()]
    said = [one for thread in threads_of(posts) for one in thread.said]
    shown = sorted([one.post.uid for one in said] + [one.uid for one in voices_of(posts)])
    assert shown == sorted(one.uid for one in posts)
    assert all(0 <= one.depth <= DEEPEST for one in said)


@given(st.dictionaries(st.integers(0, 3000), st.integers(1, 40), min_size=1, max_size=30))
def test_a_curve_counts_every_post_and_stays_in_its_frame(counts: dict[int, int]) -> None:
    points = [Point(at=NOW + QUARTER * n, posts=counts[n]) for n in sorted(counts)]
    curve = curve_of(points)
    assert curve is not None
    assert sum(bar.posts for bar in curve.bars) == sum(counts.values())
    assert len(curve.bars) <= MOST_BARS
    assert all(0 <= bar.x <= WIDTH and bar.x + bar.width <= WIDTH + 0.1 for bar in curve.bars)
    assert all(abs(bar.y + bar.height - HEIGHT) < 0.2 for bar in curve.bars)


def test_no_posts_have_no_curve() -> None:
    assert curve_of([]) is None


def test_a_list_is_read_once_however_many_look_at_it() -> None:
    calls = []

    def read() -> list[str]:
        calls.append(1)
        return ["a", "b"]

    readings = Readings(every_s=60)
    assert {readings.now(b"queue", read) for _ in range(50)} == {reading(["a", "b"])}
    assert len(calls) == 1
    readings.now(b"another", read)
    assert len(calls) == 2
    anew = Readings(every_s=0)
    assert anew.now(b"queue", lambda: ["a"]) != anew.now(b"queue", lambda: ["b"])
    assert reading(["a", "b"]) != reading(["b", "a"])


def test_settings_become_lines() -> None:
    assert lines({"a": {"b": 1, "c": ["x", "y"]}, "d": None, "e": []}) == [
        ("a.b", "1"),
        ("a.c", "x, y"),
        ("d", "none"),
        ("e", "none"),
    ]


def test_a_picture_that_is_packed_has_the_same_pixels() -> None:
    raw = b"".join(b"\0" + bytes([n, n, n]) * 4 for n in range(4))
    head = (4).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    pixels = zlib.compress(raw, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    png += chunk(b"IDAT", pixels[:20]) + chunk(b"IDAT", pixels[20:]) + chunk(b"IEND", b"")
    smaller = packed(png)
    assert smaller == b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(
        b"IDAT", zlib.compress(raw, 9)
    ) + chunk(b"IEND", b"")
    assert len(smaller) < len(png)
