"""What an error of the Elasticsearch client or of one bulk item means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticsearch import (
    ApiError,
    ConnectionTimeout,
    SerializationError,
    SSLError,
    TransportError,
    UnsupportedProductError,
)

from triage.errors import StoreError, StoreRefused, StoreUnavailable

BUSY = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be better in a moment."""

_FULL = "flood-stage"
_NOT_A_DOCUMENTS_FAULT = frozenset({"index_closed_exception", "cluster_block_exception"})


def translated(error: ApiError | TransportError, address: str) -> StoreError:
    """The room's own error, in one line, for whatever the client raised."""
    if isinstance(error, UnsupportedProductError):
        return wrong_server(address, "it is another product or much older")
    if isinstance(error, ApiError):
        return _of_status(error.status_code, error.body, address)
    if isinstance(error, SSLError):
        return StoreRefused(
            f"Elasticsearch at {address} shows a certificate that is not trusted "
            f"({_cause(error)}): set the file of its certificate authority"
        )
    if isinstance(error, ConnectionTimeout):
        return StoreUnavailable(
            f"Elasticsearch at {address} took too long: nothing is lost, run again later"
        )
    if isinstance(error, SerializationError):
        return wrong_server(address, "its answer cannot be read")
    cause = _cause(error)
    return StoreUnavailable(
        f"Elasticsearch at {address} does not answer ({cause}): "
        "start it or check the address; nothing is lost, run again"
    )


def _of_status(status: int, body: Any, address: str) -> StoreError:
    kind, reason = kind_and_reason(body)
    server = f"Elasticsearch at {address}"
    if status == 401:
        return StoreRefused(
            f"{server} refuses the credentials: set an API key or user and password"
        )
    if _FULL in reason:
        return disk_full(address)
    if kind == "cluster_block_exception" and status == 403:
        return StoreRefused(f"{server} blocks this ({reason}): remove the block")
    if status == 403:
        return StoreRefused(f"{server} forbids this: {reason}; give the account this privilege")
    if "media_type" in kind or "compatible-with" in reason:
        return wrong_server(address, "it refuses the protocol of version 9")
    if kind == "index_closed_exception":
        return StoreRefused(f"{server} has a closed index ({reason}): open it")
    if kind == "index_not_found_exception":
        return StoreRefused(f"{server} lacks an index ({reason}): set the store up first")
    if status in BUSY:
        return StoreUnavailable(
            f"{server} is not able to serve this now ({status} {reason or kind}): "
            "nothing is lost, run again later"
        )
    return StoreRefused(f"{server} refuses: {status} {kind} {reason}".rstrip())


def wrong_server(address: str, why: str) -> StoreRefused:
    return StoreRefused(f"{address} is no Elasticsearch 9 ({why}): use a server of version 9")


def disk_full(address: str) -> StoreRefused:
    return StoreRefused(
        f"the disk of Elasticsearch at {address} is full (flood-stage watermark): "
        "make room, then run again; nothing is lost"
    )


def documents_fault(status: int, kind: str) -> bool:
    """Whether the document itself is bad, so that it comes back as a refusal."""
    return status in (400, 413) and kind not in _NOT_A_DOCUMENTS_FAULT


def bad_item(status: int, error: Mapping[str, Any], address: str) -> StoreError:
    """For an item of a bulk request that failed for a reason of the server's."""
    return _of_status(status, {"error": error}, address)


def kind_and_reason(body: Any) -> tuple[str, str]:
    """Type and reason of an answer's error, the deepest one, each in one line."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", _line(error or body or "")
    kind, reasons = str(error.get("type", "")), [_line(error.get("reason", ""))]
    cause = error.get("caused_by")
    while isinstance(cause, Mapping):
        reasons.append(_line(cause.get("reason", "")))
        cause = cause.get("caused_by")
    return kind, ": ".join(reason for reason in reasons if reason)


def _cause(error: TransportError) -> str:
    """The last clause of what the connection says: the ones before repeat the address."""
    inner: Exception = error
    while isinstance(inner, TransportError) and inner.errors:
        inner = inner.errors[0]
    words = inner.message if isinstance(inner, TransportError) else inner
    return _line(words).rsplit(": ", 1)[-1].rsplit("] ", 1)[-1] or type(inner).__name__


def _line(words: Any) -> str:
    return " ".join(str(words).split())[:300]
