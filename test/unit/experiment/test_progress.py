"""What is said of an experiment as it runs: how long it has taken by its record, what a model says last."""

import io
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from recorded import as_read, make_experiment, make_record
from rich.console import Console

from comparator.experiment.progress import RUN, ProgressView, _told_once, busy_seconds, describe
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


def test_a_log_tells_the_best_of_the_whole_budget(tmp_path: Path) -> None:
    metrics = ({"val_loss": 0.01}, {"val_loss": 0.02})
    values = [-0.1] * 55 + [-0.9]
    records = as_read(
        [make_record(each, {"noise": float(each)}, metrics, value=value) for each, value in enumerate(values)]
    )
    experiment = FrozenExperiment.model_validate(make_experiment(budget={"evaluations": 56, "generations": None}))
    log = io.StringIO()
    view = ProgressView(Console(file=log, width=200), experiment, tmp_path)
    for known in (54, 55, 56, 56):
        view.update(records[:known], 1)
    counted = [line.split("  ")[0] for line in log.getvalue().splitlines()]
    assert counted == ["54/56", "55/56", "56/56"]
    assert "best 90.0 % at noise 55" in log.getvalue().splitlines()[-1]
