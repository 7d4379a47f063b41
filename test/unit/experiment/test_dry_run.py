"""What is said before anything starts."""

from recorded import make_experiment

from comparator.experiment.dry_run import budget_words
from comparator.results.record import FrozenExperiment, of_form


def test_what_is_trained_anew_is_counted_place_by_place() -> None:
    confirm = {"points": 1, "seeds": 16, "splits": False, "regions": True, "elsewhere": True}
    experiment = make_experiment(stages={"confirm": confirm}, budget={"evaluations": 56, "generations": None})
    assert budget_words(of_form(FrozenExperiment, experiment, "experiment.json")) == (
        "56 evaluations, 112 trainings; afterwards, on seeds that the search never used, 16 in every region that is"
        " found, 16 at the best, 16 elsewhere to compare with (48 together where one region is found)"
    )
