"""Particle swarms: generations, all types of parameters, and speeds. `test_search.py` has what all strategies keep."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest

from comparator.errors import InputError
from comparator.space import ParameterSpace, Point
from comparator.strategies import Proposal, Strategy, make_strategy

LINE = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")
MIXED = ParameterSpace.from_entries(
    [
        {"name": "noise", "type": "float", "lower": 0, "upper": 50},
        {"name": "rate", "type": "float", "lower": 1e-5, "upper": 1e-1, "use_log_scale": True},
        {"name": "layer_force", "type": "int", "lower": 25, "upper": 200},
        {"name": "batch_size", "type": "ordered", "element_type": "int", "values": [16, 32, 64]},
        {"name": "activation", "type": "categorical", "element_type": "string", "values": ["relu", "a;b", "tanh"]},
        {"name": "residual", "type": "logical"},
        {"name": "epochs", "type": "constant", "value": 3},
    ],
    "space",
)


def swarm(space: ParameterSpace, **options: object) -> Strategy:
    return make_strategy("particle_swarm", space, seed=2, in_flight=2, options=options)


def told_all(strategy: Strategy, batch: list[Proposal], value_of: Callable[[Point], float | None]) -> list[Proposal]:
    """The generation that follows when every point of `batch` is told."""
    following: list[Proposal] = []
    for proposal in reversed(batch):
        assert following == []
        following = strategy.tell(proposal.number, value_of(proposal.point))
    return following


def mixed_loss(point: Point) -> float:
    return (
        abs(point["noise"] - 20) / 50
        + abs(math.log10(point["rate"]) + 3) / 4
        + abs(point["layer_force"] - 150) / 175
        + point["batch_size"] / 64
        + (point["activation"] != "a;b")
        + point["residual"]
    )


def test_a_swarm_approaches_the_least_value_over_all_types_of_parameters() -> None:
    strategy = swarm(MIXED, generations=30)
    generations: list[list[float]] = []
    batch = strategy.start()
    while batch:
        assert {proposal.generation for proposal in batch} == {len(generations)}
        for proposal in batch:
            MIXED.check(proposal.point)
        generations.append([mixed_loss(proposal.point) for proposal in batch])
        batch = told_all(strategy, batch, mixed_loss)
    assert [len(each) for each in generations] == [10] * 30
    assert sum(generations[-1]) < 0.5 * sum(generations[0])


def test_no_particle_is_faster_than_the_maximal_speed_or_leaves_the_space() -> None:
    strategy = swarm(LINE, population=5, generations=12, maximal_speed=0.1, inertia=2.0)
    places: list[list[float]] = []
    batch = strategy.start()
    while batch:
        places.append([proposal.point["x"] for proposal in batch])
        batch = told_all(strategy, batch, lambda point: point["x"])
    steps = [
        abs(now - then) for before, after in itertools.pairwise(places) for then, now in zip(before, after, strict=True)
    ]
    assert 0.09 < max(steps) < 0.1 + 1e-9
    assert all(0 <= place <= 1 for each in places for place in each)


def test_a_swarm_without_inertia_and_pull_stays_where_it_is() -> None:
    strategy = swarm(LINE, generations=2, inertia=0, cognitive=0, social=0)
    first = strategy.start()
    second = told_all(strategy, first, lambda point: point["x"])
    assert [proposal.point for proposal in second] == [proposal.point for proposal in first]


def test_a_swarm_keeps_in_mind_where_it_had_not_failed() -> None:
    strategy = swarm(LINE, generations=15)
    batch = strategy.start()
    while batch:
        last = [proposal.point["x"] for proposal in batch]
        batch = told_all(strategy, batch, lambda point: point["x"] if point["x"] > 0.5 else None)
    assert sum(abs(place - 0.5) for place in last) / len(last) < 0.1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"maximal_speed": 0}, "'maximal_speed' = 0 is not a number above 0"),
        ({"inertia": -0.1}, "'inertia' = -0.1 is not a number from 0"),
        ({"social": math.inf}, "'social' = inf is not a number from 0"),
        ({"phi1": 2.0}, "unknown option 'phi1' (here it is 'cognitive')"),
        ({"mutation_probability": 0.5}, "options: generations, population, inertia, cognitive, social, maximal_speed"),
    ],
)
def test_wrong_options_of_a_swarm_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as refusal:
        swarm(LINE, **options)
    assert words in str(refusal.value)
