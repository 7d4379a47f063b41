"""The hyperparameters that an experiment varied, as axes with bins.

A number's range is cut into ten bins (deciles of the range, of its logarithm on a log scale); a categorical,
ordered or logical hyperparameter, and an integer with at most ten values, has one bin for each value. Where
the points lie on a lattice, as those of a grid do, a number has one bin around each value of the lattice.
"""

from __future__ import annotations

import bisect
import itertools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from comparator.evidence.replicates import exponent_of
from comparator.formats.numbers import is_number, show

BINS = 10
FEW = 12  # a sweep without a space file is drawn value by value up to this many values


class AtAPoint(Protocol):
    """An evaluation, of a record or of a summary."""

    @property
    def point(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Axis:
    """One varying hyperparameter.

    `edges` are the n + 1 borders of the n bins in the coordinates of the axis: the hyperparameter's own
    values where it is continuous; the index into `values`, give or take a half, where it is discrete. `at`
    are the lattice's values, one in each bin, where the bins are a lattice's.
    """

    name: str
    edges: tuple[float, ...]
    log: bool = False
    values: tuple[Any, ...] = ()
    at: tuple[float, ...] = ()

    @property
    def discrete(self) -> bool:
        """True where each bin is one value."""
        return bool(self.values)

    def coordinate(self, value: Any) -> float | None:
        """Return where `value` lies on the axis, or None where it has no place on it."""
        if self.discrete:
            return _index(self.values, value)
        if not is_number(value) or (self.log and value <= 0):
            return None
        return float(value)

    def bin(self, value: Any) -> int | None:
        """Return the number of the bin that holds `value`, from 0; the outer bins take what lies outside."""
        coordinate = self.coordinate(value)
        if coordinate is None:
            return None
        return min(max(bisect.bisect_right(self.edges, coordinate) - 1, 0), len(self.edges) - 2)

    def label(self, number: int) -> str:
        """Return bin `number` in words: its value, or `12.5 to 17.5`."""
        if self.at:
            return show(self.at[number])
        if self.discrete:
            return show(self.values[number])
        return f"{show(self.edges[number])} to {show(self.edges[number + 1])}"

    def range(self) -> str:
        """Return the whole axis in words: `0 to 50`, `1e-05 to 0.1, log scale` or `relu, tanh`."""
        if self.discrete:
            return ", ".join(show(value) for value in self.values)
        low, high = (self.at or self.edges)[0], (self.at or self.edges)[-1]
        return f"{show(low)} to {show(high)}" + (", log scale" if self.log else "")

    def share(self, number: int) -> float:
        """Return the share of the axis, as it is drawn, that bin `number` takes."""
        start, end, low, high = map(self._drawn, (self.edges[0], self.edges[-1], *self.edges[number : number + 2]))
        return (high - low) / (end - start)

    def middle(self, number: int) -> float:
        """Return the coordinate of the middle of bin `number`, as it is drawn."""
        low, high = map(self._drawn, self.edges[number : number + 2])
        return 10 ** ((low + high) / 2) if self.log else (low + high) / 2

    def position(self, value: Any) -> float | None:
        """Return where `value` lies between the axis's ends, 0 to 1, as it is drawn."""
        coordinate = self.coordinate(value)
        if coordinate is None:
            return None
        start, end, place = map(self._drawn, (self.edges[0], self.edges[-1], coordinate))
        return min(max((place - start) / (end - start), 0.0), 1.0)

    def _drawn(self, coordinate: float) -> float:
        return math.log10(coordinate) if self.log else coordinate


def varying_axes(space: Iterable[Mapping[str, Any]], points: Sequence[Mapping[str, Any]]) -> tuple[Axis, ...]:
    """Return an axis for each hyperparameter that varies.

    `space` is a list of CANDLE entries; constants, and ranges of one value, are left out. Without a space
    (a sweep over listed points) the axes are read off the points.
    """
    entries = list(space)
    axes = [_axis_of_entry(entry) for entry in entries] if entries else _axes_of_points(points)
    return tuple(axis for axis in axes if axis is not None)


def on_lattice(axes: Sequence[Axis], points: Sequence[Mapping[str, Any]], grid: bool) -> tuple[Axis, ...] | None:
    """Return the axes with a bin around each value of the lattice that the points lie on; None where they do not.

    Points of a search happen to share a value, those of a grid all do: they count as on a lattice where they
    fill it, or where they come from a `grid` that is not finished.
    """
    if len(axes) < 2 or len(points) < 4:
        return None
    taken: set[tuple[float, ...]] = set()
    for point in points:
        place = [axis.coordinate(point.get(axis.name)) for axis in axes]
        if None in place:
            return None
        taken.add(tuple(each for each in place if each is not None))
    values = [sorted({place[number] for place in taken}) for number in range(len(axes))]
    size = math.prod(map(len, values))
    if len(taken) < size and not (grid and len(taken) > 0.3 * size):
        return None
    return tuple(
        axis if axis.discrete or len(own) < 2 else replace(axis, edges=_around(own, axis.log), at=tuple(own))
        for axis, own in zip(axes, values, strict=True)
    )


def _axis_of_entry(entry: Mapping[str, Any]) -> Axis | None:
    name, kind = str(entry["name"]), entry.get("type")
    if kind == "logical":
        return _discrete(name, (False, True))
    if kind in ("categorical", "ordered"):
        return _discrete(name, tuple(entry.get("values") or ()))
    if kind in ("int", "float"):
        return _continuous(name, entry["lower"], entry["upper"], entry.get("use_log_scale"), kind == "int")
    return None


def _axes_of_points(points: Sequence[Mapping[str, Any]]) -> list[Axis | None]:
    axes = []
    for name in dict.fromkeys(name for point in points for name in point):
        values: list[Any] = []
        for point in points:
            if name in point and point[name] not in values:
                values.append(point[name])
        if all(is_number(value) for value in values):
            values.sort()
            axes.append(
                _discrete(name, tuple(values))
                if len(values) <= FEW
                else _continuous(name, values[0], values[-1], False, False)
            )
        else:
            axes.append(_discrete(name, tuple(values)))
    return axes


def _around(values: Sequence[float], log: bool) -> tuple[float, ...]:
    """Return the borders half-way between neighbours, and as far beyond the outer ones."""
    drawn = [math.log10(value) for value in values] if log else list(values)
    inner = [(one + other) / 2 for one, other in itertools.pairwise(drawn)]
    borders = [2 * drawn[0] - inner[0], *inner, 2 * drawn[-1] - inner[-1]]
    return tuple(10**border for border in borders) if log else tuple(borders)


def _discrete(name: str, values: tuple[Any, ...]) -> Axis | None:
    if len(values) < 2:
        return None
    return Axis(name, tuple(index - 0.5 for index in range(len(values) + 1)), values=values)


def _continuous(name: str, lower: Any, upper: Any, log: Any, integer: bool) -> Axis | None:
    lower, upper = float(lower), float(upper)
    if lower >= upper:
        return None
    if integer and upper - lower < BINS and not log:
        return _discrete(name, tuple(range(int(lower), int(upper) + 1)))
    log = log in (True, "True", "true", 1) and lower > 0
    start, end = (math.log10(lower), math.log10(upper)) if log else (lower, upper)
    inner = [start + (end - start) * step / BINS for step in range(1, BINS)]
    return Axis(name, (lower, *(10**edge if log else edge for edge in inner), upper), log=log)


def _index(values: Sequence[Any], value: Any) -> float | None:
    """Return the index of `value`; a number that the space file wrote as text is found as well."""
    for same in (lambda one: one == value, lambda one: show(one) == show(value)):
        for index, one in enumerate(values):
            if same(one):
                return float(index)
    return None


def effect(axis: Axis, evaluations: Sequence[AtAPoint], numbers: Sequence[float]) -> float:
    """Return the share of the variance of `numbers` that the bins of `axis` explain, at most 1.

    Epsilon squared: corrected for the number of bins, so that many bins explain nothing by chance. It
    chooses what to draw first; it is no measure of importance to report.
    """
    groups: dict[int | None, list[float]] = {}
    for one, number in zip(evaluations, numbers, strict=True):
        groups.setdefault(axis.bin(one.point.get(axis.name)), []).append(number)
    inner_freedom = len(numbers) - len(groups)
    if inner_freedom <= 0:
        return 0.0
    mean = statistics.fmean(numbers)
    apart = [number - mean for number in numbers]
    within = [number - own for group in groups.values() for own in [statistics.fmean(group)] for number in group]
    exponent = exponent_of([*apart, *within])  # their squares may be too small for a float
    total, inner = (sum(math.ldexp(each, -exponent) ** 2 for each in some) for some in (apart, within))
    return 1 - (inner / inner_freedom) / (total / (len(numbers) - 1)) if total > 0 else 0.0
