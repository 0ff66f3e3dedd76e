"""The desk of a deployment: what it is given, and serving it until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from desk.deployment import LOOPBACK, Deployment
from desk.errors import Unusable
from outcry.exits import InputError
from outcry.settings import Settings
from triage.errors import Busy, StoreUnavailable
from triage.store.base import Store

_WAITING = 4000
"""Open connections; a browser keeps several, one of them for news. More are told to come back."""


def deployment_of(settings: Settings) -> Deployment:
    """What the desk is given of these settings."""

    def coverage(
        unit: Literal["day", "month"], period: str, now: datetime
    ) -> Mapping[str, Sequence[Any]]:
        from listeners import coverage as books
        from listeners.errors import ListenerError

        try:
            lines = books.coverage(settings.landing, unit, period, by="day")
            return {"lines": lines, "alerts": books.silences(settings.landing, now)}
        except ListenerError as error:
            raise StoreUnavailable(str(error)) from error

    def forget(store: Store, account: str, by: str, reason: str, now: datetime) -> Any:
        from listeners.errors import ListenerError
        from outcry.forgetting import forget as forget_everywhere

        try:
            return forget_everywhere(settings, store, account, by=by, reason=reason, now=now)
        except InputError as error:
            raise Unusable(str(error)) from error
        except ListenerError as error:
            raise Busy(str(error)) from error

    return Deployment(
        home=settings.home,
        open_store=settings.open_store,
        settings=settings.desk,
        rules=settings.rules,
        policy=settings.contact,
        templates=settings.templates,
        brand=settings.brand.name,
        region=settings.nlp.phone_region,
        coverage=coverage,
        forget=forget,
        shown=_shown(settings),
    )


def _shown(settings: Settings) -> dict[str, Any]:
    """The settings that people may see: nothing that names a person, nothing secret."""
    rules = msgspec.to_builtins(settings.rules)
    hidden = ("pseudonym_key", "customers", "customer_values", "own_accounts")
    return {
        "brand": msgspec.to_builtins(settings.brand),
        "triage": {name: value for name, value in rules.items() if name not in hidden},
        "contact": msgspec.to_builtins(settings.contact),
        "templates": dict(settings.templates),
        "retention": dict(settings.retention),
        "nlp": msgspec.to_builtins(settings.nlp),
        "targets": [f"{target.source}/{target.key}" for target in settings.targets],
    }


def serve(
    settings: Settings,
    host: str,
    port: int,
    ready: Callable[[str], None],
    clock: Callable[[], datetime] | None = None,
) -> None:
    """Serve; ``ready`` is called with the address once connections are taken.

    ``clock`` says what time it is at the desk, the real one if none is given.

    Raises:
        InputError: if the desk would be open to others without accounts, if the web server is
            not installed, or the port is taken.
    """
    try:
        import uvicorn

        from desk.app import create_app
    except ModuleNotFoundError as error:
        raise InputError(
            f'{error.name} is not installed: pip install "outcry-triage[desk]"'
        ) from error
    deployment = deployment_of(settings)
    if host not in LOOPBACK:
        _check_accounts(settings, host)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    config = uvicorn.Config(
        create_app(deployment, clock) if clock else create_app(deployment),
        log_level="warning",
        access_log=False,
        limit_concurrency=_WAITING,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    shown = f"[{host}]" if ":" in host else host
    ready(settings.desk.url or f"http://{shown}:{listening.getsockname()[1]}")
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _check_accounts(settings: Settings, host: str) -> None:
    from desk.accounts import users

    if settings.desk.oidc.issuer:
        return
    store = settings.open_store()
    try:
        if not any(user.active for user in users(store)):
            raise InputError(
                f"nobody could sign in at {host}: add an account with 'outcry desk add-user' first"
            )
    finally:
        store.close()
