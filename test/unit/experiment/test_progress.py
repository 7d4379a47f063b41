"""What is said of an experiment as it runs: how long it has taken by its record, what a model says last."""

from datetime import datetime, timedelta, timezone

import pytest
from recorded import as_read, make_experiment, make_record

from comparator.experiment.progress import RUN, _told_once, busy_seconds, describe
from comparator.results.frozen import FrozenExperiment
from comparator.results.tally import Tally


def test_the_time_taken_is_the_records_without_the_time_in_which_nothing_ran() -> None:
    begun = datetime.now(timezone.utc) - timedelta(hours=5)
    records = [
        {
            **make_record(number, {"noise": 1.0}, ({"val_loss": 1.0},)),
            "started": (begun + start).isoformat(),
            "seconds": took,
        }
        for number, (start, took) in enumerate(
            [
                (timedelta(0), 60.0),
                (timedelta(seconds=30), 60.0),
                (timedelta(hours=4), 30.0),
                (timedelta(hours=5), 900.0),
            ]
        )
    ]
    assert busy_seconds(as_read(records)) == pytest.approx(90 + 30, abs=5)  # the last has only just begun
    assert busy_seconds([]) == 0


@pytest.mark.parametrize(("kind", "trained"), [("cmp", "pairs"), ("single", "trainings")])
def test_what_tries_a_best_anew_is_a_pair_only_where_two_are_compared(kind: str, trained: str) -> None:
    experiment = FrozenExperiment.model_validate(make_experiment(kind=kind))
    assert f"0 of 8 {trained} that try it anew" in describe(experiment, Tally(), 1, None, anew=8)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("8 weights, layers of 186, 186, 186, 1", "8 weights, layers of 186 (3 times), 1"),
        ("layers of 186, 186, 1, 1", "layers of 186, 186, 1, 1"),
        ("1, 1, 1, 12", "1 (3 times), 12"),
    ],
)
def test_numbers_that_stand_many_times_are_told_once(said: str, told: str) -> None:
    assert RUN.sub(_told_once, said) == told
