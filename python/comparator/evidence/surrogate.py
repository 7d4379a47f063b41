"""A Gaussian process over a parameter space: what the evaluations say of points that were not evaluated.

The mean is an unknown constant (ordinary kriging), the kernel a Matern 5/2 with a length of its own for each
parameter (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations 4.17 and 5.1); two values
of a category are one unit apart, whichever they are. Lengths and variances maximise the restricted likelihood
times a prior: lengths around half a range, growing with the root of the number of parameters, so that one which does
not matter can be found out but few evaluations find no structure where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from comparator.evidence.coordinates import Array, Coordinates
from comparator.space import ParameterSpace

LENGTH, LENGTH_SPREAD = 0.5, 1.0  # median of the prior for one parameter, deviation of its logarithm
LENGTHS = (0.05, 50.0)
SIGNAL, SIGNAL_SPREAD = 1.0, 1.5  # of the variance of the values
SIGNALS = (1e-3, 1e2)
NOISE, NOISE_SPREAD = 0.25, 2.0  # of the variance of the values, where it has to be estimated
NOISES = (1e-6, 1e1)
JITTER = 1e-7  # of the variance of the values, so that equal points without noise leave a matrix to invert
STEPS = 60

Points = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Hyperparameters:
    """What `fit` chooses: a length for each column of the coordinates, in fractions of the range, and variances.

    `noise` is the variance of one replicate; None where the variance of each observation was given.
    """

    lengths: Array
    signal: float
    noise: float | None


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process conditioned on observations; make one with `fit`."""

    coordinates: Coordinates
    hyperparameters: Hyperparameters
    rows: Array  # (observations, columns)
    values: Array  # (observations,)
    variances: Array  # of the observations' noise
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
    ) -> Surrogate:
        """Fit to `values`, one for each of `points`, which may repeat.

        `variances` are those of the values' noise. Without them one variance is estimated with the rest, of which
        a mean of `counts` replicates (default 1 each) has its share. `seed` draws the second of the two starts.
        """
        coordinates = Coordinates(space)
        rows, observed = coordinates.of(points), np.asarray(values, dtype=float)
        shares = 1 / np.asarray(counts, dtype=float) if counts is not None else np.ones(len(observed))
        scale = float(observed.std()) or 1.0
        known = None if variances is None else np.asarray(variances, dtype=float)
        in_units = None if known is None else known / scale**2
        found = _Likelihood(coordinates, rows, observed / scale, in_units, shares).maximum(np.random.default_rng(seed))
        noise = None if found.noise is None else found.noise * scale**2
        spread = known if known is not None else (noise or 0.0) * shares
        return _conditioned(
            coordinates,
            Hyperparameters(found.lengths, found.signal * scale**2, noise),
            rows,
            observed,
            spread + JITTER * scale**2,
        )

    def predict(self, points: Points) -> tuple[Array, Array]:
        """Mean and deviation, without the noise of a new evaluation, at each point."""
        return self.predict_rows(self.coordinates.of(points))

    def predict_rows(self, rows: Array) -> tuple[Array, Array]:
        """`predict` of points given as rows of `coordinates`."""
        across = self.covariance(rows)
        solved = cho_solve(self._factor, across.T)
        total = self._ones.sum()
        level = float(self._ones @ self.values) / total
        mean = level + across @ cho_solve(self._factor, self.values - level)
        missed = 1 - across @ self._ones
        variance = self.hyperparameters.signal - np.einsum("ij,ji->i", across, solved) + missed**2 / total
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def residuals(self) -> Array:
        """By how much each observation departs from what all others say of it (Rasmussen and Williams, 5.4.2)."""
        return self.left_out()[0]

    def left_out(self) -> tuple[Array, Array]:
        """`residuals`, and the deviation that each was to be expected with."""
        inverse = cho_solve(self._factor, np.eye(len(self.values)))
        projected = inverse - np.outer(self._ones, self._ones) / self._ones.sum()
        precisions = np.diag(projected)
        return np.asarray(projected @ self.values / precisions), np.asarray(precisions**-0.5)

    def with_more(
        self, points: Points, values: Sequence[float] | Array, variances: Sequence[float] | Array
    ) -> Surrogate:
        """The same hyperparameters with further observations; `variances` are those of their noise."""
        return _conditioned(
            self.coordinates,
            self.hyperparameters,
            np.vstack([self.rows, self.coordinates.of(points)]),
            np.concatenate([self.values, np.asarray(values, dtype=float)]),
            np.concatenate([self.variances, np.asarray(variances, dtype=float)]),
        )

    def covariance(self, rows: Array) -> Array:
        """The covariance of the function at `rows` with that at the observations, of shape (rows, observations)."""
        squares = square_distances(self.coordinates, rows, self.rows)
        return self.hyperparameters.signal * _matern(squares, self.hyperparameters.lengths)


def square_distances(coordinates: Coordinates, one: Array, other: Array) -> Array:
    """Squared distances by column, of shape (columns, rows of `one`, rows of `other`): 1 between two categories."""
    apart = one.T[:, :, None] - other.T[:, None, :]
    squares = apart**2
    squares[coordinates.is_category] = apart[coordinates.is_category] != 0
    return np.asarray(squares)


def _matern(squares: Array, lengths: Array) -> Array:
    distance = np.sqrt(5 * np.tensordot(lengths**-2, squares, axes=1))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))


def _conditioned(
    coordinates: Coordinates, hyperparameters: Hyperparameters, rows: Array, values: Array, variances: Array
) -> Surrogate:
    covariance = hyperparameters.signal * _matern(square_distances(coordinates, rows, rows), hyperparameters.lengths)
    covariance[np.diag_indices_from(covariance)] += variances
    factor = cho_factor(covariance, lower=True)
    return Surrogate(
        coordinates, hyperparameters, rows, values, variances, factor, cho_solve(factor, np.ones(len(rows)))
    )


class _Likelihood:
    """The restricted likelihood of values of about unit variance times the priors, by hyperparameters' logarithms."""

    def __init__(
        self, coordinates: Coordinates, rows: Array, values: Array, variances: Array | None, shares: Array
    ) -> None:
        self._squares = square_distances(coordinates, rows, rows)
        self._values, self._variances, self._shares = values, variances, shares
        columns = len(self._squares)
        lengths = math.log(LENGTH * math.sqrt(max(columns, 1)))
        noise = [] if variances is not None else [(math.log(NOISE), NOISE_SPREAD, *np.log(NOISES))]
        table = [
            *[(lengths, LENGTH_SPREAD, *np.log(LENGTHS))] * columns,
            (math.log(SIGNAL), SIGNAL_SPREAD, *np.log(SIGNALS)),
            *noise,
        ]
        self._centre, self._spread, self._low, self._high = np.array(table, dtype=float).T

    def maximum(self, rng: np.random.Generator) -> Hyperparameters:
        bounds = list(zip(self._low, self._high, strict=True))
        drawn = np.clip(rng.normal(self._centre, self._spread), self._low, self._high)
        ends = [
            minimize(self._cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
            for start in (self._centre, drawn)
        ]
        return self._read(min(ends, key=lambda end: end.fun).x)

    def _read(self, logarithms: Array) -> Hyperparameters:
        columns = len(self._squares)
        found = np.exp(logarithms)
        noise = None if self._variances is not None else float(found[columns + 1])
        return Hyperparameters(found[:columns], float(found[columns]), noise)

    def _noise(self, given: Hyperparameters) -> Array:
        return self._variances if self._variances is not None else (given.noise or 0.0) * self._shares

    def _cost(self, logarithms: Array) -> tuple[float, Array]:
        """The negative logarithm and its gradient."""
        given = self._read(logarithms)
        reach = np.sqrt(5 * np.tensordot(given.lengths**-2, self._squares, axes=1))
        decay = np.exp(-reach)
        signal = given.signal * (1 + reach + reach**2 / 3) * decay
        noise = self._noise(given)
        covariance = signal.copy()
        covariance[np.diag_indices_from(covariance)] += noise + JITTER
        factor, lower = cho_factor(covariance, lower=True)
        inverse = cho_solve((factor, lower), np.eye(len(covariance)))
        ones = inverse.sum(axis=1)
        total = ones.sum()
        projected = inverse - np.outer(ones, ones) / total
        weighed = projected @ self._values
        standing = (logarithms - self._centre) / self._spread
        cost = (
            0.5 * float(self._values @ weighed)
            + float(np.log(np.diag(factor)).sum())
            + 0.5 * math.log(total)
            + 0.5 * float(standing @ standing)
        )
        # Half the trace of this times the derivative of the covariance is the derivative of the cost.
        pull = projected - np.outer(weighed, weighed)
        shared = pull * (given.signal * (5 / 3) * (1 + reach) * decay)
        slopes = [
            *(0.5 * np.tensordot(self._squares, shared, axes=2) / given.lengths**2),
            0.5 * float((pull * signal).sum()),
        ]
        if given.noise is not None:
            slopes.append(0.5 * float(np.diag(pull) @ noise))
        return cost, np.array(slopes) + standing / self._spread
