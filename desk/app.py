"""The desk as one ASGI application: pages under ``/``, the API under ``/api/v1``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from desk import pages, problems
from desk.api import router as api
from desk.api.answers import describe
from desk.chores import Chores
from desk.deployment import Deployment
from desk.headers import SecurityHeaders
from desk.live import Clock, Desk, utc_now
from desk.oidc import COOKIE, LASTS_S
from desk.sizes import SizeLimit

STATIC = Path(__file__).parent / "static"
TITLE = "Outcry"
VERSION = "1"


def create_app(deployment: Deployment, clock: Clock = utc_now) -> FastAPI:
    """The application of one deployment; the store is opened when it is first needed."""
    desk = Desk(deployment, clock)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        chores = Chores(desk)
        chores.start()
        try:
            yield
        finally:
            await run_in_threadpool(chores.stop)
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
    if desk.provider is not None:
        app.add_middleware(
            SessionMiddleware,
            secret_key=f"{desk.secret} oidc",
            session_cookie=COOKIE,
            max_age=LASTS_S,
            path="/sign-in",
            same_site="lax",
            https_only=deployment.settings.secure,
        )
    app.add_middleware(SizeLimit)
    app.add_middleware(SecurityHeaders, secure=deployment.settings.secure)
    app.include_router(api)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    problems.install(app, pages.problem_page)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app
