"""What makes the trainings of one point differ: the data split, the seed, or what neither does alone.

Differences y[s, r] of trainings on split s with seed r, each split with each seed, are taken as

    y[s, r] = mean + split[s] + seed[r] + rest[s, r]

with independent effects (the two-way random model; Searle, Casella and McCulloch, Variance Components, 1992, section
4.5). What a seed decides, first weights, the order of the rows, dropout, is the same on every split in `seed`, and is
in `rest` where it meets the split. Components are those of the analysis of variance, below 0 taken for 0. Intervals of
their shares are generalised ones (Weerahandi, Generalized confidence intervals, 1993): of mean squares that are drawn
as they might be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from comparator.evidence.coordinates import Array

DRAWS = 4_000
FEWEST = 3  # splits, and seeds
NAMES = ("split", "seed", "rest")


@dataclass(frozen=True)
class Part:
    """One component of the variance: its size, and its share of the whole with an interval (95 %)."""

    name: str
    variance: float
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Variance:
    """The mean of all trainings, the variance of one, and its parts: split, seed, and the rest."""

    mean: float
    variance: float
    splits: int
    seeds: int
    parts: tuple[Part, ...]


def split_variance(differences: Array, seed: int = 1) -> Variance | None:
    """Split the variance of differences, [splits, seeds]; None with fewer than `FEWEST` of either, or where it is 0."""
    splits, seeds = differences.shape
    if min(splits, seeds) < FEWEST:
        return None
    mean = differences.mean()
    of_split, of_seed = differences.mean(axis=1) - mean, differences.mean(axis=0) - mean
    rest = differences - mean - of_split[:, None] - of_seed[None, :]
    sums = np.array([seeds * (of_split**2).sum(), splits * (of_seed**2).sum(), (rest**2).sum()])
    freedom = np.array([splits - 1, seeds - 1, (splits - 1) * (seeds - 1)])
    sizes = _components(sums / freedom, splits, seeds)
    if not sizes.sum() > 0:
        return None
    drawn = sums / np.random.default_rng(seed).chisquare(freedom, (DRAWS, 3))
    of_drawn = _components(drawn, splits, seeds)
    shares = of_drawn / of_drawn.sum(axis=1, keepdims=True)
    low, high = np.quantile(shares, (0.025, 0.975), axis=0)
    # Shares of parts that are not there cannot fall below 0, so that the rest would seem surely less than all.
    high[2] = max(high[2], 1 - low[0] - low[1])
    parts = tuple(
        Part(name, float(size), float(size / sizes.sum()), (float(low[place]), float(high[place])))
        for place, (name, size) in enumerate(zip(NAMES, sizes, strict=True))
    )
    return Variance(float(mean), float(sizes.sum()), splits, seeds, parts)


def _components(squares: Array, splits: int, seeds: int) -> Array:
    """The components of mean squares of split, seed and rest, [..., 3] each."""
    split, seed, rest = np.moveaxis(squares, -1, 0)
    return np.stack([np.maximum(split - rest, 0) / seeds, np.maximum(seed - rest, 0) / splits, rest], axis=-1)
