"""Which hyperparameters the objective depends on: permutation importance, with its uncertainty.

Each repeat draws a bootstrap sample of the distinct points, fits extremely randomised trees to it, and asks on
the points left out by how much the error of the prediction grows when one hyperparameter's values are shuffled
among them. Half of that growth is the variance that rests on the hyperparameter, alone or together with others:
it is given as a share of the whole, so that 0 is no use and 1 is all there is. An interval over the repeats that
holds 0 says that the evaluations do not show any dependence. `predicted` is the share of the variance that the
trees predict on points left out: where it is not above 0, no ranking means anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from comparator.report.axes import Axis
from comparator.report.summary import Evaluation, Summary

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

REPEATS = 40
TREES = 8  # of each repeat
LEAF = 3
FEWEST = 12  # points; with fewer nothing can be said
MOST = 300  # points; of more, so many are drawn
INTERVAL = (5.0, 95.0)  # percentiles over the repeats
SEED = 1


@dataclass(frozen=True)
class Share:
    """How much of the variance of the objective rests on one hyperparameter, with its interval."""

    axis: Axis
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


def importance(summary: Summary) -> Importance | None:
    """Return the importance of each varying hyperparameter; None where there are too few distinct points."""
    points = _distinct(summary.searched)
    axes = summary.axes
    rows = [[axis.position(one.point.get(axis.name)) for axis in axes] for one in points]
    kept = [number for number, row in enumerate(rows) if None not in row]
    if len(kept) < FEWEST:
        return None
    rng = np.random.default_rng(SEED)
    if len(kept) > MOST:
        kept = sorted(rng.choice(kept, MOST, replace=False).tolist())
    features = np.array([rows[number] for number in kept], dtype=float)
    target = np.array([points[number].difference for number in kept], dtype=float)
    variance = float(target.var())
    if variance <= 0:
        return None
    gains, errors = _repeat(features, target, rng)
    shares = [
        Share(axis, float(gain.mean()), *(float(end) for end in np.percentile(gain, INTERVAL)))
        for axis, gain in zip(axes, gains.T / (2 * variance), strict=True)
    ]
    shares.sort(key=lambda share: -share.mean)
    return Importance(tuple(shares), 1 - float(errors.mean()) / variance, len(kept))


def _distinct(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return each point once, by its latest evaluation: the same point on both sides would predict itself."""
    latest = {json.dumps(one.point, sort_keys=True): one for one in evaluations if one.difference is not None}
    return list(latest.values())


def _repeat(features: Array, target: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return by repeat and feature how much the squared error grows, and by repeat the error itself."""
    count, width = features.shape
    gains, errors = [], []
    for _ in range(REPEATS):
        drawn = rng.integers(0, count, count)
        left = np.setdiff1d(np.arange(count), drawn)
        if len(left) < 2:
            continue
        trees = [_grow(features[drawn], target[drawn], rng) for _ in range(TREES)]
        base = _error(trees, features[left], target[left])
        gain = []
        for feature in range(width):
            shuffled = features[left].copy()
            shuffled[:, feature] = rng.permutation(shuffled[:, feature])
            gain.append(_error(trees, shuffled, target[left]) - base)
        gains.append(gain)
        errors.append(base)
    return np.array(gains), np.array(errors)


@dataclass(frozen=True)
class _Node:
    """A leaf with a value, or a split: what lies up to `cut` in `feature` goes to `low`."""

    value: float = 0.0
    feature: int = -1
    cut: float = 0.0
    low: _Node | None = None
    high: _Node | None = None


def _grow(features: Array, target: Array, rng: np.random.Generator) -> _Node:
    """Grow an extremely randomised tree: for each feature one cut at random, and the best of these."""
    if len(target) < 2 * LEAF or np.ptp(target) == 0:
        return _Node(float(target.mean()))
    low, high = features.min(axis=0), features.max(axis=0)
    cuts = low + (high - low) * rng.random(features.shape[1])
    below = features <= cuts
    few = below.sum(axis=0)
    many = len(target) - few
    sums = below.T @ target
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = sums**2 / few + (target.sum() - sums) ** 2 / many
    explained[(few < LEAF) | (many < LEAF)] = -np.inf
    best = int(np.argmax(explained))
    if not np.isfinite(explained[best]):
        return _Node(float(target.mean()))
    side = below[:, best]
    return _Node(
        feature=best,
        cut=float(cuts[best]),
        low=_grow(features[side], target[side], rng),
        high=_grow(features[~side], target[~side], rng),
    )


def _error(trees: Sequence[_Node], features: Array, target: Array) -> float:
    predicted = np.mean([_predict(tree, features) for tree in trees], axis=0)
    return float(((predicted - target) ** 2).mean())


def _predict(tree: _Node, features: Array) -> Array:
    if tree.low is None or tree.high is None:
        return np.full(len(features), tree.value)
    below = features[:, tree.feature] <= tree.cut
    predicted = np.empty(len(features))
    predicted[below] = _predict(tree.low, features[below])
    predicted[~below] = _predict(tree.high, features[~below])
    return predicted
