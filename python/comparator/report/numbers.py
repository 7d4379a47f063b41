"""Numbers in words: amounts with their intervals, shares, chances, points."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.findings.axes import is_number, show
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.objective.differences import difference_called
from comparator.results.frozen import FrozenExperiment

RELATIVE = ("relative", "signed")  # differences that are fractions of the larger metric
FINEST, COARSEST = 1e-6, 1e9  # what is below or from there on has too many digits to be read without an exponent
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def with_interval(mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return `0.31 [0.28, 0.35]`, the mean alone where it has no finite interval."""
    if mean is None:
        return "unknown"
    if interval is None or not all(is_number(end) for end in interval):
        return show(round_to(mean, 3))
    low, high = (float(end) for end in interval if end is not None)
    size = max(abs(mean), abs(low), abs(high))
    if size and not FINEST <= size < COARSEST:
        return f"{show(mean)} [{show(low)}, {show(high)}]"
    places = max(0, 1 - math.floor(math.log10(size))) if size > 0 else 0
    if any(end and not float(f"{end:.{places}f}") for end in (low, high)):
        places += 1  # on which side of 0 an interval ends is what it is read for
    return f"{_fixed(mean, places)} [{_fixed(low, places)}, {_fixed(high, places)}]"


def _fixed(number: float, places: int) -> str:
    """Return a number with so many places; what rounds to 0 has no sign."""
    text = f"{number:.{places}f}"
    return text if float(text) else f"{0:.{places}f}"


def amount(summary: Summary, number: float | None, digits: int) -> str:
    """Return `42 %` of a relative difference, which is a share of the larger metric; else `0.12`, with its unit."""
    if number is None:
        return "unknown"
    if is_relative(summary):
        share = 100 * number
        places = max(0, digits - (2 if abs(share) >= 10 else 1))
        text = f"{share:.{places}f}"
        return f"{text if float(text) else '0'} %"
    unit = f" {summary.unit}" if summary.unit and summary.unit != "fraction" else ""
    return f"{show(round_to(number, digits))}{unit}"


def amounts(summary: Summary, mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return an amount with its interval, `46 % [42 %, 50 %]` of a relative difference."""
    return measure_in(summary).amounts(mean, interval)


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


def in_points(mean: float | None, interval: Sequence[float | None] | None = None) -> str:
    """Return by how much one share is above another: `4.2 [0.5, 8.0] percentage points`.

    45 % is 5 percentage points more than 40 %, and not 5 % more.
    """
    if mean is None:
        return with_interval(mean, interval)
    if interval is None:
        return f"{show(round_to(100 * mean, 2))} percentage points"
    return f"{with_interval(*_hundredfold(mean, interval))} percentage points"


def _hundredfold(mean: float, interval: Sequence[float | None] | None) -> tuple[float, Sequence[float | None] | None]:
    return 100 * mean, None if interval is None else [None if end is None else 100 * end for end in interval]


def amounts_apart(
    summary: Summary, mean: float | None, interval: Sequence[float | None] | None = None, *, unit: bool = True
) -> str:
    """Return by how much one amount is above another, with its interval; without its `unit` where a heading has it."""
    measure = measure_in(summary)
    if interval is None and not measure.is_share:
        return amount(summary, mean, 3)
    return measure.apart(mean, interval, unit=unit)


@dataclass(frozen=True)
class Measure:
    """How an experiment's differences are put into words: as shares of the larger metric, or in the metric's units."""

    is_share: bool

    def amounts(self, mean: float | None, interval: Sequence[float | None] | None) -> str:
        """Return a difference with its interval."""
        return in_percent(mean, interval) if self.is_share else with_interval(mean, interval)

    def apart(self, mean: float | None, interval: Sequence[float | None] | None, *, unit: bool = True) -> str:
        """Return by how much one difference is above another; without its unit where a heading has `in_units`."""
        if not self.is_share or mean is None:
            return with_interval(mean, interval)
        return in_points(mean, interval) if unit else with_interval(*_hundredfold(mean, interval))

    def of(self, what: str) -> Callable[[float | None, Sequence[float | None] | None], str]:
        """Return what puts a number of a claim into words: its "difference", or what is "more than elsewhere"."""
        return self.amounts if what == "difference" else self.apart

    @property
    def in_units(self) -> str:
        """What a heading says of numbers that have no unit of their own."""
        return ", percentage points" if self.is_share else ""


def measure_of(experiment: FrozenExperiment) -> Measure:
    """Return how differences of an experiment are put into words."""
    return Measure(_is_share(experiment.objective.name, experiment.metric))


def measure_in(summary: Summary) -> Measure:
    """Return how differences of a summary are put into words."""
    return Measure(is_relative(summary))


def measure_by(difference: str) -> Measure:
    """Return how numbers of the difference of this name are put into words."""
    return Measure(difference in RELATIVE)


def is_relative(summary: Summary) -> bool:
    """Return whether the difference is a fraction of the larger metric."""
    return _is_share(summary.objective, summary.metric)


def _is_share(objective: str, metric: str) -> bool:
    difference = difference_called(objective, metric)
    return difference is not None and difference.name in RELATIVE


def percent(share: float) -> str:
    """Return a share for people: `31 %`, `under 1 %`."""
    return "under 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def chance(probability: float | None) -> str:
    """Return a p-value for people: `0.1 % at most`, `12 %`, `not asked`."""
    if probability is None:
        return "not asked"
    return "0.1 % at most" if probability <= 0.001 else f"{show(round_to(100 * probability, 2))} %"


def listed(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def round_to(number: float, digits: int) -> float:
    """Return `number` to so many significant digits; 0 has no sign."""
    return float(f"{number:.{digits}g}") + 0.0


def point(evaluation: EvaluationSummary, names: tuple[str, ...]) -> str:
    """Return the point in words: `noise 3.2, layer_force 180`; all its settings where `names` is empty."""
    return point_words(evaluation.point, names)


def point_words(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return these values in words, as `point` does."""
    return ", ".join(f"{name} {show(values[name])}" for name in names or tuple(values) if name in values)


def printable(text: str) -> str:
    """Return `text` without what XML and terminals cannot show, nor what turns the direction of writing.

    Line ends stay.
    """
    return UNPRINTABLE.sub(" ", text)
