"""Commands of analysts: report, search, themes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outcry.exits import InputError
from outcry.session import AsJson, AsOf, emit, note, progress, session_of, time_of

if TYPE_CHECKING:
    from insight.scope import Scope
    from insight.search import Found
    from insight.vectors import Meaning
    from nlp.encoder import BlendedEncoder
    from outcry.session import Progress
    from outcry.settings import Settings
    from triage.store.base import Store

PACKAGES = ("altair", "jinja2", "pandas", "pyarrow", "sklearn", "vl_convert")
ENCODER = "outcry-en"
"""The shipped model whose vectors tell what a post is about."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (report, search, themes):
        app.command()(command)


@contextmanager
def extra() -> Iterator[None]:
    """Say which extra is missing, where it is."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise InputError(
            f"{error.name} is missing; run: pip install 'outcry-triage[analysts]'"
        ) from None


def report(
    context: typer.Context,
    week: Annotated[
        bool, typer.Option("--week", help="The seven days before now.  (default)")
    ] = False,
    month: Annotated[bool, typer.Option("--month", help="The 28 days before now.")] = False,
    incident: Annotated[
        str | None, typer.Option(metavar="ID", help="One incident, from its first post on.")
    ] = None,
    department: Annotated[
        str | None, typer.Option(metavar="NAME", help="One department alone.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to.  (default: report.html)"),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """What people are unhappy about, and whether we keep up: one page for a manager to forward.

    One HTML file that needs no network. With --json the numbers of it instead, a table a line.

    Examples: `outcry report --week --out week.html`, `outcry report --month --department billing`
    """
    if sum((week, month, incident is not None)) > 1:
        raise InputError("--week, --month and --incident exclude each other; choose one")
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with extra(), session.store(settings) as store:
        from insight.figures import figures, tables_of
        from insight.frames import Frames
        from insight.report import page

        scope = _scope(settings, store, now, month, incident, department)
        found = figures(Frames(store), scope, settings.products)
        if found.heard.loc["now", "mentions"] == 0:
            note(_nothing_heard(store, scope))
        if as_json:
            for name, rows in tables_of(found):
                emit({"table": name, "rows": rows})
            return
        made = page(found, now)
    file = out or Path("report.html")
    file.write_text(made, encoding="utf-8")
    note(f"{file}: {scope.title}, {len(made) // 1000} kB")


def search(
    context: typer.Context,
    words: Annotated[str, typer.Argument(help='Words; "in quotes" they stand together.')],
    exact: Annotated[bool, typer.Option("--exact", help="These very words, all of them.")] = False,
    fuzzy: Annotated[bool, typer.Option("--fuzzy", help="Forgive a wrong letter or two.")] = False,
    meaning: Annotated[bool, typer.Option("--meaning", help="In whatever words.")] = False,
    source: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only of this source.")
    ] = None,
    department: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only of this department.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Only in this language.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Not before this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many posts.")] = 20,
    file: Annotated[
        Path | None,
        typer.Option(
            "--export", metavar="FILE", help="Write them as .csv or .parquet.", dir_okay=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Posts about something: without a flag the exact, fuzzy and meant ones as one list.

    By meaning, posts are compared by the vectors of the encoder that we ship, or, without the
    extra encoder, by the company that words keep. The first time takes as long as reading them.

    Examples: `outcry search "no internet" --exact`, `outcry search refund --export refund.csv`
    """
    session = session_of(context)
    settings = session.settings()
    chosen = {"exact": exact, "fuzzy": fuzzy, "meaning": meaning}
    asked: list[Any] = [way for way, wanted in chosen.items() if wanted] or list(chosen)
    if file is not None and file.suffix not in (".csv", ".parquet"):
        raise InputError(f"--export {file} is neither .csv nor .parquet; name it so")
    if not any(letter.isalnum() for letter in words):
        raise InputError("there is no word to look for; write what the posts should be about")
    for name in department or ():
        _known_department(settings, name)
    with extra(), session.store(settings) as store, progress() as shown:
        from insight.frames import Frames
        from insight.search import export
        from insight.search import search as find
        from triage.store.analysis import SearchFilter

        wanted = SearchFilter(
            sources=tuple(source or ()),
            departments=tuple(department or ()),
            languages=tuple(language or ()),
            since=time_of(since, "--since") if since else None,
        )
        vectors = _meaning(shown) if "meaning" in asked else None
        found = find(Frames(store), words, wanted, vectors, asked, limit)
        if file is not None:
            export(found.rows, file)
            note(f"{file}: {len(found.rows)} posts")
    if as_json:
        emit({"total": found.total, "ways": found.ways, "facets": found.facets})
        for row in _plain(found):
            emit(row)
        return
    if found.total == 0:
        note("nothing was found; 'outcry search' without --exact finds more, if anything is there")
        return
    for line in _lines(found):
        typer.echo(line)


def themes(
    context: typer.Context,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="How far back.")] = 4,
    count: Annotated[
        int | None,
        typer.Option(min=2, max=200, help="How many themes.  (default: by the number of posts)"),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """What complaints are about: named themes with examples, and how they grow.

    A theme that is found again keeps its name.

    Example: `outcry themes --weeks 8`
    """
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with extra(), session.store(settings) as store, progress() as shown:
        from insight.frames import Frames
        from insight.themes import themes as find
        from insight.vectors import embedding, lsa

        encoder = _encoder()
        embed = embedding(encoder, partial(shown, "vectors")) if encoder else lsa
        found, assigned = find(Frames(store), now, weeks, count, embed)
    for one in found:
        if as_json:
            emit(one)
            continue
        usual = "" if one.usual is None else f", usually {one.usual:.1f}"
        fresh = ", new" if one.new else ""
        typer.echo(f"{one.theme}  {one.name}: {one.this_week} this week{usual}{fresh}")
        typer.echo(f"    {one.posts} posts by {one.customers} people in {weeks} weeks")
        for text in one.examples:
            typer.echo(f"    “{' '.join(text.split())[:150]}”")
    if not found and not as_json:
        typer.echo(f"{len(assigned)} complaints in {weeks} weeks: too few for themes")


def _encoder() -> BlendedEncoder | None:
    """The encoder that we ship; None, and a line that says so, where it cannot run."""
    from models.registry import folder
    from nlp.encoder import load_encoder
    from nlp.errors import ModelMissing

    try:
        return load_encoder(folder(ENCODER))
    except ModelMissing as missing:
        note(f"goes by the company that words keep (lsa): {missing}")
        return None


def _meaning(shown: Progress) -> Meaning:
    """The encoder's vectors, or those of latent semantic analysis where it cannot run."""
    from insight.vectors import EncoderMeaning, LsaMeaning

    encoder = _encoder()
    if encoder is None:
        return LsaMeaning()
    return EncoderMeaning(encoder, partial(shown, "vectors"))


def _known_department(settings: Settings, name: str, *more: str) -> None:
    known = [*(one.name for one in settings.rules.departments), *more]
    if name not in known:
        raise InputError(f"no department {name!r}; there are {', '.join(known)}")


def _nothing_heard(store: Store, scope: Scope) -> str:
    """Why a report is empty, and when there was something."""
    from insight.frames import BEGINNING, END, Frames

    chunks = Frames(store).mention_chunks(["created_at"], BEGINNING, END)
    times = [chunk["created_at"] for chunk in chunks]
    if not times:
        return "no post is stored yet: run 'outcry run' first; the report is empty"
    first, last = times[0].iloc[0], times[-1].iloc[-1]
    return (
        f"no post from {scope.start:%Y-%m-%d} to {scope.end:%Y-%m-%d %H:%M}; those that are stored "
        f"are of {first:%Y-%m-%d} to {last:%Y-%m-%d}: see --as-of; the report is empty"
    )


def _plain(found: Found) -> list[dict[str, Any]]:
    """The posts as values of JSON."""
    rows = found.rows.assign(created_at=found.rows["created_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    rows = rows.astype(object).where(rows.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _lines(found: Found) -> Iterator[str]:
    """Two lines a post, and one with the counts."""
    for row in _plain(found):
        text = " ".join(f"{row['title'] or ''} {row['text']}".split())
        yield f"{row['created_at'][:16]}  {row['source']}  {text[:160]}"
        yield f"    {row['ways']}  {row['url'] or ''}"
    yield f"{found.total} posts by {', '.join(found.ways)}"
    for name, counts in found.facets.items():
        most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:5]
        words = ", ".join(f"{value or 'none'} {count}" for value, count in most)
        yield f"    {name}: {words}"


def _scope(
    settings: Settings,
    store: Store,
    now: datetime,
    month: bool,
    incident: str | None,
    department: str | None,
) -> Scope:
    """What the report is about.

    Raises:
        InputError: if there is no such department.
        NoSuchTicket: if there is no such incident.
    """
    from insight.scope import MONTH, SORTED_BY_HAND, WEEK, Scope
    from triage.incidents import find_incident

    brand = settings.brand.name or "All brands"
    if department is not None:
        _known_department(settings, department, SORTED_BY_HAND)
    of = f", {department}" if department else ""
    if incident is not None:
        found, _ = find_incident(store, incident)
        title = f"{brand}{of}: {found.title}"
        return Scope(title, found.first_at, now, department, found.incident)
    length, name = (MONTH, "four weeks") if month else (WEEK, "week")
    return Scope(f"{brand}{of}: the {name} to {now:%-d %B %Y}", now - length, now, department)
