"""Identity numbers of people, and account numbers, by the check digits of python-stdnum.

A number with letters in fixed places and a check digit speaks for itself; a row of digits only
where the words before it say what it is, because one number in ten or eleven passes by chance.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

Span = tuple[int, int]

_BEFORE: Final = 40
_IDENTITY_WORDS = re.compile(
    r"(?<!case )(?<!order )(?<!user )(?<!mail )(?<!ticket )(?<!claim )(?<!action )(?<!booking )"
    r"(?<!customer )(?<!reference )(?<!tweet )(?<!call )\b(?:i\.?d\.?|identity|identification"
    r"|national (?:id|insurance)|passport|ssn|social security"
    r"|ss ?\#|nino|ni (?:number|no)|nhs|tax (?:id|number|file)|itin|pps|ppsn|bsn|sofi|pesel|dni|nie"
    r"|nif|cpr|hetu|personnummer|personal (?:id|number|code)|codice fiscale|steuer-?id"
    r"|sozialvers\w*"
    r"|s\u00e9curit\u00e9 sociale|rijksregister\w*|registre national|cnp|egn|oib|emso|amka"
    r"|rodn\u00e9 \u010d\u00edslo"
    r"|birth number|sin|aadhaar|licen[cs]e (?:number|no)|driver'?s licen[cs]e)\b",
    re.IGNORECASE,
)
_ACCOUNT_WORDS = re.compile(
    r"(?:\b(?:acc(?:ount|t)?|a/c|bank(?:ing)?|savings|cheque|checking|current|transmission|iban"
    r"|sort ?code|routing|branch code|aba|bsb|konto(?:nummer)?|rekening(?:nummer)?|compte|cuenta"
    r"|fnb|absa|nedbank|capitec|standard bank|hsbc|barclays|lloyds|natwest|monzo)\b)"
    r"(?:[ ]?(?:account|acc|acct|number|num|nr|no|\#|is|details|with|at|code|ending|my"
    r"|now)\b\.?)*[ ]*"
    r"[:=\#.-]?[ ]*$",
    re.IGNORECASE,
)
_OTHER_WORDS = re.compile(
    r"\b(?:order|booking|reservation|confirmation|tracking|parcel|invoice|ticket|status|tweet"
    r"|ref(?:erence)?|case|flight|claim|complaint|incident|serial|imei|model|sku|item|pnr)\b",
    re.IGNORECASE,
)
_SHAPES: Final = (
    (r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d{2}){3} ?[A-D]", ""),
    (r"\d{8}-?[A-HJ-NP-TV-Z]", "es.dni"),
    (r"[XYZ]-?\d{7}-?[A-Z]", "es.nie"),
    (r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    (r"\d{6}[-+A-FYXWVU]\d{3}[0-9A-Y]", "fi.hetu"),
    (r"\d{7}[A-W][A-IW]?", "ie.pps"),
    (
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|2[0-9]|3[0-9]|4[0-2]) ?(?:\d{2}"
        r"|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
        "fr.nir",
    ),
    (r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    (r"\d{6}-\d{4}", "se.personnummer"),
)
"""What a number with letters or signs in fixed places looks like, and what checks it."""
_SPEAKING = re.compile(
    rf"(?<![\w@#/-])(?:{'|'.join(f'({shape})' for shape, _ in _SHAPES)})(?![\w-])", re.IGNORECASE
)
_NUMBERED_WORDS: Final = (
    "za.idnr us.ssn us.itin gb.nhs gb.utr nl.bsn pl.pesel de.idnr be.nn se.personnummer dk.cpr"
    " no.fodselsnummer pt.nif ro.cnp bg.egn hr.oib si.emso gr.amka at.vnr cz.rc ee.ik lt.asmens"
    " fr.nir in_.aadhaar ca.sin au.tfn es.dni"
)
_NUMBERED: Final = tuple(_NUMBERED_WORDS.split())
_NUMBER = re.compile(r"(?<![\w@#/.,$\u00a3\u20ac])\d(?:[ ./-]?\d){6,17}(?![\w/]|[.,]\d)")
_PASSPORT = re.compile(
    r"\bpassport\b[^\n\d]{0,24}?\b(?-i:([A-Z]{1,2}\d{6,8}|\d{9}))\b", re.IGNORECASE
)
_SORT_CODE = re.compile(r"\bsort ?code(?: is)?[ :#-]*(\d{2}[- ]?\d{2}[- ]?\d{2})\b", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<![\w@/$\u00a3\u20ac.,])\d(?:[ -]?\d){5,16}(?![\w/%]|[.,]\d)")


def identities(text: str) -> Iterator[Span]:
    """Where identity numbers of people stand; in no order, may overlap.

    Found are those of South Africa, the United Kingdom (National Insurance, NHS), the United
    States and the states of the European Union that python-stdnum knows, and passport numbers.
    """
    for match in _SPEAKING.finditer(text):
        start, module = match.start(), _SHAPES[(match.lastindex or 1) - 1][1]
        if _said(_OTHER_WORDS, text, start) > _said(_IDENTITY_WORDS, text, start):
            continue
        if not module or _is_valid(module, match[0]):
            yield match.span()
    if not _IDENTITY_WORDS.search(text):
        return
    for match in _NUMBER.finditer(text):
        identity = _said(_IDENTITY_WORDS, text, match.start())
        if identity < 0 or identity < _said(_OTHER_WORDS, text, match.start()):
            continue
        if any(_is_valid(module, match[0]) for module in _NUMBERED):
            yield match.span()
    for match in _PASSPORT.finditer(text):
        yield match.span(1)


def accounts(text: str) -> Iterator[Span]:
    """Where the words before a number say that it is an account's; in no order, may overlap."""
    for match in _ACCOUNT.finditer(text):
        if _ACCOUNT_WORDS.search(text[max(0, match.start() - _BEFORE) : match.start()]):
            yield match.span()
    for match in _SORT_CODE.finditer(text):
        yield match.span(1)


def _said(words: re.Pattern[str], text: str, start: int) -> int:
    """How near before a place one of the words ends: larger is nearer, -1 is not at all."""
    before = text[max(0, start - _BEFORE) : start]
    return max((match.end() for match in words.finditer(before)), default=-1)


def _is_valid(module: str, number: str) -> bool:
    return bool(_module(module).is_valid(number))


@cache
def _module(name: str) -> Any:
    return importlib.import_module(f"stdnum.{name}")
