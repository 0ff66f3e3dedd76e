"""How surprising a count is, and which words set a group of texts apart. Pure arithmetic.

The bound is that of Farrington et al. 1996 ("A statistical algorithm for the early detection of
outbreaks of infectious disease", J. R. Statist. Soc. A 159) as improved by Noufaily et al. 2013
("An improved algorithm for outbreak detection in multiple surveillance systems", Statistics in
Medicine 32): counts in comparable stretches of the past, past outbreaks weighted down by their
Anscombe residuals, overdispersion estimated, the tail of a negative binomial. There is no trend,
as the past reaches back weeks and not years. Because a phrase may never have been heard before,
the uncertainty of the mean is that of a gamma posterior with Jeffreys' prior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

PRIOR = 0.5
"""Jeffreys' prior of a Poisson rate: half an event in no time."""
OUTBREAK = 2.58
"""Anscombe residuals above it are weighted down (Noufaily et al., section 3.3)."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of a stretch of time."""

    mean: float
    size: float
    """Of the negative binomial; infinite for a Poisson."""

    def tail(self, count: int) -> float:
        """The probability of ``count`` or more."""
        return nb_tail(count, self.mean, self.size)


def baseline(counts: Sequence[int]) -> Baseline:
    """The expectation that the counts of comparable stretches justify; at least one count."""
    weights = [1.0] * len(counts)
    # The first fit leaves the highest tenth out, or one large outbreak would hide itself.
    usual = sorted(counts)[: max(1, len(counts) - max(1, len(counts) // 10))]
    mean, dispersion = _fit(usual, weights[: len(usual)])
    if mean > 0 and len(counts) > 2:
        leverage = math.sqrt(1 - 1 / len(counts))
        residuals = [_anscombe(count, mean, dispersion) / leverage for count in counts]
        raw = [1 / r**2 if r > OUTBREAK else 1.0 for r in residuals]
        scale = len(counts) / sum(raw)
        weights = [weight * scale for weight in raw]
        mean, dispersion = _fit(counts, weights)
    seen = sum(w * c for w, c in zip(weights, counts, strict=True))
    expected = (seen + PRIOR) / len(counts)
    variance = dispersion * (expected + expected**2 / (seen + PRIOR))
    return Baseline(mean=expected, size=expected**2 / (variance - expected))


def _fit(counts: Sequence[int], weights: Sequence[float]) -> tuple[float, float]:
    """Weighted mean and quasi-Poisson dispersion, which is never below 1."""
    total = sum(weights)
    mean = sum(w * c for w, c in zip(weights, counts, strict=True)) / total
    if mean == 0 or len(counts) < 2:
        return mean, 1.0
    squares = sum(w * (c - mean) ** 2 for w, c in zip(weights, counts, strict=True))
    return mean, max(1.0, squares / mean / (len(counts) - 1))


def _anscombe(count: int, mean: float, dispersion: float) -> float:
    """Of a Poisson variable: roughly standard normal."""
    top = 1.5 * (count ** (2 / 3) - mean ** (2 / 3))
    return float(top / (mean ** (1 / 6) * math.sqrt(dispersion)))


def nb_tail(count: int, mean: float, size: float) -> float:
    """P(X >= count) of a negative binomial by its mean and size; Poisson for an infinite size."""
    if count <= 0:
        return 1.0
    if math.isinf(size):
        term, ratio = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)), None
    else:
        share = mean / (mean + size)
        log = math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1)
        term = math.exp(log + size * math.log1p(-share) + count * math.log(share))
        ratio = share
    total, at = 0.0, count
    while term > total * 1e-12 and at < count + 100_000:
        total += term
        term *= mean / (at + 1) if ratio is None else ratio * (at + size) / (at + 1)
        at += 1
    return min(1.0, total)


def log_likelihood(inside: int, of: int, outside: int, rest: int) -> float:
    """Dunning's ratio for a word in ``inside`` of ``of`` texts, and ``outside`` of ``rest`` others.

    Positive when the word is commoner inside, else 0 (Dunning 1993, "Accurate methods for the
    statistics of surprise and coincidence", Computational Linguistics 19). Above 10.8 chance
    has less than one in a thousand.
    """
    if of == 0 or rest == 0 or inside * rest <= outside * of:
        return 0.0
    share = (inside + outside) / (of + rest)
    return 2 * (
        _binomial(inside, of, inside / of)
        + _binomial(outside, rest, outside / rest)
        - _binomial(inside, of, share)
        - _binomial(outside, rest, share)
    )


def _binomial(hits: int, of: int, share: float) -> float:
    found = hits * math.log(share) if hits else 0.0
    return found + ((of - hits) * math.log1p(-share) if of > hits else 0.0)
