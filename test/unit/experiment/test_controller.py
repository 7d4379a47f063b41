"""Budget, repeats, failures and resume, with strategies and models that take no time."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from comparator.errors import ComparatorError
from comparator.experiment.controller import Controller
from comparator.experiment.controller.recording import FAILURES_THAT_STOP
from comparator.experiment.controller.spending import REPEATS_THAT_STOP
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import values_of
from comparator.results.record import Run
from comparator.results.requests import Request, Result
from comparator.results.store import ExperimentFolder
from comparator.space import ParameterSpace
from comparator.strategies import Proposal, Strategy
from comparator.strategies.replication import Replication

OBJECTIVE = Objective("val_loss", DIFFERENCES["relative"])

BARE = FrozenExperiment(id="", models=[])


class Listed(Strategy):
    """Proposes the given points: `ahead` of them at once, then one for each result."""

    def __init__(self, points: list[dict[str, Any]], ahead: int = 2) -> None:
        super().__init__()
        self._points, self._ahead = iter(points), ahead
        self.told: list[tuple[int, float | None]] = []

    def start(self) -> list[Proposal]:
        return [proposal for _ in range(self._ahead) for proposal in self._next()]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        self.told.append((number, value))
        return self._next()

    def _next(self) -> list[Proposal]:
        return [self._propose(point) for point in [next(self._points, None)] if point is not None]


def xs(*values: float) -> list[dict[str, Any]]:
    return [{"x": value} for value in values]


def noisy(request: dict[str, Any]) -> tuple[float, float]:
    return 1.0, 2.0 + request["point"]["x"] + request["replicate"]


def deterministic(request: dict[str, Any]) -> tuple[float, float]:
    return 1.0, 2.0 + request["point"]["x"]


def result_of(request: Request, model: Callable[[dict[str, Any]], tuple[float, float]], status: str = "ok") -> Result:
    asked = request.model_dump()
    runs = [
        {
            "submodel": number,
            "replicate": asked["replicate"],
            "seed": 1 + asked["replicate"],
            "run": f"{asked['point']['x']}-{asked['replicate']}-{number}",
            "status": status,
            "metrics": {"val_loss": loss} if status == "ok" else {},
            "reused": False,
            "reason": None if status == "ok" else "it broke",
        }
        for number, loss in enumerate(model(asked))
    ]
    value = OBJECTIVE([Run(**run) for run in runs]) if status == "ok" else None
    fixed = {"started": "2026-01-01T00:00:00.000Z", "seconds": 0.0, "worker": "w", "reason": None}
    return Result.model_validate({**fixed, **asked, "runs": runs, "status": status, "value": value})


def finish(controller: Controller, model, *, at_most: int = 10**6, first: list[Request] | None = None) -> list[Request]:
    """Carry out up to `at_most` requests, first come first served; returns those left."""
    waiting = controller.start() if first is None else first
    while waiting and at_most:
        waiting += controller.tell(result_of(waiting.pop(0), model))
        at_most -= 1
    return waiting


@pytest.fixture
def folder(tmp_path):
    made = ExperimentFolder.create(tmp_path, "try", None, BARE)
    yield made
    made.close()


def values(folder: ExperimentFolder) -> list[float | None]:
    return [line.value for line in folder.records]


def test_the_budget_counts_pairs(folder) -> None:
    controller = Controller(folder, Listed(xs(*range(9))), OBJECTIVE, budget=4)
    finish(controller, noisy)
    assert controller.asked == len(folder.records) == 4


def test_a_repeat_of_a_noisy_model_is_a_new_replicate(folder) -> None:
    strategy = Listed(xs(1, 1, 1), ahead=1)
    finish(Controller(folder, strategy, OBJECTIVE, budget=9), noisy)
    single = [-(1 - 1 / (3.0 + replicate)) for replicate in range(3)]
    assert values(folder) == pytest.approx([single[0], sum(single[:2]) / 2, sum(single) / 3])
    assert [value for _, value in strategy.told] == values(folder)
    last = folder.records[-1]
    assert (last.after, last.replicates) == (1, [2])
    assert [(run.replicate, run.submodel, run.reused) for run in last.runs] == [(2, 0, False), (2, 1, False)]
    assert [(run.replicate, run.submodel, run.reused) for run in values_of(folder.records)['{"x": 1}'].runs] == [
        (0, 0, True), (0, 1, True), (1, 0, True), (1, 1, True), (2, 0, False), (2, 1, False),
    ]  # fmt: skip


@pytest.mark.parametrize("cancelled", [False, True])
def test_which_of_two_repeats_in_flight_ends_first_changes_no_value(folder, cancelled) -> None:
    controller = Controller(folder, Listed(xs(1, 1, 2), ahead=3), OBJECTIVE, budget=3)
    first, second, other = controller.start()
    controller.tell(result_of(second, noisy))
    controller.tell(result_of(other, noisy))
    assert [line.evaluation for line in folder.records] == [other.evaluation]
    controller.tell(result_of(first, noisy, "cancelled" if cancelled else "ok"))
    of_first, of_second = (-(1 - 1 / (3.0 + each)) for each in range(2))
    expected = [of_second] if cancelled else [of_first, (of_first + of_second) / 2]
    assert values(folder)[1:] == pytest.approx(expected)


def test_what_has_ended_is_recorded_though_an_earlier_training_of_its_point_may_get_no_more_seeds(folder) -> None:
    replication = Replication.of("adaptive")
    controller = Controller(folder, Listed(xs(1, 1, 2), ahead=3), OBJECTIVE, budget=9, replication=replication)
    first, second, other = controller.start()
    controller.tell(result_of(other, noisy, "cancelled"))
    controller.tell(result_of(second, noisy, "failed"))
    controller.tell(result_of(first, noisy))  # it would be trained on further seeds, and is again when resumed
    assert controller.waiting == 0 and (controller.asked, controller.done) == (3, 2)
    assert [line.evaluation for line in folder.records] == [second.evaluation]


def test_a_deterministic_model_is_found_out_and_its_repeats_are_free(folder) -> None:
    controller = Controller(folder, Listed(xs(1, 1, 1, 2, 2, 1), ahead=1), OBJECTIVE, budget=9)
    finish(controller, deterministic)
    assert controller.asked == 3  # 1 twice, which showed that nothing changes, and 2 once
    assert len(folder.records) == 6
    assert folder.records[2].worker is None
    assert all(run.reused for run in folder.records[5].runs)


def test_replicates_that_reported_nothing_are_not_alike(folder) -> None:
    """Nothing equals nothing: that tells of no model that it does not depend on its seed."""
    controller = Controller(folder, Listed(xs(1, 1, 1, 1), ahead=1), OBJECTIVE, budget=9)
    waiting = controller.start()
    while waiting:
        result = result_of(waiting.pop(0), deterministic)
        for run in result.runs:
            run.metrics = {}
        result.status, result.reason = "failed", "submodel 0 did not report"
        waiting += controller.tell(result)
    assert controller.asked == 4 and [line.status for line in folder.records] == ["failed"] * 4


def test_a_repeat_of_what_still_runs_waits_for_it(folder) -> None:
    controller = Controller(folder, Listed(xs(1, 1, 2, 2), ahead=2), OBJECTIVE, budget=9)
    waiting = controller.start()
    for _ in range(2):
        waiting += controller.tell(result_of(waiting.pop(0), deterministic))
    assert len(waiting) == 1  # the second 2 shares the first one's pair
    finish(controller, deterministic, first=waiting)
    assert [line.point["x"] for line in folder.records] == [1, 1, 2, 2]
    assert values(folder)[2] == values(folder)[3]


def test_a_search_that_only_repeats_ends_with_a_word(folder) -> None:
    controller = Controller(folder, Listed(xs(*[1] * 1000), ahead=1), OBJECTIVE, budget=9)
    finish(controller, deterministic)
    assert str(REPEATS_THAT_STOP) in (controller.ended_early or "")


def test_a_space_with_fewer_points_than_the_budget_ends_with_a_word(folder) -> None:
    controller = Controller(folder, Listed(xs(*[1, 2] * 50), ahead=1), OBJECTIVE, budget=9, space_size=2)
    finish(controller, deterministic)
    assert "all 2 points" in (controller.ended_early or "")


def test_a_strategy_that_has_found_its_answer_ends_the_search_with_its_word(folder) -> None:
    class Sure(Listed):
        def tell(self, number: int, value: float | None) -> list[Proposal]:
            self.ended = "sure enough" if number == 3 else self.ended
            return [] if self.ended else super().tell(number, value)

    controller = Controller(folder, Sure(xs(*range(9))), OBJECTIVE, budget=9)
    finish(controller, noisy)
    assert (controller.ended_early, controller.asked) == ("sure enough", 5)
    resumed = Controller(folder, Sure(xs(*range(9))), OBJECTIVE, budget=9)
    assert (resumed.start(), resumed.ended_early) == ([], "sure enough")


def test_a_cancelled_evaluation_leaves_no_line(folder) -> None:
    strategy = Listed(xs(1, 2, 3))
    controller = Controller(folder, strategy, OBJECTIVE, budget=3)
    first = controller.start()[0]
    assert controller.tell(result_of(first, noisy, status="cancelled")) == []
    assert (folder.records, strategy.told) == ([], [])


def test_a_failure_is_recorded_and_the_search_goes_on(folder) -> None:
    strategy = Listed(xs(1, 2, 3), ahead=1)
    controller = Controller(folder, strategy, OBJECTIVE, budget=3)
    requests = controller.tell(result_of(controller.start()[0], noisy, status="timeout"))
    finish(controller, noisy, first=requests)
    assert [line.status for line in folder.records] == ["timeout", "ok", "ok"]
    assert strategy.told[0] == (0, None)


def test_a_proposal_is_recorded_as_the_space_has_it_and_one_outside_stops_the_search(folder) -> None:
    space = ParameterSpace.from_entries([{"name": "x", "type": "int", "lower": 0, "upper": 3}], "space.json")
    points = [{"x": 1}, {"x": 2.0}, {"x": "3"}, {"x": 4}]
    controller = Controller(folder, Listed(points), OBJECTIVE, space=space, proposer="/mine/own.py")
    with pytest.raises(ComparatorError, match=r"^/mine/own.py proposed a point: 'x': 4 is not between 0 and 3$"):
        finish(controller, noisy)
    assert [json.dumps(line.point) for line in folder.records] == ['{"x": 1}', '{"x": 2}']


def test_when_the_first_evaluations_all_fail_it_stops(folder) -> None:
    controller = Controller(folder, Listed(xs(*range(20)), ahead=1), OBJECTIVE, budget=20)
    requests = controller.start()
    with pytest.raises(ComparatorError, match="all failed"):
        for _ in range(20):
            requests = controller.tell(result_of(requests[0], noisy, status="failed"))
    assert len(folder.records) == FAILURES_THAT_STOP


POINTS = xs(1, 2, 1, 1, 3, 2, 4, 4, 5, 1)


@pytest.mark.parametrize("model", [noisy, deterministic])
@pytest.mark.parametrize("stopped_after", range(11))
def test_a_resumed_experiment_is_the_one_that_was_never_stopped(tmp_path, model, stopped_after) -> None:
    whole = ExperimentFolder.create(tmp_path, "whole", None, BARE)
    finish(Controller(whole, Listed(POINTS), OBJECTIVE, budget=8), model)
    stopped = ExperimentFolder.create(tmp_path, "stopped", None, BARE)
    finish(Controller(stopped, Listed(POINTS), OBJECTIVE, budget=8), model, at_most=stopped_after)
    stopped.close()
    resumed = ExperimentFolder(stopped.path)
    finish(Controller(resumed, Listed(POINTS), OBJECTIVE, budget=8), model)

    def told(folder: ExperimentFolder) -> list[tuple]:
        return sorted((line.evaluation, line.point["x"], line.value) for line in folder.records)

    if model is noisy:
        assert told(resumed) == told(whole)
    else:  # which of two equal points came first may differ; what was found may not
        assert {each[1:] for each in told(resumed)} == {each[1:] for each in told(whole)}


def test_a_replicate_that_was_cut_off_is_asked_again(tmp_path) -> None:
    """Two replicates of one point are in flight, the second finishes first, then the experiment is stopped."""

    def of(name: str, *, stop: bool) -> ExperimentFolder:
        folder = ExperimentFolder.create(tmp_path, name, None, BARE)
        controller = Controller(folder, Listed(xs(1, 1, 2)), OBJECTIVE, budget=3)
        first, second = controller.start()
        requests = controller.tell(result_of(second, noisy))
        if stop:
            folder.close()
            folder = ExperimentFolder(folder.path)
            controller = Controller(folder, Listed(xs(1, 1, 2)), OBJECTIVE, budget=3)
            finish(controller, noisy)
        else:
            finish(controller, noisy, first=[first, *requests])
        return folder

    assert values(of("stopped", stop=True)) == values(of("whole", stop=False))


def test_an_evaluation_without_runs_is_recorded_and_the_search_goes_on(folder) -> None:
    controller = Controller(folder, Listed(xs(1, 2), ahead=1), OBJECTIVE, budget=2)
    broken = result_of(controller.start()[0], noisy, status="failed").model_copy(update={"runs": []})
    finish(controller, noisy, first=controller.tell(broken))
    assert [line.status for line in folder.records] == ["failed", "ok"]


def test_a_record_that_does_not_follow_is_refused(folder) -> None:
    finish(Controller(folder, Listed(xs(1, 2)), OBJECTIVE, budget=2), noisy)
    with pytest.raises(ComparatorError, match="now proposes"):
        Controller(folder, Listed(xs(7, 8)), OBJECTIVE, budget=2).start()


@pytest.mark.parametrize("recorded", [{"x": 1}, {"X": 1.0, "fixed": True}])
def test_a_point_that_was_recorded_as_an_algorithm_wrote_it_is_the_one_that_it_proposes(folder, recorded) -> None:
    entries = [
        {"name": "x", "type": "int", "lower": 0, "upper": 3},
        {"name": "fixed", "type": "constant", "value": True},
    ]
    space = ParameterSpace.from_entries(entries, "space.json")
    finish(Controller(folder, Listed([{"x": 1}, {"x": 2}], ahead=1), OBJECTIVE, budget=1), noisy)
    folder.records[0].point = recorded
    again = Controller(
        folder, Listed([{"x": 1}, {"x": 2}], ahead=1), OBJECTIVE, budget=2, space=space, proposer="own.py"
    )
    assert again.start()[0].point == {"x": 2, "fixed": True}


def test_where_a_few_take_long_so_does_what_is_to_be_expected_though_most_fail_at_once(folder) -> None:
    controller = Controller(folder, Listed(xs(*range(10)), ahead=10), OBJECTIVE, budget=10)
    waiting = controller.start()
    assert controller.usual_seconds is None
    for request in waiting[:9]:
        controller.tell(result_of(request, noisy))
    assert controller.usual_seconds == 0
    controller.tell(result_of(waiting[9], noisy).model_copy(update={"seconds": 20.0}))
    assert controller.usual_seconds == 2


def test_results_that_come_together_are_told_in_their_order_and_a_fault_last(folder) -> None:
    strategy = Listed(xs(*range(6)), ahead=3)
    controller = Controller(folder, strategy, OBJECTIVE, budget=6)
    first, second, third = controller.start()
    requests = controller.tell_all([result_of(each, noisy) for each in (third, first)])
    assert strategy.told == [(2, values(folder)[0]), (0, values(folder)[1])]
    assert [each.evaluation for each in requests] == [3, 4]
    faulty = result_of(second, noisy)
    faulty.status, faulty.reason = "fault", "the disk is full"
    with pytest.raises(ComparatorError, match="the disk is full"):
        controller.tell_all([faulty, result_of(requests[0], noisy)])
    assert [line.evaluation for line in folder.records] == [2, 0, 3]


class Generations(Listed):
    """The points as one generation, and each once more as the next."""

    by_generations = True

    def start(self) -> list[Proposal]:
        self._generation = [self._propose(point) for point in self._points]
        return self._generation

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        self.told.append((number, value))
        if len(self.told) != len(self._generation):
            return []
        return [self._propose(each.point) for each in self._generation]


def test_in_whatever_order_results_of_a_generation_come_its_points_have_the_same_means(tmp_path) -> None:
    def uneven(request: dict[str, Any]) -> tuple[float, float]:
        return 1.0, 2.0 + random.Random(f"{request['point']['x']} {request['replicate']}").random()

    found = []
    for seed in range(4):
        luck, folder = random.Random(seed), ExperimentFolder.create(tmp_path, "try", None, BARE)
        replication = Replication.of("adaptive")
        controller = Controller(folder, Generations(xs(*range(8))), OBJECTIVE, budget=40, replication=replication)
        waiting = controller.start()
        while waiting:
            waiting += controller.tell_all([result_of(waiting.pop(luck.randrange(len(waiting))), uneven)])
        assert controller.asked > 16  # some were trained on further seeds
        found.append(sorted((line.evaluation, line.value, len(line.runs)) for line in folder.records))
        folder.close()
    assert all(each == found[0] for each in found)
