"""When a task tries again: rules by exception.

Reading a DAG file must stay cheap: of ours it imports `listeners.errors` and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from listeners import errors as listening

if TYPE_CHECKING:
    from airflow.sdk import Context

    from listeners.ledger import LedgerRow

LONGEST_WAIT = timedelta(minutes=10)
"""A source that wants a longer pause is left to a later window, which goes on from there."""


class RetryWhenTold(ExceptionRetryPolicy):
    """Rules by exception; one that carries a ``retry_at`` is retried at that time.

    A source names it, or the store: when the turn of a process that has died is over.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """The decision of the first rule that matches, at the time that the source named."""
        decision = super().evaluate(exception, try_number, max_tries, context)
        retry_at = getattr(exception, "retry_at", None)
        if decision.action is not RetryAction.RETRY or retry_at is None:
            return decision
        wait = retry_at - datetime.now(UTC)
        if wait > LONGEST_WAIT:
            return RetryDecision.fail(f"it asks to wait until {retry_at:%F %R} UTC")
        return RetryDecision.retry(max(wait, timedelta(seconds=1)), "it asks to wait")


def _pass(error: type[Exception]) -> RetryRule:
    return RetryRule(error, RetryAction.RETRY, timedelta(minutes=1), reason="it may pass")


def _fail(*errors: type[Exception]) -> RetryRule:
    return RetryRule(list(errors), RetryAction.FAIL, reason="a person has to act")


LISTENING = RetryWhenTold(
    [_pass(listening.Transient), _pass(listening.Busy), _fail(listening.ListenerError)]
)


class WorkRules(RetryWhenTold):
    """What models and stores raise; asked of a task that has failed, so they are loaded then."""

    def __init__(self) -> None:
        super().__init__([])

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """The decision of the first rule that matches."""
        from models.errors import ModelsError
        from nlp.errors import NlpError
        from triage import errors as storing

        self.rules = [
            _pass(storing.StoreUnavailable),
            _pass(storing.Conflict),
            _pass(storing.Busy),
            _fail(storing.TriageError, listening.ListenerError, ModelsError, NlpError),
        ]
        return super().evaluate(exception, try_number, max_tries, context)


WORKING = WorkRules()


def raise_for(row: LedgerRow) -> None:
    """Raise the error that a ledger row tells of, in its own class; else do nothing."""
    if row.error_class is None:
        return
    message = f"{row.source}/{row.target}: {row.error}"
    kind = getattr(listening, row.error_class, listening.ListenerError)
    if issubclass(kind, listening.RateLimited):
        raise kind(message, row.retry_at or row.finished_at)
    raise kind(message)
