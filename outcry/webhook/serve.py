"""Run the endpoint until the process is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

from outcry.exits import InputError
from outcry.settings import Settings, webhook_secret

_WAITING = 32
"""Requests that are worked on at a time; more are told to come back (503)."""


def serve(settings: Settings, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve; ``ready`` is called with the address once connections are taken.

    Raises:
        InputError: if there is no secret, no channel or no web server, or the port is taken.
    """
    secret = webhook_secret()
    if secret is None:
        raise InputError("senders must sign: set OUTCRY_WEBHOOK_SECRET to a long random text")
    if not settings.webhook.channels:
        raise InputError("no [webhook.channels.NAME] in outcry.toml; add one for each sender")
    try:
        import uvicorn

        from outcry.webhook.app import make_app
    except ModuleNotFoundError as error:
        raise InputError(
            f'{error.name} is not installed: pip install "outcry-triage[webhook]"'
        ) from error
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    app = make_app(settings, secret)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, limit_concurrency=_WAITING, lifespan="off"
    )
    ready(f"http://{host}:{listening.getsockname()[1]}")
    with listening:
        uvicorn.Server(config).run(sockets=[listening])
