"""A Gaussian process over a parameter space: what the evaluations say of points that were not evaluated.

The mean is an unknown constant (ordinary kriging), the kernel a Matern 5/2 with a length of its own for each
parameter (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations 4.17 and 5.1); two values
of a category are one unit apart, whichever they are. `likelihood` says how lengths and variances are chosen.

A surrogate with main effects has beside that a sum of functions of one parameter each, with lengths of their own
(Duvenaud, Nickisch and Rasmussen, Additive Gaussian processes, 2011): what a value of one parameter does is learnt from
all points that have it, whatever their other parameters are.

Values of one block, trainings on one data split with one stream of seeds, share their luck: a level of the block's own,
and a smooth field of its own with the same correlation over the space. What is predicted is the function without them,
the mean over blocks that were not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from comparator.evidence.coordinates import Array, Coordinates, dense_sample, space_key
from comparator.evidence.kernel import correlation, main_correlation
from comparator.evidence.keyed import Keyed
from comparator.evidence.likelihood import JITTER, Hyperparameters, Likelihood, is_shared
from comparator.evidence.paired import Paired
from comparator.results.record import key_of
from comparator.space import ParameterSpace

ENOUGH = 600  # values, of which a report's surrogate takes no more to choose its hyperparameters
MANY = 150  # values, of which more are fitted in part first
#: Differences that a surrogate is to rest on: its time grows with their cube, and more change little of what it says.
MOST = 1000
PLACES = 256  # of the space, for what two of them share on average
CHUNK = 256  # rows at a time, of the covariance of many with one another

Points = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Components:
    """What makes values differ, as variances: the place, the block, the place within a block, and all the rest.

    `place` is that of the function between two places of the space, `block` that of a block's mean over the space, its
    split's and seeds' luck everywhere; `block_by_place` of what is left of a block's luck from place to place; `noise`
    of one training beyond all that (0 where variances were given).
    """

    place: float
    block: float
    block_by_place: float
    noise: float


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process conditioned on observations; make one with `fit`."""

    coordinates: Coordinates
    hyperparameters: Hyperparameters
    rows: Array  # (observations, columns)
    values: Array  # (observations,)
    variances: Array  # of the observations' noise
    blocks: Array | None  # (observations,)
    _factor: Any  # Cholesky's, of the covariance of the observations
    _ones: Array  # the inverse covariance times a column of ones

    @classmethod
    def fit(
        cls,
        space: ParameterSpace,
        points: Points,
        values: Sequence[float] | Array,
        variances: Sequence[float] | Array | None = None,
        seed: int = 0,
        *,
        counts: Sequence[int] | Array | None = None,
        blocks: Sequence[int] | Array | None = None,
        start: Hyperparameters | None = None,
        most: int | None = None,
        has_main: bool = False,
    ) -> Surrogate:
        """Fit to `values`, one for each of `points`, which may repeat.

        `variances` are those of the values' noise. Without them one variance is estimated with the rest, of which
        a mean of `counts` replicates (default 1 each) has its share. `blocks` says of each value which block it is of;
        a single one says nothing. `seed` draws the second of the two starts, and of more than `MANY` values those on
        which the hyperparameters are chosen before few steps on all, or on `most` of them. With `start`, which fitted
        most of the values, there are only these steps. `has_main`: with main effects. What is returned is conditioned
        on all values.
        """
        coordinates = Coordinates(space)
        rows, observed = coordinates.of(points), np.asarray(values, dtype=float)
        shares = 1 / np.asarray(counts, dtype=float) if counts is not None else np.ones(len(observed))
        own = None if blocks is None or len(set(np.asarray(blocks).tolist())) < 2 else np.asarray(blocks)
        scale = float(observed.std()) or 1.0
        known = None if variances is None else np.asarray(variances, dtype=float)
        in_units = None if known is None else known / scale**2
        rng = np.random.default_rng(seed)

        def likelihood(of: Array) -> Likelihood:
            own_variances = None if in_units is None else in_units[of]
            own_blocks = None if own is None else own[of]
            own_values = observed[of] / scale
            return Likelihood(coordinates, rows[of], own_values, own_variances, shares[of], own_blocks, has_main)

        every = np.arange(len(observed))
        if start is not None:
            found = likelihood(every).maximum_near(start.scaled(scale**-2))
        elif len(observed) <= MANY:
            found = likelihood(every).maximum(rng)
        else:
            # All at once would take seconds.
            drawn = rng.permutation(every)
            further = every if most is None or most >= len(every) else drawn[:most]
            found = likelihood(further).maximum_near(likelihood(drawn[:MANY]).maximum(rng))
        chosen = found.scaled(scale**2)
        spread = known if known is not None else (chosen.noise or 0.0) * shares
        return _conditioned(coordinates, chosen, rows, observed, spread + JITTER * scale**2, own)

    def predict(self, points: Points) -> tuple[Array, Array]:
        """Mean and deviation of the function, without a block's luck and a training's noise, at each point."""
        return self.predict_rows(self.coordinates.of(points))

    def mean(self, points: Points) -> Array:
        """The mean that `predict` gives, which is sooner found alone."""
        return self.mean_of(self.covariance(self.coordinates.of(points)))

    def predict_rows(self, rows: Array) -> tuple[Array, Array]:
        """`predict` of points given as rows of `coordinates`."""
        across = self.covariance(rows)
        variance = self._left(self.hyperparameters.variance, across, 1 - across @ self._ones)
        return self.mean_of(across), np.sqrt(variance)

    def predict_over_blocks(self, points: Points) -> tuple[Array, Array, Array]:
        """The mean at each point, its deviation, and that of what one training on a new block would give there.

        Both deviations take the variance of a block's luck at the place as the observed blocks have shown it there; to
        that of their mean, which noise and the places between the points leave, comes their share of it. The
        hyperparameters alone tell it badly where luck grows with the function: one variance for all places, of luck as
        smooth as the function, is then several times too much.
        """
        rows = self.coordinates.of(points)
        mean, deviation = self.predict_rows(rows)
        luck, noise = np.zeros(len(rows)), self.hyperparameters.noise or 0.0
        if self.blocks is None:
            return mean, deviation, np.sqrt(deviation**2 + noise)
        given, blocks = self.hyperparameters, np.unique(self.blocks)
        of_block = given.block_level + given.block_field
        shared = given.block_level + given.block_field * self._correlation(rows, self.rows)
        weighed = cho_solve(self._factor, self.values - self._level)
        for block in blocks:  # by how much its luck departs from that of all, given the observations
            own = shared * ((self.blocks == block) - 1 / len(blocks))
            luck += (own @ weighed) ** 2 + self._left(of_block * (1 - 1 / len(blocks)), own, own @ self._ones)
        luck /= len(blocks) - 1
        of_all = self.covariance(rows) + shared / len(blocks)
        variance = self._left(given.variance + of_block / len(blocks), of_all, 1 - of_all @ self._ones)
        variance += luck / len(blocks)
        return mean, np.sqrt(variance), np.sqrt(variance + luck + noise)

    def _left(self, variance: float, across: Array, missed: Array) -> Array:
        """What the observations leave of a variance, by the covariance with them and what the level's weights miss."""
        explained = np.einsum("ij,ji->i", across, cho_solve(self._factor, across.T))
        return np.asarray(np.maximum(variance - explained + missed**2 / self._ones.sum(), 0.0))

    def mean_over(self, rows: Array, weights: Array | None = None) -> tuple[float, float]:
        """Mean and variance of the function's mean over rows of `coordinates`, or of its sum times `weights`.

        The variance takes the hyperparameters for known. Those of few blocks are not: use it with Student's t for one
        degree of freedom fewer than there are blocks, and expect a contrast to be covered less often than is said.
        """
        each = np.full(len(rows), 1 / len(rows)) if weights is None else np.asarray(weights, dtype=float)
        across = each @ self.covariance(rows)
        missed = each.sum() - across @ self._ones
        own = sum(
            each[first : first + CHUNK] @ self._prior(rows[first : first + CHUNK], rows) @ each
            for first in range(0, len(rows), CHUNK)
        )
        explained = across @ cho_solve(self._factor, across)
        variance = own - explained + missed**2 / self._ones.sum()
        mean = each.sum() * self._level + across @ cho_solve(self._factor, self.values - self._level)
        return float(mean), max(float(variance), 0.0)

    def joint(self, rows: Array, others: Array) -> Array:
        """The covariance, given the observations, of the function at `rows` with that at `others`."""
        across, beside = self.covariance(rows), self.covariance(others)
        missed = np.outer(1 - across @ self._ones, 1 - beside @ self._ones) / self._ones.sum()
        return np.asarray(self._prior(rows, others) - across @ cho_solve(self._factor, beside.T) + missed)

    def components(self) -> Components:
        """What makes the values differ, over the space."""
        rows = self.coordinates.of(dense_sample(self.coordinates.space, PLACES))
        shared = float(self._correlation(rows, rows).mean())
        given = self.hyperparameters
        return Components(
            place=given.variance - float(self._prior(rows, rows).mean()),
            block=given.block_level + given.block_field * shared,
            block_by_place=given.block_field * (1 - shared),
            noise=given.noise or 0.0,
        )

    def left_out(self) -> tuple[Array, Array]:
        """By how much each observation departs from what all others say of it, and the deviation to be expected.

        (Rasmussen and Williams, section 5.4.2.)
        """
        inverse = cho_solve(self._factor, np.eye(len(self.values)))
        projected = inverse - np.outer(self._ones, self._ones) / self._ones.sum()
        precisions = np.diag(projected)
        return np.asarray(projected @ self.values / precisions), np.asarray(precisions**-0.5)

    def without_luck(self) -> Surrogate:
        """The same where what each block is expected to have added to the observations is taken off."""
        if self.blocks is None:
            return self
        given = self.hyperparameters
        luck = given.block_level + given.block_field * self._correlation(self.rows, self.rows)
        added = luck * is_shared(self.blocks, len(self.rows)) @ cho_solve(self._factor, self.values - self._level)
        alone = replace(given, block_level=0.0, block_field=0.0)
        return _conditioned(self.coordinates, alone, self.rows, self.values - added, self.variances, None)

    def with_more(
        self,
        points: Points,
        values: Sequence[float] | Array,
        variances: Sequence[float] | Array,
        blocks: Sequence[int] | Array | None = None,
    ) -> Surrogate:
        """The same hyperparameters with further observations; `variances` are those of their noise.

        `blocks` are needed where the surrogate has them.
        """
        return _conditioned(
            self.coordinates,
            self.hyperparameters,
            np.vstack([self.rows, self.coordinates.of(points)]),
            np.concatenate([self.values, np.asarray(values, dtype=float)]),
            np.concatenate([self.variances, np.asarray(variances, dtype=float)]),
            None if self.blocks is None else np.concatenate([self.blocks, np.asarray(blocks, dtype=int)]),
        )

    def taken(self, counts: Array) -> Surrogate:
        """The same hyperparameters where each observation was made so many times, or not at all."""
        held = np.flatnonzero(counts)
        return _conditioned(
            self.coordinates,
            self.hyperparameters,
            self.rows[held],
            self.values[held],
            self.variances[held] / counts[held],
            None if self.blocks is None else self.blocks[held],
        )

    def covariance(self, rows: Array) -> Array:
        """The covariance of the function at `rows` with that at the observations, of shape (rows, observations)."""
        return self._prior(rows, self.rows)

    def mean_of(self, covariance: Array) -> Array:
        """The mean at rows whose `covariance` with the observations is known."""
        return np.asarray(self._level + covariance @ cho_solve(self._factor, self.values - self._level))

    def _correlation(self, rows: Array, others: Array) -> Array:
        return correlation(self.coordinates, rows, others, self.hyperparameters.lengths)

    def _prior(self, rows: Array, others: Array) -> Array:
        """The covariance of the function at `rows` with that at `others`, before any observation."""
        found = self.hyperparameters.signal * self._correlation(rows, others)
        return found + _main(self.coordinates, self.hyperparameters, rows, others)

    @property
    def _level(self) -> float:
        return float(self._ones @ self.values) / float(self._ones.sum())


@dataclass(frozen=True)
class Success:
    """The probability that a training succeeds, learnt from points of which that is known; make one with `fit`.

    It is the mean of a surrogate fitted to 1 and 0, within these ends; 1 everywhere without failures.
    """

    learnt: Surrogate | None

    @classmethod
    def fit(
        cls, space: ParameterSpace, succeeded: Points, failed: Points, seed: int = 0, start: Success | None = None
    ) -> Success:
        """Learn from points that `succeeded` and `failed`; `start`, learnt from most of them, saves time."""
        if not failed:
            return cls(None)
        outcomes = [1.0] * len(succeeded) + [0.0] * len(failed)
        known = start.learnt.hyperparameters if start is not None and start.learnt is not None else None
        return cls(Surrogate.fit(space, [*succeeded, *failed], outcomes, seed=seed, start=known, most=ENOUGH))

    def at(self, points: Points) -> Array:
        """The probability at each point."""
        return np.ones(len(points)) if self.learnt is None else np.clip(self.learnt.mean(points), 0.0, 1.0)


def fit_differences(space: ParameterSpace, paired: Paired, seed: int = 0) -> Surrogate:
    """The surrogate of signed differences: an observation for each replicate, in the order of `paired`.

    The last few are kept: a report asks for the same one in several places.
    """
    content = (*map(key_of, map(dict, paired.points)), *(part.tobytes() for part in paired.arrays))
    return _fit_differences(Keyed((space_key(space), content), (space, paired)), seed)


def fit_success(space: ParameterSpace, succeeded: Points, failed: Points, seed: int = 0) -> Success:
    """`Success.fit`; the last few are kept, as a report reads the same failures in several metrics."""
    content = tuple(tuple(map(key_of, map(dict, points))) for points in (succeeded, failed))
    return _fit_success(Keyed((space_key(space), content), (space, succeeded, failed)), seed)


@lru_cache(maxsize=2)
def _fit_success(keyed: Keyed[tuple[ParameterSpace, Points, Points]], seed: int) -> Success:
    space, succeeded, failed = keyed.value
    return Success.fit(space, succeeded, failed, seed)


@lru_cache(maxsize=2)
def _fit_differences(keyed: Keyed[tuple[ParameterSpace, Paired]], seed: int) -> Surrogate:
    space, paired = keyed.value
    # What a step costs grows with the third power of the values, and some hundred tell the hyperparameters.
    return Surrogate.fit(space, paired.point_of_each, paired.differences, seed=seed, blocks=paired.blocks, most=ENOUGH)


def _main(coordinates: Coordinates, given: Hyperparameters, rows: Array, others: Array) -> Array | float:
    """The covariance of the main effects at `rows` with those at `others`."""
    if given.main_lengths is None:
        return 0.0
    return given.main * main_correlation(coordinates, rows, others, given.main_lengths)


def _conditioned(
    coordinates: Coordinates,
    given: Hyperparameters,
    rows: Array,
    values: Array,
    variances: Array,
    blocks: Array | None,
) -> Surrogate:
    shared = is_shared(blocks, len(rows))
    alike = correlation(coordinates, rows, rows, given.lengths)
    covariance = alike * (given.signal + given.block_field * shared) + given.block_level * shared
    covariance += _main(coordinates, given, rows, rows)
    covariance[np.diag_indices_from(covariance)] += variances
    factor = cho_factor(covariance, lower=True)
    ones = cho_solve(factor, np.ones(len(rows)))
    return Surrogate(coordinates, given, rows, values, variances, blocks, factor, ones)
