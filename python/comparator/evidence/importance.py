"""Which hyperparameters a number depends on: permutation importance, with its uncertainty.

Each repeat draws a bootstrap sample of the points, fits extremely randomised trees to it, and asks on
the points left out by how much the error of the prediction grows when one hyperparameter's values are shuffled
among them. Half of that growth is the variance that rests on the hyperparameter, alone or together with others:
it is given as a share of the whole, so that 0 is no use and 1 is all there is. An interval over the repeats that
holds 0 says that the evaluations do not show any dependence. `predicted` is the share of the variance that the
trees predict on points left out: where it is not above 0, no ranking means anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from comparator.evidence.coordinates import Array
from comparator.evidence.replicates import exponent_of
from comparator.evidence.trees import extra_trees

REPEATS = 40
TREES = 8  # of each repeat
LEAF = 3
FEWEST = 12  # points; with fewer nothing can be said
MOST = 300  # points; of more, so many are drawn
INTERVAL = (5.0, 95.0)  # percentiles over the repeats


@dataclass(frozen=True)
class Share:
    """How much of the variance rests on one hyperparameter, with its interval."""

    name: str
    mean: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low > 0


@dataclass(frozen=True)
class Importance:
    """The hyperparameters by importance, the most important first, from `points` distinct points."""

    shares: tuple[Share, ...]
    predicted: float
    points: int


def importance(names: Sequence[str], rows: Array, values: Array, seed: int = 1) -> Importance | None:
    """Return the importance of each column of `rows` (points, hyperparameters) for `values` (points,).

    The points are distinct: one on both sides of a bootstrap sample would predict itself. None where they are too
    few, or where all values are equal.
    """
    rng = np.random.default_rng(seed)
    if len(rows) > MOST:
        kept = np.sort(rng.choice(len(rows), MOST, replace=False))
        rows, values = rows[kept], values[kept]
    if len(rows) < FEWEST or not np.ptp(values) > 0:
        return None
    # Shares are the same in any unit, and from any zero; squares of very large or small numbers are lost.
    values = np.ldexp(values, -exponent_of(values.tolist()))
    values = values - values.mean()
    variance = float(values.var())
    gains, errors = _repeat(rows, values, rng)
    shares = [
        Share(name, float(gain.mean()), *(float(end) for end in np.percentile(gain, INTERVAL)))
        for name, gain in zip(names, gains.T / (2 * variance), strict=True)
    ]
    shares.sort(key=lambda share: -share.mean)
    return Importance(tuple(shares), 1 - float(errors.mean()) / variance, len(rows))


def _repeat(rows: Array, values: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return by repeat and column how much the squared error grows, and by repeat the error itself."""
    gains, errors = [], []
    for _ in range(REPEATS):
        drawn = rng.integers(0, len(rows), len(rows))
        left = np.setdiff1d(np.arange(len(rows)), drawn)
        if len(left) < 2:
            continue
        asked = np.array([rows[left], *(_shuffled(rows[left], column, rng) for column in range(rows.shape[1]))])
        predicted = extra_trees(rows[drawn], values[drawn], asked.reshape(-1, rows.shape[1]), TREES, LEAF, rng)
        predicted = predicted.reshape(len(asked), -1)
        error, *grown = ((predicted - values[left]) ** 2).mean(axis=1)
        gains.append(np.array(grown) - error)
        errors.append(error)
    return np.array(gains), np.array(errors)


def _shuffled(rows: Array, column: int, rng: np.random.Generator) -> Array:
    shuffled = rows.copy()
    shuffled[:, column] = rng.permutation(shuffled[:, column])
    return shuffled
