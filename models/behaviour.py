"""The behavioural suite in the manner of CheckList (Ribeiro et al., ACL 2020).

``python -m models.behaviour MODEL`` prints the failure rate of each capability of a shipped model
(its name) or of any model's folder. The cases are our own, in ``models/behaviour.toml``, and with
``--languages`` those of ``behaviour_languages.toml``; templates multiply them. Three kinds of test:

* minimum functionality: a text must (or must not) be read as a complaint, or have a sentiment;
* invariance: a change that means nothing (another handle, a link, a typo) must not turn the verdict
  nor move the probability by more than `TOLERANCE`;
* direction: a change must not move the probability of a complaint the wrong way by more than
  `SLACK` (an insult added may not lower it, a thank-you added may not raise it).

Whether a text is about the brand or a namesake is no model's to say but `nlp.brand`'s: such cases
are judged by it, with the words that an operator would give, of the file's ``[brand]``.
"""

from __future__ import annotations

import itertools
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import typer

from models import registry
from models.errors import ModelsError
from nlp.brand import BrandReader, BrandWords
from nlp.errors import NlpError
from nlp.loading import load
from nlp.reader import Reader, Reading

SUITE: Final = Path(__file__).with_name("behaviour.toml")
LANGUAGES: Final = Path(__file__).with_name("behaviour_languages.toml")
"""Complaints in other languages than English."""
TOLERANCE: Final = 0.2
SLACK: Final = 0.05

Kind = Literal["minimum", "invariance", "direction"]
Expected = Literal[
    "complaint", "no complaint", "negative", "positive", "not negative", "theirs", "not theirs"
]


class Test(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test of the file; its texts may hold ``{name}``, filled from the file's word lists."""

    capability: str
    name: str
    kind: Kind
    texts: tuple[str, ...] = ()
    expect: Expected | None = None
    """Of a minimum functionality test."""
    change: Mapping[str, str] = {}
    """Of the others: ``before`` and ``after`` are put around a text, or ``from`` becomes ``to``."""
    direction: Literal["up", "down"] | None = None
    """Where a direction test allows the probability of a complaint to go."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One text, or a text and its changed form, and what must hold."""

    test: Test
    text: str
    changed: str | None = None
    brand: BrandReader | None = None
    """Of a case of whose name it is."""


def cases(suite: Path = SUITE) -> list[Case]:
    """All cases of a suite, in the order of its file; a template without its words is an error.

    Raises:
        ValueError: if the file is not a suite.
    """
    document = tomllib.loads(suite.read_text("utf-8"))
    words: dict[str, list[str]] = document.pop("words", {})
    brand = BrandReader(msgspec.convert(document.pop("brand", {}), BrandWords))
    tests = msgspec.convert(document.get("test", []), tuple[Test, ...])
    return [case for test in tests for case in _cases(test, words, brand)]


def failures(reader: Reader, chosen: Sequence[Case]) -> list[Case]:
    """The cases that a model fails, in their order."""
    texts = sorted({text for case in chosen for text in (case.text, case.changed) if text})
    read = dict(zip(texts, reader.read(texts), strict=True))
    return [
        case
        for case in chosen
        if not _holds(case, read[case.text], read[case.changed or case.text])
    ]


def failure_rates(reader: Reader, chosen: Sequence[Case]) -> dict[str, dict[str, float]]:
    """By capability, in the file's order: how many cases there are, how many fail, the share."""
    failed = failures(reader, chosen)
    rates = {}
    for capability in dict.fromkeys(case.test.capability for case in chosen):
        count = sum(case.test.capability == capability for case in chosen)
        wrong = sum(case.test.capability == capability for case in failed)
        rates[capability] = {"cases": count, "failed": wrong, "rate": round(wrong / count, 3)}
    return rates


def table(rates: Mapping[str, Mapping[str, float]]) -> str:
    """The rates as the lines of a card."""
    lines = [
        f"| {capability} | {rate['cases']:,} | {rate['rate']:.1%} |"
        for capability, rate in rates.items()
    ]
    return "\n".join(["| capability | cases | fail |", "| --- | --- | --- |", *lines])


def _cases(test: Test, words: Mapping[str, Sequence[str]], brand: BrandReader) -> Iterator[Case]:
    for template in test.texts:
        for text in _filled(template, words):
            if test.kind == "minimum":
                whose = test.expect in ("theirs", "not theirs")
                yield Case(test=test, text=text, brand=brand if whose else None)
            elif (changed := _changed(text, test.change)) != text:
                yield Case(test=test, text=text, changed=changed)


def _filled(template: str, words: Mapping[str, Sequence[str]]) -> Iterator[str]:
    names = [name for name in words if "{" + name + "}" in template]
    for chosen in itertools.product(*(words[name] for name in names)):
        text = template
        for name, word in zip(names, chosen, strict=True):
            text = text.replace("{" + name + "}", word)
        if "{" in text:
            raise ValueError(
                f"{template!r} has a word list that the suite lacks; add it to [words]"
            )
        yield text


def _changed(text: str, change: Mapping[str, str]) -> str:
    plain = text.replace(change.get("from", ""), change.get("to", "")) if "from" in change else text
    return change.get("before", "") + plain + change.get("after", "")


def _holds(case: Case, first: Reading, second: Reading) -> bool:
    test = case.test
    if case.brand is not None:
        return (case.brand.verdict(case.text) == "theirs") == (test.expect == "theirs")
    if test.kind == "minimum":
        return _is_as_expected(test, first)
    before, after = first.complaint_probability, second.complaint_probability
    if before is None or after is None:
        return False
    if test.kind == "invariance":
        return first.complaint == second.complaint and abs(after - before) <= TOLERANCE
    return after >= before - SLACK if test.direction == "up" else after <= before + SLACK


def _is_as_expected(test: Test, reading: Reading) -> bool:
    match test.expect:
        case "complaint":
            return reading.complaint is True
        case "no complaint":
            return reading.complaint is False
        case "not negative":
            return reading.sentiment in ("neutral", "positive")
    return reading.sentiment == test.expect


def folder_of(model: str) -> Path:
    """The folder of a shipped model's name, or the folder that is named.

    Raises:
        ModelUnknown: if it is neither.
    """
    given = Path(model)
    return given if (given / "metadata.json").is_file() else registry.folder(model)


def main(
    model: Annotated[str, typer.Argument(help="A shipped model, or a folder.")] = registry.DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON on stdout.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the cases that fail.")] = False,
    languages: Annotated[
        bool, typer.Option("--languages", help="The cases in other languages instead.")
    ] = False,
) -> None:
    """Print the failure rate of each capability."""
    try:
        reader = load(folder_of(model))
        chosen = cases(LANGUAGES if languages else SUITE)
        rates: dict[str, Any] = failure_rates(reader, chosen)
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.write(msgspec.json.encode(rates).decode() + "\n")
        return
    for capability, rate in rates.items():
        print(f"{capability:24} {rate['failed']:4} of {rate['cases']:4} fail, {rate['rate']:.1%}")
    if show:
        for case in failures(reader, chosen):
            print(
                f"  {case.test.capability}, {case.test.name}: {case.text!r} {case.changed or ''!r}"
            )


if __name__ == "__main__":
    typer.run(main)
