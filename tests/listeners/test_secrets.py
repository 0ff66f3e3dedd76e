"""A secret is nowhere to be found after a run, however it fails."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from rich.pretty import pretty_repr

from listeners.contract import Page, Target
from listeners.errors import BadTarget, ListenerError
from listeners.landing import Landing
from listeners.run import collect
from listeners.secrets import public, secrets_in, without_secrets
from tests.listeners.fakes import FakeListener, budget
from tests.outcry.shell import call_process
from tests.servers.web import Answer, serving

TOKEN = "tok-s3cret-9f2c"
MASTODON = Target(
    source="mastodon",
    key="tram",
    params={"server": "https://a.example", "tag": "x", "access_token": TOKEN},
)


def test_a_target_shows_the_names_of_its_settings_only() -> None:
    shown = f"{MASTODON!r} {MASTODON} {[MASTODON]} {pretty_repr(MASTODON)}"
    assert TOKEN not in shown
    assert "access_token" in shown


def test_what_addresses_carry_is_a_secret_too() -> None:
    url = "https://me:pa%20ss@a.example/feed?token=abcdef&page=2222&api_key=ghijkl"
    target = Target(source="rss", key="a", params={"url": url})
    assert set(secrets_in(target)) == {"pa%20ss", "pa ss", "abcdef", "ghijkl"}
    assert secrets_in(MASTODON) == (TOKEN,)
    assert without_secrets(f"refused {TOKEN}!", MASTODON) == "refused •••!"


def test_what_is_written_down_of_a_target_has_none() -> None:
    assert public(MASTODON).params == {"server": "https://a.example", "tag": "x"}


def failing(error: Exception) -> FakeListener:
    """A listener that raises."""

    def fails(state: object) -> list[Page]:
        raise error

    return FakeListener(fails)


def test_an_error_that_quotes_it_is_kept_without(tmp_path: Path) -> None:
    error = BadTarget(f"no: {TOKEN}")
    row = collect(failing(error), MASTODON, Landing(tmp_path), "w", budget())
    assert row.error == "no: •••"
    assert TOKEN not in everything(tmp_path)


def test_a_fault_of_the_code_that_quotes_it_is_told_without(tmp_path: Path) -> None:
    fault = failing(RuntimeError("bug", TOKEN))
    with pytest.raises(ListenerError, match="RuntimeError") as caught:
        collect(fault, MASTODON, Landing(tmp_path), "w", budget())
    assert caught.value.__suppress_context__
    assert TOKEN not in str(caught.value) + everything(tmp_path)


def test_all_output_of_a_failing_run_is_without(tmp_path: Path) -> None:
    def refuse(request: object) -> Answer:
        return Answer(f'{{"error": "bad token {TOKEN}"}}'.encode(), 401)

    with serving(refuse) as url:
        (tmp_path / "outcry.toml").write_text(
            f'[listen]\nallow_networks = ["127.0.0.0/8"]\n'
            f'[[targets]]\nsource = "mastodon"\nkey = "m"\nserver = "{url}"\ntag = "x"\n'
            f'[[targets]]\nsource = "rss"\nkey = "r"\nurl = "{url}/feed?key={TOKEN}"\n'
            f'[[targets]]\nsource = "rss"\nkey = "n"\nurl = "ftp://me:{TOKEN}@a.example/"\n'
        )
        for command in (["--debug", "listen"], ["check"]):
            done = call_process("--home", str(tmp_path), *command, OUTCRY_MASTODON_TOKEN=TOKEN)
            assert done.returncode != 0
            said = (done.stdout + done.stderr).decode()
            assert TOKEN not in said, command
    (tmp_path / "outcry.toml").unlink()
    assert TOKEN not in everything(tmp_path)


def everything(root: Path) -> str:
    """All that lies in a folder."""
    files = [path for path in root.rglob("*") if path.is_file()]
    read = [gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in files]
    return b"\n".join(read).decode(errors="replace")
