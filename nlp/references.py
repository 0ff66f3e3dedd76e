"""Order, booking, account and case numbers in a text: an agent needs them, an analyst does not."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

LABEL = "[reference]"

_WORDS = (
    "order|booking|reservation|invoice|account|acc|customer|client|contract|policy|tracking|"
    "waybill|parcel|ticket|case|claim|complaint|query|reference|ref|confirmation|record locator|"
    "pnr|bestelling|rekening|bestell|kunden|auftrag|commande|pedido"
)
_REFERENCE = re.compile(
    rf"(?<!\w)(?P<kind>{_WORDS})\b[ \t]*(?:number|no|nr|num|id|code|nummer)?\b\.?"
    r"[ \t]*(?:is|was|=|:|#)?[ \t]*#?[ \t]*"
    r"(?P<value>(?=[A-Za-z0-9/-]*\d[A-Za-z0-9/-]*\d)[A-Za-z0-9](?:[A-Za-z0-9]|[/-](?=\w)){3,29})"
    r"(?!\w)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_LINK = re.compile(r"(?:https?://|www\.)\S+|(?<!\w)@\S+", re.IGNORECASE)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A reference: ``text[start:end]``, and which word announced it."""

    kind: str
    start: int
    end: int


def find_references(text: str) -> list[Found]:
    """The references of a text, in order and without overlaps; none inside links and handles.

    A number counts only after a word that announces it, and with two digits or more.
    """
    if _DIGIT.search(text) is None:  # Most texts: nothing else need be looked for.
        return []
    links = [match.span() for match in _LINK.finditer(text)]
    return [
        Found(kind=match["kind"].casefold(), start=match.start("value"), end=match.end("value"))
        for match in _REFERENCE.finditer(text)
        if not any(a < match.end("value") and match.start("value") < b for a, b in links)
    ]


def mask_references(text: str, found: Sequence[Found]) -> str:
    """The text with each of `find_references` replaced by `LABEL`."""
    for one in reversed(found):
        text = text[: one.start] + LABEL + text[one.end :]
    return text
