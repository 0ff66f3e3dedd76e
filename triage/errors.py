"""What can go wrong in triage, as one tree.

    TriageError
    ├── StoreError
    │   ├── StoreUnavailable   the store does not answer; nothing is lost, run again later
    │   ├── StoreRefused       the store answers and refuses: credentials, version, full disk
    │   ├── Busy               another process is at the same work; wait for it
    │   └── Conflict           somebody else changed the ticket, more often than we tried
    │       └── Stale          the ticket is not what the caller has read any more
    ├── NoSuchTicket           the id (or its beginning) names no ticket, or several
    ├── IllegalMove            the ticket's status does not allow the action
    └── BadRules               departments, weights or targets make no sense

Every message is one line and ends with what to do.
"""

from __future__ import annotations

from datetime import datetime


class TriageError(Exception):
    """Base of everything that triage raises."""


class StoreError(TriageError):
    """Base of the store's errors."""


class StoreUnavailable(StoreError):
    """The store does not answer. Nothing is lost: the same run may be repeated."""


class StoreRefused(StoreError):
    """The store answers and refuses; a person has to act."""


class Conflict(StoreError):
    """The ticket was changed by others more often than we tried again."""


class Stale(Conflict):
    """The ticket is not what the caller had read: look at it again and decide again."""


class Busy(StoreError):
    """Another process is doing the same work in this store; until when at most, if it has died."""

    def __init__(self, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class NoSuchTicket(TriageError):
    """The id, or the beginning of one, names no ticket, or more than one."""


class IllegalMove(TriageError):
    """The ticket's status does not allow this action."""


class BadRules(TriageError):
    """Departments, weights, tiers or targets contradict themselves."""
