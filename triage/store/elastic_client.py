"""One Elasticsearch cluster: requests with patience, bulk writes item by item, pages.

Everything here raises `triage.errors.StoreError` and nothing of the client's.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from elasticsearch import (
    ApiError,
    ConnectionError,
    ConnectionTimeout,
    Elasticsearch,
    TransportError,
)
from elasticsearch.serializer import CompatibilityModeJsonSerializer

from triage.errors import StoreRefused
from triage.store.elastic_errors import (
    BUSY,
    bad_item,
    disk_full,
    documents_fault,
    kind_and_reason,
    translated,
)
from triage.store.records import possible_id

# It reports each broken connection, which `Cluster.call` may well mend, to the terminal.
logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)

TRIES = 6
"""How often a busy server is asked; with the pauses between, for about ten seconds."""
CHUNK_ITEMS, CHUNK_BYTES = 1000, 8_000_000
PAGE = 500

Query = Mapping[str, Any]
Hit = Mapping[str, Any]


class _Json(CompatibilityModeJsonSerializer):
    """The client's own, but that answers are read faster: a page is many tickets."""

    def json_loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a bulk request."""

    op: str
    """``create``, ``index`` or ``delete``."""
    index: str
    id: str
    body: bytes = b""
    seen: tuple[int, int] | None = None
    """Sequence number and primary term that the document must still have."""

    def lines(self) -> list[bytes]:
        names: dict[str, Any] = {"_index": self.index, "_id": self.id}
        if self.seen is not None:
            names["if_seq_no"], names["if_primary_term"] = self.seen
        first = msgspec.json.encode({self.op: names})
        return [first] if self.op == "delete" else [first, self.body]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an action: ``done``, ``conflict`` or ``refused``."""

    state: str
    reason: str = ""
    repeated: bool = False
    """It was sent more than once, so a conflict may be with ourselves."""


class Cluster:
    """A client and the patience to use it; ``pause`` sleeps, for tests to hurry."""

    def __init__(
        self, client: Elasticsearch, address: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.address = address
        self._client = client.options(max_retries=0)
        self._pause = pause
        self._dirty: set[str] = set()
        self._seen: set[str] = set()
        self._refreshing = threading.Lock()

    @classmethod
    def at(
        cls,
        url: str,
        *,
        api_key: str | None = None,
        user: str | None = None,
        password: str | None = None,
        ca: Path | str | None = None,
        timeout_s: float = 60,
        pause: Callable[[float], None] = time.sleep,
    ) -> Cluster:
        """A cluster at an address; a user and password in the address are taken out of it.

        Raises:
            StoreRefused: if the address or the authority's file makes no sense.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 9200)
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StoreRefused("the store's url must look like https://host:9200: correct it")
        if ca is not None and not Path(ca).is_file():
            raise StoreRefused(f"there is no certificate authority's file {ca}: correct the path")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        address = f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"
        name = user or unquote(parts.username or "")
        secret = password if user else unquote(parts.password or "")
        access: dict[str, Any] = {}
        if api_key:
            access["api_key"] = api_key
        elif name:
            access["basic_auth"] = (name, secret or "")
        if ca is not None and parts.scheme == "https":
            access["ca_certs"] = str(ca)
        try:
            client = Elasticsearch(
                address, request_timeout=timeout_s, serializers={_Json.mimetype: _Json()}, **access
            )
        except (ValueError, OSError) as error:
            raise StoreRefused(f"{address} cannot be used: {error}") from None
        return cls(client, address, pause)

    def close(self) -> None:
        self._client.close()

    def call(self, request: Callable[[Elasticsearch], Any]) -> Any:
        """The answer's body; a busy server and a broken connection are tried again."""
        return self._patiently(request)[0]

    def _patiently(self, request: Callable[[Elasticsearch], Any]) -> tuple[Any, bool]:
        broken = 0
        for attempt in range(TRIES):
            try:
                return request(self._client).body, attempt > 0
            except ApiError as error:
                reason = kind_and_reason(error.body)[1]
                last = attempt == TRIES - 1 or "flood-stage" in reason
                if error.status_code not in BUSY or last:
                    raise translated(error, self.address) from error
            except TransportError as error:
                broken += 1
                final = not isinstance(error, ConnectionError) or broken > 2
                if final or isinstance(error, ConnectionTimeout) or attempt == TRIES - 1:
                    raise translated(error, self.address) from error
            self._wait(attempt)
        raise AssertionError("unreachable")

    def _wait(self, attempt: int) -> None:
        self._pause(random.uniform(0.5, 1.0) * min(5.0, 0.25 * 2**attempt))

    # writing

    def bulk(self, actions: Sequence[Action], *, shown: bool = False) -> list[Outcome]:
        """What became of each action, in order; one bad document stops no other.

        Busy items are sent again. With ``shown`` searches see the change when this returns, else
        only after a `refresh`.

        Raises:
            StoreUnavailable: if the server stays busy; StoreRefused: for a full disk and
                for whatever else is not the document's fault.
        """
        outcomes: list[Outcome | None] = [None] * len(actions)
        for chunk in _chunks(actions):
            waiting, again = list(chunk), False
            for attempt in range(TRIES):
                last = attempt == TRIES - 1
                waiting = self._send(actions, waiting, outcomes, again, last, shown)
                if not waiting:
                    break
                again = True
                self._wait(attempt)
        return [outcome for outcome in outcomes if outcome is not None]

    def _send(
        self,
        actions: Sequence[Action],
        positions: Sequence[int],
        outcomes: list[Outcome | None],
        again: bool,
        last: bool,
        shown: bool,
    ) -> list[int]:
        """Send these once; returns those to send again."""
        lines = [line for position in positions for line in actions[position].lines()]
        seen = False
        try:
            answer, repeated = self._patiently(
                lambda client: client.bulk(operations=lines, refresh=shown)  # type: ignore[arg-type]
            )
            seen = shown
        except StoreRefused as error:
            cause = error.__cause__
            if isinstance(cause, ApiError) and cause.status_code == 413 and len(positions) == 1:
                outcomes[positions[0]] = Outcome(
                    state="refused", reason="larger than the server takes"
                )
                return []
            raise
        finally:
            if not seen:
                with self._refreshing:
                    self._dirty.update(actions[position].index for position in positions)
        busy = []
        for position, item in zip(positions, answer["items"], strict=True):
            (result,) = item.values()
            outcome = self._outcome(result, again or repeated, last)
            if outcome is None:
                busy.append(position)
            outcomes[position] = outcome
        return busy

    def _outcome(self, result: Mapping[str, Any], repeated: bool, last: bool) -> Outcome | None:
        """None for an item to send again."""
        status, error = int(result["status"]), result.get("error")
        if error is None:
            return Outcome(state="done", repeated=repeated)
        kind, reason = kind_and_reason({"error": error})
        if status == 409:
            return Outcome(state="conflict", reason=reason, repeated=repeated)
        if "flood-stage" in reason:
            raise disk_full(self.address)
        if documents_fault(status, kind):
            return Outcome(state="refused", reason=reason, repeated=repeated)
        if status not in BUSY or last:
            raise bad_item(status, error, self.address)
        return None

    # reading

    def refresh(self, *names: str, always: bool = False) -> None:
        """Let searches of these indices see what was written through this object.

        A name may end in ``*``. The first time, and with ``always``, they see what others
        have written, too.
        """
        with self._refreshing:
            stale = {index for index in self._dirty if any(_matches(index, name) for name in names)}
            first = not self._seen.issuperset(names)
            if stale or first or always:
                targets = sorted(names if first or always else stale)
                self.call(lambda client: client.indices.refresh(index=targets))
                self._dirty -= stale
                self._seen.update(names)

    def hits(
        self,
        index: str,
        query: Query,
        sort: Sequence[Mapping[str, str]],
        limit: int | None = None,
        after: Sequence[Any] | None = None,
    ) -> Iterator[Hit]:
        """What matches and comes after ``after`` in a total order, however much it is."""
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(PAGE, limit)
            page = self.page(index, query, sort, size, after)
            yield from page
            if len(page) < size:
                return
            after = page[-1]["sort"]
            limit = None if limit is None else limit - size

    def page(
        self,
        index: str,
        query: Query,
        sort: Sequence[Mapping[str, str]],
        size: int,
        after: Sequence[Any] | None = None,
    ) -> list[Hit]:
        """At most ``size`` hits (up to 10,000) that come after ``after`` in the order."""
        answer = self.call(
            lambda client: client.search(
                index=index,
                query=query,
                sort=sort,
                size=size,
                search_after=after,
                seq_no_primary_term=True,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
        )
        found: list[Hit] = answer["hits"]["hits"]
        return found

    def get(self, index: str, ids: Iterable[str], source: bool | str = True) -> dict[str, Hit]:
        """The documents with these ids, as they are at this moment."""
        asked = [id for id in dict.fromkeys(ids) if possible_id(id)]
        found: dict[str, Hit] = {}
        for start in range(0, len(asked), PAGE):
            some = asked[start : start + PAGE]
            answer = self.call(lambda client: client.mget(index=index, ids=some, source=source))  # noqa: B023
            for document in answer["docs"]:
                if "error" in document:
                    raise bad_item(404, document["error"], self.address)
                if document["found"]:
                    found[document["_id"]] = document
        return found

    def holds(self, action: Action) -> bool:
        """Whether a repeated write met its own first try, whose answer was lost."""
        found = self.get(action.index, [action.id]).get(action.id)
        return found is not None and found["_source"] == json.loads(action.body)

    def count(self, index: str, query: Query) -> int:
        answer = self.call(
            lambda client: client.search(
                index=index,
                query=query,
                size=0,
                track_total_hits=True,
                allow_partial_search_results=False,
            )
        )
        total: int = answer["hits"]["total"]["value"]
        return total


def _chunks(actions: Sequence[Action]) -> Iterator[list[int]]:
    """Positions of actions that go into one request, in order."""
    chunk: list[int] = []
    size = 0
    for position, action in enumerate(actions):
        if chunk and (len(chunk) == CHUNK_ITEMS or size + len(action.body) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(position)
        size += len(action.body)
    if chunk:
        yield chunk


def _matches(index: str, name: str) -> bool:
    return index.startswith(name[:-1]) if name.endswith("*") else index == name
