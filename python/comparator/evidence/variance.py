"""What makes the trainings of one point differ: the study, the split, what the seed decides, or what none does alone.

Numbers y of trainings, each at one level of several factors (split, initialisation, order, all else of the seed), are
taken as

    y = mean + factor_1[level] + factor_2[level] + ... + rest

with independent effects (the random model; Searle, Casella and McCulloch, Variance Components, 1992, chapter 4). In a
crossing of two factors, and in a square (`comparator.strategies.blocks.square`), every two levels meet once, so that
what two factors do together is independent from training to training, and is in `rest` whatever it is. Components are
those of the analysis of variance, each factor adjusted for the others (Henderson's third method; where a training
failed they are not evenly met), below 0 taken for 0. Intervals of their shares are generalised ones (Weerahandi,
Generalized confidence intervals, 1993): of mean squares that are drawn as they might be.

Of two studies, or models, whose trainings share all levels, the components are the means of both, whose mean squares
have the degrees of freedom of Satterthwaite; and a training of one of the two, each as likely, varies by which it is:
by the square of half the difference of their means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from comparator.evidence.coordinates import Array

DRAWS = 4_000
FEWEST = 3  # levels of a factor
REST, BETWEEN = "rest", "study"
SMALL = 1e-9


@dataclass(frozen=True)
class Part:
    """One component of the variance: its size, and its share of the whole with an interval (95 %)."""

    name: str
    variance: float
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Variance:
    """The mean of all trainings, the variance of one, its parts, and how many levels of each factor were met."""

    mean: float
    variance: float
    levels: dict[str, int]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Stratum:
    """A factor's part of the numbers, [trainings, freedom], and how often a level of it was met, as its mean square
    has it.

    The rest has no level.
    """

    basis: Array
    times: float

    @property
    def freedom(self) -> int:
        return self.basis.shape[1]


def split_variance(numbers: Array, levels: Mapping[str, Sequence[int]], seed: int = 1) -> Variance | None:
    """Split the variance of numbers, [trainings], or [2, trainings] of two studies, whose part then is the first.

    `levels` has the level of each training by factor. None with fewer than `FEWEST` levels of any, too few trainings to
    leave a rest, or where the variance is 0.
    """
    values = np.atleast_2d(numbers)
    counts = {name: len(set(met)) for name, met in levels.items()}
    if min(counts.values(), default=0) < FEWEST:
        return None
    strata = _strata(levels)
    is_same = np.ptp(values, axis=1).max() <= SMALL * np.abs(values).max()
    if is_same or any(stratum.freedom < FEWEST - 1 for stratum in strata):
        return None
    rng = np.random.default_rng(seed)
    squares, drawn = _mean_squares(values, strata, rng)
    times = np.array([stratum.times for stratum in strata[:-1]])
    sizes, of_drawn = _components(squares, times), _components(drawn, times)
    names = [*levels, REST]
    if len(values) > 1:
        between, drawn_between = _between(values, strata, rng)
        sizes, of_drawn = np.r_[between, sizes], np.column_stack([np.square(drawn_between), of_drawn])
        names.insert(0, BETWEEN)
    if not sizes.sum() > 0:
        return None
    shares = of_drawn / of_drawn.sum(axis=1, keepdims=True)
    if len(values) > 1:
        shares[:, 0] *= np.sign(drawn_between)
    low, high = _interval(shares)
    # Parts that are not there cannot fall below 0, so that the rest would seem surely less than all: here they may.
    whole = ((drawn[:, :-1] - drawn[:, -1:]) / times).sum(axis=1) + of_drawn[:, : -len(squares)].sum(axis=1)
    high[-1] = max(high[-1], np.quantile(1 / (1 + np.maximum(whole / drawn[:, -1], 0)), 0.975))
    parts = tuple(
        Part(name, float(size), float(size / sizes.sum()), (float(low[place]), float(high[place])))
        for place, (name, size) in enumerate(zip(names, sizes, strict=True))
    )
    return Variance(float(values.mean()), float(sizes.sum()), counts, parts)


def _strata(levels: Mapping[str, Sequence[int]]) -> list[_Stratum]:
    """The factors, each adjusted for all others, and the rest."""
    met = {name: np.equal.outer(np.array(of), np.unique(of)).astype(float) for name, of in levels.items()}
    trainings = len(next(iter(met.values())))
    found = []
    for name, own in met.items():
        others = _basis(np.column_stack([np.ones(trainings), *(each for other, each in met.items() if other != name)]))
        basis = _basis(own - others @ (others.T @ own))
        found.append(_Stratum(basis, float(np.square(basis.T @ own).sum()) / max(1, basis.shape[1])))
    every = _basis(np.column_stack([np.ones(trainings), *met.values()]))
    return [*found, _Stratum(_basis(np.eye(trainings) - every @ every.T), 1.0)]


def _basis(columns: Array) -> Array:
    """An orthonormal basis of what columns span."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, sizes > SMALL * max(1.0, sizes[0])]


def _mean_squares(values: Array, strata: Sequence[_Stratum], rng: np.random.Generator) -> tuple[Array, Array]:
    """The mean square of each stratum, over both studies, and draws of what it might be, [draws, strata]."""
    squares, freedoms = [], []
    for stratum in strata:
        products = values @ stratum.basis @ (values @ stratum.basis).T
        whole = np.trace(products)
        squares.append(whole / (len(values) * stratum.freedom))
        freedoms.append(stratum.freedom / (np.square(products / whole).sum() if whole > 0 else 1.0))
    found, freedom = np.array(squares), np.array(freedoms)
    return found, found * freedom / rng.chisquare(freedom, (DRAWS, len(strata)))


def _components(squares: Array, times: Array) -> Array:
    """The components of mean squares, [..., strata] each; the last is the rest."""
    factors, rest = squares[..., :-1], squares[..., -1:]
    return np.concatenate([np.maximum(factors - rest, 0) / times, rest], axis=-1)


def _between(values: Array, strata: Sequence[_Stratum], rng: np.random.Generator) -> tuple[float, Array]:
    """The variance of which of two studies it is, and draws of half their difference, by their paired trainings."""
    apart = values[1] - values[0]
    squares, drawn = _mean_squares(apart[None, :], strata, rng)
    half = apart.mean() / 2

    def of_half(of: Array) -> Array:
        """The variance of half the mean difference, of mean squares."""
        rest = of[..., -1]
        factors = np.maximum(of[..., :-1] - rest[..., None], 0).sum(axis=-1)
        return np.asarray((factors + rest) / (4 * len(apart)))

    draws = abs(half) - np.sqrt(of_half(drawn)) * rng.standard_normal(DRAWS)
    return float(max(half**2 - of_half(squares), 0.0)), draws


def _interval(shares: Array) -> tuple[Array, Array]:
    """The ends of each share, of draws; one that has signs is that of a square, which 0 is in where both signs are."""
    low, high = np.quantile(shares, (0.025, 0.975), axis=0)
    return np.maximum(low, 0), np.maximum(high, 0 - low)  # -low is -0.0 of a share of nothing, and is shown as that
