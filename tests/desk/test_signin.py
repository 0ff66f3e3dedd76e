"""Signing in with a password, sessions and their forms, tokens."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from desk.accounts import add_user, find_user, sign_in, switch_off
from desk.errors import SignInFailed, Unusable
from desk.pages.addresses import local
from desk.sessions import COOKIE, Sessions, desk_secret
from desk.tokens import make_token
from tests.desk.board import PASSWORD, Board

WEEK = timedelta(days=7)


def _enter(board: Board, name: str, password: str, **headers: str) -> int:
    fields = {"name": name, "password": password}
    answer = board.stranger().post("/sign-in", data=fields, headers=headers)
    return int(answer.status_code)


def test_names_are_the_same_in_capitals_and_small_letters(board: Board) -> None:
    board.person("ann", "agent")
    assert _enter(board, " Ann ", PASSWORD) == 303


def test_an_account_is_locked_after_wrong_passwords_and_opens_again(board: Board) -> None:
    board.person("ann", "agent")
    assert [_enter(board, "ann", "wrong") for _ in range(5)] == [401] * 5
    assert _enter(board, "ann", PASSWORD) == 401
    board.later(minutes=16)
    assert _enter(board, "ann", PASSWORD) == 303


def test_a_right_password_forgets_the_wrong_ones(board: Board) -> None:
    board.person("ann", "agent")
    for _ in range(2):
        assert [_enter(board, "ann", "wrong") for _ in range(4)] == [401] * 4
        assert _enter(board, "ann", PASSWORD) == 303


def test_a_stranger_is_not_told_which_names_exist(board: Board) -> None:
    board.person("ann", "agent")
    said = []
    for name in ("ann", "nobody", "", "x" * 5000):
        with pytest.raises(SignInFailed) as failed:
            sign_in(board.store, name, "wrong", board.now, 5, WEEK)
        said.append(str(failed.value))
    assert len(set(said)) == 1


def test_a_form_of_another_site_signs_nobody_in(board: Board) -> None:
    board.person("ann", "agent")
    assert _enter(board, "ann", PASSWORD, Origin="http://desk.test") == 303
    assert _enter(board, "ann", PASSWORD, Origin="https://evil.example") == 403
    assert _enter(board, "ann", PASSWORD, **{"Sec-Fetch-Site": "cross-site"}) == 403


def test_the_cookie_is_for_no_script_and_cannot_be_changed(board: Board) -> None:
    add_user(board.store, "ann", ("agent",), PASSWORD, board.now)
    browser = board.stranger()
    answer = browser.post("/sign-in", data={"name": "ann", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    value = browser.cookies[COOKIE]
    browser.cookies.clear()
    # The last letter has two bits to spare: "B" would say what "A" says.
    for changed in (value[:-1] + ("A" if value[-1] != "A" else "E"), "x", value[5:]):
        answer = browser.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={changed}"})
        assert answer.status_code == 401
    answer = browser.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={value}"})
    assert answer.status_code == 200


def test_a_session_ends_by_itself_and_with_its_account(board: Board) -> None:
    ann, bob = board.person("ann", "agent"), board.person("bob", "agent")
    switch_off(board.store, "bob", board.now)
    board.later(seconds=11)
    assert bob.get("/me").status_code == 401
    assert ann.get("/me").status_code == 200
    board.later(hours=12)
    assert ann.get("/me").status_code == 401


def test_a_new_password_ends_the_sessions_of_the_old_one(board: Board) -> None:
    ann = board.person("ann", "agent")
    add_user(board.store, "ann", ("lead",), "another long password", board.now)
    board.later(seconds=11)
    assert ann.get("/me").status_code == 401


def test_signing_out_leaves_no_cookie(board: Board) -> None:
    ann = board.person("ann", "agent")
    assert ann.client.post("/sign-out").status_code == 403
    left = ann.client.post("/sign-out", data={"csrf": ann.csrf})
    assert left.headers["location"] == "/sign-in"
    assert ann.get("/me").status_code == 401


def test_a_change_without_the_pages_own_token_is_refused(board: Board) -> None:
    ann, bob = board.person("ann", "agent"), board.person("bob", "agent")
    for token in ("", "x", bob.csrf):
        answer = ann.client.post("/api/v1/tickets/next", json={}, headers={"X-CSRF-Token": token})
        assert answer.status_code == 403
        assert "reload the page" in answer.json()["detail"]


def test_a_browser_is_led_to_the_sign_in_page_and_back(board: Board) -> None:
    add_user(board.store, "ann", ("agent",), PASSWORD, board.now)
    browser = board.stranger()
    away = browser.get("/sign-in?next=/api/v1/me%3Fx=1")
    assert 'value="/api/v1/me?x=1"' in away.text
    fields = {"name": "ann", "password": PASSWORD, "next": "/api/v1/me?x=1"}
    assert browser.post("/sign-in", data=fields).headers["location"] == "/api/v1/me?x=1"
    again = browser.get("/sign-in?next=/team")
    assert (again.status_code, again.headers["location"]) == (303, "/team")


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "", "x", "/a\r\nb"]
)
def test_nobody_is_led_elsewhere(address: str) -> None:
    assert local(address) == "/"


def test_what_was_typed_on_the_form_is_shown_as_text(board: Board) -> None:
    name = '"><script>alert(1)</script>'
    answer = board.stranger().post("/sign-in", data={"name": name, "password": "x"})
    assert "<script>" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "roles", "password"),
    [
        ("", ("agent",), PASSWORD),
        ("two words", ("agent",), PASSWORD),
        ("x" * 65, ("agent",), PASSWORD),
        ("ann", ("agent",), "short"),
        ("ann", ("boss",), PASSWORD),
        ("ann", (), PASSWORD),
    ],
)
def test_an_account_that_will_not_do_is_refused(
    board: Board, name: str, roles: tuple[str, ...], password: str
) -> None:
    with pytest.raises(Unusable):
        add_user(board.store, name, roles, password, board.now)  # type: ignore[arg-type]
    assert find_user(board.store, "ann") is None


def test_the_password_is_kept_as_a_hash_alone(board: Board) -> None:
    board.person("ann", "agent")
    everything = b"".join(body for _, _, body in board.store.every_document())
    assert PASSWORD.encode() not in everything
    assert b"$argon2id$" in everything


def test_a_token_does_what_its_scopes_say_and_no_more(board: Board) -> None:
    ann = board.person("ann", "agent")
    body = {"scopes": ["queue.read"], "name": "wallboard", "days": 1}
    made = ann.post("/tokens", body).json()
    program = board.stranger()
    program.headers["Authorization"] = f"Bearer {made['token']}"
    assert program.get("/api/v1/queue").status_code == 200
    assert program.post("/api/v1/tickets/next", json={}).status_code == 403
    assert program.post("/api/v1/tokens", json=body).status_code == 403
    assert made["token"] not in ann.get("/tokens").text
    everything = b"".join(body for _, _, body in board.store.every_document())
    assert made["token"].encode() not in everything
    token = made["about"]["id"]
    ended = ann.client.delete(f"/api/v1/tokens/{token}", headers={"X-CSRF-Token": ann.csrf})
    assert ended.status_code == 204
    assert program.get("/api/v1/queue").status_code == 401


def test_a_token_runs_out_and_ends_with_its_owner(board: Board) -> None:
    board.person("ann", "agent")
    board.person("bob", "agent")
    programs = []
    for name in ("ann", "bob"):
        _, words = make_token(board.store, name, "", ["queue.read"], board.now, days=2)
        programs.append(board.stranger())
        programs[-1].headers["Authorization"] = f"Bearer {words}"
    switch_off(board.store, "bob", board.now)
    board.later(seconds=11)
    assert [one.get("/api/v1/me").status_code for one in programs] == [200, 401]
    board.later(days=2)
    assert programs[0].get("/api/v1/me").status_code == 401


def test_nobody_gets_a_token_for_more_than_they_may(board: Board) -> None:
    ann = board.person("ann", "agent")
    for scopes in (["desk.manage"], ["everything"], []):
        assert ann.post("/tokens", {"scopes": scopes}).status_code == 422


def test_the_secret_is_made_once_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    first = desk_secret(tmp_path, None)
    assert desk_secret(tmp_path, None) == first
    assert len(first) == 64
    assert (tmp_path / "desk" / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "desk").iterdir()] == ["secret"]
    assert desk_secret(tmp_path, "given") == "given"


def test_https_makes_cookies_secure(board: Board) -> None:
    from starlette.responses import Response

    response = Response()
    Sessions("x", 1, secure=True).begin(response, "ann", "1", board.now)
    assert "Secure" in response.headers["set-cookie"]
