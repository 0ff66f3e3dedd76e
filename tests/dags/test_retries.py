"""What is tried again, when, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import RetryAction, RetryDecision, RetryPolicy

from dags.retries import LISTENING, LONGEST_WAIT, WORKING, raise_for
from listeners import errors as listening
from listeners.ledger import LedgerRow
from nlp.errors import ModelMissing
from triage import errors as storing

pytestmark = pytest.mark.airflow

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CLASSES = [
    kind
    for kind in vars(listening).values()
    if isinstance(kind, type) and issubclass(kind, listening.ListenerError)
]


def row(error_class: str | None, *, retry_at: datetime | None = None) -> LedgerRow:
    return LedgerRow(
        source="mastodon",
        target="brand",
        window="20260504T120000Z",
        listener="mastodon/1",
        outcome="failed" if error_class else "ok",
        error="the server said no: renew the token" if error_class else None,
        error_class=error_class,
        retry_at=retry_at,
        started_at=NOON,
        finished_at=NOON,
    )


def decide(policy: RetryPolicy, error: Exception) -> RetryDecision:
    return policy.evaluate(error, try_number=1, max_tries=3)


def soon(seconds: float) -> listening.RateLimited:
    return listening.RateLimited("slow down", datetime.now(UTC) + timedelta(seconds=seconds))


def test_a_row_without_an_error_raises_nothing() -> None:
    raise_for(row(None))


@pytest.mark.parametrize("kind", CLASSES)
def test_a_row_raises_its_error_in_its_own_class(kind: type[Exception]) -> None:
    with pytest.raises(listening.ListenerError) as caught:
        raise_for(row(kind.__name__, retry_at=NOON))
    assert type(caught.value) is kind
    assert str(caught.value) == "mastodon/brand: the server said no: renew the token"


def test_a_rate_limit_keeps_its_time() -> None:
    with pytest.raises(listening.RateLimited) as caught:
        raise_for(row("RateLimited", retry_at=NOON + timedelta(minutes=3)))
    assert caught.value.retry_at == NOON + timedelta(minutes=3)


def test_a_class_that_nobody_knows_is_a_listener_error() -> None:
    with pytest.raises(listening.ListenerError, match="mastodon/brand"):
        raise_for(row("ZeroDivisionError"))


def test_a_rate_limit_is_retried_when_the_source_says() -> None:
    decision = decide(LISTENING, soon(90))
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay is not None
    assert 80 < decision.retry_delay.total_seconds() <= 90


def test_a_rate_limit_that_is_over_is_retried_at_once() -> None:
    assert decide(LISTENING, soon(-60)).retry_delay == timedelta(seconds=1)


def test_a_longer_pause_is_left_to_a_later_window() -> None:
    error = listening.QuotaExhausted("spent", datetime.now(UTC) + LONGEST_WAIT * 2)
    assert decide(LISTENING, error).action is RetryAction.FAIL


@pytest.mark.parametrize("kind", [listening.Transient, listening.Busy])
def test_what_may_pass_is_retried(kind: type[Exception]) -> None:
    assert decide(LISTENING, kind("later")).action is RetryAction.RETRY


@pytest.mark.parametrize(
    "kind",
    [
        listening.AuthFailed,
        listening.TargetGone,
        listening.SchemaChanged,
        listening.Unsupported,
        listening.BadTarget,
    ],
)
def test_what_a_person_must_mend_fails_on_the_first_try(kind: type[Exception]) -> None:
    assert decide(LISTENING, kind("act")).action is RetryAction.FAIL


@pytest.mark.parametrize("kind", [storing.StoreUnavailable, storing.Conflict])
def test_a_store_that_does_not_answer_is_asked_again(kind: type[Exception]) -> None:
    assert decide(WORKING, kind("later")).action is RetryAction.RETRY


@pytest.mark.parametrize("kind", [storing.StoreRefused, listening.LandingError, ModelMissing])
def test_a_store_that_refuses_or_a_missing_model_fails_at_once(kind: type[Exception]) -> None:
    assert decide(WORKING, kind("act")).action is RetryAction.FAIL


def test_a_fault_of_the_code_goes_by_the_task_s_own_retries() -> None:
    assert decide(LISTENING, ZeroDivisionError()).action is RetryAction.DEFAULT
