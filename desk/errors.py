"""What the desk refuses by itself, as one tree; triage's errors pass through it unchanged.

    DeskError
    ├── NotSignedIn      nobody knows who asks
    ├── NotAllowed       the role does not have the right, or the form was not ours
    ├── NotThere         nothing of that name
    ├── Unusable         what was sent cannot be used
    ├── TooManyCalls     more calls than the settings allow
    └── SignInFailed     wrong name or password, or locked

Every message is one line and ends with what to do.
"""

from __future__ import annotations


class DeskError(Exception):
    """Base; ``status`` is HTTP's."""

    status = 400


class NotSignedIn(DeskError):
    """Nobody knows who asks."""

    status = 401


class NotAllowed(DeskError):
    """The role does not have the right."""

    status = 403


class NotThere(DeskError):
    """Nothing of that name."""

    status = 404


class Unusable(DeskError):
    """What was sent cannot be used."""

    status = 422


class TooManyCalls(DeskError):
    """More calls than the settings allow; ``after`` seconds it may be tried again."""

    status = 429

    def __init__(self, message: str, after: int) -> None:
        super().__init__(message)
        self.after = after


class SignInFailed(DeskError):
    """Wrong name or password, or locked after too many failures."""

    status = 401
