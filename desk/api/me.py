"""Who I am to the desk."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from desk.context import Here, anybody

router = APIRouter(tags=["me"])


@router.get("/me")
def me(here: Annotated[Here, anybody()]) -> dict[str, Any]:
    """Who is signed in, with which roles and rights."""
    person = here.person
    return {
        "name": person.name,
        "roles": list(person.roles),
        "rights": sorted(person.rights),
        "way": person.way,
    }
