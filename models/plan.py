"""How an encoder is fitted; data alone, so that a command can be read without torch."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a net is fitted; written beside what it made."""

    passes: int
    rate: float
    head_rate: float
    batch: int = 32
    warm_up: float = 0.06
    frozen_layers: int = 0
    dropout: float = 0.0
    temperature: float = 1.5
    gold: dict[str, float]
    """Weight of the labels by head."""
    distilled: dict[str, float]
    """Weight of the teacher by head."""
    seed: int = 20261122


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What may differ between runs; None leaves the recipe's own."""

    share: float = 1.0
    """How much of the larger sets is sampled."""
    rate: float | None = None
    frozen_layers: int = 0
    """The lowest layers of a large base may stay as they are."""
    seed: int | None = None
    passes: int | None = None

    def applied(self, plan: Plan) -> Plan:
        """The plan with these options."""
        return msgspec.structs.replace(
            plan,
            rate=self.rate or plan.rate,
            frozen_layers=self.frozen_layers,
            seed=plan.seed if self.seed is None else self.seed,
            passes=self.passes or plan.passes,
        )


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """``recipe.json`` beside a trained encoder."""

    recipe: str
    base: str
    plan: Plan
    rows: dict[str, int]
    sha256: dict[str, str]
