"""Personal data in a text: where it stands, and the text without it.

Every number is checked as what it seems to be (Luhn and issuer, IBAN, national plan, birth date),
because order numbers, booking codes and status links outnumber cards a thousand to one and an
agent needs them. Nothing inside a link or a hashtag is ever touched. The whole text is searched
(for names and addresses its first ``WORDY_CHARACTERS``), in time that grows with its length.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from nlp import national
from nlp.assessment import PersonalData, PersonalDataKind
from nlp.person_names import names
from nlp.street import addresses

Span = tuple[int, int]

LABELS: Final[dict[PersonalDataKind, str]] = {
    "card": "[card]",
    "bank_account": "[bank account]",
    "phone": "[phone]",
    "email": "[email]",
    "id_number": "[id number]",
    "address": "[address]",
    "name": "[name]",
    "handle": "[handle]",
}
"""What stands in the place of each kind."""

WORDY_CHARACTERS: Final = 200_000
"""Names and street addresses are looked for in so much of a text; all else in all of it."""

_PROTECTED = re.compile(
    r"(?:https?://|www\.)\S++"
    r"|(?<![\w.-])[\w-]++(?:\.[\w-]++)++/\S*+"
    r"|(?<![\w.+@-])@\w[\w.-]*+(?:@[\w-]++(?:\.[\w-]++)++)?"
    r"|(?<!\w)[\#$]\w++",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+@%-])[\w.+%-]{1,64}+@(?:[\w-]{1,63}+\.)+[^\W\d_]{2,24}", re.UNICODE)
_GAP = r"[ \u00a0\u202f.\-\u2010-\u2015_]{1,2}+"
_DIGITS = re.compile(rf"(?<![\w+])\d++(?:{_GAP}\d++)*+(?![^\W\d_])")
_GROUP = re.compile(r"\d+")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w.,:/$£€#+-])(?:\+|\(\+?)?\d[\d() .\u00a0\u2010-\u2015/-]{5,22}\d(?![\w%€£$]|:\d)"
)

_REFERENCE = re.compile(
    r"\b(?:order|booking|reservation|confirmation|reference|ref|case|ticket|tracking|track|parcel"
    r"|shipment|waybill|invoice|status|tweet|serial|imei|model|sku|item|flight|policy|claim"
    r"|complaint|request|incident|transaction|record|pnr|account|acct|customer|member|meter|id)\b",
    re.IGNORECASE,
)
_CARD = re.compile(r"\b(?:card|visa|master ?card|amex|credit|debit|cc|pan)\b", re.IGNORECASE)
_CALL = re.compile(
    r"\b(?:call|called|calling|phone|tel|telephone|mobile|cell|ring|whats ?app|text|sms|dial|fax"
    r"|reach|contact|number is|my number|landline|hotline)\b",
    re.IGNORECASE,
)
_IDENTITY = re.compile(r"\b(?:ssn|social security|social sec|ss ?#)", re.IGNORECASE)
_BEFORE = 32
_SHAPES = frozenset(
    {(16,), (15,), (14,), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (8, 8), (4, 4, 4, 4, 3)}
)
_SSN = (3, 2, 4)
_LEAST_FIRST_GROUP = 2
_MOST_GROUPS = 8
_LEAST_CARD_DIGITS, _MOST_CARD_DIGITS = 13, 19
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_DATE = re.compile(r"(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?!\d)")


def find(
    text: str, region: str = "US", public_handles: Collection[str] = ()
) -> tuple[PersonalData, ...]:
    """The personal data of a text, in order and without overlaps.

    Found are payment cards, account numbers, e-mail addresses, telephone numbers (of ``region``,
    ISO 3166, or written with a country code), identity numbers (`nlp.national`), street addresses
    (`nlp.street`), names of people (`nlp.person_names`) and handles. Never raises because of what
    the text holds.

    Args:
        text: as it was written.
        region: the country whose telephone numbers have no country code.
        public_handles: the brand's own, in small letters without ``@``; nobody's data.
    """
    protected = [match for match in _PROTECTED.finditer(text) if not _is_mail(text, match)]
    handles = [match.span() for match in protected if _is_somebody(match[0], public_handles)]
    taken = sorted({match.span() for match in protected})
    found: list[PersonalData] = []
    for kind, spans in _searches(text):
        some = sorted(spans, key=lambda span: (span[0], -span[1]))
        fresh = _outside(some, taken) if some else some
        if kind == "phone":
            fresh = [span for span in fresh if _is_phone(text, span, region)]
        if fresh:
            taken = sorted([*taken, *fresh])
            found += [PersonalData(kind=kind, start=start, end=end) for start, end in fresh]
    found += [PersonalData(kind="handle", start=start, end=end) for start, end in handles]
    return tuple(sorted(found, key=lambda item: item.start))


def _searches(text: str) -> Iterator[tuple[PersonalDataKind, Iterator[Span]]]:
    """What is looked for, the surest first: what one finds is taken from the next."""
    if "@" in text:
        yield "email", _emails(text)
    has_number = _SIX_DIGITS.search(text) is not None
    if has_number:
        yield "bank_account", _accounts(text)
        yield "card", _cards(text)
        yield "id_number", _identities(text)
        yield "id_number", national.identities(text)
        yield "bank_account", national.accounts(text)
    yield "address", addresses(text[:WORDY_CHARACTERS])
    if has_number:
        yield "phone", _phone_like(text)
    yield "name", names(text[:WORDY_CHARACTERS])


def _is_somebody(handle: str, public: Collection[str]) -> bool:
    """Whether a protected stretch is a handle that is not the brand's."""
    return handle[0] == "@" and handle[1:].rstrip(".-").casefold() not in public


def mask(text: str, spans: Iterable[PersonalData]) -> str:
    """The text with each span replaced by its kind in brackets; the rest stays as it is.

    ``spans`` are those of `find` for the same text, in any order.
    """
    pieces, end = [], 0
    for item in sorted(spans, key=lambda item: item.start):
        pieces += [text[end : item.start], LABELS[item.kind]]
        end = item.end
    return "".join([*pieces, text[end:]])


_SIX_DIGITS = re.compile(r"\d(?:[^\n\d]{0,3}\d){5}")


def _is_mail(text: str, match: re.Match[str]) -> bool:
    return "@" in match[0][1:] and "/" not in match[0] and match[0][0] != "@"


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        yield match.span()


def _accounts(text: str) -> Iterator[Span]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        raw, start = match[0], match.start()
        for size in range(len(raw), _SHORTEST_IBAN - 1, -1):
            after = text[start + size : start + size + 1]
            whole = raw[size - 1].isalnum() and not after.isalnum()
            if whole and _checks_out(raw[:size]) and iban.is_valid(raw[:size]):
                yield start, start + size
                break


def _checks_out(account: str) -> bool:
    """ISO 7064 mod 97-10, before the slower look at the country's own format."""
    plain = account.replace(" ", "").replace("-", "").upper()
    if not plain.isascii():
        return False
    return int((plain[4:] + plain[:4]).translate(_BASE_36)) % 97 == 1


_SHORTEST_IBAN = 15
_BASE_36 = {ord(one): str(int(one, 36)) for one in string.ascii_uppercase}


def _cards(text: str) -> Iterator[Span]:
    for groups in _number_runs(text):
        sizes = tuple(end - start for start, end in groups)
        at = 0
        while at < len(groups):
            count = _card_groups(text, groups, sizes, at)
            if count:
                yield groups[at][0], groups[at + count - 1][1]
            at += count or 1


def _card_groups(text: str, groups: list[Span], sizes: tuple[int, ...], at: int) -> int:
    """How many groups from ``at`` on make up a card's number; 0 for none, the most if several."""
    from stdnum import luhn

    digits, best = 0, 0
    if sizes[at] < _LEAST_FIRST_GROUP:
        return 0
    for count, size in enumerate(sizes[at : at + _MOST_GROUPS], start=1):
        digits += size
        if digits > _MOST_CARD_DIGITS:
            break
        if digits < _LEAST_CARD_DIGITS:
            continue
        start, end = groups[at][0], groups[at + count - 1][1]
        number = _ascii_digits(text[start:end])
        if (
            _is_issued(number)
            and luhn.is_valid(number)
            and _card_is_meant(text, start, sizes[at : at + count])
        ):
            best = count
    return best


def _card_is_meant(text: str, start: int, shape: tuple[int, ...]) -> bool:
    meant = _said_before(text, start, _CARD)
    if shape in _SHAPES:
        return meant >= _said_before(text, start, _REFERENCE)
    return meant >= 0 and meant > _said_before(text, start, _REFERENCE)


def _is_issued(number: str) -> bool:
    """Whether the first digits belong to a card network, at that network's lengths."""
    size, two, four = len(number), int(number[:2]), int(number[:4])
    if number[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37):
        return size == 15
    if two in (36, 38, 39) or 300 <= int(number[:3]) <= 305:
        return size == 14
    return (two in (35, 60, 62, 64, 65) or two in (50, *range(56, 60), 67)) and 16 <= size <= 19


def _identities(text: str) -> Iterator[Span]:
    from stdnum.us import ssn
    from stdnum.za import idnr

    for groups in _number_runs(text):
        sizes = tuple(end - start for start, end in groups)
        for at, first in enumerate(sizes):
            count = _identity_groups(sizes, at) if first in _FIRST_OF_IDENTITY else 0
            if not count:
                continue
            start, end = groups[at][0], groups[at + count - 1][1]
            digits = _ascii_digits(text[start:end])
            if len(digits) == _SOUTH_AFRICAN:
                valid = idnr.is_valid(digits) and _said_before(text, start, _ORDERED) < 0
            else:
                valid = ssn.is_valid(digits) and _said_before(text, start, _IDENTITY) >= 0
            if valid:
                yield start, end


def _identity_groups(sizes: tuple[int, ...], at: int) -> int:
    for shape in _IDENTITY_SHAPES:
        if sizes[at : at + len(shape)] == shape:
            return len(shape)
    return 0


_SOUTH_AFRICAN = 13
_IDENTITY_SHAPES = ((13,), (6, 4, 2, 1), (6, 4, 3), _SSN, (9,))
_FIRST_OF_IDENTITY = frozenset(shape[0] for shape in _IDENTITY_SHAPES)
_ORDERED = re.compile(
    r"\b(?:order|booking|tracking|parcel|invoice|ticket|status|tweet|reference|ref)\b",
    re.IGNORECASE,
)


def _phone_like(text: str) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        raw = match[0]
        if len(_LONE_DIGIT.findall(raw)) > _MOST_LONE_DIGITS:
            continue
        start = match.start()
        if raw[0] == "(" and raw.count("(") > raw.count(")"):
            start += 1
        yield start, match.end()


_LONE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")
_MOST_LONE_DIGITS = 2


def _is_phone(text: str, span: Span, region: str) -> bool:
    import phonenumbers

    raw = text[slice(*span)]
    if not _phone_is_meant(text, raw, span[0], region):
        return False
    try:
        number = phonenumbers.parse(_ascii_phone(raw), region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


def _phone_is_meant(text: str, raw: str, start: int, region: str) -> bool:
    """Whether words and writing speak for a telephone number rather than a reference."""
    if _DATE.match(raw):
        return False
    call, reference = _said_before(text, start, _CALL), _said_before(text, start, _REFERENCE)
    trunk = raw[0] == "0" and region not in _WITHOUT_TRUNK_ZERO
    if raw.isdecimal() and not trunk and not raw.startswith("00"):
        return call > reference
    return call >= reference


_WITHOUT_TRUNK_ZERO = frozenset({"US", "CA", "ES", "PT", "PL", "CZ", "DK", "NO", "GR"})


def _said_before(text: str, start: int, words: re.Pattern[str]) -> int:
    """How near before a place one of the words ends: larger is nearer, -1 is not at all."""
    before = text[max(0, start - _BEFORE) : start]
    return max((match.end() for match in words.finditer(before)), default=-1)


def _number_runs(text: str) -> Iterator[list[Span]]:
    for match in _DIGITS.finditer(text):
        if match.end() - match.start() >= 9:
            start = match.start()
            yield [(start + g.start(), start + g.end()) for g in _GROUP.finditer(match[0])]


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return _NOT_A_DIGIT.sub("", text)
    return "".join(str(unicodedata.decimal(one)) for one in text if one.isdecimal())


def _ascii_phone(text: str) -> str:
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)


def _outside(spans: list[Span], taken: list[Span]) -> list[Span]:
    """The spans that touch none of the taken ones, nor one before them; both are sorted."""
    free: list[Span] = []
    at = 0
    for start, end in spans:
        while at < len(taken) and taken[at][1] <= start:
            at += 1
        blocked = at < len(taken) and taken[at][0] < end
        if not blocked and not (free and free[-1][1] > start):
            free.append((start, end))
    return free
