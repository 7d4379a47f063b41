"""The Gaussian process beside scikit-learn's, on the same points with the same kernel and hyperparameters.

scikit-learn's has no unknown mean: a constant kernel of a variance without bounds has the same effect. A category is
given to it in columns of its own, whose values lie one unit apart.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from late import Late

from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.likelihood import JITTER, Hyperparameters, Likelihood
from comparator.evidence.surrogate import Surrogate
from comparator.space import ParameterSpace

PLANE = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "layer", "type": "int", "lower": 25, "upper": 200},
]
MIXED = [
    *PLANE,
    {"name": "rate", "type": "float", "lower": 1e-5, "upper": 1e-1, "use_log_scale": True},
    {"name": "batch", "type": "ordered", "element_type": "int", "values": [16, 32, 64]},
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "elu", "tanh"]},
    {"name": "residual", "type": "logical"},
]
gaussian_process, kernels = Late("sklearn.gaussian_process"), Late("sklearn.gaussian_process.kernels")
UNBOUNDED = 1e5  # variance of the mean, of values whose variance is about one
SPACES = pytest.mark.parametrize("entries", [PLANE, MIXED], ids=["numbers", "every type"])


def columns(coordinates: Coordinates, rows: Array, lengths: Array) -> tuple[Array, Array]:
    """Rows and lengths as scikit-learn takes them."""
    parts, lengths_of_parts = [], []
    for column, is_category in enumerate(coordinates.is_category):
        own = rows[:, [column]]
        part = (own == np.arange(3)) / math.sqrt(2) if is_category else own
        parts.append(part)
        lengths_of_parts += [lengths[column]] * part.shape[1]
    return np.hstack(parts), np.array(lengths_of_parts)


def theirs(
    coordinates: Coordinates, given: Hyperparameters, rows: Array, values: Array, variances: Array
) -> tuple[Any, Any]:
    """scikit-learn's process conditioned on the values, and what makes its rows of ours."""
    placed, lengths = columns(coordinates, rows, given.lengths)
    smooth = kernels.ConstantKernel(given.signal) * kernels.Matern(lengths, nu=2.5)
    kernel = kernels.ConstantKernel(UNBOUNDED) + smooth
    process = gaussian_process.GaussianProcessRegressor(kernel, alpha=variances, optimizer=None).fit(placed, values)
    return process, lambda others: columns(coordinates, others, given.lengths)[0]


def observed(entries: list[dict[str, Any]], count: int) -> tuple[ParameterSpace, list[dict[str, Any]], Array]:
    space = ParameterSpace.from_entries(entries, "test")
    points = dense_sample(space, count)
    rng = np.random.default_rng(4)
    values = [math.sin(p["noise"] / 9) + p["layer"] / 200 + 0.5 * (p.get("activation") == "elu") for p in points]
    return space, points, np.array(values) + rng.normal(0, 0.1, count)


@SPACES
def test_predictions_are_those_of_scikit_learn(entries: list[dict[str, Any]]) -> None:
    space, points, values = observed(entries, 40)
    ours = Surrogate.fit(space, points, values)
    process, placed = theirs(ours.coordinates, ours.hyperparameters, ours.rows, ours.values, ours.variances)
    new = ours.coordinates.of(dense_sample(space, 60, seed=7))
    mean, covariance = process.predict(placed(new), return_cov=True)
    our_mean, our_deviation = ours.predict_rows(new)
    assert our_mean == pytest.approx(mean, abs=1e-4)
    assert our_deviation == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-4)
    assert ours.joint(new[:9], new[9:]) == pytest.approx(covariance[:9, 9:], abs=1e-4)
    total, variance = ours.mean_over(new)
    assert (total, variance) == pytest.approx((mean.mean(), covariance.mean()), abs=1e-4)


@SPACES
def test_what_the_others_say_of_a_value_is_what_scikit_learn_says_without_it(entries: list[dict[str, Any]]) -> None:
    space, points, values = observed(entries, 15)
    ours = Surrogate.fit(space, points, values)
    departures, deviations = ours.left_out()
    for one in range(15):
        rest = np.arange(15) != one
        process, placed = theirs(
            ours.coordinates, ours.hyperparameters, ours.rows[rest], ours.values[rest], ours.variances[rest]
        )
        mean, deviation = process.predict(placed(ours.rows[[one]]), return_std=True)
        assert departures[one] == pytest.approx(values[one] - mean[0], abs=1e-4)
        assert deviations[one] == pytest.approx(math.hypot(deviation[0], math.sqrt(ours.variances[one])), abs=1e-4)


@SPACES
@pytest.mark.parametrize("seed", range(5))
def test_the_restricted_likelihood_is_scikit_learns_with_an_unknown_mean(
    entries: list[dict[str, Any]], seed: int
) -> None:
    space, points, values = observed(entries, 30)
    coordinates, rng = Coordinates(space), np.random.default_rng(seed)
    rows = coordinates.of(points)
    counts = rng.integers(1, 4, len(points))
    likelihood = Likelihood(coordinates, rows, values, None, 1 / counts)
    logarithms = rng.uniform(-1.5, 1, len(coordinates.names) + 2)
    *lengths, signal, noise = np.exp(logarithms)
    given = Hyperparameters(np.array(lengths), signal, noise)
    process, _ = theirs(coordinates, given, rows, values, noise / counts + JITTER)
    without_the_mean = process.log_marginal_likelihood_value_ + 0.5 * math.log(UNBOUNDED)
    prior = 0.5 * float((((logarithms - likelihood._centre) / likelihood._spread) ** 2).sum())
    cost = likelihood._cost(logarithms)[0]
    assert prior - cost == pytest.approx(without_the_mean + 0.5 * len(values) * math.log(2 * math.pi), abs=1e-3)
