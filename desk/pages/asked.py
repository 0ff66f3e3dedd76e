"""What the address of a queue page asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query

from desk.actions import Wanted
from desk.context import Here

SIZE = 30
"""Cases on a page."""
SOON = {"late": timedelta(0), "hour": timedelta(hours=1), "shift": timedelta(hours=8)}
TIERS = ("P1", "P2", "P3", "P4")
Names = Annotated[list[str], Query(max_length=50)]


class Asked:
    """What the address asks for; a dependency of every route that shows the queue."""

    def __init__(
        self,
        department: Names = [],  # noqa: B006 - FastAPI copies it
        tier: Names = [],  # noqa: B006
        source: Names = [],  # noqa: B006
        language: Names = [],  # noqa: B006
        due: Literal["", "late", "hour", "shift"] = "",
        whose: Literal["free", "all", "mine"] = "free",
        live: Literal["on", "off"] = "on",
    ) -> None:
        self.departments = tuple(name for name in department if name)
        self.tiers = tuple(name for name in tier if name in TIERS)
        self.sources = tuple(name for name in source if name)
        self.languages = tuple(name for name in language if name)
        self.due, self.whose, self.live = due, whose, live

    def wanted(self, here: Here) -> Wanted:
        """As a filter of the queue."""
        return Wanted(
            departments=self.departments,
            tiers=self.tiers,
            sources=self.sources,
            languages=self.languages,
            due_before=here.now + SOON[self.due] if self.due else None,
            statuses=("claimed", "contacted", "waiting") if self.whose == "mine" else (),
            agent=here.person.name if self.whose == "mine" else None,
            free=self.whose == "free",
        )

    def query(self, **more: str) -> str:
        """The address's own query, with changes; fields at rest are left out."""
        fields: list[tuple[str, str]] = []
        for name, values in (
            ("department", self.departments),
            ("tier", self.tiers),
            ("source", self.sources),
            ("language", self.languages),
        ):
            fields += [(name, value) for value in values]
        single = {"due": self.due, "whose": self.whose, "live": self.live} | more
        rest = {"due": "", "whose": "free", "live": "on"}
        fields += [(name, value) for name, value in single.items() if value != rest.get(name, "")]
        return urlencode(fields)

    @property
    def narrows(self) -> bool:
        """Whether anything is filtered at all."""
        return bool(
            self.departments
            or self.tiers
            or self.sources
            or self.languages
            or self.due
            or self.whose != "free"
        )
