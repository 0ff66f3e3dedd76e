"""The API under ``/api/v1``: everything that the pages do, as JSON."""

from __future__ import annotations

from fastapi import APIRouter

from desk.api import customers, hooks, house, incidents, lists, me, queue, tickets

router = APIRouter(prefix="/api/v1")
for module in (me, queue, lists, tickets, incidents, customers, house, hooks):
    router.include_router(module.router)

__all__ = ["router"]
