"""Teaches a shipped model what agents decided: ``python -m models.adapt --parent DIR … < ROWS``.

Rows (`models.decided.Decided`, one JSON object a line) come on stdin, so that no file of texts is
left behind. The parent's log-odds of a complaint are kept as they are, and a correction is added
that is linear in the same buckets: logistic regression with an offset and an L2 penalty, so that
few rows change little. There is no constant in it: the rows are of what became a ticket, and how
often that is a complaint says nothing about other texts. What is written holds numbers by bucket
and no word; see `nlp.artefact`. It is always the shipped model that is corrected, never last
week's correction: what has to be forgotten is gone with the next one.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
import typer
from msgspec.structs import replace
from scipy import optimize, special
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models import data
from models.contest import Contest, cards, contest
from models.decided import Decided, digest, shortage, split
from models.errors import ModelsError, ModelUnfit
from models.linear import Counts, Floats, Integers, Matrix
from models.train import write
from nlp.artefact import COMPLAINT, pack, read_metadata, read_weights
from nlp.encoder import KIND as ENCODER
from nlp.encoder import LINEAR_FOLDER, read_encoder_metadata
from nlp.errors import NlpError
from nlp.features import Spellings
from nlp.loading import kind, load, model_id

STRENGTH: Final = 1.0
"""Inverse of the penalty: so much may a bucket's weight vary, in log-odds."""
ROWS: Final = "outcomes"
_TINY: Final = 1e-6


def correction(rows: Matrix, truth: Integers, given: Floats, strength: float = STRENGTH) -> Floats:
    """What to add to log-odds that are given: a weight by bucket.

    Args:
        rows: one text a row, as `models.linear.Counts.weighted` gives them.
        truth: 1 for a complaint.
        given: the log-odds that the parent says.
        strength: see `STRENGTH`.
    """
    used = np.unique(rows.indices)
    small = rows[:, used]
    signs = 2.0 * truth - 1.0

    def loss(found: Floats) -> tuple[float, Floats]:
        margins = signs * (given + small @ found)
        pull = -signs * special.expit(-margins)
        slope = small.T @ pull + found / strength
        return float(np.logaddexp(0, -margins).sum() + found @ found / (2 * strength)), slope

    done = optimize.minimize(loss, np.zeros(len(used)), jac=True, method="L-BFGS-B")
    weights = np.zeros(rows.shape[1])
    weights[used] = done.x
    return weights


def adapt(parent: Path, rows: Sequence[Decided], out: Path, name: str, version: int) -> None:
    """Write the parent with a correction learnt from rows; the same rows give the same bytes.

    Raises:
        NlpError: if the parent cannot be loaded.
    """
    encoder = kind(parent) == ENCODER
    folder = parent / LINEAR_FOLDER if encoder else parent
    metadata = read_metadata(folder / "metadata.json")
    weights = read_weights(folder / "weights.npz", metadata)
    texts = [row.text for row in rows]
    counted = Counts(texts, Spellings(metadata.features), metadata.features).weighted(weights.idf)
    truth = np.array([int(row.complaint) for row in rows], dtype=np.int64)
    chances = [one.complaint_probability or 0.0 for one in load(parent, 1).read(texts)]
    added = correction(counted, truth, special.logit(np.clip(chances, _TINY, 1 - _TINY)))
    scale = metadata.calibration.slope
    if encoder:
        shutil.copytree(parent, out, ignore=shutil.ignore_patterns("card.md", "metrics.json"))
        own = read_encoder_metadata(parent)
        _write_metadata(out, replace(own, name=name, version=version))
        scale, out = own.blend.complaint_linear, out / LINEAR_FOLDER
    heads = weights.heads.copy()
    heads[:, COMPLAINT] += added / scale
    packed = pack(replace(weights, heads=heads))
    described = replace(
        metadata,
        name=name,
        version=version,
        training_rows={**metadata.training_rows, ROWS: len(rows)},
        training_sha256={**metadata.training_sha256, ROWS: digest(rows)},
        weights_sha256=hashlib.sha256(packed).hexdigest(),
    )
    write(out, described, packed)


def challenge(
    rows: Sequence[Decided],
    now: datetime,
    parent: Path,
    champion: Path,
    out: Path,
    version: int,
    inputs: str = "",
    labelled: Path | None = None,
) -> Contest:
    """Train a challenger into a new folder and compare it with the champion; see `contest`.

    The folder then also holds ``contest.json``, and ``cards.md`` with both side by side.

    Raises:
        ModelUnfit: if there are too few rows.
        DataMissing: if the labelled set is not where it was said to be.
        NlpError: if a model cannot be loaded.
    """
    parts = split(rows, now)
    if (lacking := shortage(parts)) is not None:
        raise ModelUnfit(lacking)
    with threadpool_limits(1):  # sums in one order: the same bytes
        adapt(parent, parts.taught, out, f"{model_id(parent).partition('/')[0]}-own", version)
        known = data.complaints(labelled) if labelled else []
        found = contest(load(champion, 1), load(out, 1), parts, known, inputs)
    (out / "contest.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    (out / "cards.md").write_text(cards(found), "utf-8")
    return found


def _write_metadata(out: Path, metadata: msgspec.Struct) -> None:
    raw = msgspec.json.encode(metadata, order="deterministic")
    (out / "metadata.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")


def main(
    parent: Annotated[Path, typer.Option(help="Folder of the shipped model.")],
    champion: Annotated[Path, typer.Option(help="Folder of the model in use.")],
    out: Annotated[Path, typer.Option(help="New folder to write the challenger to.")],
    version: Annotated[int, typer.Option(help="The challenger's version.")],
    as_of: Annotated[str, typer.Option(help="The day that the last weeks end with.")],
    inputs: Annotated[str, typer.Option(help="Recorded in contest.json.")] = "",
    data_folder: Annotated[
        Path | None, typer.Option("--data", help="Folder of the labelled sets, if there is one.")
    ] = None,
) -> None:
    """Train a challenger on the rows of stdin and compare it with the champion."""
    try:
        rows = [msgspec.json.decode(line, type=Decided) for line in sys.stdin.buffer]
        now = datetime.fromisoformat(as_of).astimezone(UTC)
        found = challenge(rows, now, parent, champion, out, version, inputs, data_folder)
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    print(f"{found.challenger.model}: {'won' if found.won else 'lost'}: {'; '.join(found.why)}")


if __name__ == "__main__":
    typer.run(main)
