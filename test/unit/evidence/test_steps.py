"""A sample of step functions: whether it is the posterior, and whether it is believed where it should be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from comparator.evidence import steps as steps_module
from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.cover import Lattice
from comparator.evidence.paired import Paired
from comparator.evidence.reading import overlap, read_regions
from comparator.evidence.steps import Steps, share
from comparator.evidence.surrogate import Surrogate
from comparator.space import ParameterSpace, Point

SMALL = ParameterSpace.from_entries(
    [
        {"name": "batch", "type": "ordered", "element_type": "int", "values": [16, 32, 64, 128, 256]},
        {"name": "activation", "type": "categorical", "element_type": "string", "values": ["elu", "relu", "tanh"]},
    ],
    "test",
)
PLANE = ParameterSpace.from_entries(
    [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in ("x", "y")], "test"
)
SIX = ParameterSpace.from_entries(
    [{"name": f"x{number}", "type": "float", "lower": 0, "upper": 1} for number in range(1, 7)], "test"
)


def in_a_box(point: Point) -> bool:
    return bool(point["x2"] > 0.6 and point["x5"] < 0.4)


def observed(points: list[Point], height: Callable[[Point], float], seed: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    return np.array([height(point) + rng.normal(0, 0.084) for point in points])


def test_the_sample_is_the_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moved particles agree with draws of the prior, each weighed by its likelihood."""
    points = [{"batch": batch, "activation": name} for batch in (16, 32, 64, 128) for name in ("elu", "relu", "tanh")]
    rng = np.random.default_rng(2)
    values = np.array([0.25 * (point["batch"] <= 32 and point["activation"] != "relu") for point in points])
    values = values + rng.normal(0, 0.15, len(points))
    everywhere = [*points, *({"batch": 256, "activation": name} for name in ("elu", "relu", "tanh"))]
    monkeypatch.setattr(steps_module, "PARTICLES", 40000)
    prior = Steps(Coordinates(SMALL), 1)
    prior._take(Lattice(Coordinates(SMALL), points).cells, values)
    weights = np.exp(prior._likelihoods() - prior._likelihoods().max())
    expected = weights @ prior.heights(everywhere)[0] / weights.sum()
    monkeypatch.setattr(steps_module, "PARTICLES", 2000)
    moved = Steps(Coordinates(SMALL), 2)
    moved.learn(points, values)
    moved.move(10)
    found = moved.heights(everywhere)[0].mean(axis=0)
    assert found == pytest.approx(expected, abs=0.012)
    assert np.ptp(expected) > 0.08


@pytest.mark.long
def test_steps_are_believed_where_the_difference_has_two_heights_and_not_on_a_slope() -> None:
    points = dense_sample(SIX, 80)

    def trust(height: Callable[[Point], float]) -> float:
        values = observed(points, height)
        steps = Steps(Coordinates(SIX))
        steps.learn(points, values)
        return share(Surrogate.fit(SIX, points, values), steps)

    assert trust(lambda point: 0.2 + 0.25 * in_a_box(point)) > 0.8
    assert trust(lambda point: 0.5 * point["x1"]) < 0.3


def test_what_settles_forgets_how_it_began() -> None:
    """Samples that were never moved each keep the few of their prior that foretold most; moved ones agree."""
    points = dense_sample(PLANE, 40, 1)
    values = observed(points, lambda point: 0.2 + 0.25 * (0.2 < point["x"] < 0.55 and 0.4 < point["y"] < 0.75))
    places = dense_sample(PLANE, 256, 2)
    samples = [Steps(Coordinates(PLANE), seed) for seed in range(4)]

    def apart() -> float:
        return float(np.std([steps.heights(places)[0].mean(axis=0) for steps in samples], axis=0).mean())

    for steps in samples:
        steps.learn(points, values, sweeps=0)
    before = apart()
    for steps in samples:
        steps.settle()
    assert apart() < 0.5 * before


@pytest.mark.long
def test_the_same_seed_gives_the_same_sample_little_by_little_or_at_once() -> None:
    points = dense_sample(SIX, 30)
    values = observed(points, lambda point: 0.2 + 0.25 * in_a_box(point))
    samples = []
    for parts in ([30], [30], [12, 13, 30]):
        steps = Steps(Coordinates(SIX), 3)
        for count in parts:
            steps.learn(points[:count], values[:count])
        samples.append(steps.heights(points)[0])
    assert np.array_equal(samples[0], samples[1])
    assert np.abs(samples[0].mean(axis=0) - samples[2].mean(axis=0)).max() < 0.1


@pytest.mark.long
def test_a_box_in_six_dimensions_is_read_by_56_evaluations() -> None:
    """By the surrogate alone the overlap is 0.78 on average."""
    found = []
    for seed in range(3):
        points = dense_sample(SIX, 56, seed)
        values = observed(points, lambda point: 0.2 + 0.25 * in_a_box(point), seed)
        paired = Paired.of([(point, [value]) for point, value in zip(points, values, strict=True)])
        places = read_regions(SIX, paired, resamples=10).places
        found.append(overlap(places.direction == 1, np.array([in_a_box(point) for point in places.points])))
    assert np.mean(found) > 0.88


def test_a_space_without_parameters_that_vary_has_steps() -> None:
    nowhere = ParameterSpace.from_entries([{"name": "epochs", "type": "constant", "value": 5}], "test")
    steps = Steps(Coordinates(nowhere))
    steps.learn([{"epochs": 5}] * 12, np.linspace(0.1, 0.3, 12))
    assert steps.heights([{"epochs": 5}])[0].mean() == pytest.approx(0.2, abs=0.05)


def test_a_value_of_a_category_has_its_cell_whatever_the_other_points_are() -> None:
    lattice = Lattice(Coordinates(SMALL), [{"batch": 16, "activation": "relu"}])
    assert lattice.cells.tolist() == [[0, 1]]


@pytest.mark.parametrize("size", [2, 3, 7, 12, 60])
def test_what_a_categorys_side_can_be_holds_every_value_alone_and_all_but_it(size: int) -> None:
    subsets = steps_module._subsets(size)
    counts = subsets.sum(axis=1)
    assert len(np.unique(subsets, axis=0)) == len(subsets) <= steps_module.SUBSETS + 2
    assert counts.min() == 1 and (counts == size).sum() == 1
    assert {(counts == 1).sum(), (counts == size - 1).sum()} == {size}


@pytest.mark.filterwarnings("error")
def test_a_difference_that_is_constant_but_for_rounding_is_learned_without_a_warning() -> None:
    points = dense_sample(SIX, 20, 3)
    steps = Steps(Coordinates(SIX), seed=1)
    steps.learn(points, np.full(20, (1.2 - 1.0) / 1.2))
    means, _ = steps.heights(points)
    assert means == pytest.approx(1 / 6)
    assert np.isfinite(steps.noise)
