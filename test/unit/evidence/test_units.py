"""What is said does not depend on how it was written: units, names and order of what varies, which model is first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from comparator.evidence.confirmation import Fresh
from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.importance import Importance, importance
from comparator.evidence.paired import Observation
from comparator.evidence.prediction import Predictor
from comparator.evidence.regions import Evidence
from comparator.evidence.trees import extra_trees
from comparator.evidence.variance import split_variance
from comparator.evidence.verdict import find_evidence
from comparator.results.frozen import Claim
from comparator.space import ParameterSpace, Point

POINTS, BLOCKS = 48, 8
UNITS = [1e-12, 1e-9, 1e9, 1e12]
Rewritten = Callable[[Point], Point]


def space(*entries: dict[str, Any]) -> ParameterSpace:
    return ParameterSpace.from_entries([{"type": "float", **each} for each in entries], "space")


X, Y = {"name": "x", "lower": 0, "upper": 1}, {"name": "y", "lower": 0, "upper": 1}
SQUARE = space(X, Y)
RNG = np.random.default_rng(3)
PLACES = dense_sample(SQUARE, POINTS, 1)
RESAMPLES = 2
DEALT = RNG.permutation(np.arange(POINTS) % BLOCKS)
SIGNED = (
    np.array([0.45 if place["x"] < 0.4 and place["y"] < 0.6 else 0.2 for place in PLACES])
    + RNG.normal(0, 0.03, BLOCKS)[DEALT]
    + RNG.normal(0, 0.06, POINTS)
)
INSIDE = [{"x": x, "y": y} for x, y in zip(RNG.uniform(0, 0.4, BLOCKS), RNG.uniform(0, 0.6, BLOCKS), strict=True)]
OUTSIDE = [{"x": x, "y": y} for x, y in zip(RNG.uniform(0.4, 1, BLOCKS), RNG.uniform(0, 1, BLOCKS), strict=True)]
FRESH = RNG.normal(0, 0.05, (2, BLOCKS)) + np.array([[0.45], [0.2]])


def same(point: Point) -> Point:
    return point


def observed(numbers: Array, write: Rewritten = same) -> list[Observation]:
    return [
        Observation(write(place), [number], [block])
        for place, number, block in zip(PLACES, numbers.tolist(), DEALT.tolist(), strict=True)
    ]


def fresh(unit: float, within: ParameterSpace, write: Rewritten) -> list[Fresh]:
    ends = [write({"x": 0.0, "y": 0.0}), write({"x": 0.4, "y": 0.6})]
    bounds = {each.name: [end[each.name] for end in ends] for each in within.parameters}
    claims = [
        Claim(name="region 1", kind="region", bounds=bounds, direction=1 if unit > 0 else -1, points=INSIDE),
        Claim(name="elsewhere", kind="elsewhere", points=OUTSIDE),
    ]
    return [
        Fresh(claim, [write(point) for point in claim.points], (unit * numbers).tolist(), range(100, 100 + BLOCKS))
        for claim, numbers in zip(claims, FRESH, strict=True)
    ]


def said(unit: float = 1.0, within: ParameterSpace = SQUARE, write: Rewritten = same, *, anew: bool) -> Evidence:
    tried = fresh(unit, within, write) if anew else []
    return find_evidence(within, observed(unit * SIGNED, write), fresh=tried, resamples=RESAMPLES)


@cache
def said_as_it_is(anew: bool) -> Evidence:
    return said(anew=anew)


def numbers_of(found: Evidence, unit: float) -> list[float]:
    """The chances as they are, sizes in the unit; without those that are not known."""
    assert found.verdict == "regions" and len(found.regions) == 1
    (region,) = found.regions
    sizes = [found.level, found.missed_contrast, region.mean, region.outside, region.contrast]
    sizes += [*(region.interval or ()), *(region.contrast_interval or ())]
    chances = [found.p_differ, found.p_where, region.p, region.stability]
    assert found.overall is not None
    in_unit = [size / abs(unit) for size in sizes if size is not None]
    return [*(chance for chance in chances if chance is not None), found.overall / unit, *in_unit]


def bounds_of(found: Evidence) -> list[tuple[str, Any]]:
    return [each for region in found.regions for each in region.bounds.items()]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("anew", [False, True])
def test_what_is_said_does_not_depend_on_the_unit_of_the_metric(unit: float, anew: bool) -> None:
    was, now = said_as_it_is(anew), said(unit, anew=anew)
    assert numbers_of(now, unit) == pytest.approx(numbers_of(was, 1.0), rel=1e-6)
    assert bounds_of(now) == bounds_of(was)


@pytest.mark.parametrize("anew", [False, True])
def test_where_the_two_models_change_places_signs_turn_and_nothing_else(anew: bool) -> None:
    was, now = said_as_it_is(anew), said(-1.0, anew=anew)
    assert numbers_of(now, -1.0) == pytest.approx(numbers_of(was, 1.0), rel=1e-6)
    assert bounds_of(now) == bounds_of(was)
    assert [region.larger for region in now.regions] == [1 - region.larger for region in was.regions] == [0]


OTHERWISE: dict[str, tuple[ParameterSpace, Rewritten]] = {
    "names": (space({**X, "name": "q"}, {**Y, "name": "b"}), lambda point: {"q": point["x"], "b": point["y"]}),
    "per cent": (space({**X, "upper": 100}, Y), lambda point: {**point, "x": 100 * point["x"]}),
    "a logarithm": (
        space({**X, "lower": 1e-4, "use_log_scale": True}, Y),
        lambda point: {**point, "x": 10 ** (4 * point["x"] - 4)},
    ),
}


@pytest.mark.parametrize("how", OTHERWISE)
@pytest.mark.parametrize("anew", [False, True])
def test_what_is_said_does_not_depend_on_how_what_varies_is_written(how: str, anew: bool) -> None:
    within, write = OTHERWISE[how]
    was, now = said_as_it_is(anew), said(1.0, within, write, anew=anew)
    assert numbers_of(now, 1.0) == pytest.approx(numbers_of(was, 1.0), rel=1e-6)


def test_the_order_of_what_varies_and_of_evaluations_moves_no_verdict() -> None:
    was = said_as_it_is(False)
    turned = said(within=space(Y, X), anew=False)
    mixed = find_evidence(SQUARE, [observed(SIGNED)[place] for place in RNG.permutation(POINTS)], resamples=RESAMPLES)
    for now in (turned, mixed):
        assert numbers_of(now, 1.0) == pytest.approx(numbers_of(was, 1.0), rel=0.3, abs=0.02)
        for name, (low, high) in bounds_of(now):
            assert (low, high) == pytest.approx(dict(bounds_of(was))[name], abs=0.1)


@pytest.mark.parametrize("unit", [*UNITS, 1e90])
def test_a_prediction_does_not_depend_on_the_unit(unit: float) -> None:
    def told(by: float) -> list[float]:
        predictor = Predictor.fit(SQUARE, observed(by * SIGNED))
        assert predictor is not None
        at = predictor.at({"x": 0.3, "y": 0.3})
        return [each / by for each in (at.mean, *at.interval, *at.of_one)]

    assert told(unit) == pytest.approx(told(1.0), rel=5e-3)


def test_differences_too_small_for_squares_are_none() -> None:
    tiny = observed(1e-160 * SIGNED)
    predictor = Predictor.fit(SQUARE, tiny)
    assert predictor is not None and predictor.at({"x": 0.3, "y": 0.3}).of_one == (0, 0)
    assert find_evidence(SQUARE, tiny).reason.why == "all the same"


@pytest.mark.parametrize(("unit", "zero"), [(1e-160, 0.0), (1e-9, 0.0), (1e12, 0.0), (1e90, 0.0), (1.0, 1e6)])
def test_what_is_important_depends_on_neither_unit_nor_zero(unit: float, zero: float) -> None:
    rows = Coordinates(SQUARE).of(PLACES)

    def told(found: Importance | None) -> list[float]:
        assert found is not None
        return [found.predicted, *(each for share in found.shares for each in (share.mean, share.low, share.high))]

    was, now = importance(["x", "y"], rows, SIGNED), importance(["x", "y"], rows, unit * SIGNED + zero)
    assert told(now) == pytest.approx(told(was), rel=1e-6)


def test_of_columns_that_part_rows_alike_none_is_preferred() -> None:
    rows = np.array([0, 0.01, 0.02, 0.98, 0.99, 1])[:, None].repeat(2, axis=1)  # the only split is that in the middle
    asked = np.array([[0.05, 0.95], [0.95, 0.05]])
    answers = extra_trees(rows, (rows[:, 0] > 0.5) * 1.0, asked, 4000, 3, np.random.default_rng(1))
    assert answers == pytest.approx([0.5, 0.5], abs=0.05)


@pytest.mark.parametrize("unit", [1e-90, *UNITS, 1e90])
def test_shares_of_a_variance_do_not_depend_on_the_unit(unit: float) -> None:
    levels = {"split": np.repeat(range(5), 5).tolist(), "seed": np.tile(range(5), 5).tolist()}
    numbers = 1 + np.random.default_rng(5).normal(0, 0.3, (2, 25))
    was, now = split_variance(numbers, levels), split_variance(unit * numbers, levels)
    assert was is not None and now is not None
    for one, other in zip(was.parts, now.parts, strict=True):
        assert (other.share, *other.interval) == pytest.approx((one.share, *one.interval), rel=1e-6)
