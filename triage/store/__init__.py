"""Where tickets and what was read live: one protocol, two stores."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from triage.errors import StoreRefused
from triage.store.base import Store

Kind = Literal["sqlite", "elasticsearch"]

__all__ = ["Kind", "Store", "open_store"]


def open_store(
    kind: Kind,
    *,
    path: Path | str | None = None,
    url: str | None = None,
    api_key: str | None = None,
    user: str | None = None,
    password: str | None = None,
    ca: Path | str | None = None,
    prefix: str = "outcry",
) -> Store:
    """A store that is not yet connected; call `Store.setup` or `Store.check` next.

    ``sqlite`` needs ``path``, the one file of the database. ``elasticsearch`` needs
    ``url`` and, as its security demands, ``api_key`` or ``user`` and ``password``, and the
    file ``ca`` of the authority that signed its certificate; ``prefix`` begins the name of
    each of its indices.

    Raises:
        StoreRefused: if a value is missing or makes no sense.
    """
    if kind == "sqlite":
        from triage.store.sqlite import SqliteStore

        if path is None:
            raise StoreRefused("the sqlite store needs the path of its file: set it")
        return SqliteStore(Path(path))
    if kind == "elasticsearch":
        from triage.store.elastic import ElasticStore
        from triage.store.elastic_client import Cluster

        if url is None:
            raise StoreRefused("the elasticsearch store needs an address: set its url")
        cluster = Cluster.at(url, api_key=api_key, user=user, password=password, ca=ca)
        return ElasticStore(cluster, prefix=prefix)
    raise StoreRefused(f"there is no store of kind {kind!r}: choose sqlite or elasticsearch")
