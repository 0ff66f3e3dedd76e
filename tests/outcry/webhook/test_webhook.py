"""Posts that are sent to us, over real HTTP against the running command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from listeners.landing import Landing
from listeners.ledger import rows
from listeners.mention import Mention
from outcry.webhook.signing import signature
from tests.listeners.fakes import rejected, stored
from tests.outcry.shell import call, objects

SECRET = "a secret of the test's own"
SETTINGS = """
[webhook]
max_mb = 0.02
[webhook.channels.helpdesk]
timezone = "Africa/Johannesburg"
[webhook.channels.tiny]
max_mb_per_window = 0.0000001
"""


class Hook:
    """The running endpoint and who sends to it."""

    def __init__(self, address: str, home: Path) -> None:
        self.address = address
        self.landing = Landing(home / "landing")
        self.home = home

    def send(
        self,
        body: bytes,
        *,
        channel: str = "helpdesk",
        at: float | None = None,
        secret: str = SECRET,
        signed: str | bytes | None = None,
    ) -> httpx.Response:
        """A signed request."""
        stamp = str(int(time.time() if at is None else at))
        headers = {
            "X-Outcry-Timestamp": stamp,
            "X-Outcry-Signature": signature(secret, stamp, body) if signed is None else signed,
        }
        return httpx.post(f"{self.address}/v1/import/{channel}", content=body, headers=headers)

    def texts(self) -> list[str]:
        """What is stored."""
        return [r.text for r in stored(self.landing) if isinstance(r, Mention)]


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    """``outcry webhook`` on a free port."""
    home = tmp_path_factory.mktemp("home")
    (home / "outcry.toml").write_text(SETTINGS)
    process = subprocess.Popen(
        [sys.executable, "-m", "outcry", "--home", str(home), "webhook", "--port", "0", "--json"],
        env={**os.environ, "OUTCRY_WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield Hook(json.loads(process.stdout.readline())["address"], home)
    process.send_signal(signal.SIGTERM)
    out, said = process.communicate(timeout=20)
    assert SECRET not in out + said
    assert said == ""


def row(text: str, **fields: Any) -> dict[str, Any]:
    """One post."""
    return {"text": text, "created_at": "2026-11-20T08:00:00Z", **fields}


def encoded(value: Any) -> bytes:
    """As senders do it."""
    return json.dumps(value).encode()


def test_an_object_an_array_and_lines_are_stored_with_an_outcome_each(hook: Hook) -> None:
    one = hook.send(encoded(row("a single post", id="1")))
    assert (one.status_code, one.json()["accepted"], one.json()["new"]) == (202, 1, 1)
    many = hook.send(
        encoded([row("first", id="2"), {"text": "when?"}, "what", row("last", id="3")])
    )
    assert (many.json()["accepted"], many.json()["rejected"]) == (2, 2)
    outcomes = many.json()["rows"]
    assert [outcome["outcome"] for outcome in outcomes] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
    ]
    assert outcomes[2]["error"] == "it is not a JSON object"
    lines = b"\n".join([encoded(row("a line", id="4")), b"{broken", b"", encoded(row("b", id="5"))])
    assert [r.get("error", "")[:14] for r in hook.send(lines).json()["rows"]] == [
        "",
        "it is not JSON",
        "",
    ]
    assert {"a single post", "first", "last", "a line", "b"} <= set(hook.texts())
    assert {reject.target for reject in rejected(hook.landing)} == {"hook-helpdesk"}
    (book, *_) = rows(hook.landing)
    assert (book.source, book.target) == ("import", "hook-helpdesk")


def test_a_post_that_is_sent_again_is_stored_once(hook: Hook) -> None:
    body = encoded([row("twice", id="20")])
    assert hook.send(body).json()["new"] == 1
    again = hook.send(body, at=time.time() - 2)
    assert (again.status_code, again.json()["new"], again.json()["duplicate"]) == (202, 0, 1)
    assert hook.texts().count("twice") == 1


def test_a_replay_is_refused_and_stays_refused(hook: Hook) -> None:
    body, at = encoded(row("replayed", id="30")), time.time() - 9
    assert hook.send(body, at=at).status_code == 202
    assert [hook.send(body, at=at).status_code for _ in range(2)] == [409, 409]


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another"},
        {"signed": ""},
        {"signed": "sha256=" + "0" * 64},
        {"signed": b"sha256=\xe9"},
        {"at": -1e9},
        {"at": -400},
        {"at": 400},
    ],
)
def test_what_is_not_signed_now_by_us_is_refused(hook: Hook, forged: dict[str, Any]) -> None:
    if "at" in forged:  # seconds from now, as the test may begin long after it was collected
        forged = {"at": time.time() + forged["at"]}
    answer = hook.send(encoded(row("forged")), **forged)
    assert answer.status_code == 401
    assert "forged" not in hook.texts()


def test_a_signature_is_for_its_body_only(hook: Hook) -> None:
    stamp = str(int(time.time()))
    signed = signature(SECRET, stamp, encoded(row("good")))
    assert hook.send(encoded(row("evil")), at=int(stamp), signed=signed).status_code == 401


@pytest.mark.parametrize(
    ("body", "channel", "status"),
    [
        (b"not json at all", "helpdesk", 400),
        (b"12", "helpdesk", 400),
        (b"[" * 5000, "helpdesk", 400),
        (b"[]", "nobody", 404),
        (b'{"text": "' + b"x" * 30_000 + b'"}', "helpdesk", 413),
    ],
)
def test_what_cannot_be_taken_says_why(hook: Hook, body: bytes, channel: str, status: int) -> None:
    answer = hook.send(body, channel=channel)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_channel_that_is_full_says_when_to_come_back(hook: Hook) -> None:
    assert hook.send(encoded(row("fits", id="40")), channel="tiny").status_code == 202
    at = time.time()
    for _ in range(2):  # Sent again as it was signed, it is still not called a replay.
        answer = hook.send(encoded(row("no more", id="41")), channel="tiny", at=at)
        assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 15 * 60
    assert "no more" not in hook.texts()


def test_rejected_rows_can_be_replayed(hook: Hook) -> None:
    hook.send(encoded({"text": "yesterday or so", "created_at": "yesterday"}))
    result = call(hook.home, "replay", "--json")
    (done,) = objects(result)
    assert done["still_rejected"] >= 1


def test_without_a_secret_or_a_channel_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "OUTCRY_WEBHOOK_SECRET" in call(tmp_path, "webhook").stderr
    monkeypatch.setenv("OUTCRY_WEBHOOK_SECRET", SECRET)
    assert "[webhook.channels.NAME]" in call(tmp_path, "webhook").stderr
