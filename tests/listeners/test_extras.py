"""The base install imports no network's client, and a missing one says which extra brings it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from listeners.contract import Target
from listeners.errors import Unsupported
from listeners.registry import SOURCES, names
from listeners.sources.telegram import Telegram

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
EXTRAS: Mapping[str, list[str]] = PROJECT["optional-dependencies"]

_CHILD = """
import json, sys
from listeners.registry import listener
from listeners.errors import Unsupported
missing = set(json.loads(sys.argv[1]))
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nowhere())
said = {}
for name in sys.argv[2:]:
    try:
        said[name] = listener(name).name
    except Unsupported as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def brought_by(wanted: list[str]) -> set[str]:
    """The distributions that these requirements bring on this machine."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in wanted]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name in found:
            continue
        try:
            more = [Requirement(line) for line in requires(one.name) or ()]
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [r for r in more if _applies(r, one.extras)]
    return found


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""})


def listeners_with(distributions: set[str], chosen: Iterable[str]) -> dict[str, str]:
    """What asking for listeners gives where only these are installed."""
    modules = [
        module
        for module, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & distributions
    ]
    ours = {"listeners", "nlp", "triage", "outcry", "models", "tests", "bench"}
    command = [sys.executable, "-c", _CHILD, json.dumps(sorted({*modules} - ours)), *chosen]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    said: dict[str, str] = json.loads(done.stdout)
    return said


def test_the_base_install_lacks_clients_only_and_says_which_extra_has_them() -> None:
    said = listeners_with(brought_by(PROJECT["dependencies"]), names())
    for name in names():
        extra = SOURCES[name].extra
        if extra is None or name == "telegram":  # That one is a program, not a package.
            assert said[name] == name
        else:
            assert f'pip install "outcry-triage[{extra}]"' in said[name], said[name]


@pytest.mark.parametrize("extra", sorted({s.extra for s in SOURCES.values() if s.extra}))
def test_an_extra_brings_all_that_its_sources_need(extra: str) -> None:
    installed = brought_by([*PROJECT["dependencies"], *EXTRAS[extra]])
    assert listeners_with(installed, _of(extra)) == {name: name for name in _of(extra)}


def test_all_clients_together_are_an_extra_too() -> None:
    together = brought_by(EXTRAS["sources"])
    for extra in {s.extra for s in SOURCES.values() if s.extra} - {"telegram"}:
        assert brought_by(EXTRAS[extra]) <= together, extra


def test_a_program_that_is_not_there_is_found_out_by_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(Unsupported, match=r"outcry-triage\[telegram\]"):
        Telegram().check(Target(source="telegram", key="t", params={"channel": "trams"}))


def _of(extra: str) -> Iterator[str]:
    return (name for name in names() if SOURCES[name].extra == extra)
