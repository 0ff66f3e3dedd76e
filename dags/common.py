"""What the DAGs share: the window of a run, the assets that join them, credentials.

Importing this costs Airflow's Task SDK and nothing else; rooms of ours that weigh more
are imported inside the functions that tasks call.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Connection, Param, get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

if TYPE_CHECKING:
    from outcry.settings import Settings
    from outcry.windows import Window

RAW = Asset("outcry_raw", uri="outcry://landing/raw")
SCORED = Asset("outcry_scored", uri="outcry://landing/scored")

_PARTITION = "%Y-%m-%dT%H:%M:%S"

FAMILIES = (
    "default",
    "app_store",
    "bluesky",
    "discourse",
    "email",
    "google_play",
    "hackernews",
    "hellopeter",
    "jetstream",
    "lemmy",
    "mastodon",
    "reddit",
    "stackexchange",
    "telegram",
    "trustpilot",
    "x",
    "youtube",
)
"""Rate-limit families of the registered listeners; each has a pool, ``outcry_FAMILY``."""


class NoWindow(AirflowFailException):
    """The run does not say which window it is about; trying again cannot help."""


def dag_arguments(minutes: int) -> dict[str, Any]:
    """What every DAG of ours has; no try of a task takes longer than ``minutes``."""
    return {
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        # Listeners go on from their state: the next window hears what a missed one did not.
        "catchup": False,
        "params": {"window_start": _window_param()},
        "tags": ["outcry"],
        "default_args": {
            "owner": "outcry",
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "execution_timeout": timedelta(minutes=minutes),
        },
    }


def _window_param() -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Window",
        description="Start of the window, for a run by hand; a scheduled run knows its own.",
    )


def window_start(given: str | None, partition_key: str | None) -> datetime:
    """The start of a run's window: the parameter, else the partition key; aware, UTC.

    A time without a zone is UTC, which is how the scheduler writes its keys.

    Raises:
        NoWindow: if there is neither, or it is not a time.
    """
    text = given or partition_key
    if not text:
        raise NoWindow(
            "this run has no window: trigger it with window_start, such as 2026-05-04T10:15:00Z"
        )
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NoWindow(
            f"window_start {text!r} is not a time: write it like 2026-05-04T10:15:00Z"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def this_window(settings: Settings) -> Window:
    """The window of the run that the calling task belongs to."""
    from outcry.windows import window_of

    context = get_current_context()
    start = window_start(context["params"].get("window_start"), context.get("partition_key"))
    return window_of(start, settings.listen.every_minutes)


def publish(asset: Asset, window: Window) -> str:
    """Say, when the calling task succeeds, that the asset is ready for the window.

    Returns the partition key. It is set also where the run has none of its own, so that
    a run by hand is followed by the others too.
    """
    key = window.start.strftime(_PARTITION)
    get_current_context()["outlet_events"][asset].add_partitions(key)
    return key


def connection_secrets(source: str, credential: str = "") -> dict[str, str]:
    """A source's secrets, by parameter, from the connection ``outcry_SOURCE``.

    A target with a credential of its own has ``outcry_SOURCE_CREDENTIAL``. The connection's
    extra fields are looked up by name; its password is the first secret that they do not
    name. Empty where there is no such connection: the environment then has the say. A
    source that needs no secret is not looked up.
    """
    from listeners.registry import secrets_of

    wanted = secrets_of(source)
    if not wanted:
        return {}
    suffix = f"_{credential}" if credential else ""
    try:
        connection = Connection.get(f"outcry_{source}{suffix}")
    except AirflowNotFoundException:
        return {}
    found = {param: str(value) for param, value in connection.extra_dejson.items()}
    unnamed = [param for param in wanted if not found.get(param)]
    if connection.password and unnamed:
        found[unnamed[0]] = connection.password
    return {param: found[param] for param in wanted if found.get(param)}
