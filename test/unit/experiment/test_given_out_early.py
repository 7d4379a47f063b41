"""A search that looks at no result, more of whose points are given out than are carried out at a time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from test_controller import BARE, OBJECTIVE, deterministic, finish, noisy, result_of

from comparator.experiment.controller import Controller
from comparator.experiment.plan import Plan
from comparator.results.frozen import Budget, FrozenStrategy, Stages, WholeExperiment
from comparator.results.requests import Request
from comparator.results.store import ExperimentFolder
from comparator.space import ParameterSpace
from comparator.strategies import make_strategy

SPACE = ParameterSpace.from_entries(
    [{"name": "x", "type": "int", "lower": 0, "upper": 7}, {"name": "y", "type": "float", "lower": 0, "upper": 1}],
    "space",
)
EARLY, AT_A_TIME, BUDGET = 40, 2, 64


def controller(folder: ExperimentFolder, name: str, in_flight: int) -> Controller:
    strategy = make_strategy(name, SPACE, seed=1, in_flight=in_flight, options={})
    return Controller(folder, strategy, OBJECTIVE, budget=BUDGET, recalls=True)


def finish_some(controller: Controller, number: int) -> None:
    """Carry out so many requests, in an order that is drawn."""
    luck, waiting = random.Random(3), controller.start()
    for _ in range(number):
        waiting += controller.tell(result_of(waiting.pop(luck.randrange(len(waiting))), noisy))


def in_flight_of(requests: list[Request]) -> set[int]:
    return {request.evaluation for request in requests}


@pytest.mark.parametrize("done", [0, 1, 25, 60])
@pytest.mark.parametrize("name", ["sobol", "random", "grid"])
def test_it_is_resumed_by_whoever_gives_out_fewer(name: str, done: int, tmp_path: Path) -> None:
    whole = ExperimentFolder.create(tmp_path, "whole", None, BARE)
    finish(controller(whole, name, AT_A_TIME), noisy)
    stopped = ExperimentFolder.create(tmp_path, "stopped", None, BARE)
    finish_some(controller(stopped, name, EARLY), done)
    stopped.close()
    resumed = ExperimentFolder(stopped.path)
    again = controller(resumed, name, AT_A_TIME)
    first = again.start()
    assert in_flight_of(first).isdisjoint(line.evaluation for line in resumed.records)
    finish(again, noisy, first=first)
    assert {(line.evaluation, str(line.point)) for line in resumed.records} == {
        (line.evaluation, str(line.point)) for line in whole.records
    }


def test_once_what_was_given_out_is_done_it_gives_out_as_many_as_before(tmp_path: Path) -> None:
    folder = ExperimentFolder.create(tmp_path, "stopped", None, BARE)
    finish_some(controller(folder, "sobol", EARLY), 3)
    folder.close()
    again = controller(ExperimentFolder(folder.path), "sobol", AT_A_TIME)
    left = again.start()
    while len(left) > AT_A_TIME:
        assert again.tell(result_of(left.pop(0), noisy)) == []
    assert len(left + again.tell(result_of(left.pop(0), noisy))) == AT_A_TIME


def plan_of(name: str, in_flight: int, replicates: int | str = 1, space: ParameterSpace = SPACE) -> Plan:
    frozen = WholeExperiment.model_construct(
        models=[],
        kind="cmp",
        strategy=FrozenStrategy(name=name, seed=1, in_flight=in_flight),
        upf=None,
        budget=Budget(evaluations=BUDGET),
        stages=Stages(replicates=replicates),
    )
    return Plan(frozen, space, [], OBJECTIVE)


@pytest.mark.parametrize(
    ("name", "in_flight", "most"), [("sobol", 2, 64), ("random", 4, 128), ("sobol", 40, 512), ("sobol", 1000, 1000)]
)
def test_how_many_are_given_out(name: str, in_flight: int, most: int) -> None:
    assert len(plan_of(name, in_flight).strategy(all_at_once=True).start()) == most
    assert len(plan_of(name, in_flight).strategy().start()) == in_flight


@pytest.mark.parametrize("name", ["sobol", "random", "grid"])
def test_more_workers_than_it_began_with_do_not_stay_idle(name: str) -> None:
    plan = plan_of(name, AT_A_TIME)
    assert plan.may_be_given_out_early and len(plan.strategy(at_a_time=9).start()) == 9
    assert len(plan_of(name, AT_A_TIME, "adaptive").strategy(at_a_time=9).start()) == AT_A_TIME


def test_of_a_search_that_looks_at_results_none_is_given_out_early() -> None:
    assert len(plan_of("steady_state", 3).strategy(all_at_once=True, at_a_time=9).start()) == 3


SMALL = ParameterSpace.from_entries(
    [{"name": name, "type": "int", "lower": 0, "upper": upper} for name, upper in (("x", 7), ("y", 3))], "space"
)


@pytest.mark.parametrize("name", ["sobol", "random", "grid"])
@pytest.mark.parametrize(
    ("model", "replicates", "space"),
    [(noisy, "adaptive", SPACE), (deterministic, 2, SPACE), (deterministic, 1, SMALL), (noisy, 1, SPACE)],
)
def test_results_say_as_much_of_what_is_trained_as_where_none_is_given_out_early(
    name: str, model, replicates: int | str, space: ParameterSpace, tmp_path: Path
) -> None:
    trained = []
    for early in (False, True):
        folder = ExperimentFolder.create(tmp_path, f"early-{early}", None, BARE)
        finish(plan_of(name, AT_A_TIME, replicates, space).controller(folder, all_at_once=early), model)
        trained.append({(str(line.point), part.replicate) for line in folder.records for part in line.asked or ()})
    assert trained[0] == trained[1]
