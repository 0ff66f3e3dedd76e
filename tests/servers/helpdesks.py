"""The far end of Zammad, Chatwoot and Zendesk, as far as our adapters go, in one local server.

Shaped from the systems' published REST documentation, not from the systems: paths, the names of
fields and the codes of answers. It misbehaves on demand: the next requests get the faults given.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "for-this-test-only"


@dataclass
class Desk:
    """What the server holds."""

    url: str = ""
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    """``500``, ``429``, ``401``, ``html``, ``lost`` (done, but never answered), ``lacks``."""
    only_posts: bool = False
    """Faults are for requests that create."""
    posts: list[Any] = field(default_factory=list)

    def close(self, tags: tuple[str, ...] = ()) -> None:
        """An agent there closes everything."""
        for one in self.tickets.values():
            one.update(state="closed", status=one["closed_as"], tags=list(tags), labels=list(tags))

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """The JSON of an answer, or None for 404."""
        if path.startswith("/api/v2/"):
            return self._zendesk(method, path, query, body)
        if "/accounts/1/" in path:
            return self._chatwoot(method, path, query, body)
        return self._zammad(method, path, query, body)

    def _new(self, values: dict[str, Any]) -> dict[str, Any]:
        number = len(self.tickets) + 1
        self.tickets[number] = {"id": number, "tags": [], "labels": [], **values}
        return self.tickets[number]

    def _zammad(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        if method == "POST" and path == "/api/v1/tickets":
            assert body["article"]["body"]
            assert body["customer_id"].startswith("guess:")
            return self._new({"title": body["title"], "state": "new", "closed_as": "closed"})
        if path == "/api/v1/tickets/search":
            word = query["query"].removeprefix("title:").strip('"')
            return [one for one in self.tickets.values() if word in one["title"]]
        if path == "/api/v1/tags":
            return {"tags": self.tickets[int(query["o_id"])]["tags"]}
        found = re.fullmatch(r"/api/v1/tickets/(\d+)", path)
        return self.tickets.get(int(found[1])) if found else None

    def _zendesk(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        if method == "POST" and path == "/api/v2/tickets.json":
            made = self._new({**body["ticket"], "status": "new", "closed_as": "solved"})
            return {"ticket": made}
        if path == "/api/v2/tickets.json":
            wanted = query["external_id"]
            every = self.tickets.values()
            return {"tickets": [one for one in every if one["external_id"] == wanted]}
        found = re.fullmatch(r"/api/v2/tickets/(\d+)\.json", path)
        one = self.tickets.get(int(found[1])) if found else None
        return one and {"ticket": one}

    def _chatwoot(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        path = path.partition("/accounts/1")[2]
        if method == "POST" and path == "/contacts":
            number = len(self.contacts) + 1
            inboxes = [{"source_id": f"source-{number}", "inbox": {"id": body["inbox_id"]}}]
            self.contacts[number] = {"id": number, **body, "contact_inboxes": inboxes}
            return {"payload": {"contact": self.contacts[number]}}
        if method == "POST" and path == "/conversations":
            assert body["source_id"].startswith("source-")
            return self._new({**body, "closed_as": "resolved"})
        if path == "/contacts/search":
            found = [one for one in self.contacts.values() if query["q"] in one["identifier"]]
            return {"payload": found}
        match = re.fullmatch(r"/contacts/(\d+)/conversations", path)
        if match:
            every = self.tickets.values()
            return {"payload": [one for one in every if one["contact_id"] == int(match[1])]}
        match = re.fullmatch(r"/conversations/(\d+)", path)
        return self.tickets.get(int(match[1])) if match else None


@contextmanager
def help_desk() -> Iterator[Desk]:
    """A server that runs until the block ends."""
    desk = Desk()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET", None)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length))
            desk.posts.append(body)
            self._do("POST", body)

        def _do(self, method: str, body: Any) -> None:
            parts = urlsplit(self.path)
            with lock:
                concerned = desk.faults and (method == "POST" or not desk.only_posts)
                fault = desk.faults.popleft() if concerned else ""
                if fault in ("500", "429", "401"):
                    return self._say(int(fault), b"{}", {"Retry-After": "120"})
                found = desk.answer(method, parts.path, dict(parse_qsl(parts.query)), body)
            if fault == "lost":
                self.close_connection = True
                return None
            if fault == "html":
                return self._say(200, b"<html>a proxy's login</html>", {})
            if fault == "lacks":
                return self._say(200, b'{"hello": "world"}', {})
            return self._say(404 if found is None else 200, json.dumps(found).encode(), {})

        def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    desk.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
