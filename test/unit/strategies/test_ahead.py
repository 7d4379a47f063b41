"""Proposals that are kept ready: nobody waits for a strategy that thinks, and the points are the same however long."""

from __future__ import annotations

import threading

import pytest

from comparator.space import ParameterSpace
from comparator.strategies import Proposal, Strategy, make_strategy
from comparator.strategies.ahead import Ahead, usual_ahead

SPACE = ParameterSpace.from_entries([{"name": name, "type": "float", "lower": 0, "upper": 1} for name in "xy"], "space")
LIMIT_SECONDS = 20.0


class Thinking(Strategy):
    """Proposes the sum of all it was told so far, once it may; counts what it was told."""

    def __init__(self, in_flight: int, *, ends_after: int | None = None) -> None:
        self.may_think, self.told, self.news = threading.Event(), [], []
        self._in_flight, self._ends_after = in_flight, ends_after

    def inform(self, past):
        self.news.append((len(self.told), past))
        return len(past)

    def start(self) -> list[Proposal]:
        return [self._propose({"sum": 0.0}) for _ in range(self._in_flight)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        assert self.may_think.wait(LIMIT_SECONDS)
        if value == -1:
            raise ValueError("it cannot think of this")
        self.told.append(value)
        if len(self.told) == self._ends_after:
            self.ended = "it knows enough"
        return [] if self.ended else [self._propose({"sum": sum(self.told)})]


def test_results_are_answered_while_it_thinks_and_in_their_order() -> None:
    thinking = Thinking(2 + 3)
    ahead = Ahead(thinking, 2, 3)
    assert [each.number for each in ahead.start()] == [0, 1]
    answers = [ahead.tell(number, 1.0) for number in range(3)]  # none of which it has heard of
    assert [each.number for answer in answers for each in answer] == [2, 3, 4]
    thinking.may_think.set()
    assert [ahead.tell(number, 1.0)[0].point["sum"] for number in range(3, 6)] == [1.0, 2.0, 3.0]
    ahead.close()


def test_it_hears_of_a_pilot_with_the_next_result_and_its_end_and_errors_come_in_order() -> None:
    thinking = Thinking(1 + 1, ends_after=2)
    thinking.may_think.set()
    ahead = Ahead(thinking, 1, 1)
    ahead.start()
    ahead.tell(0, 1.0)
    assert ahead.inform([({"sum": 0.0}, 5.0)]) == 1
    assert [each.number for each in ahead.tell(1, 1.0)] == [2] and ahead.ended is None
    assert ahead.tell(2, 1.0) == [] and ahead.ended == "it knows enough"
    assert thinking.news == [(1, [({"sum": 0.0}, 5.0)])]
    assert ahead.tell(3, -1) == []
    with pytest.raises(ValueError, match="cannot think"):
        ahead.tell(4, 1.0)
    ahead.close()
    assert ahead.tell(5, 1.0) == []


def test_one_worker_has_nothing_kept_ready() -> None:
    assert [usual_ahead(workers) for workers in (1, 2, 4, 16, 10_000)] == [0, 1, 1, 4, 2500]


@pytest.mark.long
@pytest.mark.parametrize("name", ["level_set", "bayesian", "region_and_maximum", "optuna"])
def test_the_points_are_those_of_the_same_search_with_as_many_more_in_flight(name: str) -> None:
    def value(point: dict[str, float]) -> float:
        return (point["x"] - 0.3) ** 2 + point["y"]

    def carry_out(strategy: Strategy, results: int) -> list[dict[str, float]]:
        waiting, points = strategy.start(), []
        for _ in range(results):
            proposal = waiting.pop(0)
            points.append(proposal.point)
            waiting += strategy.tell(proposal.number, value(proposal.point))
        strategy.close()
        return points

    made = [make_strategy(name, SPACE, seed=3, in_flight=4, options={}) for _ in range(2)]
    assert carry_out(Ahead(made[0], 2, 2), 16) == carry_out(made[1], 16)
