"""Names of people in a text, by lists of names and by the words that introduce a name.

No trained tagger: the small ones read some hundred texts a second. A list and a few introductions
read thousands, and an agent can be told why something was masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

Span = tuple[int, int]

_FOLDER: Final = Path(__file__).parent
_NAME = r"[^\W\d_a-zß-öø-ÿ](?:[^\W\d_]+|(?<=[OD])['\u2019][^\W\d_]+)(?:-[^\W\d_]+)?"
_PARTICLE = (
    r"(?:van[ ]der|van[ ]den|van|von|de[ ]la|de|du|da|dos|di|le|la|bin|al|ter|ten|mac|st\.?)"
)
_CAPITALISED = re.compile(
    rf"(?<![\w@#$.'\u2019/-]){_NAME}(?:[ ](?:[A-Z]\.[ ])?(?:{_PARTICLE}[ ])?{_NAME}"
    rf"(?!\w)){{0,3}}(?![\w@])"
)
_TITLED = re.compile(
    r"(?:\b(?:mr|mrs|ms|miss|mx|dr|prof|mnr|mev|herr|frau|se\u00f1ora?|monsieur|madame|signora?)\.?"
    r"|\b(?:full|first|last|sur)?name(?:['\u2019]?s)?(?:[ ](?:is|was))?[ ]?:?"
    r"|\b(?:named|call me|on behalf of|account holder(?: is)?|passenger|in the name of"
    r"|under the name(?: of)?)"
    r"|\b(?:kind|best|warm|many)?[ ]?(?:regards|sincerely|yours truly|yours faithfully)[,.]?)"
    r"[ \n]+$",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"(?:\b(?:i am|i['\u2019]m|this is|spoke (?:to|with)|speak(?:ing)? (?:to|with)|talk(?:ed"
    r"|ing)? (?:to|with)"
    r"|agent|rep|manager|supervisor|driver|steward(?:ess)?|attendant|assistant|consultant|waiter"
    r"|technician|nurse|doctor|pilot|captain|clerk|cashier|lady|guy|man|woman|colleague|husband"
    r"|wife|son|daughter|mother|mom|mum|father|dad|sister|brother|friend|called|thanks"
    r"|thank you|thx"
    r"|kudos to|shout ?out to|props to|cheers|ask(?:ed)? for|contact|served by|helped by|hi"
    r"|hello|hey"
    r"|dear|with|by|from|to|for|and|told|says|signed)[,:]?|[-\u2013\u2014^~])[ ]*$",
    re.IGNORECASE,
)
_TITLES_WORDS: Final = "mr mrs ms miss mx dr prof mnr mev herr frau madame"
_TITLES: Final = frozenset(_TITLES_WORDS.split())
_NEVER_WORDS: Final = """
    the this that and but for not you your our his her they them what when where why how who was
    were are is have has had can could would will should please thanks thank sorry hello hi hey dear
    monday tuesday wednesday thursday friday saturday sunday january february march april june july
    august september october november december christmas easter english french german spanish
    customer service support team airlines airways airport air flight gate terminal street road
    avenue lane city county bank north south east west new old san los las saint still just
    never
    always today tomorrow yesterday here there online app website store shop hotel really very so
    because after before waiting calling trying looking going getting having being god jesus lol
    omg wtf ok okay yes no good great best worst bad happy merry also then than now again all any
    been both did does don every from get got had if in it its let like make me my of off on one
    only
    or other out over same see she he some such take tell to too under up us use we well which
    while with
"""
_NEVER: Final = frozenset(_NEVER_WORDS.split())
_PLACE_LEADS: Final = frozenset(
    {"san", "santa", "st", "saint", "los", "las", "fort", "port", "mount"}
)
_PLACE_ENDS_WORDS: Final = """
    airport field city street road avenue park beach island islands county university college
    hospital hotel stadium international station terminal cup airlines bank
"""
_PLACE_ENDS: Final = frozenset(_PLACE_ENDS_WORDS.split())
_PLACE_BEFORE = re.compile(r"\b(?:playa del|lake|cape|port|mt\.?|fort|city of) $", re.IGNORECASE)
_BEFORE = 40
_MOST_PARTS = 4


def names(text: str) -> Iterator[Span]:
    """Where people are named, in order. Never raises because of what the text holds.

    A person is named where a capitalised given name of the list stands inside a sentence or
    before another capitalised word, or where words such as ``my name is`` introduce one. Text
    that is all in capitals, or has every word capitalised, is asked for an introduction.
    """
    if text.isupper():
        return
    introduces = not _TITLING.isdisjoint(_RUNS.findall(text.lower()))
    for match in _CAPITALISED.finditer(text):
        found = _person(text, match, introduces)
        if found is not None:
            yield found


def _person(text: str, match: re.Match[str], introduces: bool) -> Span | None:
    """The person of a row of capitalised words.

    Args:
        text: the whole.
        match: the row.
        introduces: whether the text has a word that `_TITLED` cannot do without.
    """
    given, family = _listed("given_names.txt"), _listed("family_names.txt")
    begin = match.start()
    words = [(begin + part.start(), part[0], part[0].lower()) for part in _PART.finditer(match[0])]
    if not introduces and not any(low in given or low in family for _, _, low in words):
        return None  # Most rows: nothing below would find anybody.
    first = next((at for at, (_, _, low) in enumerate(words) if low not in _NEVER), None)
    if first is None or any(low in _PLACE_LEADS for _, _, low in words[:first]):
        return None
    titled = words[first][2] in _TITLES and len(words) > first + 1
    parts = _kept(words[first + titled :])
    heads = [low for _, _, low in parts]
    if heads[-1] in _PLACE_ENDS:
        return None
    before = text[max(0, begin - _BEFORE) : begin] if first == 0 else text[begin : parts[0][0]]
    span = parts[0][0], parts[-1][0] + len(parts[-1][1])
    cased = not any(word.isupper() for _, word, _ in parts)
    if titled or (first == 0 and cased and introduces and _TITLED.search(before)):
        return span
    known = heads[0] in given
    surname = len(parts) > 1 and family.get(heads[-1], False)
    if not (known or surname) or not cased or _PLACE_BEFORE.search(before):
        return None
    if first == 0 and _INTRODUCED.search(before):
        return span if len(parts) > 1 or given[heads[0]] or _SPOKEN.search(before) else None
    if not given.get(heads[0], False) or _has_capitals_everywhere(text):
        return None
    inside = bool(before.strip()) and before.rstrip()[-1:] not in ".!?:\n\u2026"
    return span if len(parts) > 1 or inside or _ACTS.match(text, span[1]) else None


_RUNS = re.compile(r"[^\W\d_]+")
_CLOSINGS: Final = ("regards", "sincerely", "yours")
_TITLING: Final = frozenset(
    {
        *("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "mnr", "mev", "herr", "frau", "señor"),
        *("señora", "monsieur", "madame", "signor", "signora", "named", "call", "behalf"),
        *("holder", "passenger", "truly", "faithfully"),
        *(f"{kind}name{s}" for kind in ("", "full", "first", "last", "sur") for s in ("", "s")),
        *(kind + one for kind in ("", "kind", "best", "warm", "many") for one in _CLOSINGS),
    }
)
"""Words of `_TITLED`, and titles: without one of them nobody is introduced by it."""
_PART = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_ACTS = re.compile(r" (?:at the|in|from|was|told|said|helped|hung|refused|rocks|rocked|is)\b")
_SPOKEN = re.compile(
    r"(?:spoke|speak\w*|talk\w*) (?:to|with) $|(?:i am|this is|called) $", re.IGNORECASE
)


def _kept(parts: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The parts up to the first word that begins something else."""
    for at, (_, _, low) in enumerate(parts[:_MOST_PARTS]):
        if at and low in _NEVER:
            return parts[:at]
    return parts[:_MOST_PARTS]


def _has_capitals_everywhere(text: str) -> bool:
    words = _PART.findall(text)
    return len(words) >= _FEW_WORDS and sum(map(str.islower, words)) * 3 < len(words)


_FEW_WORDS = 6


@cache
def _listed(file: str) -> dict[str, bool]:
    """Names in small letters; False for those that are words or places first."""
    lines = (_FOLDER / file).read_text("utf-8").split()
    return {line.rstrip("?"): not line.endswith("?") for line in lines}
