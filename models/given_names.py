"""Writes ``nlp/given_names.txt`` and ``nlp/family_names.txt``: ``python -m models.given_names``.

The names are those that Faker (MIT licence) lists for the countries below, and South African ones
of our own. A name that people mostly write in small letters in ``sentiment.csv`` and
``airline.csv`` is a word first and is marked with a question mark, as are names of cities and
states: `nlp.person_names` asks for more than the name itself before it believes in those.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from models import data
from models.errors import ModelsError

_LOCALES_WORDS: Final = (
    "en_US en_GB en_IE en_IN en_KE en_NG en_NZ zu_ZA de_DE fr_FR es_ES es_MX it_IT nl_NL pt_PT"
    " pt_BR pl_PL sv_SE da_DK no_NO fi_FI ro_RO cs_CZ hu_HU hr_HR sw yo_NG ig_NG"
)
LOCALES: Final = tuple(_LOCALES_WORDS.split())
GIVEN: Final = ("first_names", "first_names_male", "first_names_female")
FAMILY: Final = ("last_names",)
_SOUTH_AFRICAN_WORDS: Final = """
Thandi Thando Thabo Sipho Lerato Lindiwe Nomsa Nomvula Naledi Bongani Sibusiso Themba Mandla Zanele
Ayanda Andile Lungile Nkosinathi Siyabonga Vusi Zodwa Zinhle Nosipho Nonhle Palesa Tebogo Tshepo
Kagiso Katlego Lebogang Mpho Neo Refilwe Boitumelo Karabo Kgosi Dineo Keabetswe Mmabatho Tumelo
Khanyi Khanya Unathi Anele Luyanda Lwazi Mbali Nandi Ntombi Phindile Precious Simphiwe Sizwe Thulani
Xolani Zola Zukiswa Vuyo Vuyelwa Sindiswa Masego Ofentse Rethabile Tshegofatso Rudzani Khathutshelo
Mulalo Takalani Nyiko Tsakani Pieter Johan Hennie Kobus Gerrit Hendrik Francois Jaco Riaan Deon
Marius Wikus Ruan Stefanus Elmarie Annelie Annetjie Marlize Liezl Chantelle Marietjie Sannie Zelda
Elsabe Christelle Riana Yolandi Fatima Aisha Yusuf Imraan Riyaad Zubeida Shireen Priya Kavitha
Logan Nadine Kershnee Thirushen Naidoo Nqobile Sanele Mthunzi Mzwandile Busisiwe Nompumelelo
"""
SOUTH_AFRICAN: Final = tuple(_SOUTH_AFRICAN_WORDS.split())
_PLACES_WORDS: Final = """
    austin dallas charlotte orlando houston denver phoenix boston chelsea virginia carolina
    georgia florence jackson lincoln madison sydney milan chad jordan kenya india asia america
    china israel london paris dakota montana savannah brooklyn memphis cleveland lexington berlin
    victoria adelaide melbourne alexandria valencia lourdes troy aurora trenton camden holland
    ireland brittany lorraine tyrol verona siena vienna rome roma catalina carmel santa san los las
    puerto costa jet washington mia hayden denny georgian
    logan indy jan oscar carmen diego juan francisco jose late dallas cole
    christian angel easter delta southwest frontier alaska tommy hilfiger burberry dillard norton
    boots kindle alexa siri ford chrysler mercedes lexus wells chase macy kohl nike adidas dell
"""
PLACES: Final = frozenset(_PLACES_WORDS.split())
_PLAIN = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]{3,})?")
_WORD = re.compile(r"(?<![@#\w])[^\W\d_]{3,}(?!\w)")


def listed_names(groups: Sequence[str]) -> set[str]:
    """Names of all the countries, in their own capitals."""
    found: set[str] = set()
    for locale in LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for group in groups:
            found |= set(getattr(provider, group, None) or ())
    return {name for name in found if _PLAIN.fullmatch(name) and name[0].isupper()}


def doubtful(names: set[str], texts: list[str]) -> set[str]:
    """The names, in small letters, that are words or places first."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for text in texts:
        for word in _WORD.findall(text):
            (small if word.islower() else large)[word.lower()] += 1
    words = {word for word, count in small.items() if count >= 2 and count > 0.3 * large[word]}
    return (words | PLACES) & {name.lower() for name in names}


def main(
    data_folder: Annotated[Path, typer.Option("--data", help="Folder of the labelled sets.")],
    output: Annotated[Path, typer.Option(help="Where to.")] = Path("nlp"),
) -> None:
    """Write the lists of names."""
    try:
        rows = data.sentiment(data_folder) + data.airline(data_folder)
    except ModelsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    texts = [row.text for row in rows]
    for file, names in (
        ("given_names.txt", listed_names(GIVEN) | set(SOUTH_AFRICAN)),
        ("family_names.txt", listed_names(FAMILY)),
    ):
        unsure = doubtful(names, texts)
        lines = sorted({name.lower() + "?" * (name.lower() in unsure) for name in names})
        (output / file).write_text("\n".join(lines) + "\n", "utf-8")
        print(f"{file}: {len(lines)} names, {len(unsure)} of them words or places first")


if __name__ == "__main__":
    typer.run(main)
