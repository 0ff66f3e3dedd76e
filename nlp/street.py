"""Street addresses in a text, as they are written in English and in neighbouring languages.

Patterns of our own: the kept libraries either parse what is already known to be an address, or
read one country. A number and the name of a street are wanted; where the name is in small
letters the words between must not be those of a journey ("20 minutes down the street").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

_UNIT = (
    r"(?:(?:unit|flat|apt|apartment|suite|ste|shop|block|room|erf|stand|plot)\.?[ ]?\#?[ ]?"
    r"(?:\d{1,5}[a-z]?|[a-z]\d{0,4})\b,?[ ]+)?"
)
_NUMBER = r"(?<![\w.,:/$£€#@-])\d{1,5}[a-z]?(?:[-/]\d{1,4})?"
_TYPE = (
    r"(?:street|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|crescent|cres|close|court|ct"
    r"|terrace|square|sq|highway|hwy|parkway|pkwy|circle|cir|trail|trl|grove|gardens|mews|rise|row"
    r"|hill|view|walk|way|place|pl|plaza|alley|wharf|quay|crossing|st|str|common|heights|loop|pike"
    r"|ridge|park|green|bypass|estate|estates|station|point|landing|meadow|meadows|path|run"
    r"|turnpike"
    r"|shore|shores|manor|junction|junctions|island|islands|field|fields|forest|forge|fork|forks"
    r"|glen|harbor|haven|hollow|isle|lake|lakes|mill|mills|mission|mountain|orchard|oval|pass|pine"
    r"|pines|plain|plains|port|prairie|ramp|ranch|rapid|rest|river|spring|springs|spur|stream"
    r"|summit|track|tunnel|union|valley|via|viaduct|village|ville|vista|well|wells|bridge|brook"
    r"|burg|canyon|cape|causeway|center|centers|cliff|cliffs|club|corner|corners|course|cove|coves"
    r"|creek|crest|curve|dale|dam|divide|expressway|extension|extensions|falls|ferry|flat|flats"
    r"|ford|fort|freeway|garden|gateway|groves|inlet|key|keys|knoll|knolls|lodge|mall|motorway"
    r"|neck|overpass|passage|radial|roads|route|skyway|stravenue|throughway|trace|trafficway"
    r"|underpass|valleys|views|villages|walks|wall|ways|stradd?e)"
)
_PLAIN_TYPE = r"(?:street|avenue|road|lane|drive|boulevard|crescent|terrace|close|ave|blvd|rd|st)"
_POSTCODE = (
    r"(?:\b[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}\b|\b(?:[A-Z]{2}[ ])?\d{5}(?:-\d{4})?\b|\b\d{4}\b"
    r"|\b\d{4}[ ]?[A-Z]{2}\b)"
)
_TAIL = (
    r"(?:,?[ ](?:apt|unit|flat|suite|ste|room|\#)\.?[ ]?\#?\w{1,5}\b)?"
    r"(?:,[ ]?(?-i:[A-Z][\w'\u2019.-]+(?:[ ][A-Z][\w'\u2019.-]+){0,2})){0,3}"
    rf"(?:,?[ ]{{1,2}}{_POSTCODE})?"
)
_JOURNEY = (
    r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|miles?|kms?|times?|people|cars?"
    r"|on|down"
    r"|in|the|my|your|our|his|her|of|to|at|for|from|and|a|is|was|off|up|by|with|this|that|flights?"
    r"|more|pm|am|percent|dollars?|way|no|out|into|over|under|all|it|i|you|we|they|per|x)"
)
_NAMED = r"(?-i:(?:[NSEW]\.?|[A-Z][\w'\u2019.-]*|\d{1,3}(?:st|nd|rd|th)|of|the|de|van|der|la))"
_ENGLISH = re.compile(
    rf"{_UNIT}{_NUMBER},?[ ]+(?:(?:{_NAMED}[ ]+){{1,4}}?(?-i:(?=[A-Z])){_TYPE}\b\.?"
    rf"|(?:(?!{_JOURNEY}\b)[^\W\d_][\w'\u2019-]*[ ]+){{1,3}}?{_PLAIN_TYPE}\b\.?(?![ ]?(?:ago"
    rf"|trip)))"
    rf"(?:[ ](?:N|S|E|W|NE|NW|SE|SW|north|south|east|west)\b)?{_TAIL}",
    re.IGNORECASE,
)
_BOX = re.compile(
    r"\b(?:p\.?[ ]?o\.?[ ]?box|private[ ]bag)[ ]?[x#]?\d{1,6}\b" + _TAIL, re.IGNORECASE
)
_UK_POSTCODE = re.compile(
    r"\b(?!(?:ID|NO)\d)(?:[A-PR-UWYZ]\d{1,2}|[A-PR-UWYZ][A-HK-Y]\d{1,2}|[A-PR-UWYZ]\d[A-HJKPSTUW]"
    r"|[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRVWXY])[ ]\d[ABD-HJLNP-UW-Z]{2}\b"
)
_SUFFIXED = re.compile(
    r"\b[A-ZÄÖÜ][\w\u00df-]*(?i:stra(?:\u00df|ss)e|str\.|gasse|weg|platz|allee|damm|ufer|straat"
    r"|laan"
    r"|plein|gracht|kade|singel|dreef|gatan|v\u00e4gen|vej|gade|gata|veien|katu)"
    r"[ ]\d{1,4}(?:[-/]\d{1,3})?(?:[ ]?[a-zA-Z]\b)?(?:,?[ ]\d{4,5}(?:[ ]?[A-Z]{2}\b)?)?"
    r"(?:,?[ ][A-ZÄÖÜ][\w-]+)?"
)
_CAPITALS = r"[A-Z][\w'\u2019.-]*(?:[ ][A-Z][\w'\u2019.-]*){0,3}"
_AMERICAN = re.compile(
    rf"\b(?:\d{{1,6}}|PSC|USNV|USCGC|USS|Unit)[ ](?:\d{{1,5}},?[ ])?{_CAPITALS}(?:[ ]\d{{1,5}})?"
    rf"(?:,[ ]?{_CAPITALS}(?:[ ]\d{{1,5}})?){{0,2}},?[ ][A-Z]{{2}}[ ]\d{{5}}(?:-\d{{4}})?\b"
)
_BEFORE_POSTCODE = re.compile(
    rf"\b(?:(?:Flat|Unit|Studio|Apartment)[ ]\w{{1,5}},?[ ])?(?:\d{{1,4}}[a-z]?[ ])?{_CAPITALS}"
    rf"(?:,[ ]{_CAPITALS}){{0,2}},?[ ][A-Z]{{1,2}}\d[A-Z\d]?[ ]\d[A-Z]{{2}}\b"
)
_INTRODUCED = re.compile(
    r"(?:\baddress(?:[ ]is|:)|\b(?:live|lives|living)[ ](?:at|on)|\bdeliver(?:ed)?"
    r"(?:[ ]it)?[ ]to)[ ]"
    r"(?P<where>(?=[^\n@\#]{0,40}\d)(?-i:[A-Z\d\u00c0-\u00de]|c/|rue|calle|chemin"
    r"|boulevard)[\w'\u2019./-]*"
    r"(?:,?[ ](?:(?-i:[A-Z\d\u00c0-\u00de])[\w'\u2019./-]*|de|la|du|des|del|los|las|of)"
    r"(?![\w@])){1,11})",
    re.IGNORECASE,
)
_ROMANCE = re.compile(
    r"\b(?:\d{1,4}(?:[ ]?(?:bis|ter))?,?[ ](?:rue|avenue|boulevard|place|chemin|all\u00e9e"
    r"|impasse|quai"
    r"|cours|route)[ ](?:(?:de|du|des|la|le|les)[ ]|d['\u2019]|l['\u2019])*"
    r"(?-i:[A-Z\u00c0-\u00de])[\w'\u2019-]+"
    r"(?:[ ](?-i:[A-Z\u00c0-\u00de])[\w'\u2019-]+)*"
    r"|(?:calle|c/|avenida|avda\.?|plaza|paseo|carrer|rua|via|viale|piazza|corso|strada|vicolo"
    r"|contrada"
    r"|borgo|ulica|ul\.|al\.|aleja|travessa|largo|rambla|glorieta|ronda|cuesta|vial|camino)[ ]"
    r"(?:(?:de|del|la|las|los|el|da|do|das|dos|della|dei|san|santa)[ ])*"
    r"(?-i:[A-Z\u00c0-\u00de\u0141\u015a\u017b])"
    r"[\w'\u2019.-]+(?:[ ](?:(?:de|del|la|da|do|dos)[ ])*"
    r"(?-i:[A-Z\u00c0-\u00de])[\w'\u2019.-]+){0,3},?[ ]"
    r"(?:n[\u00ba\u00b0o.]*[ ]?)?\d{1,4}(?:/\d{1,4})?\b)(?:,?[ ]\d{2}-?\d{3}\b)?(?:,?[ ]"
    r"(?-i:[A-Z])[\w-]+)?",
    re.IGNORECASE,
)


_DIGIT = re.compile(r"\d")
_RUNS = re.compile(r"[^\W\d_]+")
_HOUSE = re.compile(r"(?<![\w.,:/$£€#@-])\d{1,5}[a-z]?(?:[-/]\d{1,4})?,?[ ]", re.IGNORECASE)
_CODE_AT_END = re.compile(r"[A-Z]\d[A-Z\d]?[ ]\d[A-Z]{2}")
_STATE = re.compile(r"[ ][A-Z]{2}[ ]\d{5}")
_SPACED_NUMBER = re.compile(r"[ ]\d")
_ENDINGS = (
    *("straße", "strasse", "str.", "gasse", "weg", "platz", "allee", "damm", "ufer", "straat"),
    *("laan", "plein", "gracht", "kade", "singel", "dreef", "gatan", "vägen", "vej", "gade"),
    *("gata", "veien", "katu"),
)
_LONGEST_ENDING = max(map(len, _ENDINGS))
_TYPES = frozenset(_TYPE.removeprefix("(?:").removesuffix(")").split("|")) | {"strade", "stradde"}
_LEADING_WORDS: Final = """
    rue avenue boulevard place chemin allée impasse quai cours route calle c avenida avda plaza
    paseo carrer rua via viale piazza corso strada vicolo contrada borgo ulica ul al aleja travessa
    largo rambla glorieta ronda cuesta vial camino
"""
_LEADING = frozenset(_LEADING_WORDS.split())
_BOXED = frozenset({"box", "boxx", "pobox", "poboxx", "obox", "oboxx", "bag", "bagx"})
_ANNOUNCING = frozenset({"address", "live", "lives", "living", "deliver", "delivered"})


def addresses(text: str) -> Iterator[Span]:
    """Where street addresses, post boxes and British postcodes stand; in no order, may overlap."""
    if not _DIGIT.search(text):
        return
    for pattern, group in _possible(text, frozenset(_RUNS.findall(text.lower()))):
        for match in pattern.finditer(text):
            yield match.span(group)


def _possible(text: str, words: frozenset[str]) -> Iterator[tuple[re.Pattern[str], int]]:
    """The patterns that a text may match, by cheaper looks at what each cannot do without."""
    if words & _ANNOUNCING:
        yield _INTRODUCED, 1
    if _STATE.search(text):
        yield _AMERICAN, 0
    if _CODE_AT_END.search(text):
        yield _BEFORE_POSTCODE, 0
        yield _UK_POSTCODE, 0
    if not words.isdisjoint(_TYPES) and _HOUSE.search(text):
        yield _ENGLISH, 0
    if words & _BOXED:
        yield _BOX, 0
    if any(_ends_as_a_street(text, match.start()) for match in _SPACED_NUMBER.finditer(text)):
        yield _SUFFIXED, 0
    if not words.isdisjoint(_LEADING):
        yield _ROMANCE, 0


def _ends_as_a_street(text: str, end: int) -> bool:
    return text[max(0, end - _LONGEST_ENDING) : end].lower().endswith(_ENDINGS)
