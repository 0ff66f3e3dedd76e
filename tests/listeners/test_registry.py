"""Which listeners there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from listeners.contract import Checks, Listener, Replays
from listeners.errors import BadTarget, Unsupported
from listeners.registry import SOURCES, listener, load, names


def test_every_name_gives_a_listener_of_that_name() -> None:
    assert names() == tuple(SOURCES)
    for name in names():
        made = listener(name)
        assert isinstance(made, Listener)
        assert isinstance(made, Replays)
        assert isinstance(made, Checks)
        assert made.name == name


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(BadTarget, match=r"'myspace': use one of .*import, .*mastodon, .*rss"):
        listener("myspace")


def test_a_client_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_network_of_our_own.py").write_text("import no_such_client_of_ours\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        Unsupported, match=r'no_such_client_of_ours is not .*pip install "outcry-triage\[network\]"'
    ):
        load("a_network_of_our_own", "Network", "network")


def test_naming_the_listeners_imports_no_client() -> None:
    code = (
        "import sys, listeners.registry as r, listeners.run; r.names();"
        "sys.exit(bool({'mastodon', 'feedparser', 'httpx'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
