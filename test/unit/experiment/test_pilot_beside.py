"""A pilot that the search does not wait for: what is told when, and that the record tells the same again."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from test_controller import BARE, OBJECTIVE, noisy, result_of

from comparator.experiment.controller import Controller
from comparator.results.record import PILOT, SEARCH
from comparator.results.requests import Request
from comparator.results.store import ExperimentFolder
from comparator.space import ParameterSpace
from comparator.strategies import make_strategy

SPACE = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 1}], "space")
PILOT_POINTS = SPACE.spread(2)
BUDGET = 40


def controller_of(folder: ExperimentFolder, strategy: str, *, beside: bool = True) -> Controller:
    made = make_strategy(strategy, SPACE, seed=1, in_flight=8, options={})
    return Controller(folder, made, OBJECTIVE, budget=BUDGET, pilot=PILOT_POINTS, pilot_beside=beside, space=SPACE)


def carry_out(controller: Controller, waiting: list[Request], seed: int, results: int) -> None:
    """In an order of its own, the pilot's among the others'."""
    luck = random.Random(seed)
    for _ in range(results):
        if not waiting:
            return
        waiting += controller.tell_all([result_of(waiting.pop(luck.randrange(len(waiting))), noisy)])


def test_all_workers_have_something_to_do_at_once(tmp_path: Path) -> None:
    folder = ExperimentFolder.create(tmp_path, "try", None, BARE)
    assert len(controller_of(folder, "sobol", beside=False).start()) == 4
    requests = controller_of(folder, "sobol").start()
    assert len(requests) == 4 + 8
    assert [each.evaluation for each in requests[:4]] == [0, 0, 1, 1]  # the pilot's first
    folder.close()


@pytest.mark.parametrize("strategy", ["sobol", "bayesian", "steady_state", "level_set"])
def test_the_search_goes_on_meanwhile_is_told_and_goes_on_from_its_record(tmp_path: Path, strategy: str) -> None:
    folder = ExperimentFolder.create(tmp_path, "try", None, BARE)
    controller = controller_of(folder, strategy)
    waiting = controller.start()
    pilot, others = waiting[:4], waiting[4:]
    others += controller.tell_all([result_of(others.pop(0), noisy) for _ in range(3)])
    assert controller.pilot is None and [line.stage for line in folder.records] == [SEARCH] * 3
    controller.tell_all([result_of(each, noisy) for each in pilot[:3]])
    assert controller.pilot is None
    others += controller.tell_all([result_of(pilot[3], noisy)])
    assert [line.stage for line in folder.records] == [SEARCH] * 3 + [PILOT] * 2
    assert controller.pilot is not None and controller.pilot.pairs == 4
    carry_out(controller, others, 1, 12)
    before = len(folder.records)
    folder.close()

    folder = ExperimentFolder(tmp_path / "try-1")
    resumed = controller_of(folder, strategy)
    again = resumed.start()
    assert len(folder.records) == before and resumed.pilot == controller.pilot
    assert sorted(each.evaluation for each in again) == sorted(each.evaluation for each in others)
    assert {each.evaluation: each.point for each in again} == {each.evaluation: each.point for each in others}
    carry_out(resumed, again, 2, 100)
    assert resumed.asked == BUDGET and resumed.waiting == 0
    folder.close()


@pytest.mark.parametrize("ended", [2, 6])
def test_what_was_left_before_the_pilot_was_over_begins_with_it_again(tmp_path: Path, ended: int) -> None:
    folder = ExperimentFolder.create(tmp_path, "try", None, BARE)
    controller = controller_of(folder, "sobol")
    waiting = controller.start()
    controller.tell_all([result_of(each, noisy) for each in waiting[1 : 1 + ended]])
    assert all(line.stage == SEARCH for line in folder.records)
    folder.close()
    folder = ExperimentFolder(tmp_path / "try-1")
    resumed = controller_of(folder, "sobol")
    again = resumed.start()
    assert [each.evaluation for each in again[:4]] == [0, 0, 1, 1]
    carry_out(resumed, again, 3, 100)
    assert resumed.pilot is not None and resumed.asked == BUDGET
    assert sum(line.stage == PILOT for line in folder.records) == 2
    folder.close()
