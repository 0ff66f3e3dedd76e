"""Every error has its exit code, and the table names nothing else."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from outcry import exits
from outcry.home import SettingsError

ROOTS = {
    "listeners.errors": "ListenerError",
    "nlp.errors": "NlpError",
    "models.errors": "ModelsError",
    "triage.errors": "TriageError",
    "insight.kibana.errors": "KibanaError",
    "desk.errors": "DeskError",
}


def _errors(module: ModuleType) -> list[type[Exception]]:
    found = [value for value in vars(module).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, Exception)]


def test_every_error_of_every_room_has_an_exit_code() -> None:
    named = {SettingsError.__name__, exits.InputError.__name__}
    for name, root in ROOTS.items():
        module = importlib.import_module(name)
        kinds = _errors(module)
        assert all(issubclass(kind, getattr(module, root)) for kind in kinds)
        named |= {kind.__name__ for kind in kinds}
    assert set(exits.CODES) == named


def test_an_error_of_somebody_else_by_the_same_name_has_no_code() -> None:
    stranger = type("Conflict", (Exception,), {"__module__": "elasticsearch"})
    assert exits.code_of(stranger()) is None


def test_an_error_below_a_known_one_counts_as_that() -> None:
    from triage.errors import StoreUnavailable

    below = type("ShardFailed", (StoreUnavailable,), {"__module__": "triage.store.elastic"})
    assert exits.code_of(below()) == exits.LATER


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], exits.DONE),
        ([("ok", None), ("partial", "RateLimited")], exits.DONE),
        ([("ok", None), ("failed", "AuthFailed")], exits.PARTIAL),
        ([("ok", None), ("skipped", "Busy")], exits.PARTIAL),
        ([("failed", "Transient"), ("failed", "RateLimited")], exits.LATER),
        ([("failed", "Transient"), ("failed", "AuthFailed")], exits.FAILED),
        ([("failed", "BadTarget")], exits.WRONG),
        ([("failed", "KeyError")], exits.FAILED),
    ],
)
def test_several_targets_end_as_one(outcomes: list[tuple[str, str | None]], code: int) -> None:
    assert exits.code_of_outcomes(outcomes) == code


def test_a_message_of_many_lines_becomes_one() -> None:
    assert exits.in_one_line(ValueError("first\n  second")) == "first second"


def test_an_error_without_words_is_named() -> None:
    assert exits.in_one_line(ValueError()) == "ValueError"


def test_what_the_system_says_names_the_file() -> None:
    assert exits.in_one_line(OSError(28, "No space left on device", "/x")) == (
        "/x: No space left on device"
    )
