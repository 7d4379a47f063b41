"""Settings that are chosen on some splits and reported on others: what is trained, and what is claimed of it."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest

from comparator.experiment.strategy import make_strategy_of
from comparator.results.frozen import FrozenExperiment, FrozenStrategy, ObjectiveWords, Submodel
from comparator.strategies.strategy import Strategy
from comparator.strategies.tuning import TUNING, Trial, TunedModel, Tuning, TuningStrategy
from comparator.studies.tuned import GIVEN, Outcome, Place
from comparator.studies.tuned_words import CostWords

STUDIES = ["A", "B", "C"]


def tuning(settings: int = 4, models: tuple[str, ...] = ("Uno",), splits: int = 6) -> Tuning:
    points = [{}, *({"x": number} for number in range(1, settings))]
    return Tuning(
        models={
            model: TunedModel(source="study", split="split", settings=points, fixed={"model_name": model})
            for model in models
        },
        studies=STUDIES,
        choose_on=[1, 2],
        report_on=list(range(3, splits + 1)),
    )


def carried_out(asked: Tuning, value: Callable[[Trial], float | None], seed: int = 0) -> dict[Trial, float | None]:
    """All values that the strategy asks for; results come back in any order."""
    rng = random.Random(seed)
    names = {asked.name(trial): trial for trial in asked.trials()}
    strategy: Strategy = make_strategy_of(
        FrozenStrategy(name=TUNING, options=asked.model_dump(mode="json")), None, None
    )
    waiting, found = strategy.start(), {}
    while waiting:
        proposal = waiting.pop(rng.randrange(len(waiting)))
        trial = names[proposal.name or ""]
        assert trial not in found and proposal.point == asked.point(trial)
        found[trial] = value(trial)
        waiting += strategy.tell(proposal.number, found[trial])
    assert len(found) <= asked.most() and (strategy.ended is None) == (len(found) == asked.most())
    return found


def outcome(asked: Tuning, values: dict[Trial, float | None]) -> Outcome:
    models = [Submodel(submodel=number, label=label) for number, label in enumerate(asked.models)]
    return Outcome(FrozenExperiment(id="try", models=models), asked, values, {}, {label: {} for label in asked.models})


def test_what_is_chosen_is_chosen_without_what_is_reported_on() -> None:
    """The setting that is best by far on the reported splits is not trained there, let alone chosen."""
    asked = tuning()

    def value(trial: Trial) -> float:
        return 1.0 + abs(trial.setting - 1) if trial.split in asked.choose_on else 9.0 - trial.setting

    values = carried_out(asked, value)
    found = outcome(asked, values)
    assert set(found.tuned.values()) == {1}
    assert {trial.setting for trial in values if trial.split in asked.report_on} == {0, 1}
    assert {trial.split for trial in values} == {1, 2, 3, 4, 5, 6} and not {1, 2} & set(asked.report_on)
    other = {trial: -1.0 if trial.split in asked.report_on else each for trial, each in values.items()}
    assert outcome(asked, other).tuned == found.tuned


def test_each_studys_best_is_tried_on_all_studies_and_nothing_twice() -> None:
    asked = tuning(models=("Uno", "LightGBM"))
    best = {"A": 1, "B": 2, "C": 3}
    values = carried_out(asked, lambda trial: 1.0 + (trial.setting != best[trial.study]))
    assert len(values) == asked.most() == 2 * (4 * 3 * 2 + 4 * 3 * 4)
    costs = outcome(asked, values).costs
    assert len(costs) == 2 * (3 + 6) and all(cost.mean == pytest.approx(math.log(2)) for cost in costs.values())
    assert len({json.dumps(asked.point(trial)) for trial in values}) == len(values)


def test_a_setting_that_fails_on_a_choosing_split_is_not_chosen_and_said() -> None:
    asked = tuning()

    def value(trial: Trial) -> float | None:
        if trial == Trial("Uno", "B", 2, 3) or trial.study == "C":
            return None
        return 2.0 - 0.1 * trial.setting

    values = carried_out(asked, value)
    found = outcome(asked, values)
    assert found.tuned == {("Uno", "A"): 3, ("Uno", "B"): 2, ("Uno", "C"): None}
    assert Trial("Uno", "B", 2, 3) in found.failed
    assert found.costs[Place("Uno", "A", "B")].pairs == 4  # it did not fail there
    assert found.costs[Place("Uno", "A", "C")].mean is None and found.costs[Place("Uno", "C", "A")].mean is None


def test_a_reported_training_that_fails_takes_its_split_out_of_the_pair() -> None:
    asked = tuning()
    best = {"A": 1, "B": 2, "C": 2}
    lost = Trial("Uno", "B", 5, 1)
    values = carried_out(asked, lambda t: None if t == lost else 1.0 + (t.setting != best[t.study]))
    costs = outcome(asked, values).costs
    assert costs[Place("Uno", "A", "B")].pairs == 3 and costs[Place("Uno", "A", "C")].pairs == 4
    assert costs[Place("Uno", "B", "C")].same
    # Three of the settings as given, one of A's on B and on C, one of B's on A, which is C's too.
    assert outcome(asked, values).looked_at == 3 + 2 + 1


def test_a_score_costs_what_it_falls_by_and_an_error_the_share_it_rises_by() -> None:
    asked = tuning()
    best = {"A": 1, "B": 2, "C": 2}
    values = carried_out(asked, lambda trial: -0.8 + 0.2 * (trial.setting != best[trial.study]))  # of a score, 0.8
    found = outcome(asked, values)
    score = replace(found, frozen=found.frozen.model_copy(update={"objective": ObjectiveWords(maximise=True)}))
    assert score.costs[Place("Uno", "A", "B")].mean == pytest.approx(0.2) and not score.is_relative
    assert score.mean_when_chosen("Uno", "A", 1) == pytest.approx(0.8)
    errors = outcome(asked, {trial: abs(value or 0.0) for trial, value in values.items()})
    assert errors.is_relative and outcome(asked, values).is_relative is False  # an error that may be below zero


def test_an_interval_that_leaves_zero_out_is_not_written_as_if_it_ended_there() -> None:
    asked = tuning()
    best = {"A": 1, "B": 2, "C": 2}
    values = carried_out(asked, lambda trial: 1.0 + 0.0004 * (trial.setting != best[trial.study]))
    words = CostWords(outcome(asked, values))
    cost = words.found.costs[Place("Uno", "A", "B")]
    assert cost.is_shown and words.interval(cost) == "[0.04, 0.04]" and words.text(cost.mean or 0.0) == "+0.04 %"


def test_the_same_results_in_the_same_order_give_the_same_points() -> None:
    asked = tuning()
    first, second = TuningStrategy(asked), TuningStrategy(asked)
    assert first.start() == second.start()
    for number in reversed(range(len(asked.choosing()))):
        assert first.tell(number, number % 5) == second.tell(number, number % 5)


# Whole studies, repeated


def simulated(rng: random.Random, optimum: dict[str, int], by: float) -> Outcome:
    """A study of 8 settings, of which each of its studies has one that is better by the factor 1 + `by`."""
    asked = tuning(settings=8, splits=7)
    luck = {(study, split): rng.gauss(0, 0.2) for study in STUDIES for split in range(1, 8)}

    def value(trial: Trial) -> float:
        worse = math.log1p(by) * (trial.setting != optimum[trial.study])
        return math.exp(luck[trial.study, trial.split] + worse + rng.gauss(0, 0.03))

    return outcome(asked, carried_out(asked, value))


@pytest.mark.long
def test_where_settings_are_alike_a_cost_is_claimed_in_5_of_100_studies_at_most() -> None:
    """And what chose them is no measure of them: on the splits that chose, the same settings seem to cost something."""
    rng = random.Random(3)
    studies, claimed, chosen = 400, 0, []
    reported = []
    for _ in range(studies):
        found = simulated(rng, dict.fromkeys(STUDIES, -1), 0.0)
        claimed += any(cost.is_shown for cost in found.costs.values())
        moved = [place for place, cost in found.costs.items() if place.tuned_on != GIVEN and not cost.same]
        reported += [found.costs[place].mean or 0.0 for place in moved]
        for place in moved:
            used, best = found.setting("Uno", place.tuned_on), found.tuned["Uno", place.used_on]
            pair = [found.mean_when_chosen("Uno", place.used_on, each or 0) or 1.0 for each in (used, best)]
            chosen.append(math.log(pair[0] / pair[1]))
    assert claimed / studies <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
    assert abs(fmean(reported)) < 0.002 and fmean(chosen) > 0.02


@pytest.mark.long
def test_where_optima_differ_by_study_the_cost_is_found_with_its_sign_and_its_size() -> None:
    rng = random.Random(4)
    optimum, studies, by = {"A": 2, "B": 2, "C": 5}, 200, 0.2
    held, shown = 0, 0
    for _ in range(studies):
        found = simulated(rng, optimum, by)
        truth = {
            place: math.log1p(by)
            * ((found.setting("Uno", place.tuned_on) != best) - (found.tuned["Uno", place.used_on] != best))
            for place in found.costs
            for best in [optimum[place.used_on]]
        }
        ends = {place: cost.interval for place, cost in found.costs.items() if cost.interval is not None}
        held += all(low <= truth[place] <= high for place, (low, high) in ends.items())
        cost = found.costs[Place("Uno", "A", "C")]
        shown += cost.is_shown and (cost.mean or 0.0) > 0
    assert held / studies >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / studies)
    assert shown / studies > 0.9
