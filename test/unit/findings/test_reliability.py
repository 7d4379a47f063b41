"""How reliable a finding is: pilot, differences, what confirms, and what a report reads of it."""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searched import POINTS, STAGES, Worker, lines, noisy
from test_controller import BARE, OBJECTIVE, Listed

from comparator.errors import InputError
from comparator.evidence.claims import NEAR, distinct_best
from comparator.evidence.confirmation import Fresh, confirm, contrast, estimate, interval_of
from comparator.evidence.pilot import measure_pilot
from comparator.evidence.replicates import mean_interval, pooled_deviation
from comparator.experiment.controller import Controller
from comparator.findings.beforehand import Design, pilot_words
from comparator.findings.other_metric import in_metric
from comparator.findings.reliability import reliability_in
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES, distance, relative, signed_difference
from comparator.results.frozen import Claim, FrozenExperiment, MetricDescription, ObjectiveWords
from comparator.results.points import observations_in
from comparator.results.record import Run
from comparator.results.store import ExperimentFolder
from comparator.results.whole import whole_evaluations
from comparator.space import ParameterSpace
from comparator.strategies.blocks import FIRST_FRESH

LINE = ParameterSpace.from_entries([{"name": "x", "type": "float", "lower": 0, "upper": 10}], "test")


@pytest.fixture
def folder(tmp_path):
    made = ExperimentFolder.create(tmp_path, "try", None, BARE)
    yield made
    made.close()


def test_the_best_distinct_points() -> None:
    found = [({"x": x}, value) for x, value in ((5, -0.5), (5.5, -0.49), (7, -0.3), (1, -0.4), (6.6, -0.35))]
    assert [point["x"] for point in distinct_best(found, 3, LINE)] == [5, 1, 6.6]
    assert len(distinct_best(found, 9, LINE)) == 3
    assert len(distinct_best(found, 9, None)) == 5 and NEAR == 0.1


# Differences


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_signed_difference_turns_with_the_models_and_has_the_size_of_its_own(first: float, second: float) -> None:
    for difference in DIFFERENCES.values():
        here, there = signed_difference(difference, first, second), signed_difference(difference, second, first)
        assert here == pytest.approx(-there)
        assert abs(here) == abs(distance(difference, first, second))  # of numbers that are as good as equal none
        assert here * (second - first) >= 0


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_what_a_signed_difference_is_worth_is_what_the_search_minimises(first: float, second: float) -> None:
    runs = [
        Run(submodel=n, replicate=0, status="ok", metrics={"m": value})  # type: ignore[arg-type]
        for n, value in enumerate((first, second))
    ]
    for function in DIFFERENCES.values():
        objective = Objective("m", function)
        assert objective.worth(objective.signed(runs)) == pytest.approx(objective(runs))
    for maximise in (False, True):
        single = Objective("m", None, maximise=maximise)
        assert single.worth(single.signed(runs[:1])) == single(runs[:1])


# Evidence


def test_a_pilot_says_what_can_be_seen() -> None:
    pilot = measure_pilot([[0.1, 0.2], [0.3, 0.4]], [6.0] * 4, 4)
    assert pilot.deviation == pytest.approx(math.sqrt(0.005))
    assert pilot.between == pytest.approx(math.sqrt(0.02))
    rng = random.Random(1)
    highest = [max(rng.gauss(0, pilot.deviation) for _ in range(60)) for _ in range(2000)]
    visible = pilot.visible(60)
    assert sum(each < visible for each in highest) / 2000 == pytest.approx(0.95, abs=0.02)
    assert pilot.visible(60, 4) == pytest.approx(visible / 2)
    doubt = 2.117  # the root of 2 over the fifth of a chi square with two degrees of freedom
    seen = f"{doubt * pilot.deviation:.2g} is assumed; this budget sees {doubt * visible:.2g} at a point (60 pairs in 3"
    said = pilot_words(pilot, Design(60, 1, 2))
    assert seen in said and f"; 4 seeds a point see {doubt * visible / 2:.2g} in 12 minutes" in said
    pilots = [[[rng.gauss(0, 1) for _ in range(2)] for _ in range(3)] for _ in range(2000)]
    assumed = [pooled_deviation(groups) * math.sqrt(3 / 1.005) for groups in pilots]
    assert sum(each > 1 for each in assumed) / 2000 == pytest.approx(0.8, abs=0.04)
    assert f"{measure_pilot(pilots[0], [], 6).deviation * math.sqrt(3 / 1.005):.2g} is assumed" in pilot_words(
        measure_pilot(pilots[0], [], 6), Design(60, 1, 2)
    )
    assert "nothing" in pilot_words(measure_pilot([[0.1, 0.1], [0.3, 0.3]], [], 4), Design(60, 1, 2))
    assert "too few" in pilot_words(measure_pilot([[0.1], []], [], 4), Design(60, 1, 2))


def fresh(signed: list[float], kind: Any = "best", direction: Any = 1) -> Fresh:
    claim = Claim(name=kind, kind=kind, direction=direction, points=[{"x": 1}])
    return Fresh(claim, [{"x": 1}] * len(signed), signed, range(FIRST_FRESH, FIRST_FRESH + len(signed)))


def judged(best: Fresh, rest: Fresh | None, **changes: Any) -> Any:
    given = {"searched": 0.43, "points": 1, "given_this_split": False, "larger_is_better": True}
    return confirm(best, rest, **{**given, **changes})


@pytest.mark.long
def test_of_best_points_that_are_as_all_others_one_in_twenty_is_confirmed() -> None:
    """Though a block moves all its points alike, far more than they differ among each other."""
    rng = random.Random(3)
    runs, wrong, wide = 3000, 0, 0
    for _ in range(runs):
        of_block = [rng.gauss(0.3, 0.2) for _ in range(8)]
        best, rest = ([each + rng.gauss(0, 0.05) for each in of_block] for _ in range(2))
        found = judged(fresh(best), fresh(rest, "elsewhere"))
        wrong += found.verdict == "confirmed"
        wide += found.contrast_interval[0] <= 0 <= found.contrast_interval[1]
    assert wrong / runs == pytest.approx(0.05, abs=0.012)
    assert wide / runs == pytest.approx(0.95, abs=0.012)


def test_a_difference_that_turns_round_elsewhere_is_not_larger() -> None:
    inside = estimate(fresh([0.30, 0.32, 0.31, 0.33]))
    turned = contrast(inside, estimate(fresh([-0.31, -0.32, -0.30, -0.33], "elsewhere")))
    small = contrast(inside, estimate(fresh([-0.01, 0.02, -0.02, 0.01], "elsewhere")))
    assert turned.p > 0.05 and turned.interval[0] > 0.5  # signed they are far apart, in size they are alike
    assert small.p < 0.001


def test_a_finding_that_holds_one_that_turned_and_one_that_failed() -> None:
    rest = fresh([0.10, 0.11, 0.12, 0.09], "elsewhere")
    holds = judged(fresh([-0.30, -0.32, -0.31, -0.33], direction=-1), rest)
    assert (holds.verdict, holds.confirmed) == ("confirmed", pytest.approx(0.315))
    assert holds.winners_curse == pytest.approx(0.115)
    turned = judged(fresh([-0.30, -0.32, -0.31, -0.33]), rest, given_this_split=True)
    assert (turned.verdict, turned.confirmed, turned.given_this_split) == ("not confirmed", pytest.approx(-0.315), True)
    failed = judged(fresh([]), rest)
    assert (failed.verdict, failed.confirmed, failed.interval, failed.winners_curse) == ("untested", None, None, None)
    once = judged(fresh([0.3]), rest)
    assert (once.verdict, once.confirmed, once.interval) == ("untested", 0.3, None)
    single = judged(fresh([0.014, 0.016, 0.015], direction=0), None, searched=0.010, larger_is_better=False)
    assert (single.verdict, single.winners_curse) == (None, pytest.approx(0.005))


@pytest.mark.parametrize("law", ["normal", "skewed"])
def test_an_interval_over_eight_blocks_holds_the_mean(law: str) -> None:
    """Also where trainings are skewed, which a t-interval alone holds in 89 of 100."""
    rng = random.Random(7)
    draw = (lambda: rng.gauss(0, 1)) if law == "normal" else (lambda: rng.expovariate(1) - 1)
    runs, held = 3000, 0
    for _ in range(runs):
        variance = statistics.fmean(draw() ** 2 for _ in range(20))  # as the search saw it
        low, high = interval_of([draw() for _ in range(8)], variance)
        held += low <= 0 <= high
    assert 0.93 < held / runs < 0.97


def test_replicates_without_spread() -> None:
    assert pooled_deviation([[1.0], [2.0]]) is None and mean_interval([1.0]) is None
    assert mean_interval([0.5, 0.5]) == (0.5, 0.5)


# The space, and the report's view


SPACE: list[dict[str, Any]] = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "rate", "type": "float", "lower": 1e-4, "upper": 1e-2, "use_log_scale": True},
    {"name": "batch", "type": "ordered", "element_type": "int", "values": [16, 32, 64]},
    {"name": "kind", "type": "categorical", "element_type": "string", "values": ["a", "b"]},
    {"name": "fixed", "type": "constant", "value": 3},
]


def test_distances_are_fractions_of_the_range_of_each_parameter() -> None:
    space = ParameterSpace.from_entries(SPACE, "test")
    here = {"noise": 10.0, "rate": 1e-3, "batch": 16, "kind": "a", "fixed": 3}
    assert space.distance(here, here) == 0
    assert space.distance(here, {**here, "noise": 15.0}) == pytest.approx(0.1)
    assert space.distance(here, {**here, "noise": 15.0, "rate": 1e-2}) == pytest.approx(0.5)
    assert space.distance(here, {**here, "batch": 32}) == 0.5
    assert space.distance(here, {**here, "kind": "b"}) == 1


@given(st.integers(1, 40))
def test_points_are_spread_over_the_space(count: int) -> None:
    space = ParameterSpace.from_entries(SPACE, "test")
    points = space.spread(count)
    assert len(points) == count and points == space.spread(count)
    for point in points:
        space.check(point)
    assert sorted(point["noise"] for point in points) == pytest.approx(
        [50 * (part + 0.5) / count for part in range(count)]
    )


def test_the_report_reads_it_all_from_the_record(folder) -> None:
    controller = Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES)
    Worker(noisy).finish(controller)
    frozen = FrozenExperiment(
        id="try-1",
        models=[],
        objective=ObjectiveWords(maximise=True),
        settings={"cmp": {"difference": "relative"}},
        claims=controller.claims,
    )
    reliability = reliability_in(frozen, folder.records)
    assert reliability.pairs == {"pilot": 4, "search": 14, "confirm": 9}
    first, second = reliability.confirmations
    best = min(lines(folder) + lines(folder, "pilot"), key=lambda line: line.value)
    assert (first.point, first.searched) == (best.point, -best.value)
    assert (first.seeds, first.given_this_split) == (3, False)
    rest = [line.signed[0] for line in lines(folder, "confirm") if line.claim == "elsewhere"]
    assert first.contrast == pytest.approx(first.confirmed - statistics.fmean(rest))
    assert first.confirmed == pytest.approx(statistics.fmean(lines(folder, "confirm")[0].signed))
    assert reliability.confirmation_of(second.point) is second
    observations = {point["x"]: signed for point, signed, _ in observations_in(folder.records)}
    assert len(observations[9]) == 2 and len(observations[2]) == 3  # of the pilot and of the search


def test_best_points_that_an_earlier_version_trained_anew_stay_so_when_it_is_gone_on_with(folder) -> None:
    controller = Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES)
    Worker(noisy).finish(controller)
    claims = [each for each in controller.claims if each.kind == "best"]
    settings = {"cmp": {"difference": "relative"}}
    frozen = FrozenExperiment(id="try-1", models=[], objective=ObjectiveWords(maximise=True), settings=settings)
    known = {each.name for each in claims}
    kept = [line for line in folder.records if line.claim is None or line.claim in known]
    earlier = [line.model_copy(update={"claim": None}) for line in kept]
    before, after = (reliability_in(frozen.model_copy(update={"claims": each}), earlier) for each in (None, claims))
    assert [each.confirmed for each in after.confirmations] == [each.confirmed for each in before.confirmations]
    assert None not in [each.confirmed for each in after.confirmations] and after.holds == before.holds


# Another metric


def test_an_experiment_read_in_another_metric_is_the_one_that_had_it_from_the_start(folder) -> None:
    worker = Worker(noisy)
    controller = Controller(folder, Listed(POINTS), OBJECTIVE, **STAGES)
    waiting = controller.start()
    while waiting:
        outcome = worker.result(waiting.pop(0))
        for run in outcome.runs:
            run.metrics["val_r2"] = 1 - run.metrics["val_loss"] / 20
        waiting += controller.tell(outcome)
    frozen = FrozenExperiment(
        id="try-1",
        models=[],
        metric="val_loss",
        metrics={"val_r2": MetricDescription(kind="score")},
        objective=ObjectiveWords(name="relative difference of val_loss", symbol="V", maximise=True),
        settings={"cmp": {"difference": "relative"}},
    )
    same, records = in_metric(frozen, folder.records, "val_loss")
    assert records == folder.records
    again, records = in_metric(frozen, folder.records, "val_r2")
    assert again.objective.name == "relative difference of val_r2"
    assert same.objective.name == "relative difference of val_loss"
    for line, own in zip(whole_evaluations(records), whole_evaluations(folder.records), strict=True):
        pairs = zip(own.runs[::2], own.runs[1::2], strict=True)
        expected = [relative(first.metrics["val_r2"], second.metrics["val_r2"]) for first, second in pairs]
        assert line.value == pytest.approx(-statistics.fmean(expected))
        assert line.signed == pytest.approx([-each for each in expected])  # the larger loss is the smaller R2
    with pytest.raises(InputError, match="did you mean 'val_r2'"):
        in_metric(frozen, folder.records, "val_r3")
    with pytest.raises(InputError, match="a function of its own"):
        of_its_own = frozen.model_copy(update={"settings": {"cmp": {"difference": "mine:own"}}})
        in_metric(of_its_own, folder.records, "val_r2")
    negative = {"metrics": {"val_r2": -1.0}}
    without = [
        line.model_copy(update={"runs": [run.model_copy(update=negative) for run in line.runs]})
        for line in folder.records
    ]
    assert {(line.status, line.value) for line in in_metric(frozen, without, "val_r2")[1]} == {("failed", None)}
