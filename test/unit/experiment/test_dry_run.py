"""What is said before anything starts."""

import pytest
from recorded import make_experiment

from comparator.experiment.dry_run import budget_words
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment


def test_what_is_trained_anew_is_counted_place_by_place() -> None:
    confirm = {"points": 1, "seeds": 16, "splits": False, "regions": True, "elsewhere": True}
    experiment = make_experiment(stages={"confirm": confirm}, budget={"evaluations": 56, "generations": None})
    assert budget_words(of_form(FrozenExperiment, experiment, "experiment.json")) == (
        "56 evaluations, 112 trainings; afterwards, on seeds that the search never used, 16 in every region that is"
        " found, 16 at the best, 16 elsewhere to compare with (48 together where one region is found)"
    )


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([{"noise": 1.0}], "1 beside it, with another value of the hyperparameter, tells which model it changes"),
        ([{"noise": 1.0}, {"lr": 0.1}], "2 beside it, each with another value of one hyperparameter, tell which"),
    ],
)
def test_trainings_beside_the_budget_are_counted(points: list[dict[str, float]], words: str) -> None:
    experiment = make_experiment(stages={"probes": points}, budget={"evaluations": 56, "generations": None})
    assert words in budget_words(of_form(FrozenExperiment, experiment, "experiment.json"))
