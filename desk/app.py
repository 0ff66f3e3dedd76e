"""The desk as one ASGI application: pages under ``/``, the API under ``/api/v1``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from desk import pages, problems
from desk.api import router as api
from desk.deployment import Deployment
from desk.headers import SecurityHeaders
from desk.live import Clock, Desk, utc_now

STATIC = Path(__file__).parent / "static"
TITLE = "Outcry"
VERSION = "1"


def create_app(deployment: Deployment, clock: Clock = utc_now) -> FastAPI:
    """The application of one deployment; the store is opened when it is first needed."""
    desk = Desk(deployment, clock)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    # The pages that FastAPI draws of the API load their scripts from elsewhere: we draw our own.
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.desk = desk
    app.add_middleware(SecurityHeaders, secure=deployment.settings.secure)
    app.include_router(api)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    problems.install(app, pages.problem_page)
    return app
