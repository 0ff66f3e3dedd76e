"""What in a mention says that two accounts are one person; pure, nothing is looked up here.

Kinds of evidence and what they are worth:

* ``address``: the same e-mail address or telephone number on two private channels, where the
  sender is verified by the channel itself. Certain.
* ``statement``: the person says on one account which other account is theirs. Certain.
* ``given``: a public post gives an address that a private channel knows. Proposed: it may be
  somebody else's.
* ``name``: the same or nearly the same handle on another network. Proposed: handles are shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec
import phonenumbers

from listeners.mention import Mention
from triage.rows import REPOST_PREFIX
from triage.rules import Rules

Kind = Literal["mapping", "address", "statement", "given", "name", "agent"]
CONFIDENCE: dict[Kind, float] = {
    "mapping": 1.0,
    "agent": 1.0,
    "address": 1.0,
    "statement": 0.98,
    "given": 0.8,
    "name": 0.5,
}
CERTAIN = 0.95
"""From this confidence on, a link joins by itself."""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HANDLE = r"[\w.-]*\w"
_STATEMENT = re.compile(
    r"\b(?:(?:i am|i'm|im)(?: also)?\s+"
    # "I'm stuck on reddit" names no account: without @, only what is no word does.
    rf"(?:@(?P<plain>{_HANDLE})|(?P<odd>(?=[\w.-]*[\d_]){_HANDLE}))"
    r"|(?:my (?:other )?(?:account|handle|name) is|find me as|"
    r"(?:i am|i'm) the same person as|i (?:also )?posted (?:it |this )?as)\s+"
    rf"@?(?P<said>{_HANDLE}))"
    r"\s+(?:on|over on|at)\s+(?P<source>[a-z_]+)\b",
    re.IGNORECASE,
)
_LEAST_HANDLE = 6
"""Letters and digits of a handle below which it says nothing."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something by which an account may be recognised: two accounts that share it may be one."""

    kind: Kind
    value: str
    """Normalised; personal data, to be digested before it is stored."""
    own: bool
    """The account has it itself, rather than only naming it."""


def marks(mention: Mention, rules: Rules) -> list[Mark]:
    """The marks of a mention's author; none on a source whose terms forbid the matching."""
    author = mention.author
    if mention.source in rules.unlinked_sources or not (author.id or author.handle):
        return []
    return [*dict.fromkeys(_marks(mention, rules))]


def account_mark(source: str, handle: str) -> str:
    """The value of a mark that names an account."""
    return f"{source.casefold()}:{handle.casefold().removeprefix('@')}"


def _marks(mention: Mention, rules: Rules) -> Iterator[Mark]:
    author = mention.author
    for name in (author.handle, author.id):
        if name:
            yield Mark(kind="statement", value=account_mark(mention.source, name), own=True)
    repost = mention.repost_of is not None or REPOST_PREFIX.match(mention.text)
    said = "" if repost else f"{mention.title or ''} {mention.text}"
    for found in _STATEMENT.finditer(said.replace("’", "'")):
        source = found["source"].casefold()
        if source not in rules.unlinked_sources:
            value = account_mark(source, found["plain"] or found["odd"] or found["said"])
            yield Mark(kind="statement", value=value, own=False)
    if mention.is_private or mention.source in rules.private_sources:
        for name in (author.id, author.handle, author.url):
            if name and (address := normal_address(name, rules.phone_region)):
                yield Mark(kind="address", value=address, own=True)
    else:
        for email in _EMAIL.findall(said):
            yield Mark(kind="given", value=email.casefold(), own=False)
        plain = re.sub(r"[\W_]", "", (author.handle or "").casefold())
        if len(plain) >= _LEAST_HANDLE:
            yield Mark(kind="name", value=plain, own=True)


def normal_address(text: str, region: str) -> str | None:
    """An e-mail address or a telephone number (E.164) as one spelling; None for neither."""
    bare = re.sub(r"^(mailto|tel):", "", text.strip(), flags=re.IGNORECASE)
    if _EMAIL.fullmatch(bare):
        return bare.casefold()
    try:
        number = phonenumbers.parse(bare, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
