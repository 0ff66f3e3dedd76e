"""A challenger from what agents decided, trained elsewhere; the better one stays champion.

Rows are the labels that contacts left in the store: masked texts, and whether each was a complaint.
They go to the training program through a pipe. Its interpreter is that of another environment, for
the one that this runs in has no training library.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from models.decided import Decided, digest, shortage, split
from models.errors import TrainingFailed
from nlp.artefact import KIND as LINEAR
from nlp.encoder import KIND as ENCODER
from nlp.loading import kind, languages, model_id
from outcry.settings import Settings, labelled_data, plain_environment
from triage.contacts import labels
from triage.store.base import Store


class Retrained(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of `challenge` did."""

    challenger: str | None = None
    """Its folder below ``models/``; None if none was trained."""
    won: bool = False
    rows: int = 0
    words: str
    """Why it won, lost, or was not trained."""


def decided(store: Store, read: frozenset[str]) -> Iterator[Decided]:
    """What agents decided, by ticket: those outcomes that say whether it was a complaint."""
    rows = {
        label.ticket: Decided(
            ticket=label.ticket, text=label.text, complaint=label.complaint, at=label.at
        )
        for label in labels(store)
        if label.complaint is not None and label.text and label.language in read
    }
    for ticket in sorted(rows):
        yield rows[ticket]


def challenge(settings: Settings, store: Store, now: datetime) -> Retrained:
    """Train a challenger on what agents decided until today, and compare it with the champion.

    The same rows on the same day are not trained twice. Whoever wins, nothing is in use yet: that
    is `Champions.promote`.

    Raises:
        TrainingFailed: if the training program cannot be started, or does not finish.
        NlpError: if a model cannot be read.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    champions = settings.champions
    if kind(champions.shipped) not in (LINEAR, ENCODER):
        return Retrained(
            words=f"{champions.shipped.name} cannot be corrected: it is made of others"
        )
    rows = list(decided(store, languages(champions.shipped)))
    if (lacking := shortage(split(rows, today))) is not None:
        return Retrained(rows=len(rows), words=lacking)
    if settings.retraining.python is None:
        return Retrained(
            rows=len(rows),
            words="no environment to train in: name its interpreter as python in [retraining]",
        )
    models = f"{model_id(champions.shipped)} {model_id(champions.champion)}"
    inputs = hashlib.sha256(f"{models} {today.isoformat()} {digest(rows)}".encode()).hexdigest()
    name = champions.trained_from(inputs) or _train(settings, rows, today, inputs)
    champions.remove_losers()
    found = champions.contest(name)
    return Retrained(challenger=name, won=found.won, rows=len(rows), words="; ".join(found.why))


def _train(settings: Settings, rows: Sequence[Decided], today: datetime, inputs: str) -> str:
    """The folder of a new challenger, which appears whole or not at all."""
    champions = settings.champions
    version = champions.next_version()
    name = f"{champions.shipped.name}-own~{version}"
    fresh = champions.folder / f".{name}"
    shutil.rmtree(fresh, ignore_errors=True)
    command: list[str] = [
        *(settings.retraining.python or "", "-m", "models.adapt"),
        *("--parent", str(champions.shipped), "--champion", str(champions.champion)),
        *("--out", str(fresh), "--version", str(version)),
        *("--as-of", today.isoformat(), "--inputs", inputs),
    ]
    if (labelled := labelled_data()) is not None:
        command += ["--data", str(labelled)]
    champions.folder.mkdir(parents=True, exist_ok=True)
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    try:
        subprocess.run(
            command,
            input=lines,
            env=plain_environment(),
            capture_output=True,
            check=True,
            timeout=settings.retraining.minutes * 60,
        )
    except OSError as error:
        raise TrainingFailed(
            f"cannot start {command[0]}: {error.strerror}; correct python in [retraining]"
        ) from None
    except subprocess.TimeoutExpired:
        raise TrainingFailed(
            f"training took longer than {settings.retraining.minutes:g} minutes: "
            "raise minutes in [retraining]"
        ) from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), "it said nothing")
        raise TrainingFailed(
            f"training failed: {last}; see that its environment has outcry-triage[train]"
        ) from None
    fresh.rename(champions.folder / name)
    return name
