"""What can go wrong while listening, as one tree.

    ListenerError
    ├── Transient          the network or server failed; the same call may work later
    │   └── RateLimited    too many calls; ``retry_at`` says when to come back
    │       └── QuotaExhausted   the allowance of the day or month is spent
    ├── AuthFailed         the credential was refused; a person has to act
    ├── TargetGone         the feed, account or file is not there (any more)
    ├── SchemaChanged      the answer no longer looks as documented; state did not move
    ├── Unsupported        this source or option cannot work, and says what to use instead
    ├── BadTarget          the target's settings are wrong
    ├── Busy               another run holds this target
    └── LandingError       the landing zone cannot be read or written

Every message is one line and ends with what to do. Nothing here imports more than
the standard library, so that a scheduler can name these classes cheaply.
"""

from __future__ import annotations

from datetime import datetime


class ListenerError(Exception):
    """Base of everything that a listener or the landing zone raises."""


class Transient(ListenerError):
    """The network or the server failed; the same call may work later."""


class RateLimited(Transient):
    """Too many calls. Nothing is wrong: come back at ``retry_at`` (aware, UTC)."""

    def __init__(self, message: str, retry_at: datetime, *, ours: bool = False) -> None:
        super().__init__(message)
        self.retry_at = retry_at
        self.ours = ours
        """Our own counting says so, and not the network."""


class QuotaExhausted(RateLimited):
    """The allowance of the day or month is spent until ``retry_at``."""


class AuthFailed(ListenerError):
    """The credential was refused; retrying cannot help."""


class TargetGone(ListenerError):
    """The feed, account or file is not there (any more); other targets go on."""


class SchemaChanged(ListenerError):
    """Too much of a page could not be understood; the state did not move."""


class Unsupported(ListenerError):
    """This source or option cannot work; the message names the alternative."""


class BadTarget(ListenerError):
    """The target's settings are wrong; the message names the setting."""


class Busy(ListenerError):
    """Another run holds this target; it is collecting the same window."""


class LandingError(ListenerError):
    """The landing zone cannot be read or written."""
