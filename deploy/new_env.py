"""Fill the empty secrets of .env.example with random ones: new_env.py < .env.example > .env"""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator


def _word() -> str:
    return secrets.token_hex(32)


def _fernet() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


_MAKERS: dict[str, Callable[[], str]] = {"AIRFLOW_FERNET_KEY": _fernet}
_OPTIONAL = "# optional"


def filled(lines: Iterable[str]) -> Iterator[str]:
    """The lines, with a fresh secret after every ``NAME=`` that is not under ``# optional``."""
    required = True
    for line in lines:
        required = required and not line.startswith(_OPTIONAL)
        name, is_setting, value = line.rstrip("\n").partition("=")
        if required and is_setting and not value and not name.startswith("#"):
            yield f"{name}={_MAKERS.get(name, _word)()}\n"
        else:
            yield line


if __name__ == "__main__":
    sys.stdout.writelines(filled(sys.stdin))
