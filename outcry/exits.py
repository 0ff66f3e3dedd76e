"""How the command line ends: one table from errors to exit codes.

Errors are looked up by name, so that starting up needs none of the rooms, and so that
the class that a ledger row names can be looked up too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DONE = 0
FAILED = 1
WRONG = 2
PARTIAL = 3
LATER = 4
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""
PIPE_CLOSED = 141
"""128 and the number of SIGPIPE: who read our output has gone."""

EPILOG = (
    "Exit codes: 0 done · 1 failed · 2 wrong use, settings or input · 3 done, but some rows "
    "were rejected or some targets failed · 4 the store or a network does not answer, try again "
    "later, nothing is lost · 130 interrupted."
)

ROOMS = frozenset({"desk", "insight", "listeners", "models", "nlp", "outcry", "triage"})

CODES: Mapping[str, int] = {
    "ListenerError": FAILED,
    "Transient": LATER,
    "RateLimited": LATER,
    "QuotaExhausted": LATER,
    "AuthFailed": FAILED,
    "TargetGone": WRONG,
    "SchemaChanged": FAILED,
    "Unsupported": WRONG,
    "BadTarget": WRONG,
    "Busy": LATER,
    "LandingError": FAILED,
    "NlpError": FAILED,
    "ModelMissing": FAILED,
    "ModelCorrupt": FAILED,
    "CuesInvalid": WRONG,
    "WorkerLost": FAILED,
    "ModelsError": FAILED,
    "ModelUnknown": WRONG,
    "ModelUnfit": FAILED,
    "TrainingFailed": FAILED,
    "DataMissing": WRONG,
    "TriageError": FAILED,
    "StoreError": FAILED,
    "StoreUnavailable": LATER,
    "StoreRefused": FAILED,
    "Conflict": LATER,
    "Stale": LATER,
    "NoSuchTicket": WRONG,
    "IllegalMove": FAILED,
    "BadRules": WRONG,
    "DeskError": WRONG,
    "NotSignedIn": WRONG,
    "NotAllowed": WRONG,
    "NotThere": WRONG,
    "Unusable": WRONG,
    "TooManyCalls": LATER,
    "SignInFailed": WRONG,
    "SettingsError": WRONG,
    "InputError": WRONG,
    "KibanaError": FAILED,
    "KibanaRefused": FAILED,
    "KibanaUnavailable": LATER,
}


class InputError(Exception):
    """What was typed or handed in cannot be used; one line that ends with what to do."""


def code_of(error: BaseException) -> int | None:
    """The exit code of an error of one of our rooms; None for any other."""
    for kind in type(error).__mro__:
        if kind.__module__.partition(".")[0] in ROOMS and kind.__name__ in CODES:
            return CODES[kind.__name__]
    return None


def code_of_outcomes(outcomes: Iterable[tuple[str, str | None]]) -> int:
    """The exit code of several targets, each with its outcome and its error's class.

    All well: `DONE`. Some failed, or were left to another run: `PARTIAL`. All of them:
    what their errors agree on, else `FAILED`.
    """
    seen = list(outcomes)
    failed = [
        CODES.get(name or "", FAILED) for outcome, name in seen if outcome in ("failed", "skipped")
    ]
    if failed and len(failed) == len(seen):
        return failed[0] if len(set(failed)) == 1 else FAILED
    return PARTIAL if failed else DONE


def in_one_line(error: BaseException) -> str:
    """The error's message as one line; its class where it has no words."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
