"""A case's posts as people read them: in their threads, answers under what they answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from desk.views import Post

DEEPEST = 4
"""Steps to the right; answers further down stay there."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A post in its place."""

    post: Post
    depth: int
    """0 for the beginning of a thread, at most `DEEPEST`."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What was said in one place, each post before its answers."""

    source: str
    said: tuple[Said, ...]


def threads_of(posts: Sequence[Post]) -> tuple[Thread, ...]:
    """The posts that say something, by thread, in the order in which the threads begin."""
    by_thread: dict[str, list[Post]] = {}
    for post in posts:
        if not post.repeats:
            by_thread.setdefault(post.thread, []).append(post)
    return tuple(
        Thread(source=members[0].source, said=tuple(_in_order(members)))
        for members in by_thread.values()
    )


def voices_of(posts: Sequence[Post]) -> tuple[Post, ...]:
    """The posts that only repeat: reposts and copies."""
    return tuple(post for post in posts if post.repeats)


def _in_order(members: Sequence[Post]) -> list[Said]:
    here = {post.uid for post in members}
    answers: dict[str | None, list[Post]] = {}
    for post in members:
        above = post.parent if post.parent in here and post.parent != post.uid else None
        answers.setdefault(above, []).append(post)
    found: list[Said] = []
    seen: set[str] = set()
    waiting = [(post, 0) for post in reversed(answers.get(None, []))]
    while waiting:
        post, depth = waiting.pop()
        seen.add(post.uid)
        found.append(Said(post=post, depth=min(depth, DEEPEST)))
        waiting += [(below, depth + 1) for below in reversed(answers.get(post.uid, []))]
    # Answers that go in a circle have no beginning: they are shown all the same.
    found += [Said(post=post, depth=0) for post in members if post.uid not in seen]
    return found
