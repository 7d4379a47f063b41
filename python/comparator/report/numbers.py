"""Numbers in words: amounts with their intervals, shares, chances, points."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from comparator.findings.axes import is_number, show
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.objective.differences import difference_called
from comparator.results.frozen import FrozenExperiment

RELATIVE = ("relative", "signed")  # differences that are fractions of the larger metric
#: What puts a number with its interval into words.
Measure: TypeAlias = Callable[[float | None, "Sequence[float | None] | None"], str]
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def with_interval(mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return `0.31 [0.28, 0.35]`, the mean alone where it has no finite interval."""
    if mean is None:
        return "unknown"
    if interval is None or not all(is_number(end) for end in interval):
        return show(round_to(mean, 3))
    low, high = (float(end) for end in interval if end is not None)
    size = max(abs(mean), abs(low), abs(high))
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
    return in_percent(mean, interval) if is_relative(summary) else with_interval(mean, interval)


def in_percent(mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return a share with its interval: `46 % [42 %, 50 %]`."""
    if mean is None:
        return with_interval(mean, interval)
    ends = None if interval is None else [None if end is None else 100 * end for end in interval]
    return re.sub(r"-?[0-9][0-9.e+-]*", r"\g<0> %", with_interval(100 * mean, ends))


def measure_of(experiment: FrozenExperiment) -> Measure:
    """Return what puts a difference of an experiment into words: `in_percent` where it is a share."""
    return in_percent if _is_share(experiment.objective.name, experiment.metric) else with_interval


def by_difference(difference: str, mean: float | None, interval: Sequence[float | None] | None) -> str:
    """Return a number with its interval as the difference of this name has it: `in_percent` where it is a share."""
    return in_percent(mean, interval) if difference in RELATIVE else with_interval(mean, interval)


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
    """Return `number` to so many significant digits."""
    return float(f"{number:.{digits}g}")


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
