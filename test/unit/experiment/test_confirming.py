"""The stages of a search: a pilot, the search, and what confirms it."""

from __future__ import annotations

import itertools
import statistics

import pytest
from cases import long_but
from searched import POINTS, STAGES, Worker, deterministic, lines, noisy, stopped_anywhere, two_best
from test_controller import BARE, OBJECTIVE, Listed, xs

from comparator.errors import ComparatorError
from comparator.evidence.replicates import pooled_deviation
from comparator.experiment.controller import Controller
from comparator.experiment.controller.confirmation import ToConfirm
from comparator.findings.reliability import reliability_in
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES
from comparator.results.store import ExperimentFolder
from comparator.results.tally import count, pairs_to_confirm
from comparator.strategies.blocks import FIRST_FRESH
from comparator.strategies.replication import Replication


@pytest.fixture
def folder(tmp_path):
    made = ExperimentFolder.create(tmp_path, "try", None, BARE)
    yield made
    made.close()


def test_the_stages_of_a_search(folder) -> None:
    worker, strategy = Worker(noisy), Listed(POINTS)
    controller = Controller(folder, strategy, OBJECTIVE, **{**STAGES, "budget": 12})
    worker.finish(controller)
    assert [line.stage for line in folder.records] == ["pilot"] * 2 + ["search"] * 8 + ["confirm"] * 5
    assert sorted(line.evaluation for line in lines(folder)) == list(range(2, 10))
    assert controller.asked == count(folder.records).done == 12  # 2 x 2 and 8; what confirms stands beside
    assert [line.evaluation for line in lines(folder, "confirm")] == [10, 11, 12, 13, 14]
    assert [line.claim for line in lines(folder, "confirm")] == ["best 1", "best 2", *["elsewhere"] * 3]
    assert controller.pilot is not None
    assert (controller.pilot.pairs, controller.pilot.seconds) == (4, 2.0)
    assert controller.pilot.deviation == pytest.approx(
        pooled_deviation([line.signed for line in lines(folder, "pilot")])
    )


def test_what_confirms_uses_seeds_and_splits_of_its_own(folder) -> None:
    worker = Worker(noisy)
    worker.finish(Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES))
    confirming = [each for each in worker.asked if each["replicate"] >= FIRST_FRESH]
    expected = [FIRST_FRESH + number for number in range(3)] * 3  # two points, and what they are compared with
    for key in ("replicate", "block", "seed", "split"):
        assert [each[key] for each in confirming] == expected
    assert all(each["split"] is None for each in worker.asked if each["replicate"] < FIRST_FRESH)
    first, second, *others = [line.point for line in lines(folder, "confirm")]
    assert first != second and all(other not in (first, second) for other in others)
    assert len(lines(folder, "confirm")[0].signed) == 3  # none of the search's own


def test_a_deterministic_model_is_found_out_by_the_pilot_and_confirmed_on_splits_alone(folder, tmp_path) -> None:
    controller = Controller(folder, Listed(POINTS), OBJECTIVE, replication=Replication(4, 4), **STAGES)
    Worker(deterministic).finish(controller)
    assert controller.pilot is not None and controller.pilot.is_deterministic
    assert {len(line.asked) for line in lines(folder)} == {0, 1}
    assert len(lines(folder, "confirm")) == 5
    given_split = ExperimentFolder.create(tmp_path, "given", None, BARE)
    to_confirm = ToConfirm(two_best, None, splits=False)
    Worker(deterministic).finish(
        Controller(given_split, Listed(POINTS), OBJECTIVE, **{**STAGES, "to_confirm": to_confirm})
    )
    assert lines(given_split, "confirm") == []
    given_split.close()


def test_a_best_point_of_exact_models_is_trained_anew_once_and_stands_for_every_seed(folder) -> None:
    """Where no point of the search had two seeds, which would have told that there is nothing to confirm."""
    to_confirm = ToConfirm(two_best, None, splits=False)
    controller = Controller(folder, Listed(POINTS[:6]), OBJECTIVE, budget=6, to_confirm=to_confirm)
    Worker(deterministic).finish(controller)
    claims = controller.claims or []
    asked = [(line.claim, len(line.asked)) for line in lines(folder, "confirm")]
    assert sorted(asked) == [("best 1", 1), ("best 2", 1), *[("elsewhere", 1)] * 3]
    assert count(folder.records).confirming == pairs_to_confirm(claims, folder.records) == 5
    said = reliability_in(BARE.model_copy(update={"claims": claims}), folder.records)
    first = said.confirmations[0]
    assert (first.is_exact, first.seeds, first.interval) == (True, 1, None)
    assert first.confirmed == pytest.approx(abs(first.searched))
    assert first.contrast is not None and first.contrast > 0  # in as many blocks as were tried elsewhere


def test_a_best_point_of_models_whose_seeds_matter_is_trained_on_all_fresh_seeds(folder) -> None:
    """The first tells that seeds matter, where no point of the search had two."""
    worker, to_confirm = Worker(noisy), ToConfirm(two_best, None, splits=False)
    controller = Controller(folder, Listed(POINTS[:6]), OBJECTIVE, budget=6, to_confirm=to_confirm)
    worker.finish(controller)
    assert {len(line.asked) for line in lines(folder, "confirm") if line.claim != "elsewhere"} == {3}
    fresh = [each["replicate"] for each in worker.asked if each["point"]["x"] == 9.5][1:]
    assert fresh == [FIRST_FRESH + number for number in range(3)]
    assert pairs_to_confirm(controller.claims or [], folder.records) == count(folder.records).confirming == 9


def test_a_search_without_a_result_confirms_nothing(folder) -> None:
    worker = Worker(noisy)
    controller = Controller(folder, Listed(xs(1, 2)), OBJECTIVE, budget=2, to_confirm=STAGES["to_confirm"])
    waiting = controller.start()
    while waiting:
        waiting += controller.tell(worker.result(waiting.pop(0), status="failed"))
    assert [line.stage for line in folder.records] == ["search"] * 2


def facts(folder: ExperimentFolder) -> list[tuple]:
    return sorted(
        (line.evaluation, line.stage, line.point["x"], line.value, line.signed, len(line.asked))
        for line in folder.records
    )


@pytest.mark.parametrize(
    ("model", "replicates"),
    long_but([(noisy, "adaptive")], itertools.product((noisy, deterministic), (1, 2, "adaptive"))),
)
def test_a_stop_anywhere_loses_nothing_and_trains_nothing_twice(tmp_path, model, replicates) -> None:
    """Every place to stop: in the pilot, between replicates, in the confirmation."""

    def controller(folder: ExperimentFolder) -> Controller:
        return Controller(folder, Listed(POINTS, ahead=1), OBJECTIVE, replication=Replication.of(replicates), **STAGES)

    searches = stopped_anywhere(tmp_path, controller, lambda: Worker(model))
    whole, worker = next(searches)
    assert lines(whole, "confirm")
    for folder, again in searches:
        assert facts(folder) == facts(whole)
        assert again.trained == worker.trained


def test_in_deviations_every_value_has_the_pilots_unit(folder, tmp_path) -> None:
    objective = Objective("val_loss", DIFFERENCES["in_deviations"])
    Worker(noisy).finish(Controller(folder, Listed(POINTS), objective, **STAGES))
    plain = ExperimentFolder.create(tmp_path, "plain", None, BARE)
    Worker(noisy).finish(Controller(plain, Listed(POINTS), Objective("val_loss", DIFFERENCES["absolute"]), **STAGES))
    unit = pooled_deviation([line.signed for line in lines(plain, "pilot")])
    assert [line.value * unit for line in folder.records] == pytest.approx([line.value for line in plain.records])
    assert pooled_deviation([line.signed for line in lines(folder, "pilot")]) == pytest.approx(1)
    plain.close()


def test_in_deviations_without_a_unit_says_so(folder, tmp_path) -> None:
    objective = Objective("val_loss", DIFFERENCES["in_deviations"])
    with pytest.raises(ComparatorError, match=r"no deviation from seed to seed.*'relative'"):
        Worker(deterministic).finish(Controller(folder, Listed(POINTS), objective, **STAGES))
    own = ExperimentFolder.create(tmp_path, "own", None, BARE)
    Worker(noisy).finish(Controller(own, Listed(xs(1), ahead=1), objective, budget=3, replication=Replication(3, 3)))
    signed = own.records[0].signed
    assert statistics.stdev(signed) == pytest.approx(1)
    assert own.records[0].value == pytest.approx(-statistics.fmean(signed))
    own.close()
