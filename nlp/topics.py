"""Topics learnt from an operator's examples: a linear model over hashed words, in numpy alone.

Multinomial logistic regression over words, pairs of words and pieces of words, weighted by inverse
document frequency, fitted by Adam on all examples at once (Kingma and Ba, ICLR 2015). The
probabilities are made to mean what they say by one temperature, fitted on examples that were left
out of the fit in turn (Guo et al., ICML 2017). Same examples, same model, whatever their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from nlp.features import FeatureSettings, Spellings
from nlp.text import MODEL_CHARACTERS

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Embed = Callable[[Sequence[str]], Floats]
"""Texts to rows of one length, for example by an encoder; added to the words where given."""
Groups = Callable[[Sequence[str]], Sequence[int]]
"""Puts texts that must not help to judge each other into one group."""

LEAST_EXAMPLES: Final = 5
"""Fewer examples of a topic teach nothing that can be checked."""

_SETTINGS: Final = FeatureSettings(bits=18, shortest=4, longest=4, word_weight=1.4)
_BUCKETS: Final = 1 << _SETTINGS.bits
_FOLDS: Final = 3
_STEPS: Final = 40
_STEP: Final = 0.15
_MEMORY: Final = 0.9
_LONG_MEMORY: Final = 0.99
_TINY: Final = 1e-9
_PENALTY: Final = 1.0
_BALANCE: Final = 1.0
"""1 lets each topic count the same, 0 each text."""
_MANY: Final = 500
"""From so many texts on a bucket that only one of them has does not count."""
_TEMPERATURES: Final = tuple(2 ** (power / 8) for power in range(-16, 41))


class _Matrix(NamedTuple):
    """A sparse matrix of texts by buckets; the last column is one for every text."""

    rows: Integers
    columns: Integers
    values: Floats
    size: int


class Topics:
    """Topics with their weights; `read` keeps nothing and may be called from several threads."""

    def __init__(
        self, labels: Sequence[str], weights: Floats, idf: Floats, heat: float, embed: Embed | None
    ) -> None:
        self.labels = tuple(labels)
        self.temperature = heat
        self.weights = weights
        """A column a topic; the first row is what every text has."""
        self.idf = idf
        """By bucket; 0 for one that does not count."""
        self._embed = embed

    def read(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """The probability of each topic for each text; they sum to one."""
        if not texts:
            return []
        scores = _product(_matrix(texts, self.idf, self._embed), self.weights)
        chances = _softmax(scores / self.temperature)
        return [dict(zip(self.labels, row, strict=True)) for row in chances.tolist()]


def learn(
    examples: Mapping[str, Iterable[str]], embed: Embed | None = None, groups: Groups | None = None
) -> Topics | None:
    """The topics of some examples; None while fewer than two topics have enough of them.

    A topic with fewer than `LEAST_EXAMPLES` different texts is left out.
    """
    plain = {
        label: sorted({_cut(text) for text in texts} - {""}) for label, texts in examples.items()
    }
    labels = sorted(label for label, texts in plain.items() if len(texts) >= LEAST_EXAMPLES)
    if len(labels) < len(("one", "other")):
        return None
    texts = [text for label in labels for text in plain[label]]
    truth = np.array([at for at, label in enumerate(labels) for _ in plain[label]])
    idf = _inverse_document_frequency(texts)
    matrix = _matrix(texts, idf, embed)
    parts = np.array(groups(texts) if groups else range(len(texts))) % _FOLDS
    scores = np.zeros((len(texts), len(labels)))
    for part in range(_FOLDS):
        inside = parts == part
        weights = _fit(_only(matrix, ~inside), truth[~inside], len(labels))
        scores[inside] = _product(_only(matrix, inside), weights)
    heat = min(_TEMPERATURES, key=lambda heat: _loss(scores / heat, truth))
    return Topics(labels, _fit(matrix, truth, len(labels)), idf, heat, embed)


def _cut(text: str) -> str:
    return text[:MODEL_CHARACTERS].strip()


def _buckets(texts: Sequence[str]) -> Iterator[tuple[Integers, Integers]]:
    """Of each text: the buckets of its words and pairs of words, and of its pieces of words."""
    spellings = Spellings(_SETTINGS)
    batch = spellings.batch([text[:MODEL_CHARACTERS] for text in texts])
    ends = np.searchsorted(batch.rows, np.arange(len(texts)), side="right")
    for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        kinds = batch.kinds[start:end].tolist()
        words = [bucket for kind in kinds for bucket in spellings.words[kind]]
        words += batch.pairs[start:end][batch.paired[start:end]].tolist()
        pieces = [bucket for kind in kinds for bucket in spellings.pieces[kind]]
        yield np.unique(np.array(words, np.int64)), np.unique(np.array(pieces, np.int64))


def _inverse_document_frequency(texts: Sequence[str]) -> Floats:
    found = np.zeros(_BUCKETS)
    for words, pieces in _buckets(texts):
        found[words] += 1
        found[pieces] += 1
    idf: Floats = np.log((1 + len(texts)) / (1 + found)) + 1
    idf[found < (2 if len(texts) >= _MANY else 1)] = 0.0
    return idf


def _matrix(texts: Sequence[str], idf: Floats, embed: Embed | None) -> _Matrix:
    rows, columns, values = [np.arange(len(texts))], [np.zeros(len(texts), np.int64)], []
    values.append(np.ones(len(texts)))
    for at, parts in enumerate(_buckets(texts)):
        for buckets, length in zip(parts, (_SETTINGS.word_weight, 1.0), strict=True):
            buckets = buckets[idf[buckets] > 0]
            if len(buckets):
                own = idf[buckets]
                rows.append(np.full(len(buckets), at))
                columns.append(1 + buckets)
                values.append(own * (length / np.sqrt(own @ own)))
    if embed is not None:
        dense = np.asarray(embed(texts), dtype=np.float64)
        rows.append(np.repeat(np.arange(len(texts)), dense.shape[1]))
        columns.append(np.tile(1 + _BUCKETS + np.arange(dense.shape[1]), len(texts)))
        values.append(dense.ravel())
    return _Matrix(
        np.concatenate(rows), np.concatenate(columns), np.concatenate(values), len(texts)
    )


def _only(matrix: _Matrix, inside: npt.NDArray[np.bool_]) -> _Matrix:
    number, kept = np.cumsum(inside) - 1, inside[matrix.rows]
    return _Matrix(
        number[matrix.rows[kept]], matrix.columns[kept], matrix.values[kept], int(inside.sum())
    )


def _fit(matrix: _Matrix, truth: Integers, classes: int) -> Floats:
    """Weights by column and class."""
    used, columns = np.unique(matrix.columns, return_inverse=True)
    small = matrix._replace(columns=columns)
    turned = _Matrix(columns, matrix.rows, matrix.values, len(used))
    share = np.maximum(np.bincount(truth, minlength=classes), 1) / len(truth)
    own = (share**-_BALANCE)[truth]
    own = (own / own.mean())[:, None] / len(truth)
    target = np.eye(classes)[truth]
    penalty = np.full((len(used), 1), _PENALTY / len(truth))
    penalty[used == 0] = 0.0
    weights = np.zeros((len(used), classes))
    mean, square = weights.copy(), weights.copy()
    for number in range(1, _STEPS + 1):
        error = (_softmax(_product(small, weights)) - target) * own
        slope = _product(turned, error) + penalty * weights
        mean += (1 - _MEMORY) * (slope - mean)
        square += (1 - _LONG_MEMORY) * (slope * slope - square)
        scale = np.sqrt(square / (1 - _LONG_MEMORY**number)) + _TINY
        weights -= _STEP * (1 - number / (_STEPS + 1)) * mean / (1 - _MEMORY**number) / scale
    whole = np.zeros((max(int(used[-1]), _BUCKETS) + 1, classes))
    whole[used] = weights
    return whole


def _product(matrix: _Matrix, dense: Floats) -> Floats:
    found = [
        np.bincount(matrix.rows, matrix.values * column[matrix.columns], matrix.size)
        for column in np.ascontiguousarray(dense.T)
    ]
    return np.stack(found, axis=1)


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def _loss(scores: Floats, truth: Integers) -> float:
    chances = _softmax(scores)[np.arange(len(truth)), truth]
    return float(-np.mean(np.log(np.maximum(chances, 1e-12))))
