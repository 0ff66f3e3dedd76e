"""Whether a form was sent from a page of ours, where there is no session yet to prove it by."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from desk.errors import NotAllowed


def check_origin(request: Request) -> None:
    """Return if the browser does not say that another site's page has sent this.

    Raises:
        NotAllowed: if it does.
    """
    origin = request.headers.get("origin")
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if elsewhere or (origin and urlsplit(origin).netloc != request.headers.get("host", "")):
        raise NotAllowed("this came from another site's page: open the desk and try again")
