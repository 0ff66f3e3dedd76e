"""Zammad's REST interface, version 1: tickets, their search, their tags."""

from __future__ import annotations

from outcry.helpdesks.base import Caller, Card, Seen, field

PRIORITIES = {"P1": "3 high", "P2": "3 high", "P3": "2 normal", "P4": "1 low"}
CLOSED = ("closed", "merged")


class Zammad:
    """Our ticket's id stands at the end of the title, by which it is found again."""

    name = "zammad"

    def __init__(self, url: str, token: str, group: str, timeout_s: float = 20.0) -> None:
        headers = {"Authorization": f"Token token={token}"}
        self._call = Caller(self.name, url, headers, timeout_s)
        self._group = group

    def find(self, ticket: str) -> str | None:
        found = self._call.get("/api/v1/tickets/search", query=f'title:"{ticket}"', expand="true")
        for one in found or ():
            if str(field(one, "title")).endswith(f"[{ticket}]"):
                return str(field(one, "id"))
        return None

    def create(self, card: Card) -> str:
        body = {
            "title": f"{card.title} [{card.ticket}]",
            "group": self._group,
            "customer_id": f"guess:{card.customer or card.ticket}@outcry.invalid",
            "priority": PRIORITIES[card.priority],
            "article": {"subject": card.title, "body": card.body, "type": "note", "internal": True},
        }
        return str(field(self._call.post("/api/v1/tickets", body), "id"))

    def look(self, remote: str) -> Seen:
        found = self._call.get(f"/api/v1/tickets/{remote}", expand="true")
        if found is None:
            return Seen(state="gone")
        if field(found, "state") not in CLOSED:
            return Seen(state="open")
        tags = self._call.get("/api/v1/tags", object="Ticket", o_id=remote) or {"tags": []}
        return Seen(state="closed", tags=tuple(field(tags, "tags")))
