"""Where a difference is large, read off evaluations: boxes, places, and where trainings fail."""

from __future__ import annotations

import numpy as np
import pytest

from comparator.evidence.coordinates import dense_sample
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.reading import read_regions
from comparator.space import ParameterSpace, Point

PLANE = ParameterSpace.from_entries(
    [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "layer", "type": "int", "lower": 25, "upper": 200},
    ],
    "test",
)


def is_noisy(point: Point) -> bool:
    return bool(point["noise"] > 30)


def in_a_corner(point: Point) -> bool:
    return bool(point["noise"] > 30 and point["layer"] > 110)


def observed(points: list[Point], seed: int = 1, deviation: float = 0.08) -> Paired:
    rng = np.random.default_rng(seed)
    return Paired.of([(point, [0.2 + 0.25 * is_noisy(point) + rng.normal(0, deviation)]) for point in points])


def test_boxes_and_places_are_where_the_difference_is() -> None:
    reading = read_regions(PLANE, observed(dense_sample(PLANE, 56)), resamples=10)
    (part,) = reading.parts
    assert part.direction == 1 and part.stability > 0.8 and part.share == pytest.approx(0.4, abs=0.1)
    truth = np.array([is_noisy(point) for point in reading.places.points])
    assert np.mean((reading.places.direction == 1) == truth) > 0.9
    assert np.mean(np.array(part.box.contains(reading.places.points)) == truth) > 0.9
    assert reading.failing == () and not reading.places.fails.any()


def test_without_resamples_no_stability_is_known() -> None:
    reading = read_regions(PLANE, observed(dense_sample(PLANE, 56)), resamples=0)
    assert [part.stability for part in reading.parts] == [0.0]


def test_what_a_block_shifts_is_no_part() -> None:
    """A block shifts its points by as much as the part lies above the rest."""
    points = dense_sample(PLANE, 64)
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 8, 64)
    shift = rng.normal(0, 0.2, 8)
    paired = Paired.of(
        [
            Observation(point, [0.2 + 0.25 * is_noisy(point) + shift[block] + rng.normal(0, 0.03)], [int(block)])
            for point, block in zip(points, blocks, strict=True)
        ]
    )
    reading = read_regions(PLANE, paired, resamples=10)
    truth = np.array([is_noisy(point) for point in reading.places.points])
    assert reading.surrogate.components().block > 0.005
    assert np.mean((reading.places.direction == 1) == truth) > 0.9


@pytest.mark.long
def test_a_part_never_claims_where_trainings_fail() -> None:
    points = dense_sample(PLANE, 56)
    failed = [point for point in points if in_a_corner(point)]
    reading = read_regions(PLANE, observed([point for point in points if not in_a_corner(point)]), failed=failed)
    corner = [point for point in reading.places.points if point["noise"] > 35 and point["layer"] > 125]
    assert reading.parts
    for part in reading.parts:
        assert np.mean(part.box.contains(corner)) < 0.02
        assert not any(part.box.contains(failed))
    (box,) = reading.failing
    assert np.mean(box.contains(corner)) > 0.9
    assert not reading.places.direction[reading.places.fails].any()


@pytest.mark.parametrize("seed", range(4))
def test_failures_here_and_there_are_no_box(seed: int) -> None:
    points = dense_sample(PLANE, 56)
    failed = np.random.default_rng(seed).random(56) < 0.15
    reading = read_regions(
        PLANE,
        observed([point for point, fails in zip(points, failed, strict=True) if not fails]),
        resamples=0,
        failed=[point for point, fails in zip(points, failed, strict=True) if fails],
    )
    assert reading.failing == ()


def test_what_nothing_was_tried_near_is_no_part() -> None:
    """Waves are learnt where points are; the other half of the space has none."""
    tried = [point for point in dense_sample(PLANE, 160) if point["noise"] < 25]
    values: list[tuple[Point, list[float]]] = [(point, [float(np.sin(point["noise"] / 2))]) for point in tried]
    places = read_regions(PLANE, Paired.of(values), resamples=0).places
    far = np.array([point["noise"] > 40 for point in places.points])
    near = np.array([point["noise"] < 24 for point in places.points])
    assert places.is_untested[far].mean() > 0.9 and places.is_untested[near].mean() < 0.1
    assert not places.direction[places.is_untested].any()


@pytest.mark.long
def test_what_is_read_of_many_is_read_off_some_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    space = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")
    rng = np.random.default_rng(1)
    points = [{"x": float(place)} for place in rng.random(400)]
    observations = [Observation(point, [0.45 * (point["x"] > 0.6) + rng.normal(0, 0.05)]) for point in points]
    paired = Paired.of(observations)
    whole = read_regions(space, paired, resamples=0)
    monkeypatch.setattr("comparator.evidence.reading.MOST", 150)
    some = read_regions(space, paired, resamples=0)
    assert len(some.surrogate.values) == 150
    ((one,), (other,)) = whole.parts, some.parts
    assert one.box.bounds["x"] == pytest.approx(other.box.bounds["x"], abs=0.03)


def test_some_of_what_is_paired_keeps_points_whole() -> None:
    paired = Paired.of(
        [Observation({"x": place}, [float(place)] * (1 + place % 3), [0] * (1 + place % 3)) for place in range(90)]
    )
    some = paired.some(60, seed=2)
    assert 50 < len(some.differences) <= 60
    assert np.allclose(some.means, [point["x"] for point in some.points])
    assert paired.some(len(paired.differences), seed=2) is paired
