"""How differences are put into words, on a terminal as on a page: the one place that knows in which unit they are read.

A difference that is relative is a share of the larger metric, and is read in per cent; how much one such share is above
another is read in percentage points, since 45 % is 5 points more than 40 %, and not 5 % more. Any other difference is
read in the metric's units, or in what it is counted in (deviations). What programs read has the plain numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from comparator.errors import InputError
from comparator.formats.numbers import is_number, not_as_zero, places_for, round_to, show, with_interval
from comparator.objective.differences import DIFFERENCES, Difference, difference_called
from comparator.results.frozen import FrozenExperiment

OF_THE_LARGER = ("relative", "signed")  # differences that are fractions of the larger metric
POINTS = "percentage points"


@dataclass(frozen=True)
class Measure:
    """How an experiment's differences are put into words: as shares of the larger metric, or in units of their own."""

    is_share: bool
    unit: str = ""

    def amount(self, number: float | None, digits: int = 3) -> str:
        """Return `42 %` of a share, else `0.12` with its unit: to so many digits, and not as 0 what is not."""
        if number is None:
            return "unknown"
        if not self.is_share:
            return f"{show(round_to(number, digits))}{f' {self.unit}' if self.unit else ''}"
        return f"{_in_hundredths(number, digits)} %"

    def amounts(self, mean: float | None, interval: Sequence[float | None] | None) -> str:
        """Return a difference with its interval: `46 % [42 %, 50 %]`, `0.31 [0.28, 0.35]`."""
        return in_percent(mean, interval) if self.is_share else with_interval(mean, interval)

    def apart(self, mean: float | None, interval: Sequence[float | None] | None = None, *, unit: bool = True) -> str:
        """Return by how much one difference is above another: `4.2 [0.5, 8.0] percentage points`.

        Without its unit where a heading has `in_units`.
        """
        if mean is None:
            return with_interval(mean, interval)
        if not self.is_share:
            return self.amount(mean, 2) if interval is None else with_interval(mean, interval)
        said = _in_hundredths(mean, 2) if interval is None else with_interval(*_hundredfold(mean, interval))
        return f"{said} {POINTS}" if unit else said

    def of(self, what: str) -> Callable[[float | None, Sequence[float | None] | None], str]:
        """Return what puts a number of a claim into words: its "difference", or what is "more than elsewhere"."""
        return self.amounts if what == "difference" else self.apart

    @property
    def in_units(self) -> str:
        """What a heading says of numbers that have no unit of their own."""
        return f", {POINTS}" if self.is_share else ""


#: How numbers are put into words whose unit is not known, or the metric's own; and shares of anything.
PLAIN, SHARES = Measure(is_share=False), Measure(is_share=True)


def measure_of(experiment: FrozenExperiment) -> Measure:
    """Return how differences of an experiment are put into words; of a single model, its metric."""
    return measure_named(experiment.objective.name, experiment.metric, experiment.objective.unit)


def measure_named(objective: str, metric: str, unit: str = "") -> Measure:
    """Return how numbers are put into words that an experiment calls `objective`, counted in `unit`."""
    return _measure(difference_called(objective, metric), unit)


def measure_by(difference: str) -> Measure:
    """Return how numbers of the difference of this name are put into words."""
    return _measure(DIFFERENCES.get(difference), "")


def _measure(difference: Difference | None, unit: str) -> Measure:
    if difference is not None and difference.name in OF_THE_LARGER:
        return SHARES
    return Measure(is_share=False, unit=unit or (difference.unit if difference is not None else ""))


def check_size(difference: str, size: float | None, where: str) -> None:
    """Raise `InputError` where a size that was typed, which `where` names, is none of a difference that is a share.

    People read shares in per cent, and type fractions.
    """
    if size is None or not measure_by(difference).is_share:
        return
    if abs(size) >= 1 or (size < 0 and not DIFFERENCES[difference].has_sign):
        lowest = "-1" if DIFFERENCES[difference].has_sign else "0"
        raise InputError(
            f"{where} = {size:g}: must lie between {lowest} and 1, as a fraction of the larger metric: 0.05 is 5 %"
        )


def in_percent(mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return a share with its interval: `46 % [42 %, 50 %]`.

    No end of it passes what a share can be, as an interval of two blocks may.
    """
    if mean is None:
        return with_interval(mean, interval)
    if abs(mean) <= 1:
        interval = interval and [
            end if end is None or not is_number(end) else max(-1.0, min(1.0, end)) for end in interval
        ]
    return re.sub(r"-?[0-9][0-9.e+-]*", r"\g<0> %", with_interval(*_hundredfold(mean, interval)))


def _in_hundredths(share: float, digits: int) -> str:
    hundredfold = round_to(100 * share, 12)  # 100 times 0.1 may be a little below 10
    return not_as_zero(hundredfold, places_for(hundredfold, digits))


def _hundredfold(mean: float, interval: Sequence[float | None] | None) -> tuple[float, Sequence[float | None] | None]:
    return 100 * mean, None if interval is None else [None if end is None else 100 * end for end in interval]
