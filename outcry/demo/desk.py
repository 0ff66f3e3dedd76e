"""The desk on the demonstration, to look around: ``python -m outcry.demo.desk``.

Everything is in a temporary folder that is gone when it ends. At the desk it is the
demonstration's time, going on.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import msgspec

from desk.accounts import add_user
from desk.rights import Role
from outcry.demo import AS_OF, run_demo
from outcry.exits import InputError
from outcry.front import serve
from outcry.sections import StoreSettings
from outcry.settings import Settings, load_settings

PEOPLE: dict[str, tuple[Role, ...]] = {
    "lindiwe": ("agent",),
    "thabo": ("lead",),
    "naledi": ("analyst",),
    "olu": ("operator",),
    "pia": ("privacy",),
}


def prepare(home: Path) -> tuple[Settings, str]:
    """The demonstration in a new folder, with an account for each role; the password of all."""
    run_demo(home)
    settings = msgspec.structs.replace(load_settings(home), store=StoreSettings())
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    store = settings.open_store()
    try:
        for name, roles in PEOPLE.items():
            add_user(store, name, roles, password, AS_OF)
    finally:
        store.close()
    return settings, password


def main(words: list[str] | None = None) -> int:
    """Serve until Ctrl-C; then nothing is left."""
    parser = argparse.ArgumentParser(description="The web desk on the demonstration.")
    parser.add_argument("--port", type=int, default=8321, help="0 takes a free one")
    port: int = parser.parse_args(words).port
    signal.signal(signal.SIGTERM, _leave)
    home = Path(tempfile.mkdtemp(prefix="outcry-desk-"))
    try:
        settings, password = prepare(home / "home")
        started = datetime.now(UTC)

        def clock() -> datetime:
            return AS_OF + (datetime.now(UTC) - started)

        def ready(address: str) -> None:
            people = ", ".join(f"{name} ({roles[0]})" for name, roles in PEOPLE.items())
            _say(f"the desk is at {address}")
            _say(f"sign in as {people}; the password is {password}")
            _say("Ctrl-C ends it and leaves nothing")

        with suppress(KeyboardInterrupt):
            serve(settings, "127.0.0.1", port, ready, clock)
    except InputError as error:
        _say(f"{error}; choose another with --port")
        return 2
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"outcry: {line}\n")
    sys.stdout.flush()


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
