"""What a model of all evaluations expects over one or two hyperparameters, on average over the others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.report.figures.channels import Row, along
from comparator.report.figures.figure import TIP

if TYPE_CHECKING:
    from comparator.evidence.surrogate import Surrogate

FINE, COARSE = 30, 20  # places along a number's range: of the only pair of axes, of each of several
OTHERS = 16  # values of all other hyperparameters, over which the mean is taken
ENTRIES = 1_000_000  # of a covariance at a time


@dataclass(frozen=True)
class Surface:
    """The expected difference (of a single model: its metric) at each of the `columns` and `rows` of two axes.

    Both are stretches of the axis; `heights` has a list for each column, with an entry for each row.
    """

    x: Axis
    y: Axis
    columns: Sequence[tuple[float, float]]
    rows: Sequence[tuple[float, float]]
    heights: Sequence[Sequence[float]]

    def layer(self, colour: Row) -> Row:
        """Return the layer of its places in the colours of what is expected there."""
        low, high = ([float(f"{end:.6g}") for end in ends] for ends in zip(*self.rows, strict=True))
        columns = [
            {"x": left, "x2": right, "y": low, "y2": high, "v": [float(f"{height:.3g}") for height in heights]}
            for (left, right), heights in zip(self.columns, self.heights, strict=True)
        ]
        ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
        return {
            "data": {"values": columns},
            "transform": [
                {"flatten": ["y", "y2", "v"]},
                {"calculate": "'expected here: ' + format(datum.v, '.3~g')", "as": "tip"},
            ],
            # Neighbours overlap by a hair, so that nothing shines through between them.
            "mark": {"type": "rect", "x2Offset": 0.6, "y2Offset": -0.6, "aria": False},
            "encoding": {
                **{"x": along(self.x, "x"), "y": along(self.y, "y"), **ends},
                **{"color": colour, "tooltip": TIP},
            },
        }


def expected(summary: Summary, surrogate: Surrogate | None, x: Axis, y: Axis) -> Surface | None:
    """Return what `surrogate` expects; None without one, and where it tells another number than that which is shown."""
    is_size = _is_size(summary.points)
    if surrogate is None or is_size is None:
        return None
    import numpy as np

    coordinates = surrogate.coordinates
    fineness = FINE if len(summary.axes) == 2 else COARSE
    columns, rows = stretches_of(x, fineness), stretches_of(y, fineness)
    others = _others(surrogate, max(4, min(OTHERS, 4000 // len(surrogate.values)))) if len(summary.axes) > 2 else None
    points = others or [dict(summary.points[0].point)]
    base = coordinates.of(points)
    places = [coordinates.names.index(axis.name) for axis in (x, y)]
    across, up = (
        coordinates.of([{**points[0], axis.name: value} for value in _values(axis, stretches)])[:, place]
        for axis, stretches, place in zip((x, y), (columns, rows), places, strict=True)
    )
    heights = []
    for value in across:
        block = np.tile(base, (len(up), 1))
        block[:, places[0]] = value
        block[:, places[1]] = np.repeat(up, len(base))
        means = _means(surrogate, block)
        heights.append((np.abs(means) if is_size else means).reshape(len(up), -1).mean(axis=1).tolist())
    return Surface(x, y, columns, rows, heights)


def _means(surrogate: Surrogate, rows: Any) -> Any:
    import numpy as np

    size = max(1, ENTRIES // (len(surrogate.values) * max(1, rows.shape[1])))
    return np.concatenate(
        [surrogate.mean_of(surrogate.covariance(rows[first : first + size])) for first in range(0, len(rows), size)]
    )


def _others(surrogate: Surrogate, count: int) -> list[dict[str, Any]]:
    from comparator.evidence.coordinates import dense_sample

    return dense_sample(surrogate.coordinates.space, count)


def _is_size(points: Iterable[EvaluationSummary]) -> bool | None:
    """Whether the differences shown are sizes of the signed ones that were learnt; None where they are neither."""
    once = [(one.difference, one.signed[0]) for one in points if one.difference is not None and len(one.signed) == 1]
    pairs = once or [
        (one.difference, sum(one.signed) / len(one.signed))
        for one in points
        if one.difference is not None and one.signed
    ]
    if all(math.isclose(shown, learnt, rel_tol=1e-6, abs_tol=1e-12) for shown, learnt in pairs):
        return False
    if all(math.isclose(shown, abs(learnt), rel_tol=1e-6, abs_tol=1e-12) for shown, learnt in once):
        return True
    return None


def stretches_of(axis: Axis, fineness: int) -> list[tuple[float, float]]:
    """Return the stretches of an axis, each a place: the values of a list, equal parts of a range as it is drawn."""
    if axis.discrete:
        return list(itertools.pairwise(axis.edges))
    low, high = axis.edges[0], axis.edges[-1]
    if axis.log:
        low, high = math.log10(low), math.log10(high)
    borders = [low + (high - low) * step / fineness for step in range(1, fineness)]
    inner = [10**border for border in borders] if axis.log else borders
    return list(itertools.pairwise([axis.edges[0], *inner, axis.edges[-1]]))


def _values(axis: Axis, stretches: Sequence[tuple[float, float]]) -> list[Any]:
    """Return the value of the hyperparameter in the middle of each stretch."""
    if axis.discrete:
        return list(axis.values)
    return [math.sqrt(low * high) if axis.log else (low + high) / 2 for low, high in stretches]
