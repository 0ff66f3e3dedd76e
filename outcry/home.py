"""Where a deployment is, and its file of settings before it is understood; imports little."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import platformdirs

from listeners.registry import family_of


class SettingsError(Exception):
    """The settings cannot be used; one line that names the key and what to write instead."""


def home_folder() -> Path:
    """``OUTCRY_HOME``, else the platform's folder for user data."""
    given = os.environ.get("OUTCRY_HOME")
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("outcry"))


def read_document(home: Path) -> tuple[Path, dict[str, Any]]:
    """The file of settings in ``home`` and what is written there; nothing where there is none.

    Raises:
        SettingsError: if it cannot be read, or is not TOML.
    """
    file = home / "outcry.toml"
    try:
        return file, tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return file, {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {file}: {error}; make it a readable text file") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}; correct that line") from None


def families_in_use() -> list[str]:
    """The rate-limit families of the configured targets, sorted, for who draws a grid of them.

    Raises:
        SettingsError: if the settings cannot be read.
    """
    _, document = read_document(home_folder())
    tables = document.get("targets", [])
    sources = {table.get("source") for table in tables if isinstance(table, dict)}
    return sorted({family_of(source) for source in sources if isinstance(source, str)})
