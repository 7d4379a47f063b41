"""One search for the region and the maximum."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparator.space import ParameterSpace, Point
from comparator.strategies import Proposal, Strategy, make_strategy

PLANE = ParameterSpace.from_entries(
    [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "layer_force", "type": "int", "lower": 25, "upper": 200},
    ],
    "space",
)


def search(total: int = 24, seed: int = 1, in_flight: int = 2, **options: object) -> Strategy:
    given = {"total": total, **options}
    return make_strategy("region_and_maximum", PLANE, seed=seed, in_flight=in_flight, options=given)


def height(point: Point) -> float:
    """Large beyond a noise of 30, and largest at 45 and 100."""
    hill = 0.3 * max(0.0, 1 - abs(point["noise"] - 45) / 10 - abs(point["layer_force"] - 100) / 100)
    return (0.45 if point["noise"] > 30 else 0.2) + hill


def drive(strategy: Strategy, order: random.Random, limit: int, *, noise: float = 0.02) -> list[Proposal]:
    """All proposals in the order made; results come in the random order of `order`, some of them failures."""
    proposals = strategy.start()
    waiting = list(proposals)
    while waiting and len(proposals) < limit:
        proposal = waiting.pop(order.randrange(len(waiting)))
        fails = noise and order.random() < 0.1
        value = None if fails else -height(proposal.point) + order.gauss(0, noise)
        following = strategy.tell(proposal.number, value)
        proposals += following
        waiting += following
    return proposals


@pytest.mark.long
@settings(max_examples=4)
@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from([1, 3]))
def test_points_are_valid_numbered_and_the_same_again(seed: int, order: int, in_flight: int) -> None:
    first, second = (drive(search(20, seed, in_flight), random.Random(order), 20 + in_flight) for _ in range(2))
    assert first == second
    assert [proposal.number for proposal in first] == list(range(len(first)))
    for proposal in first:
        PLANE.check(proposal.point)


@pytest.mark.long
def test_the_last_points_gather_where_it_is_largest() -> None:
    proposals = drive(search(40, in_flight=1, patience=99), random.Random(3), 40, noise=0.01)
    heights = [height(proposal.point) for proposal in proposals]
    assert len(proposals) == 40
    assert sum(heights[35:]) / 5 > sum(heights[:35]) / 35 + 0.1
    assert max(heights[35:]) > 0.65
    assert all(proposal.point["noise"] > 30 for proposal in proposals[35:])


@pytest.mark.long
def test_where_the_region_is_known_early_the_maximum_is_looked_for_and_the_search_ends_with_a_word() -> None:
    strategy = search(60, scattered=12)
    proposals = drive(strategy, random.Random(1), 60, noise=0.0)
    assert 20 < len(proposals) < 60
    assert strategy.ended is not None
    assert strategy.ended.startswith("the region was the same at the last 3 looks at it, and 8 points more")


def test_past_results_are_told_to_both_parts() -> None:
    order = random.Random(5)
    points = [PLANE.initial(order) for _ in range(24)]
    strategy = search(8, scattered=2, in_flight=1)
    assert strategy.inform([(point, -height(point)) for point in points]) == 24
    *_, last = drive(strategy, order, 8, noise=0.0)
    assert last.point["noise"] > 30


def test_a_search_that_is_closed_says_nothing_more() -> None:
    strategy = search()
    first, _ = strategy.start()
    strategy.close()
    assert strategy.tell(first.number, -0.3) == []
    assert strategy.tell(99, -0.3) == []


@pytest.mark.parametrize("total", [2, 3])
def test_the_shortest_search_has_both_parts(total: int) -> None:
    assert len(drive(search(total, in_flight=1), random.Random(1), total + 1, noise=0.0)) >= total
