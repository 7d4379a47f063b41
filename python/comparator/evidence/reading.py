"""Where a difference is large, read off evaluations: a level, and the few boxes in which the surrogate lies beyond it.

The level is the size of the surrogate's mean that parts the evaluations into the two groups that differ most, unless
the user gives one. The part of the space beyond it, of either sign, is covered with as few boxes as explain it
(`cover`). The evaluations are then drawn again, by point and with replacement, and the same is done again: how often
a box comes back is its stability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from comparator.evidence.boxes import Box
from comparator.evidence.coordinates import Array, dense_sample
from comparator.evidence.cover import Cells, Lattice
from comparator.evidence.paired import Paired
from comparator.evidence.surrogate import Surrogate
from comparator.space import ParameterSpace

FEWEST_INSIDE = 3  # evaluated points in a box
DENSE, DENSE_OF_MANY = 2048, 4096  # points of the dense sample, in up to three parameters and in more
RESAMPLES = 40
ALIKE = 0.5  # overlap of two boxes, the shared part of their union, above which they are one


@dataclass(frozen=True)
class Part:
    """A box beyond the level: `direction` is the sign of the difference there, `stability` how often it came back."""

    box: Box
    direction: int
    stability: float


@dataclass(frozen=True)
class Reading:
    """What was read: the surrogate of the signed difference, the level, and the parts of the space beyond it."""

    surrogate: Surrogate
    level: float
    parts: tuple[Part, ...]
    failing: tuple[Box, ...] = ()


def read_regions(
    space: ParameterSpace,
    paired: Paired,
    *,
    level: float | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    failed: Sequence[Mapping[str, Any]] = (),
) -> Reading:
    """Read where the difference is beyond `level`, by default the cut whose two sides differ most.

    A part holds `FEWEST_INSIDE` evaluated points or more. Without `resamples` no stability is known (0).
    """
    return _Reader(space, paired, level, seed).read(resamples)


class _Reader:
    """The search for boxes, once on all evaluations and again on those that are drawn from them."""

    def __init__(self, space: ParameterSpace, paired: Paired, level: float | None, seed: int) -> None:
        self._paired, self._level = paired, level
        self._means = paired.means
        self._surrogate = Surrogate.fit(space, paired.points, self._means, seed=seed, counts=paired.counts)
        coordinates = self._surrogate.coordinates
        dense = dense_sample(space, DENSE if len(coordinates.parameters) <= 3 else DENSE_OF_MANY, seed)
        self._lattice = Lattice(coordinates, dense)
        self._own = Lattice(coordinates, paired.points)
        self._resampled = _Resampled(self._surrogate, coordinates.of(dense))
        self._rng = np.random.default_rng(seed)

    def read(self, resamples: int) -> Reading:
        every = np.ones(len(self._means), dtype=int)
        level, boxes = self._boxes(every)
        boxes = [(box, sign) for box, sign in boxes if self._own.inside(box).sum() >= FEWEST_INSIDE]
        drawn = [self._drawn() for _ in range(resamples)] if boxes else []
        parts = [Part(self._lattice.box(box), sign, self._stability(box, drawn)) for box, sign in boxes]
        return Reading(self._surrogate, level, tuple(parts))

    def _boxes(self, counts: Array) -> tuple[float, list[tuple[Cells, int]]]:
        """The level, and the boxes of either sign beyond it, of the evaluations each taken `counts` times."""
        mean, own = self._resampled.means(counts)
        level = self._level if self._level is not None else cut(np.abs(own), np.sign(own) * self._means, counts)
        boxes: list[tuple[Cells, int]] = []
        for sign in (1, -1):
            boxes += [(box, sign) for box in self._lattice.cover(np.where(sign * mean > level, 1.0, -1.0))]
        return level, boxes

    def _drawn(self) -> list[tuple[Cells, int]]:
        count = len(self._means)
        return self._boxes(np.bincount(self._rng.integers(0, count, count), minlength=count))[1]

    def _stability(self, box: Cells, drawn: Sequence[list[tuple[Cells, int]]]) -> float:
        found = [any(self._overlap(box, other) > ALIKE for other, _ in boxes) for boxes in drawn]
        return float(np.mean(found)) if found else 0.0

    def _overlap(self, one: Cells, other: Cells) -> float:
        return overlap(self._lattice.inside(one), self._lattice.inside(other))


class _Resampled:
    """The surrogate's mean where each observation is taken a number of times, with the same hyperparameters."""

    def __init__(self, surrogate: Surrogate, rows: Array) -> None:
        self._surrogate = surrogate
        self._across = surrogate.covariance(np.vstack([rows, surrogate.rows]))
        self._dense = len(rows)

    def means(self, counts: Array) -> tuple[Array, Array]:
        """The means at the dense sample, and at the observations' points."""
        taken = np.flatnonzero(counts)
        own = self._across[self._dense :][np.ix_(taken, taken)].copy()
        own[np.diag_indices_from(own)] += self._surrogate.variances[taken] / counts[taken]
        factor = cho_factor(own, lower=True)
        values = self._surrogate.values[taken]
        ones = cho_solve(factor, np.ones(len(taken)))
        middle = float(ones @ values) / float(ones.sum())
        mean = middle + self._across[:, taken] @ cho_solve(factor, values - middle)
        return mean[: self._dense], mean[self._dense :]


def cut(heights: Array, values: Array, counts: Array | None = None) -> float:
    """The height that parts the observations into the two groups whose values differ most.

    `heights` is the size of the surrogate's mean at each observation, `values` are the observations with the sign that
    the surrogate's mean has there, each taken `counts` times (default once). A group has at least two, where there
    are four. Most: with the largest sum of squares between the groups.
    """
    taken = np.ones(len(heights)) if counts is None else np.asarray(counts, dtype=float)
    order = np.argsort(heights, kind="stable")
    order = order[taken[order] > 0]
    ascending, weights = heights[order], taken[order]
    sums, held = np.cumsum(weights * values[order]), np.cumsum(weights)
    below, above = held[:-1], held[-1] - held[:-1]
    fewest = min(2.0, held[-1] / 2)
    between = below * above * ((sums[-1] - sums[:-1]) / above - sums[:-1] / below) ** 2
    between[(below < fewest) | (above < fewest)] = -1.0
    place = int(np.argmax(between)) if len(between) else 0
    return float(ascending[place : place + 2].mean())


def overlap(one: Array, other: Array) -> float:
    """The shared part of the union of two sets, 0 where both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0
