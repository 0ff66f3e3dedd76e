"""Judges the privacy spans: ``python -m models.privacy_figures --data DIR``.

Fakes in the format of the real thing are put into rows of ``complaints.csv`` and ``airline.csv``,
one a row, in a frame that people use, or without any where the thing can be known without. Names
come from mimesis, which the lists of `nlp.person_names` do not know, street addresses from Faker;
numbers are drawn with right check digits. Traps are put in the same way: order, flight, booking
and tracking numbers, prices, times, links and hashtags, which are nobody's. Nothing is stored.

Recall counts a fake as found when a span of its kind covers all of it (or the most of a name or an
address). A span of a kind that the row did not have before and that touches no fake is wrong.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from models.errors import DataMissing, ModelsError
from nlp.assessment import PersonalData
from nlp.privacy import find

SEED: Final = 5
PER_KIND: Final = 400
_MOST: Final = 0.6
"""The share of a name or an address that must be covered."""

Draw = Callable[[random.Random], tuple[str, str]]
"""A frame with ``{}`` for the fake, and the fake."""


def rows(folder: Path) -> list[str]:
    """The texts that fakes are put into.

    Raises:
        DataMissing: if a set is not there.
    """
    found: list[str] = []
    for name in ("complaints.csv", "airline.csv"):
        path = folder / name
        if not path.is_file():
            raise DataMissing(f'{path} is missing; name the folder: --data "$OUTCRY_LABELLED_DATA"')
        with path.open(encoding="utf-8", newline="") as file:
            found += [row["text"] for row in csv.DictReader(file)]
    return found


def privacy_figures(texts: Sequence[str], per_kind: int = PER_KIND) -> dict[str, Any]:
    """Recall by kind of fake, and precision by kind of span; shares of traps left alone."""
    rng = random.Random(SEED)
    hits: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for name, draw in _draws().items():
        kind = name.partition(" ")[0]
        for _ in range(per_kind):
            row = rng.choice(texts)
            region = "ZA" if name.endswith("(ZA)") else "GB" if name.endswith("(GB)") else "US"
            text, start, end = _planted(row, *draw(rng), rng)
            before = Counter(span.kind for span in find(row, region))
            spans = find(text, region)
            covers = [span for span in spans if span.start < end and start < span.end]
            tried[name] += 1
            hits[name] += not covers if kind == "trap" else _is_found(covers, kind, start, end)
            right.update({kind} if any(span.kind == kind for span in covers) else set())
            wrong.update(span.kind for span in covers if span.kind != kind)
            away = Counter(span.kind for span in spans if span not in covers)
            wrong.update(away - before)
    kinds = sorted({*right, *wrong} - {"trap"})
    return {
        "recall": {
            name: round(hits[name] / tried[name], 3) for name in tried if "trap" not in name
        },
        "traps_left_alone": {
            name.removeprefix("trap "): round(hits[name] / tried[name], 3)
            for name in tried
            if "trap" in name
        },
        "precision": {k: round(right[k] / (right[k] + wrong[k]), 3) for k in kinds},
    }


def _is_found(spans: Sequence[PersonalData], kind: str, start: int, end: int) -> bool:
    of_kind = [span for span in spans if span.kind == kind]
    covered = sum(min(span.end, end) - max(span.start, start) for span in of_kind)
    share = _MOST if kind in ("name", "address") else 1.0
    return covered >= share * (end - start)


def _planted(row: str, frame: str, fake: str, rng: random.Random) -> tuple[str, int, int]:
    """The row with the framed fake before it, after it or after its first sentence."""
    before, after = frame.split("{}")
    cut = rng.choice([0, len(row), row.find(". ") + 2 if ". " in row else len(row)])
    head, tail = row[:cut].rstrip(), row[cut:].lstrip()
    head = f"{head} {before}" if head else before
    tail = f"{after} {tail}" if tail else after
    return head + fake + tail, len(head), len(head) + len(fake)


def _draws() -> dict[str, Draw]:
    from faker import Faker
    from mimesis import Locale, Person

    fakers = {locale: Faker(locale) for locale in ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")}
    for number, fake in enumerate(fakers.values()):
        fake.seed_instance(SEED + number)
    people = [
        Person(locale, seed=SEED)
        for locale in (Locale.EN, Locale.EN_GB, Locale.DE, Locale.NL, Locale.FR, Locale.ES)
    ]
    told = _framed(
        "my name is {}", "Name: {}.", "Regards, {}", "I spoke to {}", "under the name {}"
    )
    plain = _framed(
        "{} at the desk was no help",
        "and {} told me otherwise",
        "agent {} hung up",
        "booked for {} and me",
        "thanks to {} anyway",
    )
    where = _framed("my address is {}.", "deliver it to {}", "I live at {},", "{} is where it went")
    call = _framed("call me on {}", "my number is {}.", "Tel: {}", "whatsapp {}", "{} is my cell")
    bare = _framed("{}", "please fix it {}", "{} thanks")
    mail = _framed("mail me at {}", "{} is my email", "({})", "{}")
    account = _framed("account number {}", "my acc no is {}", "bank account {}", "savings acc: {}")
    card = _framed("my card {}", "{}", "card number {}.", "charged to {} twice")
    identity = _framed("my id number is {}", "ID {}", "id no: {}", "identity number {}")
    order = _framed(
        "order {}",
        "my order number is {}",
        "ref {}",
        "tracking {}",
        "booking #{}",
        "case no. {}",
        "invoice {} is wrong",
        "ticket {}",
    )
    draws: dict[str, Draw] = {
        "name full, introduced": lambda r: (told(r), r.choice(people).full_name()),
        "name full, in passing": lambda r: (plain(r), r.choice(people).full_name()),
        "name given only, in passing": lambda r: (plain(r), r.choice(people).first_name()),
        "handle": lambda r: (bare(r), f"@{fakers['en_US'].user_name()}"),
        "email": lambda r: (mail(r), fakers[r.choice(list(fakers))].email()),
        "phone US, with words": lambda r: (call(r), _telephone(r, "US")),
        "phone with words (ZA)": lambda r: (call(r), _telephone(r, "ZA")),
        "phone with words (GB)": lambda r: (call(r), _telephone(r, "GB")),
        "phone bare, with country code": lambda r: (bare(r), _telephone(r, r.choice(_EU), True)),
        "card": lambda r: (card(r), _card(r)),
        "bank_account IBAN": lambda r: (
            bare(r),
            fakers[r.choice(("en_GB", "de_DE", "fr_FR", "es_ES"))].iban(),
        ),
        "bank_account plain, with words": lambda r: (
            account(r),
            _digits(r, r.choice((8, 9, 10, 11))),
        ),
        "id_number South Africa": lambda r: (bare(r), _south_african(r)),
        "id_number US": lambda r: (
            _framed("my ssn is {}", "social security {}")(r),
            fakers["en_US"].ssn(),
        ),
        "id_number UK": lambda r: (bare(r), _national_insurance(r)),
        "id_number EU, with words": lambda r: (identity(r), _european(r)),
        "address US": lambda r: (where(r), fakers["en_US"].address().replace("\n", ", ")),
        "address UK": lambda r: (where(r), fakers["en_GB"].address().replace("\n", ", ")),
        "address DE, FR, ES": lambda r: (
            where(r),
            fakers[r.choice(("de_DE", "fr_FR", "es_ES"))].street_address(),
        ),
        "trap order numbers": lambda r: (order(r), _digits(r, r.choice((7, 8, 9, 10, 11, 12)))),
        "trap booking codes": lambda r: (
            _framed("booking {}", "PNR {}", "conf {}", "{}")(r),
            _code(r),
        ),
        "trap flights": lambda r: (
            _framed("flight {}", "on {}", "flt {} to Boston")(r),
            f"{r.choice(('UA', 'DL', 'AA', 'BA', ''))}{r.randint(100, 5999)}",
        ),
        "trap prices and times": lambda r: (
            _framed("it was {}", "{} already")(r),
            r.choice(
                (
                    f"${r.randint(2, 9999)}.{r.randint(10, 99)}",
                    f"{r.randint(1, 12)}:{r.randint(10, 59)} pm",
                    f"{r.randint(1, 28)}/{r.randint(1, 12)}/20{r.randint(10, 26)}",
                    f"R{r.randint(10, 99999)}",
                    f"{r.randint(2, 90)} minutes",
                )
            ),
        ),
        "trap links and tags": lambda r: (
            bare(r),
            r.choice((f"https://t.test/status/{_digits(r, 18)}", f"#{_digits(r, 9)}")),
        ),
    }
    return draws


_ATTEMPTS: Final = 20
_EU: Final = ("DE", "FR", "ES", "IT", "NL", "PL", "PT", "IE", "SE")


def _framed(*frames: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(frames)


def _digits(rng: random.Random, size: int) -> str:
    return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(size - 1))


def _code(rng: random.Random) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(6))


def _telephone(rng: random.Random, region: str, abroad: bool = False) -> str:
    import phonenumbers as pn

    kind = rng.choice((pn.PhoneNumberType.MOBILE, pn.PhoneNumberType.FIXED_LINE))
    example = pn.example_number_for_type(region, kind)
    assert example is not None, region
    whole = example.national_number or 0
    number = example
    for _ in range(_ATTEMPTS):
        tail = 10 ** rng.randint(4, 6)
        national = whole - whole % tail + rng.randrange(tail)
        other = pn.PhoneNumber(country_code=example.country_code, national_number=national)
        if pn.is_valid_number(other):
            number = other
            break
    forms = [pn.PhoneNumberFormat.INTERNATIONAL, pn.PhoneNumberFormat.E164]
    if not abroad:
        forms = [pn.PhoneNumberFormat.NATIONAL] * 3 + forms
    return str(pn.format_number(number, rng.choice(forms)))


def _card(rng: random.Random) -> str:
    from stdnum import luhn

    body = rng.choice(("4", "51", "55", "2221", "37"))
    size = 15 if body == "37" else 16
    body += _digits(rng, size - 1 - len(body))
    number = body + str(luhn.calc_check_digit(body))
    cuts = (4, 10) if size == 15 else (4, 8, 12)
    ends = zip((0, *cuts), (*cuts, size), strict=True)
    return rng.choice(("", " ", "-")).join(number[start:end] for start, end in ends)


def _south_african(rng: random.Random) -> str:
    from stdnum import luhn

    born = f"{rng.randint(50, 99)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"{born}{rng.randint(0, 9999):04}08"
    return body + str(luhn.calc_check_digit(body))


def _national_insurance(rng: random.Random) -> str:
    letters = rng.choice("ABCEGHJK") + rng.choice("ABCEGHJM")
    if letters in ("BG", "GB", "KN"):
        letters = "AB"
    gap = rng.choice(("", " "))
    pairs = (f"{rng.randint(0, 99):02}" for _ in range(3))
    return gap.join((letters, *pairs, rng.choice("ABCD")))


@cache
def _faker(locale: str) -> Any:
    from faker import Faker

    return Faker(locale)


def _european(rng: random.Random) -> str:
    fake = _faker(
        rng.choice(("es_ES", "it_IT", "nl_NL", "pl_PL", "sv_SE", "fi_FI", "ro_RO", "fr_FR"))
    )
    fake.seed_instance(rng.randrange(10**9))
    return str(fake.ssn())


def main(
    data_folder: Annotated[Path, typer.Option("--data", help="Folder of the labelled sets.")],
    per_kind: Annotated[int, typer.Option(help="Fakes of each kind.")] = PER_KIND,
) -> None:
    """Judge the privacy spans on fakes in real rows."""
    try:
        figures = privacy_figures(rows(data_folder), per_kind)
    except ModelsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    for subject, values in figures.items():
        print(subject)
        for name, value in values.items():
            print(f"  {name:32} {value}")


if __name__ == "__main__":
    typer.run(main)
