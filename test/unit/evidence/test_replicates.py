"""Moments of numbers that come one by one, beside what is said of all of them at once."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.evidence.replicates import Moments, mean_interval, pooled_deviation
from comparator.results.form import LARGEST

NUMBERS = st.floats(-LARGEST, LARGEST, allow_subnormal=False)


@given(st.lists(NUMBERS | st.floats(-1, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_moments_are_those_of_all_numbers_at_once_in_any_order(numbers: list[float], draw) -> None:
    moments = other = Moments()
    for number in numbers:
        moments = moments.plus(number)
    for number in draw.sample(numbers, len(numbers)):
        other = other.plus(number)
    assert moments == other and (moments.count, moments.mean) == (len(numbers), fmean(numbers))
    size, deviation, interval = max(map(abs, numbers)), pooled_deviation([numbers]), mean_interval(numbers)
    assert moments.deviation == (None if deviation is None else pytest.approx(deviation, abs=size / 1e14))
    assert moments.interval() == (None if interval is None else pytest.approx(interval, abs=size / 1e12))


def test_equal_numbers_have_no_deviation() -> None:
    moments = Moments().plus(0.1).plus(0.1).plus(0.1)
    assert moments.deviation == 0.0 and moments.interval() == (moments.mean, moments.mean)
