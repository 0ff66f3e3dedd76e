"""A local identity provider that speaks OpenID Connect, shaped from the specifications.

Discovery 1.0, the code flow of Core 1.0 with PKCE (RFC 7636), keys as a JWK set (RFC 7517). Whoever
comes to its authorize page is signed in at once as the ``claims`` of the provider say. Its faults
are those that a client has to notice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.servers.web import Answer, Request, serving

CLIENT, SECRET = "outcry", "between the two"


class IdentityProvider:
    """One provider; ``claims`` are what it says about whoever signs in."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.fault = ""
        """"", ``refuses``, ``other key``, ``other client``, ``old``, ``other nonce``,
        ``other issuer``, ``unsigned`` or ``down``."""
        self.url = ""
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._other = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._codes: dict[str, dict[str, str]] = {}

    def answer(self, request: Request) -> Answer:
        if self.fault == "down":
            return Answer(status=503)
        if request.path == "/.well-known/openid-configuration":
            return _json(self._about())
        if request.path == "/keys":
            return _json({"keys": [self._key.as_dict(private=False)]})
        if request.path == "/authorize":
            return self._authorize(dict(request.query))
        if request.path == "/token" and request.method == "POST":
            return self._token(request)
        return Answer(status=404)

    def _about(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _authorize(self, query: dict[str, str]) -> Answer:
        back = {"state": query["state"]}
        if self.fault == "refuses":
            back |= {"error": "access_denied", "error_description": "not today"}
        else:
            back["code"] = secrets.token_urlsafe(12)
            self._codes[back["code"]] = query
        return Answer(
            status=302, headers={"Location": f"{query['redirect_uri']}?{urlencode(back)}"}
        )

    def _token(self, request: Request) -> Answer:
        basic = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") not in (f"Basic {basic}", f"Basic {plain}"):
            return _json({"error": "invalid_client"}, 401)
        form = request.form
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return _json({"error": "invalid_grant"}, 400)
        token = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60}
        return _json({**token, "id_token": self._id_token(asked["nonce"])})

    def _id_token(self, nonce: str) -> str:
        age = 3600 if self.fault == "old" else 0
        claims = {
            "iss": "https://elsewhere.example" if self.fault == "other issuer" else self.url,
            "aud": "another" if self.fault == "other client" else CLIENT,
            "iat": int(time.time()) - age - 60,
            "exp": int(time.time()) - age + 60,
            "nonce": "another" if self.fault == "other nonce" else nonce,
            **self.claims,
        }
        if self.fault == "unsigned":
            head, body = ({"alg": "none"}, claims)
            return ".".join((_part(head), _part(body), ""))
        key = self._other if self.fault == "other key" else self._key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that listens until the block ends."""
    provider = IdentityProvider()
    with serving(provider.answer) as provider.url:
        yield provider


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json"})


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
