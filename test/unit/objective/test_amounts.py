"""Differences in words: the same everywhere that people read them."""

import pytest

from comparator.errors import InputError
from comparator.formats.numbers import with_interval
from comparator.objective.amounts import Measure, check_size, in_percent, measure_by, measure_named

SHARE, PLAIN = Measure(is_share=True), Measure(is_share=False)


@pytest.mark.parametrize(
    ("mean", "interval", "words"),
    [
        (0.9, (0.0001, 0.95), "90.0 % [0.01 %, 95.0 %]"),
        (0.9, (-0.00004, 0.95), "90.0 % [-0.004 %, 95.0 %]"),
        (0.9, (0.0, 0.95), "90 % [0 %, 95 %]"),
        (0.5, (1e-17, 0.7), "50 % [0 %, 70 %]"),
        (0.0, (-0.062, 0.062), "0 % [-6.2 %, 6.2 %]"),
        (-1e-18, (-0.062, 0.062), "0 % [-6.2 %, 6.2 %]"),
        (1e-5, (-0.062, 0.062), "0.0 % [-6.2 %, 6.2 %]"),
    ],
)
def test_an_end_of_an_interval_that_is_not_zero_does_not_read_as_zero(
    mean: float, interval: tuple[float, float], words: str
) -> None:
    assert in_percent(mean, interval) == words


def test_a_mean_has_no_more_digits_than_its_interval() -> None:
    assert with_interval(0.0004, (-0.5, 0.5)) == "0.00 [-0.50, 0.50]"


def test_what_is_relative_is_read_in_per_cent_and_what_is_not_in_its_unit() -> None:
    relative = measure_named("relative difference of val_loss", "val_loss", "fraction")
    assert relative == measure_by("signed") == SHARE and relative.in_units == ", percentage points"
    assert measure_by("absolute") == measure_by("own:difference") == measure_named("val_loss", "val_loss") == PLAIN
    counted = measure_named("difference of r2 in deviations from seed to seed", "r2")
    assert counted.amount(1.234) == "1.23 deviations" and counted.in_units == ""
    assert (SHARE.amount(0.4237), SHARE.amount(0.4237, 4), SHARE.amount(None)) == ("42.4 %", "42.37 %", "unknown")
    assert (PLAIN.amount(0.4237), PLAIN.amount(1234567.0)) == ("0.424", "1.23e+06")
    assert SHARE.apart(0.0424) == "4.2 percentage points" and PLAIN.apart(0.0424) == "0.042"


@pytest.mark.parametrize(
    ("share", "two", "three"),
    [
        (0.0999, "10", "9.99"),
        (0.1, "10", "10.0"),
        (0.0994, "9.9", "9.94"),
        (0.9996, "100", "100"),
        (1.0, "100", "100"),
        (0.00999, "1.0", "1.00"),
        (-0.0999, "-10", "-9.99"),
        (0.0, "0", "0"),
    ],
)
def test_an_amount_has_the_digits_of_what_it_is_rounded_to(share: float, two: str, three: str) -> None:
    assert (SHARE.amount(share, 2), SHARE.amount(share, 3)) == (f"{two} %", f"{three} %")
    assert SHARE.apart(share) == f"{two} percentage points"


@pytest.mark.parametrize(("difference", "size"), [("relative", 5.0), ("relative", -0.1), ("signed", -1.0)])
def test_a_size_in_per_cent_is_refused_where_a_fraction_is_meant(difference: str, size: float) -> None:
    with pytest.raises(InputError, match=r"level = .*: must lie between -?[01] and 1, .*: 0\.05 is 5 %$"):
        check_size(difference, size, "level")


def test_a_size_is_what_it_is_where_a_difference_has_a_unit_of_its_own() -> None:
    for difference, size in (("absolute", 5.0), ("in_deviations", 2.0), ("own:one", -3.0), ("signed", -0.2)):
        check_size(difference, size, "level")
    check_size("relative", None, "level")
