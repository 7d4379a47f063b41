"""Points of a parameter space as rows of numbers, and points spread evenly over a space."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from comparator.evidence.keyed import Keyed
from comparator.space import Choice, Constant, Number, Ordered, Parameter, ParameterSpace, Point
from comparator.space.sobol import sobol_sequence

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Coordinates:
    """The varying parameters of a space as columns, in the space's order; constants have none.

    An `int` or a `float` lies at its fraction of the range, 0 to 1, of the logarithm's where the space says so; an
    `ordered` value at the fraction of its place in the list. A `categorical` or `logical` value is the number of
    its place, from 0, which says only whether two values are the same: `is_category` marks these columns.
    """

    def __init__(self, space: ParameterSpace) -> None:
        self.space = space
        self.parameters: list[Parameter] = [each for each in space.parameters if not isinstance(each, Constant)]
        self.is_category = np.array([_is_category(each) for each in self.parameters], dtype=bool)
        self._places = [
            {json.dumps(value): float(place) for place, value in enumerate(each.values)}
            if isinstance(each, Choice)
            else {}
            for each in self.parameters
        ]

    @property
    def names(self) -> list[str]:
        return [parameter.name for parameter in self.parameters]

    def of(self, points: Sequence[Mapping[str, Any]]) -> Array:
        """The rows of `points`, of shape (points, columns)."""
        columns = [
            self._column(parameter, places, [point[parameter.name] for point in points])
            for parameter, places in zip(self.parameters, self._places, strict=True)
        ]
        return np.column_stack(columns) if columns else np.zeros((len(points), 0))

    def _column(self, parameter: Parameter, places: Mapping[str, float], values: Sequence[Any]) -> Array:
        if isinstance(parameter, Number):
            ends = np.array([parameter.lower, parameter.upper], dtype=float)
            numbers = np.array(values, dtype=float)
            if parameter.use_log_scale:
                ends, numbers = np.log10(ends), np.log10(numbers)
            return np.asarray((numbers - ends[0]) / (ends[1] - ends[0]))
        column = np.array([places[json.dumps(value)] for value in values])
        return column / (len(places) - 1) if isinstance(parameter, Ordered) else column


def _is_category(parameter: Parameter) -> bool:
    return isinstance(parameter, Choice) and not isinstance(parameter, Ordered)


def space_key(space: ParameterSpace) -> str:
    """What tells a space from another, a box that it is without among it."""
    return repr(space)


def dense_sample(space: ParameterSpace, count: int, seed: int = 0) -> list[Point]:
    """`count` points that fill the space evenly: a scrambled Sobol sequence. Points of a small space repeat."""
    return list(_dense_sample(Keyed(space_key(space), space), count, seed))


@lru_cache(maxsize=4)
def _dense_sample(keyed: Keyed[ParameterSpace], count: int, seed: int) -> list[Point]:
    space = keyed.value
    varies = [not isinstance(parameter, Constant) for parameter in space.parameters]
    if not any(varies):
        return [space.at([0.0] * len(varies)) for _ in range(count)]
    fractions = np.zeros((count, len(varies)))
    fractions[:, varies] = sobol_sequence(sum(varies), seed)(count)
    return [space.at(row) for row in fractions.tolist()]
