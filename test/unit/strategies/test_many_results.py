"""What a proposal costs does not grow with the results, nor with what is in flight: counted, not timed."""

from __future__ import annotations

import random

import pytest
from counted_sizes import watch

from comparator.evidence import surrogate
from comparator.space import ParameterSpace, Point
from comparator.strategies import Strategy, bayesian, level_set, make_strategy, results, surrogate_strategy

SPACE = ParameterSpace.from_entries(
    [{"name": name, "type": "float", "lower": 0, "upper": 1} for name in ("x", "y")], "space"
)
ALL, KEPT, REFIT, IN_FLIGHT = 60, 30, 8, 10
NAMES = ("level_set", "bayesian")


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """How many observations a surrogate rests on each time that one is made, and how many candidates are looked at."""
    for module, values in (
        (results, {"ALL": ALL, "KEPT": KEPT, "REFIT_OF_MANY": REFIT}),
        (level_set, {"ALL": ALL, "KEPT": KEPT}),
        (surrogate_strategy, {"ALL": ALL, "IN_FLIGHT": IN_FLIGHT}),
    ):
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    found: dict[str, list[int]] = {"rows": [], "fitted": [], "candidates": []}

    watch(monkeypatch, found["rows"], surrogate, "_conditioned", lambda *given: len(given[2]))
    watch(monkeypatch, found["fitted"], surrogate, "Likelihood", lambda *given: len(given[1]))
    watch(monkeypatch, found["candidates"], level_set, "expected_gain", lambda *given: len(given[2]))
    watch(monkeypatch, found["candidates"], bayesian.BayesianStrategy, "_leading", lambda *given: len(given[3]))
    return found


def value_at(point: Point, number: int) -> float | None:
    if number % 9 == 4:
        return None
    return -0.2 - 0.25 * (point["x"] > 0.6) + random.Random(number).gauss(0, 0.05)


def told(name: str, count: int, in_flight: int = 2, more: int = 20) -> tuple[Strategy, list[Point]]:
    """A search behind so many results, and what it proposes in answer to `more`."""
    strategy = make_strategy(name, SPACE, seed=1, in_flight=in_flight, options={"scattered": 2})
    draw = random.Random(5)
    points = [{"x": draw.random(), "y": draw.random()} for _ in range(count)]
    strategy.inform([(point, value_at(point, number)) for number, point in enumerate(points)])
    running = strategy.start()
    proposed = [each.point for each in running]
    for number in range(more):
        first = running.pop(0)
        running += strategy.tell(first.number, value_at(first.point, number))
        proposed = [*proposed, *(each.point for each in running[-1:])]
    return strategy, proposed


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_of_many_results_a_surrogate_rests_on_some(name: str, sizes: dict[str, list[int]]) -> None:
    most = []
    for count in (100, 400):
        for each in sizes.values():
            each.clear()
        told(name, count, in_flight=30)
        assert max(sizes["rows"]) <= KEPT + REFIT + IN_FLIGHT and max(sizes["fitted"]) <= 2 * KEPT
        most.append(max(sizes["candidates"]))
    assert most[1] <= most[0] + REFIT, "candidates are some of those with results"


@pytest.mark.parametrize("name", NAMES)
def test_up_to_some_hundred_it_rests_on_all(name: str, sizes: dict[str, list[int]]) -> None:
    """So that searches of that length go where they always went."""
    told(name, ALL - 30, in_flight=1, more=10)
    succeeded = sum(value_at({"x": 0.0}, number) is not None for number in range(ALL - 30))
    assert succeeded + 8 <= max(sizes["rows"]) <= ALL - 30 + 10 + 1


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_what_is_proposed_after_many_results_is_the_same_when_it_is_replayed(
    name: str, sizes: dict[str, list[int]]
) -> None:
    assert told(name, 150)[1] == told(name, 150)[1]


def test_bayesian_optimisation_goes_on_looking_at_what_is_best(sizes: dict[str, list[int]]) -> None:
    _, proposed = told("bayesian", 200, more=40)
    assert sum(point["x"] > 0.55 for point in proposed) > 0.7 * len(proposed)
