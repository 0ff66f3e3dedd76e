"""What is written to customers: texts with fields, and what must not stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Formatter

import msgspec

from nlp.privacy import find
from triage.errors import BadRules

FIELDS = ("handle", "brand", "about", "ticket", "incident", "link")
"""What a template may name in braces. There is no field for a name: replies are public."""

NOTICES: Mapping[str, str] = {
    "fixed": (
        "Hello {handle}, you told us about {about}. It works again. "
        "If it does not for you, please answer here and we look at it at once. {brand}"
    ),
    "planned": (
        "Hello {handle}, a planned change is coming up: {about}. "
        "Please answer here if it is a problem for you. {brand}"
    ),
    "reply": (
        "Hello {handle}, we are sorry about this and want to look into it. "
        "Please write to us in private, and do not post numbers of yours here. {brand}"
    ),
}
"""The templates that come with Outcry; the operator's ``[templates]`` come on top."""

_MONEY = re.compile(
    r"\b(?:refund(?:ed|ing)?|compensat\w+|reimburs\w+|credit(?:ed)?|vouchers?|discounts?|"
    r"free of charge|money back|goodwill|pay (?:you )?back|waive\w*)\b|"
    r"(?<!\w)(?:R|\$|€|£|USD|EUR|ZAR)\s?\d",
    re.IGNORECASE,
)
_BLAME = re.compile(
    r"\b(?:your (?:own )?fault|you should have|as (?:I|we) (?:already )?(?:said|told you)|"
    r"calm down|you failed|you people|if you had)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:what is|send us|reply with|give us|post|share)\b[^.?!]{0,40}\b"
    r"(?:id number|card|account number|pin|password|address|phone|telephone|cell|date of birth)",
    re.IGNORECASE,
)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a text that must not go out."""

    kind: str
    """``personal data``, ``asks for personal data``, ``money``, ``blame`` or ``shouting``."""
    words: str


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its fields filled in; runs of blanks become one.

    Raises:
        BadRules: if it names a field that there is not, or its braces do not match.
    """
    check_template(template)
    return " ".join(template.format_map({name: values.get(name, "") for name in FIELDS}).split())


def check_template(template: str) -> str:
    """The template itself, if it can be filled.

    Raises:
        BadRules: otherwise.
    """
    try:
        fields = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise BadRules(f"template {template[:40]!r}: {error}; write braces in pairs") from None
    for name, form, conversion in fields:
        if name not in FIELDS or form or conversion:
            raise BadRules(
                f"template {template[:40]!r} has an unknown field {{{name}}}; "
                f"there are {', '.join(FIELDS)}"
            )
    return template


def faults(text: str, region: str) -> list[Fault]:
    """What must not stand in a public text, in order of kind; empty if it may go out.

    ``region`` is the country whose telephone numbers have no country code.
    """
    return list(_faults(text, region))


def _faults(text: str, region: str) -> Iterator[Fault]:
    for span in find(text, region):
        yield Fault(kind="personal data", words=f"{span.kind} at {span.start}")
    for kind, pattern in (
        ("asks for personal data", _ASKS),
        ("money", _MONEY),
        ("blame", _BLAME),
    ):
        for match in pattern.finditer(text):
            # "do not post numbers of yours here" is the opposite of asking for them.
            before = text[max(0, match.start() - 12) : match.start()].casefold()
            if kind != "asks for personal data" or not re.search(r"not |never |n't ", before):
                yield Fault(kind=kind, words=match[0])
    letters = [one for one in text if one.isalpha()]
    loud = len(letters) > 20 and sum(one.isupper() for one in letters) > len(letters) / 2
    if loud or "!!" in text:
        yield Fault(kind="shouting", words="capital letters" if loud else "!!")
