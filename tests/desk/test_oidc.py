"""Signing in at an identity provider: who is let in, and what is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from desk.accounts import add_user, find_user, switch_off
from desk.deployment import DeskSettings, OidcSettings
from desk.errors import SignInFailed, Unusable
from desk.oidc import check_settings, claimed
from tests.desk.board import PASSWORD, SETTINGS, Board
from tests.servers.oidc import CLIENT, SECRET, IdentityProvider, identity_provider

ANN = {
    "sub": "1001",
    "email": "Ann@example.com",
    "email_verified": True,
    "groups": ["care-agents", "tennis"],
}
OIDC = OidcSettings(
    issuer="set by the fixture",
    client_id=CLIENT,
    roles={"care-agents": "agent", "care-leads": "lead"},
)


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@pytest.fixture
def board(provider: IdentityProvider, tmp_path: Path) -> Iterator[Board]:
    """A desk with nothing but the provider."""
    provider.claims, provider.fault = dict(ANN), ""
    oidc = msgspec.structs.replace(OIDC, issuer=provider.url)
    settings = msgspec.structs.replace(SETTINGS, oidc=oidc, oidc_secret=SECRET)
    with Board(tmp_path / "home", settings) as made:
        yield made


def _round(board: Board, start: str = "/sign-in/oidc?next=/team") -> httpx.Response:
    """To the provider and back, as a browser goes; the desk's last answer, and who it is."""
    browser = board.stranger()
    away = browser.get(start)
    assert away.status_code == 302, away.text
    with httpx.Client() as outside:
        back = outside.get(away.headers["location"]).headers["location"]
    answer = browser.get(back.removeprefix("http://desk.test"))
    answer.extensions["me"] = browser.get("/api/v1/me")
    return answer  # type: ignore[return-value]


def test_who_is_in_a_group_of_ours_is_let_in_with_its_role(board: Board) -> None:
    answer = _round(board)
    assert answer.headers["location"] == "/team"
    me = answer.extensions["me"].json()
    assert (me["name"], me["roles"]) == ("ann@example.com", ["agent"])
    page = board.stranger().get("/sign-in")
    assert "/sign-in/oidc" in page.text


def test_roles_are_taken_over_at_each_sign_in(board: Board, provider: IdentityProvider) -> None:
    _round(board)
    provider.claims["groups"] = "care-leads"
    assert _round(board).extensions["me"].json()["roles"] == ["lead"]
    user = find_user(board.store, "ann@example.com")
    assert user is not None
    assert user.roles == ("lead",)


@pytest.mark.parametrize(
    "fault",
    ["refuses", "other key", "other client", "old", "other nonce", "other issuer", "unsigned"],
)
def test_what_cannot_be_believed_lets_nobody_in(
    board: Board, provider: IdentityProvider, fault: str
) -> None:
    provider.fault = fault
    answer = _round(board)
    assert answer.status_code == 401
    assert answer.extensions["me"].status_code == 401
    assert find_user(board.store, "ann@example.com") is None


def test_a_provider_that_is_down_is_said_so(board: Board, provider: IdentityProvider) -> None:
    provider.fault = "down"
    answer = board.stranger().get("/sign-in/oidc")
    assert answer.status_code == 401
    assert "try again" in answer.text


def test_an_answer_to_nobodys_question_is_refused(board: Board) -> None:
    browser = board.stranger()
    assert browser.get("/sign-in/oidc/back?code=x&state=y").status_code == 401
    assert browser.get("/sign-in/oidc/back").status_code == 401


def test_a_name_that_is_somebody_elses_here_is_not_taken_over(
    board: Board, provider: IdentityProvider
) -> None:
    add_user(board.store, "ann@example.com", ("operator",), PASSWORD, board.now)
    assert _round(board).status_code == 401
    provider.claims |= {"email": "bob@example.com", "sub": "1002"}
    assert _round(board).status_code == 303
    provider.claims["sub"] = "1003"
    assert _round(board).status_code == 401


def test_who_was_switched_off_stays_out(board: Board) -> None:
    _round(board)
    switch_off(board.store, "ann@example.com", board.now)
    assert _round(board).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": ["tennis"]},
        {"groups": None},
        {"email": ""},
        {"email_verified": False},
        {"email": "two words"},
    ],
)
def test_claims_without_a_name_or_role_let_nobody_in(changes: dict[str, object]) -> None:
    with pytest.raises(SignInFailed, match="ask the operator"):
        claimed({**ANN, **changes}, DeskSettings(oidc=OIDC))


def test_half_a_setting_is_noticed_at_the_start() -> None:
    half = DeskSettings(oidc=OidcSettings(issuer="https://id.example"))
    with pytest.raises(Unusable, match="client_id"):
        check_settings(half)
    odd = OidcSettings(issuer="https://id.example", client_id="x", roles={"a": "boss"})
    with pytest.raises(Unusable, match="no role 'boss'"):
        check_settings(DeskSettings(oidc=odd))


def test_a_desk_without_a_provider_says_so(tmp_path: Path) -> None:
    with Board(tmp_path / "home") as board:
        assert board.stranger().get("/sign-in/oidc").status_code == 404
