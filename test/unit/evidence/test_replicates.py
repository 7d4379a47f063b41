"""Moments of numbers that come one by one, beside what is said of all of them at once."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comparator.evidence.confirmation import chance_above_zero, interval_of
from comparator.evidence.replicates import Moments, mean_interval, pooled_deviation
from comparator.results.form import LARGEST

NUMBERS = st.floats(-LARGEST, LARGEST, allow_subnormal=False)


@example([1e-161, 3e-161, -2e-161], random.Random(1))
@example([1e-170, 3e-170], random.Random(1))
@example([5e-308, 3e-308, 0.0], random.Random(1))
@example([LARGEST, -LARGEST, 1e-170], random.Random(1))
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


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e-161, 1.0, 1e100, 1e170])
def test_a_deviation_is_in_proportion_whatever_the_size(size: float) -> None:
    numbers = [1.0, 2.0, 4.0]
    by_size, one = [number * size for number in numbers], pooled_deviation([numbers])
    assert one is not None and pooled_deviation([by_size]) == pytest.approx(one * size, rel=1e-12)
    moments = Moments()
    for number in by_size:
        moments = moments.plus(number)
    assert moments.deviation == pytest.approx(one * size, rel=1e-12)
    assert moments.interval() == pytest.approx(mean_interval(by_size), rel=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1.0, 1e100])
@pytest.mark.parametrize("share", [None, 4.0])
def test_a_chance_and_an_interval_do_not_depend_on_the_size(size: float, share: float | None) -> None:
    numbers = [1.0, 2.0, -0.5, 1.5]
    by_size = [number * size for number in numbers]
    variance = None if share is None else share * size * size  # lost where it is too small for a float
    known = share if share is not None and variance else None
    assert chance_above_zero(by_size, variance) == pytest.approx(chance_above_zero(numbers, known), rel=1e-9)
    interval = interval_of(numbers, known)
    assert interval is not None
    assert interval_of(by_size, variance) == pytest.approx([end * size for end in interval], rel=1e-9)
