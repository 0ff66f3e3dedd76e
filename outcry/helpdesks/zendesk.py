"""Zendesk's ticketing interface, version 2: tickets by external id, an idempotency key each."""

from __future__ import annotations

import base64

from outcry.helpdesks.base import Caller, Card, Seen, field

PRIORITIES = {"P1": "urgent", "P2": "high", "P3": "normal", "P4": "low"}
CLOSED = ("solved", "closed")


class Zendesk:
    """Our ticket's id is the external id of theirs."""

    name = "zendesk"

    def __init__(self, url: str, token: str, user: str, timeout_s: float = 20.0) -> None:
        secret = base64.b64encode(f"{user}/token:{token}".encode()).decode()
        self._call = Caller(self.name, url, {"Authorization": f"Basic {secret}"}, timeout_s)

    def find(self, ticket: str) -> str | None:
        found = self._call.get("/api/v2/tickets.json", external_id=ticket)
        for one in field(found or {"tickets": []}, "tickets"):
            if one.get("external_id") == ticket:
                return str(field(one, "id"))
        return None

    def create(self, card: Card) -> str:
        body = {
            "ticket": {
                "subject": card.title,
                "comment": {"body": card.body, "public": False},
                "external_id": card.ticket,
                "priority": PRIORITIES[card.priority],
                "tags": ["outcry"],
            }
        }
        headers = {"Idempotency-Key": card.ticket}
        return str(field(self._call.post("/api/v2/tickets.json", body, **headers), "ticket", "id"))

    def look(self, remote: str) -> Seen:
        found = self._call.get(f"/api/v2/tickets/{remote}.json")
        if found is None:
            return Seen(state="gone")
        closed = field(found, "ticket", "status") in CLOSED
        tags = tuple(field(found, "ticket").get("tags", ()))
        return Seen(state="closed" if closed else "open", tags=tags)
