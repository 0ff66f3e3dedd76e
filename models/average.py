"""Averages trained encoders: ``python -m models.average --checkpoint A --checkpoint B --out C``.

Nets that were fitted from the same base, with other labels, teachers or seeds, lie close enough
that the mean of their weights is a net, and mostly a better one, at the cost of one: Wortsman et
al. (2022), Model soups. All are taken as they are: none is picked by how it does on held-out rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from models.errors import ModelsError, ModelUnfit, lacking
from models.plan import Made


def average(checkpoints: Sequence[Path], out: Path) -> Made:
    """Writes the mean net of folders of ``models.train`` to ``out``.

    Raises:
        ModelUnfit: if there are fewer than two, or they differ in base or in shape.
    """
    from models.net import load_net, save_net

    if len(checkpoints) < 2:
        raise ModelUnfit("an average needs two nets or more: repeat --checkpoint")
    members = [
        msgspec.json.decode((folder / "recipe.json").read_bytes(), type=Made)
        for folder in checkpoints
    ]
    bases = sorted({made.base for made in members})
    if len(bases) > 1:
        raise ModelUnfit(f"nets of different bases have no mean: {', '.join(bases)}")
    net, tokenizer = load_net(str(checkpoints[0]))
    mean = {name: value.double() for name, value in net.state_dict().items()}
    for folder in checkpoints[1:]:
        other = load_net(str(folder))[0].state_dict()
        if {name: value.shape for name, value in other.items()} != {
            name: value.shape for name, value in mean.items()
        }:
            raise ModelUnfit(f"{folder} has other layers than {checkpoints[0]}")
        mean = {name: value + other[name].double() for name, value in mean.items()}
    kinds = {name: value.dtype for name, value in net.state_dict().items()}
    net.load_state_dict(
        {name: (value / len(members)).to(kinds[name]) for name, value in mean.items()}
    )
    save_net(net, tokenizer, out)
    made = Made(
        recipe="average of " + ", ".join(one.recipe for one in members),
        base=bases[0],
        plan=members[0].plan,
        rows={
            "nets": len(members),
            **{what: max(one.rows[what] for one in members) for what in ("items", "texts")},
        },
        sha256=members[0].sha256,
    )
    raw = msgspec.json.encode(made, order="deterministic")
    (out / "recipe.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
    return made


def main(
    checkpoint: Annotated[list[Path], typer.Option(help="A folder of models.train; repeat.")],
    out: Annotated[Path, typer.Option(help="Folder to write the mean net to.")],
) -> None:
    """Write the mean of nets that were fitted from the same base."""
    try:
        made = average(checkpoint, out)
    except ImportError as error:
        typer.echo(f"error: {lacking(error, 'train-encoders')}", err=True)
        raise typer.Exit(1) from error
    except (ModelsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{made.recipe} in {out}; next: python -m models.export")


if __name__ == "__main__":
    typer.run(main)
