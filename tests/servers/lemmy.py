"""A Lemmy server as far as a search goes, well and badly behaved.

Shaped from the types of Lemmy's API, version 3, not recorded from a live server.
"""

from __future__ import annotations

from typing import Any

from listeners.contract import Listener, Target
from listeners.sources.lemmy import Lemmy
from tests.servers.scripted import Scripted
from tests.servers.station import HttpStation, Post, fetcher, json_answer
from tests.servers.web import Answer, Request

_HOST = "https://lemmy.example"


def _when(second: int) -> str:
    return f"2026-01-02T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.123456Z"


def _around() -> dict[str, Any]:
    return {
        "creator": {"id": 5, "name": "ann", "actor_id": f"{_HOST}/u/ann", "display_name": "Ann"},
        "community": {"id": 3, "name": "trams", "actor_id": "https://other.example/c/trams"},
        "counts": {"score": 4, "upvotes": 5, "downvotes": 1, "comments": 2, "child_count": 1},
    }


def post_view(number: int, second: int, **changes: Any) -> dict[str, Any]:
    """One post with what is around it."""
    said = {
        "id": number,
        "name": f"Tram {number}",
        "body": f"It was late.\n\n* and wet: {number}",
        "ap_id": f"{_HOST}/post/{number}",
        "published": _when(second),
        "deleted": False,
        "removed": False,
        "nsfw": False,
        "language_id": 37,
        **changes,
    }
    return {"post": said, **_around()}


def comment_view(number: int, second: int, *, on: int = 1, **changes: Any) -> dict[str, Any]:
    """One comment with what is around it."""
    said = {
        "id": number,
        "content": f"Late again: {number}",
        "ap_id": f"{_HOST}/comment/{number}",
        "path": f"0.{number}",
        "post_id": on,
        "published": _when(second),
        "deleted": False,
        "removed": False,
        **changes,
    }
    post = post_view(on, 0)["post"]
    return {"comment": said, "post": post, **_around()}


class LemmyServer(Scripted):
    """One server; what is deleted is left out of searches, as Lemmy does."""

    def __init__(self, views: list[dict[str, Any]]) -> None:
        super().__init__()
        self.views = views
        self.purged: set[int] = set()
        self.repeats = False

    def well_behaved(self, request: Request) -> Answer:
        """A page of a search, or one post or comment."""
        kind = request.path.rpartition("/")[2]
        if kind == "search":
            return json_answer(
                {name: self._list(name[:-1], request.query) for name in ("posts", "comments")}
                | {"type_": "All", "users": [], "communities": []}
            )
        number = int(request.query["id"])
        if number in self.purged:
            return json_answer({"error": f"couldnt_find_{kind}"}, 404)
        (view,) = (v for v in self._of(kind) if v[kind]["id"] == number)
        return json_answer({f"{kind}_view": view})

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [view for view in self.views if ("comment" in view) == (kind == "comment")]

    def _list(self, kind: str, query: Any) -> list[dict[str, Any]]:
        shown = [
            view
            for view in self._of(kind)
            if not (view[kind].get("deleted") or view[kind].get("removed"))
            and view[kind]["id"] not in self.purged
        ]
        shown.sort(key=lambda view: str(view[kind].get("published")), reverse=True)
        size, page = int(query["limit"]), int(query["page"])
        assert size <= 50
        first = (page - 1) * size
        return shown[first - 1 if self.repeats and first else first : page * size]


def too_many() -> Answer:
    """A refusal for asking too often, as Lemmy 0.19 sends it."""
    return json_answer({"error": "rate_limit_error"}, 400)


class Station(HttpStation):
    """A search: posts of even numbers, comments of odd ones."""

    source = "lemmy"

    def __init__(self) -> None:
        super().__init__()
        self._server = LemmyServer([])

    def target(self) -> Target:
        """The search."""
        return Target(source="lemmy", key="tram", params={"server": self.url, "query": "tram"})

    def listener(self) -> Listener:
        """As operators get it, but for the size of its pages."""
        return Lemmy(fetcher(self.patience), page=min(50, self.page_size))

    def answer(self, request: Request) -> Answer:
        """What the server says."""
        self._server.views = [_view(one) for one in self.world.posts]
        self._server.repeats = self.world.repeats
        return self._server.well_behaved(request)

    def blocked(self, request: Request) -> Answer:
        """Lists with nothing in them."""
        return json_answer({"posts": [], "comments": []})


def _view(one: Post) -> dict[str, Any]:
    when = one.at.isoformat().replace("+00:00", "Z")
    if one.number % 2:
        view = comment_view(one.number, 0, published=when, content=one.text)
    else:
        view = post_view(one.number, 0, published=when, body=one.text)
    if one.malformed:
        del view["creator"]
    return view
