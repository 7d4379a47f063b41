"""What is said of an experiment as it runs: how long it has taken by its record, what a model says last."""

from datetime import datetime, timedelta, timezone

import pytest
from recorded import as_read, make_record

from comparator.experiment.progress import RUN, _told_once, busy_seconds


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
