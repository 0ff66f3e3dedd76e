"""Signing in at the organisation's identity provider: OpenID Connect by Authlib.

The code flow with PKCE, a state and a nonce. What the provider says is believed only if it is
signed by one of its keys, for this desk, and meant for this very attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from authlib.integrations.starlette_client import OAuth
from fastapi import Request
from starlette.responses import Response

from desk.accounts import checked_name, checked_roles
from desk.deployment import DeskSettings
from desk.errors import SignInFailed, Unusable
from desk.rights import ROLES, Role

BACK = "/sign-in/oidc/back"
COOKIE = "outcry_oidc"
TIMEOUT_S = 10
LASTS_S = 600
"""So long an attempt to sign in may take."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is, as the provider says."""

    name: str
    subject: str
    roles: tuple[Role, ...]


class Provider:
    """The identity provider of one desk."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        issuer = settings.oidc.issuer.rstrip("/")
        registry = OAuth()
        self._client = registry.register(
            "oidc",
            client_id=settings.oidc.client_id,
            client_secret=settings.oidc_secret,
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_S,
            },
        )

    async def leave(self, request: Request) -> Response:
        """To the provider's own page.

        Raises:
            SignInFailed: if it does not answer.
        """
        base = self._settings.url or str(request.base_url)
        try:
            response: Response = await self._client.authorize_redirect(
                request, base.rstrip("/") + BACK
            )
        except Exception as error:
            # What its clients raise has no base in common.
            raise _failed(error) from error
        return response

    async def come_back(self, request: Request) -> Claimed:
        """Who has come back from it.

        Raises:
            SignInFailed: if it refuses, does not answer, or says what cannot be believed.
        """
        oidc = self._settings.oidc
        wanted = {
            "iss": {"essential": True, "values": [oidc.issuer]},
            "aud": {"essential": True, "values": [oidc.client_id]},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        try:
            token = await self._client.authorize_access_token(request, claims_options=wanted)
            claims: Mapping[str, Any] = token["userinfo"]
        except Exception as error:
            raise _failed(error) from error
        return claimed(claims, self._settings)


def claimed(claims: Mapping[str, Any], settings: DeskSettings) -> Claimed:
    """Name and roles by the settings' claims.

    Raises:
        SignInFailed: if there is no usable name, or no role of ours.
    """
    oidc = settings.oidc
    if oidc.name_claim == "email" and claims.get("email_verified") is False:
        raise SignInFailed("your address is not verified by your organisation: ask the operator")
    try:
        name = checked_name(str(claims.get(oidc.name_claim) or ""))
    except Unusable:
        raise SignInFailed(
            f"your organisation does not say your {oidc.name_claim}: ask the operator"
        ) from None
    given = claims.get(oidc.role_claim) or ()
    groups = {given} if isinstance(given, str) else {str(one) for one in given}
    named = {role for group, role in oidc.roles.items() if group in groups}
    roles = tuple(role for role in ROLES if role in named)
    if not roles:
        raise SignInFailed("you are in no group that may use the desk: ask the operator")
    return Claimed(name=name, subject=str(claims["sub"]), roles=roles)


def check_settings(settings: DeskSettings) -> None:
    """Return if the settings of the provider make sense.

    Raises:
        Unusable: naming what does not.
    """
    oidc = settings.oidc
    if not oidc.issuer:
        return
    if not oidc.client_id or not oidc.roles:
        raise Unusable("desk.oidc needs client_id and [desk.oidc.roles]: add them")
    checked_roles(tuple(oidc.roles.values()))


def _failed(error: Exception) -> SignInFailed:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    return SignInFailed(f"signing in with your organisation failed ({why}): try again")
