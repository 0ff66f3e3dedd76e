"""Chatwoot's application interface: a contact and a conversation for each ticket."""

from __future__ import annotations

from typing import Any

from outcry.helpdesks.base import Caller, Card, Seen, field


class Chatwoot:
    """Our ticket's id is an attribute of the conversation; its contact is an identifier of ours."""

    name = "chatwoot"

    def __init__(
        self, url: str, token: str, account: str, inbox: str, timeout_s: float = 20.0
    ) -> None:
        self._call = Caller(self.name, url, {"api_access_token": token}, timeout_s)
        self._root = f"/api/v1/accounts/{account}"
        self._inbox = int(inbox) if inbox.isdecimal() else 0

    def find(self, ticket: str) -> str | None:
        contact = self._contact(ticket)
        if contact is None:
            return None
        found = self._call.get(f"{self._root}/contacts/{field(contact, 'id')}/conversations")
        for one in field(found or {"payload": []}, "payload"):
            if one.get("custom_attributes", {}).get("outcry_ticket") == ticket:
                return str(field(one, "id"))
        return None

    def create(self, card: Card) -> str:
        contact = self._contact(card.ticket) or self._make_contact(card)
        inboxes = field(contact, "contact_inboxes")
        body = {
            "source_id": field(inboxes, 0, "source_id"),
            "inbox_id": self._inbox,
            "contact_id": field(contact, "id"),
            "custom_attributes": {"outcry_ticket": card.ticket, "priority": card.priority},
            "status": "open",
            "message": {"content": f"{card.title}\n\n{card.body}", "private": True},
        }
        return str(field(self._call.post(f"{self._root}/conversations", body), "id"))

    def look(self, remote: str) -> Seen:
        found = self._call.get(f"{self._root}/conversations/{remote}")
        if found is None:
            return Seen(state="gone")
        closed = field(found, "status") == "resolved"
        return Seen(state="closed" if closed else "open", tags=tuple(found.get("labels", ())))

    def _contact(self, ticket: str) -> Any:
        found = self._call.get(f"{self._root}/contacts/search", q=ticket)
        for one in field(found or {"payload": []}, "payload"):
            if one.get("identifier") == ticket:
                return one
        return None

    def _make_contact(self, card: Card) -> Any:
        body = {"inbox_id": self._inbox, "name": card.ticket, "identifier": card.ticket}
        return field(self._call.post(f"{self._root}/contacts", body), "payload", "contact")
