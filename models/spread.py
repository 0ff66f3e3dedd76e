"""Several runs as one: ``python -m models.spread METRICS...`` prints mean and spread of figures.

Each file is the ``metrics.json`` of a run with another ``--seed``. Printed are the figures that
all of them have: the mean, the sample's standard deviation, the least and the most.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from models.errors import DataMissing, ModelsError


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over several runs."""

    runs: int
    mean: float
    deviation: float
    """Of the sample; 0 for a single run."""
    least: float
    most: float


def spread(runs: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """By figure, as ``complaint.macro_f1``: those that every run has, in the first one's order."""
    flat = [dict(_numbers(run)) for run in runs]
    return {
        name: _spread([run[name] for run in flat])
        for name in (flat[0] if flat else {})
        if all(name in run for run in flat)
    }


def _spread(values: list[float]) -> Spread:
    return Spread(
        runs=len(values),
        mean=round(statistics.fmean(values), 4),
        deviation=round(statistics.stdev(values), 4) if len(values) > 1 else 0.0,
        least=min(values),
        most=max(values),
    )


def _numbers(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{before}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{before}{name}", float(value)


def main(
    files: Annotated[list[Path], typer.Argument(help="metrics.json of runs with other seeds.")],
) -> None:
    """Print mean and spread of the figures of several runs."""
    try:
        runs = [_read(path) for path in files]
    except ModelsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    for name, one in spread(runs).items():
        print(f"{name:60} {one.mean:9.4f} ± {one.deviation:.4f}  {one.least:g} to {one.most:g}")


def _read(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise DataMissing(f"{path} is missing; run models.evaluate --write first") from error
    except msgspec.DecodeError as error:
        raise DataMissing(f"{path} holds no figures ({error}); write it again") from error


if __name__ == "__main__":
    typer.run(main)
