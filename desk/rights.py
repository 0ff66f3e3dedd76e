"""Who may do what: one table of rights by role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Role = Literal["agent", "lead", "analyst", "operator", "privacy"]
Right = Literal[
    "queue.read",
    "case.work",
    "case.regroup",
    "vault.read",
    "vault.audit",
    "incident.read",
    "incident.manage",
    "customer.link",
    "customer.erase",
    "coverage.read",
    "team.read",
    "settings.read",
    "desk.manage",
]

ROLES: tuple[Role, ...] = get_args(Role)
ALL: tuple[Right, ...] = get_args(Right)

WORDS: dict[Right, str] = {
    "queue.read": "see the queue, cases with masked texts, and lists",
    "case.work": "claim cases, answer them, write down the outcome",
    "case.regroup": "split and merge cases",
    "vault.read": "see who a customer is, with a reason that is recorded",
    "vault.audit": "see who has read who a customer is",
    "incident.read": "see incidents",
    "incident.manage": "confirm and fix incidents, approve notices",
    "customer.link": "say which accounts are one person",
    "customer.erase": "erase a person everywhere",
    "coverage.read": "see what was heard and what was missed",
    "team.read": "see who holds what, and the clocks",
    "settings.read": "see the settings",
    "desk.manage": "see people and webhooks, send webhooks again",
}

_AGENT: tuple[Right, ...] = (
    "queue.read",
    "case.work",
    "case.regroup",
    "vault.read",
    "incident.read",
    "customer.link",
)

RIGHTS: dict[Role, frozenset[Right]] = {
    "agent": frozenset(_AGENT),
    "lead": frozenset((*_AGENT, "incident.manage", "coverage.read", "team.read", "settings.read")),
    "analyst": frozenset(("queue.read", "incident.read", "coverage.read", "settings.read")),
    "operator": frozenset(("coverage.read", "team.read", "settings.read", "desk.manage")),
    "privacy": frozenset(
        ("queue.read", "vault.read", "vault.audit", "customer.link", "customer.erase")
    ),
}


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """Everything that somebody with these roles may do."""
    return frozenset().union(*(RIGHTS[role] for role in roles))
