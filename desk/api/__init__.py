"""The API under ``/api/v1``: everything that the pages do, as JSON."""

from __future__ import annotations

from fastapi import APIRouter

from desk.api import me

router = APIRouter(prefix="/api/v1")
router.include_router(me.router)

__all__ = ["router"]
