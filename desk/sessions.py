"""Sessions in signed cookies, and the token that proves that a form is ours.

The cookie holds the account's name, its stamp and a nonce, signed with the desk's secret; nobody
can make or change one, and a new stamp ends them all. The CSRF token is a digest of the nonce:
who cannot read the page cannot know it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.responses import Response

COOKIE = "outcry_session"
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a cookie says."""

    name: str
    stamp: str
    nonce: str
    until: int
    """Seconds since 1970."""


class Sessions:
    """Writes and reads the cookies of one desk."""

    def __init__(self, secret: str, hours: float, *, secure: bool) -> None:
        self._signer = URLSafeSerializer(secret, salt="outcry session")
        self._key = hashlib.sha256(f"outcry csrf\x1f{secret}".encode()).digest()
        self._lasts = timedelta(hours=hours)
        self._secure = secure

    def begin(self, response: Response, name: str, stamp: str, now: datetime) -> Session:
        """Sign somebody in."""
        until = int((now + self._lasts).timestamp())
        session = Session(name=name, stamp=stamp, nonce=secrets.token_urlsafe(16), until=until)
        response.set_cookie(
            COOKIE,
            self._signer.dumps(msgspec.structs.astuple(session)),
            max_age=int(self._lasts.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return session

    def end(self, response: Response) -> None:
        """Sign somebody out."""
        response.delete_cookie(COOKIE, path="/", secure=self._secure, httponly=True)

    def read(self, cookie: str | None, now: datetime) -> Session | None:
        """The session of a cookie; None for one that is not ours or has run out."""
        if not cookie:
            return None
        try:
            name, stamp, nonce, until = self._signer.loads(cookie)
        except (BadSignature, ValueError, TypeError):
            return None
        session = Session(name=name, stamp=stamp, nonce=nonce, until=until)
        return session if now.timestamp() < session.until else None

    def csrf(self, session: Session) -> str:
        """What a form of this session has to send along."""
        return hmac.new(self._key, session.nonce.encode(), hashlib.sha256).hexdigest()

    def is_ours(self, session: Session, given: str | None) -> bool:
        """Whether a form is of this session."""
        return hmac.compare_digest(self.csrf(session).encode(), (given or "").encode())


def desk_secret(home: Path, given: str | None) -> str:
    """The secret given, else the one that is kept in the home, made when first asked for."""
    if given:
        return given
    file = home / "desk" / "secret"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        fresh = file.with_name(f"secret.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
            out.write(secrets.token_hex(32))
        # Of two processes that start at once, one is too late and takes the other's.
        with suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_text(encoding="ascii").strip()
