"""The import over HTTP, against a server of our own that answers as Kibana's documentation says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from insight.kibana import KibanaRefused, KibanaUnavailable, load, ndjson
from insight.kibana.importing import import_objects

KEY = "a-key"


class Kibana:
    """Takes the objects of a file; refuses a wrong key, a missing header and what it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.refusal: tuple[int, dict[str, Any]] | None = None
        kibana = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, said = kibana.answer(
                    self, self.rfile.read(int(self.headers["Content-Length"]))
                )
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, Any]]:
        self.paths.append(request.path)
        if request.headers.get("Authorization") != f"ApiKey {KEY}":
            return 401, {"statusCode": 401, "message": "no"}
        if request.headers.get("kbn-xsrf") is None:
            return 400, {"statusCode": 400, "message": "Request must contain a kbn-xsrf header."}
        if self.refusal is not None:
            return self.refusal
        lines = [line for line in body.split(b"\n") if line.startswith(b"{")]
        assert b'filename="outcry.ndjson"' in body
        self.taken += [json.loads(line) for line in lines]
        return 200, {"success": True, "successCount": len(lines)}


@pytest.fixture
def kibana() -> Iterator[Kibana]:
    station = Kibana()
    thread = threading.Thread(target=station.server.serve_forever)
    thread.start()
    yield station
    station.server.shutdown()
    station.server.server_close()
    thread.join()


def test_all_objects_arrive_and_replace_earlier_ones(kibana: Kibana) -> None:
    objects = load()
    assert import_objects(kibana.url, ndjson(objects), KEY) == len(objects)
    assert [one["id"] for one in kibana.taken] == [one.id for one in objects]
    assert kibana.paths == ["/api/saved_objects/_import?overwrite=true"]


def test_a_space_has_its_own_address(kibana: Kibana) -> None:
    import_objects(f"{kibana.url}/", ndjson(load()), KEY, space="front desk")
    assert kibana.paths == ["/s/front%20desk/api/saved_objects/_import?overwrite=true"]


def test_a_wrong_key_is_refused_with_what_to_do(kibana: Kibana) -> None:
    with pytest.raises(KibanaRefused, match="OUTCRY_KIBANA_API_KEY"):
        import_objects(kibana.url, b"", "another")


def test_an_object_that_kibana_refuses_is_named(kibana: Kibana) -> None:
    error = {"id": "outcry-cases", "meta": {"title": "Cases"}, "error": {"type": "conflict"}}
    kibana.refusal = 200, {"success": False, "successCount": 0, "errors": [error]}
    with pytest.raises(KibanaRefused, match="Cases: conflict; nothing was imported"):
        import_objects(kibana.url, b"", KEY)


def test_a_version_of_the_future_is_said_in_kibanas_words(kibana: Kibana) -> None:
    kibana.refusal = 422, {"message": "belongs to a more recent version of Kibana"}
    with pytest.raises(KibanaRefused, match="more recent version"):
        import_objects(kibana.url, b"", KEY)


def test_a_kibana_that_does_not_answer_is_tried_again_later(kibana: Kibana) -> None:
    kibana.refusal = 503, {}
    with pytest.raises(KibanaUnavailable, match="try again later"):
        import_objects(kibana.url, b"", KEY)
    with pytest.raises(KibanaUnavailable, match="does not answer"):
        import_objects("http://127.0.0.1:1", b"", KEY)
