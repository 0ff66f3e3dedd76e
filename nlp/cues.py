"""Words that change what is done about a mention, or say what it is about.

The words are the operator's, in a TOML file (``cues.toml`` by default, which says how to write
one, and how to add to it). They are matched by spaCy's tokenizer and matchers, without a trained
pipeline; amounts and dates by regular expressions of the same file.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec
import spacy
from spacy.attrs import LOWER, ORTH  # type: ignore[import-not-found]
from spacy.language import Language
from spacy.matcher import Matcher, PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans
from spacy.vocab import Vocab

from nlp.assessment import Cue, CueKind
from nlp.cue_phrases import PhraseError, has_gap, parts, patterns, readings
from nlp.cue_sieve import Sieve, commonness
from nlp.errors import CuesInvalid
from nlp.listed import Listed, Names
from nlp.text import MODEL_CHARACTERS

DEFAULT: Final = Path(__file__).with_name("cues.toml")

LANGUAGES: Final = frozenset({"en"})
"""Of the texts that are searched: words of one language mean something else in another."""
_KINDS: Final = frozenset((*get_args(CueKind), "amount", "date"))
_UNLESS: Final = "unless:"
_WINDOW: Final = 7
_MOST_WORDS: Final = 60_000
"""Remembered at once; some 15 MB."""
_BREAKS: Final = frozenset({".", "!", "?", ";", ":", "...", "but", "\n"})
_NEGATIONS: Final = frozenset(
    {"not", "n't", "no", "never", "nobody", "none", "neither", "nor", "without", "hardly"}
    | {"barely", "cannot", "cant", "dont", "wont", "isnt", "wasnt", "didnt", "doesnt", "nothing"}
)
_NOT_NEGATING: Final = frozenset({"only", "just", "wonder", "believe", "matter", "doubt"})
_SUBJECTS: Final = frozenset({"i", "we", "you", "they", "he", "she"})
"""A clause begins with them, unless an opinion stands before: "I don't think we will leave"."""
_OPINIONS: Final = frozenset({"think", "thought", "believe", "say", "said", "mean", "feel", "if"})
_CONDITIONS: Final = frozenset({"if", "unless", "whether", "case", "suppose", "imagine"})
_SURROGATE = re.compile(r"[\ud800-\udfff]")


_Gapped = tuple[list[frozenset[int]], Matcher]
"""The choices of the other places of a phrase with gaps, as spaCy's hashes, and what finds it."""


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    negatable: bool = True
    hypothetical: bool = True


class CueFinder:
    """Finds cues by the phrases of one file, and products and places by the operator's lists.

    Safe to call from several threads.
    """

    def __init__(self, rules: Mapping[str, _Rules], products: Names, places: Names) -> None:
        self._rules = rules
        self._products, self._places = products, places
        self._patterns = [(kind, _compiled(rule)) for kind, rule in rules.items() if rule.patterns]
        self._lock = threading.Lock()
        self._build()

    def _build(self) -> None:
        """The pipeline and its matchers, with a vocabulary of nothing but their words."""
        # Phrases are compared in small letters; no other property of a word is asked for.
        vocab = Vocab(lex_attr_getters={LOWER: str.lower})
        self._pipeline = spacy.blank("en", vocab=vocab)
        self._phrases = PhraseMatcher(vocab, attr="LOWER")
        self._gapped: dict[int, list[_Gapped]] = defaultdict(list)
        self._sieve = Sieve(_split(self._pipeline))
        for kind, rule in self._rules.items():
            self._add(kind, rule.words)
            self._add(_UNLESS + kind, rule.unless)
        self._listed = Listed(self._pipeline, {"product": self._products, "place": self._places})
        for form in self._listed.forms:
            self._sieve.add([[word] for word in form])
        self._own_words = len(vocab)

    def find(self, texts: Sequence[str]) -> list[tuple[Cue, ...]]:
        """The cues of each text's first ``MODEL_CHARACTERS`` characters, in order of place.

        Cues of one kind do not overlap: the longest counts.
        """
        with self._lock:
            # A stream's new words pile up in the vocabulary. Its memory zones would drop them, but
            # the tokenizer caches nothing in a zone, and is three times slower.
            if len(self._pipeline.vocab) > self._own_words + _MOST_WORDS:
                self._build()
            return [self._cues(_plain(text)) for text in texts]

    def _add(self, label: str, written: Iterable[str]) -> None:
        vocab = self._pipeline.vocab
        for phrase in written:
            if not label.startswith(_UNLESS):
                for words in readings(phrase) if not has_gap(phrase) else [parts(phrase)]:
                    self._sieve.add([[word] if isinstance(word, str) else word for word in words])
            if has_gap(phrase):
                matcher = Matcher(vocab)
                matcher.add(label, patterns(phrase), greedy="LONGEST")
                first, *others = sorted(parts(phrase), key=commonness)
                rest = [frozenset(map(vocab.strings.add, place)) for place in others]
                for word in first:
                    self._gapped[vocab.strings.add(word)].append((rest, matcher))
            else:
                docs = [Doc(vocab, words=words) for words in readings(phrase)]
                self._phrases.add(label, docs)

    def _matches(self, doc: Doc) -> dict[str, list[Span]]:
        spans: dict[str, list[Span]] = defaultdict(list)
        for span in self._phrases(doc, as_spans=True):
            spans[span.label_].append(span)
        words = set(doc.to_array(LOWER).tolist())
        # Most texts lack one of a phrase's words, and asking for them is cheaper than matching.
        matchers = {
            id(matcher): matcher
            for word in words & self._gapped.keys()
            for others, matcher in self._gapped[word]
            if not any(place.isdisjoint(words) for place in others)
        }
        for matcher in matchers.values():
            for span in matcher(doc, as_spans=True):
                spans[span.label_].append(span)
        return spans

    def _cues(self, text: str) -> tuple[Cue, ...]:
        cues = [*self._by_pattern(text)]
        if self._sieve.lets_through(text):
            doc = self._pipeline.make_doc(text)
            cues = [*self._by_words(doc), *cues, *self._listed.find(doc)]
        return tuple(sorted(cues, key=lambda cue: (cue.start, cue.kind)))

    def _by_pattern(self, text: str) -> Iterator[Cue]:
        for kind, pattern in self._patterns:
            for match in pattern.finditer(text):
                yield Cue(
                    kind=cast("CueKind", kind), text=match[0], start=match.start(), end=match.end()
                )

    def _by_words(self, doc: Doc) -> list[Cue]:
        spans = self._matches(doc)
        if not spans:
            return []
        return [
            Cue(
                kind=cast("CueKind", kind), text=span.text, start=span.start_char, end=span.end_char
            )
            for kind in spans.keys() & self._rules.keys()
            for span in filter_spans(_kept(spans[kind], spans.get(_UNLESS + kind, ())))
            if not (self._rules[kind].negatable and _is_negated(doc, span))
            and (self._rules[kind].hypothetical or not _is_conditional(doc, span))
        ]


def load_cues(
    path: Path | None = None, *, products: Names | None = None, places: Names | None = None
) -> CueFinder:
    """The finder of a file of cues; of the one that comes with Outcry by default.

    Args:
        path: the file.
        products: the operator's products, each with the other ways to write it.
        places: the operator's places, likewise.

    Raises:
        CuesInvalid: if the file cannot be read, or is not a file of cues.
    """
    if path is None and not products and not places:
        return _default()
    rules = _read(DEFAULT) if path is None else _read(path)
    return CueFinder(rules, products or {}, places or {})


@cache
def _default() -> CueFinder:
    return CueFinder(_read(DEFAULT), {}, {})


def _read(path: Path) -> dict[str, _Rules]:
    hint = f"see {DEFAULT.name} of Outcry for the layout"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        extends = table.pop("extends", False)
        if not isinstance(extends, bool):
            raise PhraseError("extends must be true or false")
        rules = msgspec.convert(table, type=dict[str, _Rules])
        for rule in rules.values():
            for phrase in (*rule.words, *rule.unless):
                _check(phrase)
            _compiled(rule)
            if not (extends or rule.words or rule.patterns):
                raise PhraseError("a kind has neither words nor patterns")
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, PhraseError, re.error) as error:
        raise CuesInvalid(f"{path} is not a file of cues ({error}); {hint}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CuesInvalid(f"cannot read the cues in {path} ({error}); {hint}") from error
    unknown = sorted(set(rules) - _KINDS)
    if unknown:
        known = ", ".join(sorted(_KINDS))
        raise CuesInvalid(f"{path} has a kind of cue unknown here, {unknown[0]!r}; use {known}")
    return _joined(_read(DEFAULT), rules) if extends else rules


def _joined(shipped: dict[str, _Rules], own: dict[str, _Rules]) -> dict[str, _Rules]:
    """The shipped rules and the operator's: phrases add up, switches are the operator's."""
    return shipped | {
        kind: msgspec.structs.replace(
            rule,
            words=(*shipped[kind].words, *rule.words),
            unless=(*shipped[kind].unless, *rule.unless),
            patterns=(*shipped[kind].patterns, *rule.patterns),
        )
        if kind in shipped
        else rule
        for kind, rule in own.items()
    }


def _compiled(rule: _Rules) -> re.Pattern[str]:
    # Each by itself first, so that a mistake is told of the one that has it.
    alternatives = [f"(?:{re.compile(one, re.VERBOSE).pattern})" for one in rule.patterns]
    # A place that no pattern can begin at is left after one look instead of one a pattern.
    begin = r"\b" if all(one.lstrip().startswith(r"\b") for one in rule.patterns) else ""
    return re.compile(f"{begin}(?:{'|'.join(alternatives)})", re.IGNORECASE | re.VERBOSE)


def _split(pipeline: Language) -> dict[str, list[str]]:
    """Spellings that a tokenizer has rules of their own for, and the words that they become."""
    tokenizer: Any = pipeline.tokenizer
    return {written: [part[ORTH] for part in made] for written, made in tokenizer.rules.items()}


def _check(phrase: str) -> None:
    patterns(phrase) if has_gap(phrase) else readings(phrase)


def _plain(text: str) -> str:
    """The text as phrases are written, with every character where it was."""
    cut = text[:MODEL_CHARACTERS].replace("\u2019", "'")
    return _SURROGATE.sub("\ufffd", cut)


def _kept(spans: Iterable[Span], unless: Sequence[Span]) -> list[Span]:
    return [
        span
        for span in spans
        if not any(span.start < stop.end and stop.start < span.end for stop in unless)
    ]


def _before(doc: Doc, span: Span) -> list[str]:
    """The few words before a span, back to the beginning of its clause; nearest first."""
    words: list[str] = []
    subject = doc[span.start].lower_ in _SUBJECTS
    for at in range(span.start - 1, max(-1, span.start - 1 - _WINDOW), -1):
        word = doc[at].lower_
        if word in _BREAKS or "\n" in word or (subject and word not in _OPINIONS):
            break
        words.append(word)
        subject = word in _SUBJECTS
    return words


def _is_negated(doc: Doc, span: Span) -> bool:
    after = doc[span.start].lower_
    for word in _before(doc, span):
        if word in _NEGATIONS and after not in _NOT_NEGATING:
            return True
        if word == ",":
            return False
        after = word
    return False


def _is_conditional(doc: Doc, span: Span) -> bool:
    return any(word in _CONDITIONS for word in _before(doc, span))
