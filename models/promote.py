"""Ships an exported model: ``python -m models.promote --folder DIR [--allow-worse]``.

The folder's figures (``models.evaluate --folder DIR --write``) are compared with those of the
shipped model of the same name, if there is one; a model that lost a point anywhere that counts
is not shipped unless that is wanted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from models import registry
from models.errors import ModelsError, ModelUnfit
from models.evaluate import megabytes, written_card
from nlp.encoder import KIND as ENCODER
from nlp.encoder import load_encoder
from nlp.errors import NlpError
from nlp.loading import kind
from nlp.plain import KIND as PLAIN
from nlp.plain import load_plain

MOST_MEGABYTES: Final = {ENCODER: 25.0, PLAIN: 40.0}
COUNTS: Final = {
    ENCODER: (
        ("complaint", "macro_f1"),
        ("complaint", "macro_f1_brand_addressed"),
        ("sentiment", "semeval_2013_2016_held_out_macro_recall"),
        ("sentiment", "airline_held_out_macro_recall"),
    ),
    PLAIN: (("sentiment", "mean"), ("complaint_english", "macro_f1")),
}
"""Figures that must not fall, by kind of model."""
_SLACK = 0.01


def promote(folder: Path, shipped: Path, allow_worse: bool = False) -> Path:
    """Copies a judged model to where models are shipped from; returns the folder there.

    Raises:
        ModelUnfit: if it is too large, was not judged, or lost more than a point.
        NlpError: if it cannot be loaded.
    """
    made = kind(folder)
    if made not in COUNTS:
        raise ModelUnfit(f"{folder} is no encoder; what models.train writes is shipped by hand")
    metadata = load_plain(folder).metadata if made == PLAIN else load_encoder(folder).metadata
    figures = _figures(folder)
    if figures is None or figures.get("files") != metadata.files:
        raise ModelUnfit(
            f"{folder} is not judged yet; run models.evaluate --folder {folder} --write"
        )
    if (folder / "card.md").read_text("utf-8") != written_card(folder, figures):
        raise ModelUnfit(f"{folder}/card.md is not the card of its figures; write it again")
    if megabytes(folder) > MOST_MEGABYTES[made]:
        raise ModelUnfit(f"{folder} has more than {MOST_MEGABYTES[made]} MB; keep fewer pieces")
    target = shipped / metadata.name
    before = _figures(target)
    if before is not None and not allow_worse:
        for subject, name in COUNTS[made]:
            new, old = figures[subject][name], before[subject][name]
            if new < old - _SLACK:
                raise ModelUnfit(
                    f"{subject} {name} fell from {old} to {new}; --allow-worse ships it"
                )
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(folder, fresh)
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)
    return target


def _figures(folder: Path) -> dict[str, Any] | None:
    path = folder / "metrics.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return found


def main(
    folder: Annotated[Path, typer.Option(help="A judged folder of models.export.")],
    allow_worse: Annotated[bool, typer.Option(help="Ship even if figures fell.")] = False,
) -> None:
    """Ship a model in the place of the one of the same name."""
    try:
        typer.echo(f"shipped: {promote(folder, registry.HERE, allow_worse)}")
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
