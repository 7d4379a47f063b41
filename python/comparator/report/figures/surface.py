"""What a model of all evaluations expects over one or two hyperparameters, on average over the others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.objective.amounts import POINTS, Measure
from comparator.report.figures.channels import Row, along, written
from comparator.report.figures.figure import TIP, layer
from comparator.report.figures.palette import MEAN

if TYPE_CHECKING:
    from comparator.evidence.coordinates import Array, Coordinates
    from comparator.evidence.prediction import Predictor

FINE, COARSE = 30, 20  # places along a number's range: of the only axes, of each of several pairs
OTHERS = 16  # values of all other hyperparameters, over which the mean is taken
ENTRIES = 1_000_000  # of a covariance at a time
MANY = 500  # observations; of more, how sure the model is takes longer than all the rest

Stretch = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """The expected difference (of a single model: its metric) at places of one or two axes.

    `sides` are the stretches of each axis; `means` has a list for each stretch of the first, with an entry for each of
    the second (one alone without a second). So have `lows` and `highs`, the ends of its 95 % interval, which are empty
    where it is not known.
    """

    axes: Sequence[Axis]
    sides: Sequence[Sequence[Stretch]]
    means: Sequence[Sequence[float]]
    lows: Sequence[Sequence[float]] = ()
    highs: Sequence[Sequence[float]] = ()

    def cells(self, colour: Row, measure: Measure, *, apart: bool = False) -> Row:
        """Return the layer of the places of two axes in the colours of what is expected there.

        `measure` says how numbers are written; `apart` that they are by how much one is above another.
        """
        foot, top = ([_short(end, 6) for end in ends] for ends in zip(*self.sides[1], strict=True))
        known = {"v": self.means, **({"low": self.lows, "high": self.highs} if self.lows else {})}
        columns = [
            {
                **{"x": left, "x2": right, "y": foot, "y2": top},
                **{name: [_short(number, 3) for number in numbers[place]] for name, numbers in known.items()},
            }
            for place, (left, right) in enumerate(self.sides[0])
        ]
        v, low, high = (written(f"datum.{name}", measure, apart=apart) for name in ("v", "low", "high"))
        said = f"'expected here: ' + {v}"
        if self.lows:
            said += f" + ', from ' + {low} + ' to ' + {high}"
        if apart and measure.is_share:
            said += f" + ' {POINTS}'"
        x, y = self.axes
        return {
            "data": {"values": columns},
            "transform": [{"flatten": ["y", "y2", *known]}, {"calculate": said, "as": "tip"}],
            # Neighbours overlap by a pixel: where an edge lies within one, less would let the page shine through.
            "mark": {"type": "rect", "x2Offset": 1, "y2Offset": -1, "aria": False},
            "encoding": {
                **{"x": along(x, "x"), "y": along(y, "y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}},
                **{"color": colour, "tooltip": TIP},
            },
        }

    def curve(self, x: Row, y: Row) -> list[Row]:
        """Return the layers of the mean along the only axis, within its interval."""
        rows = [
            {"x": place, "x2": end, "y": mean, **({"low": low, "high": high} if self.lows else {})}
            for (place, end), (mean,), (low,), (high,) in zip(
                self._points(), self.means, self.lows or self.means, self.highs or self.means, strict=True
            )
        ]
        if self.axes[0].discrete:
            band, line = "rect", "rule"
            ends: Row = {"x2": {"field": "x2"}}
        else:
            band, line, ends = "area", "line", {}
        bounds = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
        return [
            *([layer(rows, band, {"color": MEAN, "opacity": 0.18}, x=x, **ends, **bounds)] if self.lows else []),
            layer(rows, line, {"color": MEAN, "strokeWidth": 2.5}, x=x, **ends, y=y),
        ]

    def numbers(self) -> list[float]:
        """Return all means."""
        return list(itertools.chain.from_iterable(self.means))

    def reach(self) -> list[float]:
        """Return all numbers that a figure of it has to hold."""
        return [*self.numbers(), *itertools.chain(*self.lows, *self.highs)]

    def _points(self) -> list[Stretch]:
        (axis,), (side,) = self.axes, self.sides
        return list(side) if axis.discrete else [(value, value) for value in _values(axis, side)]


def expected(summary: Summary, predictor: Predictor | None, *axes: Axis) -> Surface | None:
    """Return what `predictor` says over one or two `axes`.

    None without one, and where it has learnt another number than that which is shown.
    """
    is_size = _is_size(summary.points)
    if predictor is None or is_size is None:
        return None
    import numpy as np

    surrogate = predictor.surrogate
    coordinates, alone = surrogate.coordinates, len(axes) == len(summary.axes)
    sides = [stretches_of(axis, FINE if alone else COARSE) for axis in axes]
    if alone:
        base = [dict(summary.points[0].point)]
    else:
        from comparator.evidence.coordinates import dense_sample

        base = dense_sample(coordinates.space, max(4, min(OTHERS, 4000 // len(surrogate.values))))
    places = _places(coordinates, base, axes, sides)

    def table(numbers: Array) -> list[list[float]]:
        return [list(map(float, each)) for each in numbers.reshape(len(sides[0]), -1, len(base)).mean(axis=2)]

    if not alone or len(surrogate.values) > MANY:
        means = _means(predictor, places)
        return Surface(axes, sides, table(np.abs(means) if is_size else means))
    means, lows, highs = _around(predictor, *surrogate.predict_rows(places), is_size=is_size)
    return Surface(axes, sides, table(means), table(lows), table(highs))


def expected_along(summary: Summary, predictor: Predictor | None, axis: Axis) -> Surface | None:
    """Return what `predictor` says along one of several axes: the mean over all values of the others, and its interval.

    None as `expected`; without an interval of many observations.
    """
    is_size = _is_size(summary.points)
    if predictor is None or is_size is None:
        return None
    import numpy as np

    from comparator.evidence.coordinates import dense_sample

    surrogate = predictor.surrogate
    coordinates, side = surrogate.coordinates, stretches_of(axis, COARSE)
    base = dense_sample(coordinates.space, OTHERS)
    places = _places(coordinates, base, (axis,), (side,)).reshape(len(side), len(base), -1)

    def table(numbers: Array) -> list[list[float]]:
        return [[float(each)] for each in numbers]

    if len(surrogate.values) > MANY:
        means = _means(predictor, places.reshape(len(side) * len(base), -1)).reshape(len(side), -1).mean(axis=1)
        return Surface((axis,), (side,), table(np.abs(means) if is_size else means))
    found = [surrogate.mean_over(each) for each in places]
    means, variances = np.array(found).T
    means, lows, highs = _around(predictor, means, np.sqrt(variances), is_size=is_size)
    return Surface((axis,), (side,), table(means), table(lows), table(highs))


def _places(
    coordinates: Coordinates,
    base: Sequence[Mapping[str, Any]],
    axes: Sequence[Axis],
    sides: Sequence[Sequence[Stretch]],
) -> Array:
    """Return the coordinates of the points of `base` at all places of some axes, those of each place together."""
    import numpy as np

    rows, shape = coordinates.of(base), [len(side) for side in sides]
    places = np.tile(rows, (math.prod(shape), 1))
    for number, (axis, side) in enumerate(zip(axes, sides, strict=True)):
        column = coordinates.names.index(axis.name)
        held = coordinates.of([{**base[0], axis.name: value} for value in _values(axis, side)])[:, column]
        inner = math.prod(shape[number + 1 :]) * len(rows)
        places[:, column] = np.tile(np.repeat(held, inner), math.prod(shape[:number]))
    return places


def _around(predictor: Predictor, means: Array, deviations: Array, *, is_size: bool) -> tuple[Array, Array, Array]:
    """Return means and the ends of their intervals; of sizes, where the signed difference was learnt."""
    import numpy as np

    lows, highs = means - predictor.reach * deviations, means + predictor.reach * deviations
    if not is_size:
        return means, lows, highs
    nearest = np.where(lows * highs < 0, 0.0, np.minimum(np.abs(lows), np.abs(highs)))
    return np.abs(means), nearest, np.maximum(np.abs(lows), np.abs(highs))


def _means(predictor: Predictor, rows: Array) -> Array:
    import numpy as np

    surrogate = predictor.surrogate
    size = max(1, ENTRIES // (len(surrogate.values) * rows.shape[1]))
    parts = (rows[first : first + size] for first in range(0, len(rows), size))
    return np.concatenate([surrogate.mean_of(surrogate.covariance(part)) for part in parts])


def _is_size(points: Iterable[EvaluationSummary]) -> bool | None:
    """Whether the differences shown are sizes of the signed ones that were learnt; None where they are neither."""
    learnt = [
        (one.difference, one.signed[0], len(one.signed)) for one in points if one.difference is not None and one.signed
    ]
    # Of several replicates the size of the mean is not the mean of the sizes.
    pairs = [(shown, signed) for shown, signed, count in learnt if count == 1]
    if not pairs:
        return all(shown >= 0 for shown, *_ in learnt) if learnt else None
    if all(_same(shown, signed) for shown, signed in pairs):
        return False
    return True if all(_same(shown, abs(signed)) for shown, signed in pairs) else None


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)


def stretches_of(axis: Axis, fineness: int) -> list[Stretch]:
    """Return the stretches of an axis, each a place: the values of a list, equal parts of a range as it is drawn."""
    if axis.discrete:
        return list(itertools.pairwise(axis.edges))
    low, high = axis.edges[0], axis.edges[-1]
    start, end = (math.log10(low), math.log10(high)) if axis.log else (low, high)
    borders = [start + (end - start) * step / fineness for step in range(1, fineness)]
    inner = [10**border for border in borders] if axis.log else borders
    return list(itertools.pairwise([low, *(_short(border, 6) for border in inner), high]))


def _values(axis: Axis, side: Sequence[Stretch]) -> list[Any]:
    """Return the value of the hyperparameter in the middle of each stretch."""
    if axis.discrete:
        return list(axis.values)
    return [math.sqrt(low * high) if axis.log else (low + high) / 2 for low, high in side]


def _short(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")
