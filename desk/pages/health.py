"""Whether the desk and its store are well, for what watches over the process. Names nobody."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from desk.context import desk_of
from desk.live import Desk
from triage.errors import StoreError

router = APIRouter()


@router.get("/health")
def health(request: Request) -> JSONResponse:
    """Each part with its status, as Airflow says it; 200 as long as the desk itself answers."""
    desk = desk_of(request)
    store = desk.shared("health", desk.clock(), lambda: _status(desk))
    return JSONResponse({"desk": {"status": "healthy"}, "store": {"status": store}})


def _status(desk: Desk) -> str:
    try:
        desk.store.check()
    except StoreError:
        return "unhealthy"
    return "healthy"
