"""Boards for Kibana: check, build, import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outcry import exits
from outcry.session import note, session_of

Folder = Annotated[
    Path | None,
    typer.Option("--from", help="The folder of saved objects.  (default: those that we ship)"),
]


def register(app: typer.Typer) -> None:
    """Add this group of commands."""
    app.add_typer(kibana, name="kibana")


kibana = typer.Typer(
    help="Boards for analysts: `kibana check`, `kibana build`, `kibana import`.",
    no_args_is_help=True,
)


@kibana.command()
def check(
    context: typer.Context,
    folder: Folder = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the store, too, what each panel asks.")
    ] = False,
) -> None:
    """Whether every board can be imported and each of its panels asks for fields that exist.

    Example: `outcry kibana check`
    """
    from insight.kibana import load, problems
    from insight.kibana.files import FOLDER, colours

    objects = load(folder or FOLDER)
    found = problems(objects, colours(folder or FOLDER))
    if live:
        from insight.kibana.asking import live_problems
        from outcry.exits import InputError
        from triage.store.elastic_client import Cluster

        settings = session_of(context).settings()
        if settings.store.url is None:
            raise InputError("--live asks Elasticsearch: set OUTCRY_ELASTICSEARCH")
        access = settings.store_secrets
        cluster = Cluster.at(
            settings.store.url,
            ca=settings.store.ca,
            api_key=access.get("api_key"),
            user=access.get("user"),
            password=access.get("password"),
        )
        found += live_problems(objects, cluster, settings.store.prefix)
        cluster.close()
    for line in found:
        note(line)
    if found:
        raise typer.Exit(exits.FAILED)
    boards = sum(one.type == "dashboard" for one in objects)
    panels = sum(one.type in ("lens", "search", "visualization") for one in objects)
    typer.echo(f"{boards} boards, {panels} panels: all is well")


@kibana.command()
def build(
    context: typer.Context,
    folder: Folder = None,
    out: Annotated[
        Path, typer.Option("--out", help="Where to; the name must end in .ndjson.")
    ] = Path("outcry.ndjson"),
) -> None:
    """Write the one file that Kibana imports; the same boards give the same bytes.

    Indices have the prefix of the settings. Example: `outcry kibana build --out boards.ndjson`
    """
    from insight.kibana import load, ndjson
    from insight.kibana.files import FOLDER
    from outcry.exits import InputError

    if out.suffix != ".ndjson":
        raise InputError(f"Kibana takes files that end in .ndjson: call {out.name} so")
    objects = load(folder or FOLDER)
    _refuse_broken(folder)
    out.write_bytes(ndjson(objects, session_of(context).settings().store.prefix))
    typer.echo(f"{out}: {len(objects)} objects; in Kibana: Stack Management, Saved Objects, Import")


@kibana.command(name="import")
def import_(
    context: typer.Context,
    url: Annotated[str, typer.Option("--url", help="Kibana's address.")],
    folder: Folder = None,
    space: Annotated[str, typer.Option("--space", help="Kibana's space.")] = "default",
) -> None:
    """Import the boards; those of an earlier import are replaced, nothing else is touched.

    The key is taken from OUTCRY_KIBANA_API_KEY. Example:
    `outcry kibana import --url http://localhost:5601`
    """
    from insight.kibana import load, ndjson
    from insight.kibana.files import FOLDER
    from insight.kibana.importing import import_objects
    from outcry.settings import kibana_key

    objects = load(folder or FOLDER)
    _refuse_broken(folder)
    body = ndjson(objects, session_of(context).settings().store.prefix)
    count = import_objects(url, body, kibana_key(), space)
    typer.echo(f"{count} objects are in Kibana at {url}")


def _refuse_broken(folder: Path | None) -> None:
    from insight.kibana import KibanaError, load, problems
    from insight.kibana.files import FOLDER, colours

    found = problems(load(folder or FOLDER), colours(folder or FOLDER))
    if found:
        raise KibanaError(f"{found[0]} (and {len(found) - 1} more: see 'outcry kibana check')")
