"""What a Gaussian process takes for granted of its values, and how likely that makes them.

Lengths and variances maximise the restricted likelihood times a prior: lengths around half a range, growing with the
root of the number of parameters, so that one which does not matter can be found out but few evaluations find no
structure where there is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import cho_factor
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from comparator.evidence.coordinates import Array, Coordinates
from comparator.evidence.kernel import matern, square_distances

LENGTH, LENGTH_SPREAD = 0.5, 1.0  # median of the prior for one parameter, deviation of its logarithm
LENGTHS = (0.05, 50.0)
SIGNAL, SIGNAL_SPREAD = 1.0, 1.5  # of the variance of the values
SIGNALS = (1e-3, 1e2)
NOISE, NOISE_SPREAD = 0.25, 2.0  # of the variance of the values, where it has to be estimated
NOISES = (1e-6, 1e1)
MAIN, MAIN_SPREAD = 1.0, 2.0  # of the variance of the values, for the sum of the main effects
MAIN_LENGTH = 0.5  # median of the prior; its deviation and bounds are those of the other lengths
BLOCK, BLOCK_SPREAD = 0.05, 2.0  # of the variance of the values, for a block's level and for its field
BLOCKS = (1e-6, 1e1)
JITTER = 1e-7  # of the variance of the values, so that equal points without noise leave a matrix to invert
STEPS, STEPS_ON = 60, 5  # of the optimiser: from nothing, and on from hyperparameters that fitted fewer values


@dataclass(frozen=True)
class Hyperparameters:
    """What is chosen: a length for each column of the coordinates, in fractions of the range, and variances.

    `noise` is the variance of one replicate; None where the variance of each observation was given. `block_level` and
    `block_field` are those of what the values of a block share, 0 without blocks. `main` is the variance of the sum of
    the main effects, 0 without them, and `main_lengths` has a length for each of them.
    """

    lengths: Array
    signal: float
    noise: float | None
    block_level: float = 0.0
    block_field: float = 0.0
    main: float = 0.0
    main_lengths: Array | None = None

    @property
    def variance(self) -> float:
        """That of the function, before any observation."""
        return self.signal + self.main

    def scaled(self, by: float) -> Hyperparameters:
        """The same for values whose variance is `by` times as large."""
        return replace(
            self,
            signal=self.signal * by,
            noise=None if self.noise is None else self.noise * by,
            block_level=self.block_level * by,
            block_field=self.block_field * by,
            main=self.main * by,
        )


def is_shared(blocks: Array | None, count: int) -> Array:
    """1 where two observations are of one block, of shape (observations, observations)."""
    return np.zeros((count, count)) if blocks is None else (blocks[:, None] == blocks[None, :]).astype(float)


class Likelihood:
    """The restricted likelihood of values of about unit variance times the priors, by hyperparameters' logarithms.

    In the order: lengths, signal, noise where variances are not given, block's level and field where there are blocks,
    the variance of the main effects and their lengths where they are asked for.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        rows: Array,
        values: Array,
        variances: Array | None,
        shares: Array,
        blocks: Array | None = None,
        has_main: bool = False,
    ) -> None:
        self._squares = square_distances(coordinates, rows, rows)
        self._values, self._variances, self._shares = values, variances, shares
        self._has_blocks, self._shared = blocks is not None, is_shared(blocks, len(rows))
        self._columns = len(self._squares)
        self._flat = self._squares.reshape(self._columns, len(rows) ** 2)
        self._room = np.empty((5, len(rows), len(rows)))  # asked for once: it costs more than what is computed in it
        self._has_main = has_main and self._columns > 1  # of one parameter it would be all there is
        length = LENGTH * math.sqrt(max(self._columns, 1))
        table = [
            *[(length, LENGTH_SPREAD, *LENGTHS)] * self._columns,
            (SIGNAL, SIGNAL_SPREAD, *SIGNALS),
            *([] if variances is not None else [(NOISE, NOISE_SPREAD, *NOISES)]),
            *([(BLOCK, BLOCK_SPREAD, *BLOCKS)] * 2 if self._has_blocks else []),
            *([(MAIN, MAIN_SPREAD, *SIGNALS)] if self._has_main else []),
            *([(MAIN_LENGTH, LENGTH_SPREAD, *LENGTHS)] * self._columns if self._has_main else []),
        ]
        medians, self._spread, lows, highs = np.array(table, dtype=float).T
        self._centre, self._low, self._high = np.log(medians), np.log(lows), np.log(highs)

    def maximum(self, rng: np.random.Generator) -> Hyperparameters:
        drawn = np.clip(rng.normal(self._centre, self._spread), self._low, self._high)
        ends = [self._climbed(begin, STEPS) for begin in (self._centre, drawn)]
        return self._read(min(ends, key=lambda end: end.fun).x)

    def maximum_near(self, start: Hyperparameters) -> Hyperparameters:
        begin = np.clip(np.log(self._written(start)), self._low, self._high)
        return self._read(self._climbed(begin, STEPS_ON).x)

    def _climbed(self, begin: Array, steps: int) -> Any:
        bounds = list(zip(self._low, self._high, strict=True))
        return minimize(self._cost, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})

    def _read(self, logarithms: Array) -> Hyperparameters:
        found = np.exp(logarithms)
        variances = found[self._columns :].tolist()
        signal = variances.pop(0)
        noise = variances.pop(0) if self._variances is None else None
        level, field = (variances.pop(0), variances.pop(0)) if self._has_blocks else (0.0, 0.0)
        lengths = found[: self._columns]
        if not self._has_main:
            return Hyperparameters(lengths, signal, noise, level, field)
        return Hyperparameters(lengths, signal, noise, level, field, variances.pop(0), np.array(variances))

    def _written(self, given: Hyperparameters) -> Array:
        noise = [given.noise or NOISES[0]] if self._variances is None else []
        blocks = [max(given.block_level, BLOCKS[0]), max(given.block_field, BLOCKS[0])] if self._has_blocks else []
        main = [given.main, *given.main_lengths] if given.main_lengths is not None else []
        return np.array([*given.lengths, given.signal, *noise, *blocks, *main])

    def _noise(self, given: Hyperparameters) -> Array:
        return self._variances if self._variances is not None else (given.noise or 0.0) * self._shares

    def _main(self, given: Hyperparameters) -> Array | float:
        """The covariance of the main effects."""
        if given.main_lengths is None:
            return 0.0
        return given.main * matern(self._main_squares(given.main_lengths)).mean(axis=0)

    def _main_slopes(self, given: Hyperparameters, main: Array | float, pull: Array) -> list[float]:
        """Of the variance of the main effects, whose covariance is `main`, and of their lengths."""
        if given.main_lengths is None:
            return []
        squares = self._main_squares(given.main_lengths)
        reach = np.sqrt(5 * squares)
        steepness = squares * (5 / 3) * (1 + reach) * np.exp(-reach)
        by_length = 0.5 * given.main / self._columns * np.tensordot(steepness, pull, axes=2)
        return [0.5 * float((pull * main).sum()), *by_length.tolist()]

    def _main_squares(self, lengths: Array) -> Array:
        return np.asarray(self._squares / lengths[:, None, None] ** 2)

    def _correlated(self, given: Hyperparameters) -> tuple[Array, Array, Array, Array]:
        """Of all pairs in `_room`: correlation, its steepness, covariance but for main effects and noise; and room."""
        alike, decay, steepness, height, covariance = self._room
        reach = np.dot(given.lengths[None, :] ** -2, self._flat, out=alike.reshape(1, -1)).reshape(alike.shape)
        reach *= 5
        np.sqrt(reach, out=reach)
        np.exp(np.negative(reach, out=decay), out=decay)
        np.add(1, reach, out=steepness)
        np.square(reach, out=alike)
        alike /= 3
        alike += steepness
        alike *= decay
        np.multiply(self._shared, given.block_field, out=height)
        height += given.signal
        np.multiply(alike, height, out=covariance)
        height *= 5 / 3
        steepness *= height
        steepness *= decay
        covariance += np.multiply(self._shared, given.block_level, out=height)
        return alike, steepness, covariance, height

    def _cost(self, logarithms: Array) -> tuple[float, Array]:
        """The negative logarithm and its gradient."""
        given = self._read(logarithms)
        alike, steepness, covariance, product = self._correlated(given)
        main = self._main(given)
        covariance += main
        noise = self._noise(given)
        covariance[np.diag_indices_from(covariance)] += noise + JITTER
        factor, _ = cho_factor(covariance.T, lower=True, overwrite_a=True)
        halves = float(np.log(np.diag(factor)).sum())
        projected = _inverse(factor)
        ones = projected.sum(axis=1)
        total = ones.sum()
        projected -= np.divide(np.outer(ones, ones, out=product), total, out=product)
        weighed = projected @ self._values
        standing = (logarithms - self._centre) / self._spread
        cost = 0.5 * float(self._values @ weighed) + halves + 0.5 * math.log(total) + 0.5 * float(standing @ standing)
        # Half the trace of this times the derivative of the covariance is the derivative of the cost.
        pull = projected
        pull -= np.outer(weighed, weighed, out=product)
        steepness *= pull
        alike *= pull
        slopes = [
            *(0.5 * np.tensordot(self._squares, steepness, axes=2) / given.lengths**2),
            0.5 * given.signal * float(alike.sum()),
        ]
        if given.noise is not None:
            slopes.append(0.5 * float(np.diag(pull) @ noise))
        if self._has_blocks:
            slopes.append(0.5 * given.block_level * float(np.multiply(pull, self._shared, out=product).sum()))
            slopes.append(0.5 * given.block_field * float(np.multiply(alike, self._shared, out=product).sum()))
        slopes += self._main_slopes(given, main, pull)
        return cost, np.array(slopes) + standing / self._spread


def _inverse(lower: Array) -> Array:
    """The inverse of a matrix whose lower Cholesky factor is given, with anything above its diagonal; in its place."""
    found, _ = dpotri(lower, lower=1, overwrite_c=1)
    return np.where(np.tri(len(found), dtype=bool), found, found.T)
