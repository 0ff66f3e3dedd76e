"""Kibana's import over HTTP, as its documentation describes it; see docs/kibana.md."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from insight.kibana.errors import KibanaError, KibanaRefused, KibanaUnavailable

BY_HAND = "or import the file by hand: 'outcry kibana build', then Saved Objects in Kibana"


def import_objects(
    url: str, body: bytes, key: str | None, space: str = "default", timeout_s: float = 120
) -> int:
    """Import NDJSON, replacing objects of the same type and id; how many there are now.

    Raises:
        KibanaRefused: if Kibana does not take the key, or any object; then none is changed.
        KibanaUnavailable: if it does not answer.
    """
    place = "" if space == "default" else f"/s/{quote(space, safe='')}"
    address = f"{url.rstrip('/')}{place}/api/saved_objects/_import"
    headers = {"kbn-xsrf": "outcry", **({"Authorization": f"ApiKey {key}"} if key else {})}
    files = {"file": ("outcry.ndjson", body, "application/ndjson")}
    try:
        answer = httpx.post(
            address,
            params={"overwrite": "true"},
            headers=headers,
            files=files,
            timeout=timeout_s,
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise KibanaError(f"{url} is no address: {error}; write http://host:5601") from None
    except httpx.HTTPError as error:
        raise KibanaUnavailable(f"Kibana at {url} does not answer: {error}; try again") from error
    return _imported(url, answer)


def _imported(url: str, answer: httpx.Response) -> int:
    if answer.status_code in (401, 403):
        raise KibanaRefused(
            f"Kibana at {url} does not let this key import: set OUTCRY_KIBANA_API_KEY to one that "
            f"may manage saved objects, {BY_HAND}"
        )
    if answer.status_code >= 500:
        raise KibanaUnavailable(f"Kibana at {url} answers {answer.status_code}: try again later")
    try:
        said: dict[str, Any] = answer.json()
    except ValueError:
        said = {}
    if answer.status_code != 200:
        why = said.get("message") or f"status {answer.status_code}"
        raise KibanaRefused(f"Kibana at {url} refuses the import: {why}; {BY_HAND}")
    if not said.get("success"):
        first = (said.get("errors") or [{}])[0]
        kind = (first.get("error") or {}).get("type", "unknown error")
        title = (first.get("meta") or {}).get("title") or first.get("id")
        raise KibanaRefused(f"Kibana at {url} refuses {title}: {kind}; nothing was imported")
    return int(said.get("successCount", 0))
