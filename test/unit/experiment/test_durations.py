"""How long trainings take, by those that are recorded."""

import random

from comparator.experiment.controller.durations import Latest


def test_the_largest_of_the_latest_numbers_is_that_of_a_look_at_all_of_them() -> None:
    luck, latest = random.Random(1), Latest(7)
    numbers: list[int] = []
    assert latest.largest is None
    for _ in range(300):
        numbers.append(luck.randrange(20))
        latest.add(numbers[-1])
        assert latest.largest == max(numbers[-7:])
