"""Boxes of a parameter space: conditions such as "noise above 34 and layer_force above 860".

A box is handed back to a new search as JSON, `{"noise": [34.0, 50.0], "activation": {"values": ["relu"]}}`: ends,
both included, for `int` and `float`, the values for the other types; a parameter that is left out is open. `focus`
gives the space inside, `avoid` the space around it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from comparator.errors import InputError, nearest
from comparator.evidence.coordinates import Array
from comparator.space import Choice, Constant, Number, Parameter, ParameterSpace
from comparator.space.parameters import same
from comparator.text import read_text

#: Mutations of a point before one that stays in the box to be avoided is given up.
TRIES = 20


@dataclass(frozen=True)
class Box:
    """A part of `space`: `sides` has, for each varying parameter, its two ends, or the values of a list."""

    space: ParameterSpace
    sides: Mapping[str, tuple[Any, ...]]

    @classmethod
    def whole(cls, space: ParameterSpace) -> Box:
        """The box that is open on all sides."""
        return cls(space, {parameter.name: _open(parameter) for parameter in varying(space)})

    @classmethod
    def from_bounds(cls, space: ParameterSpace, bounds: Any, where: str) -> Box:
        """The part of `bounds` that lies in `space`; raises `InputError` where there is none, or no sense in it."""
        if not isinstance(bounds, Mapping) or not bounds:
            raise InputError(f'{where}: a box is an object such as {{"noise": [10, 50], "layer": {{"values": [1]}}}}')
        parameters = {parameter.name: parameter for parameter in space.parameters}
        for name in bounds:
            if name not in parameters:
                raise InputError(f"{where}: the space has no '{name}'{nearest(str(name), parameters)}")
        sides = dict(cls.whole(space).sides)
        for name, given in bounds.items():
            side = _side(parameters[name], given, f"{where}: '{name}'")
            if name in sides:
                sides[name] = side
        return cls(space, sides)

    @property
    def bounds(self) -> dict[str, Any]:
        """The box as JSON; every varying parameter is listed."""
        return {
            parameter.name: list(self.sides[parameter.name])
            if isinstance(parameter, Number)
            else {"values": list(self.sides[parameter.name])}
            for parameter in varying(self.space)
        }

    @property
    def closed(self) -> list[Parameter]:
        """The parameters that the box does not leave open, in the space's order."""
        return [parameter for parameter in varying(self.space) if self.sides[parameter.name] != _open(parameter)]

    def words(self) -> str:
        """The box for people: "noise above 34 and activation relu or elu"."""
        conditions = [_condition(parameter, self.sides[parameter.name]) for parameter in self.closed]
        return " and ".join(conditions) or "everywhere"

    def contains(self, points: Sequence[Mapping[str, Any]]) -> Array:
        """Whether each point lies inside, of shape (points,)."""
        inside = np.ones(len(points), dtype=bool)
        for parameter in self.closed:
            side = self.sides[parameter.name]
            inside &= [_holds(parameter, side, point[parameter.name]) for point in points]
        return inside


def varying(space: ParameterSpace) -> list[Parameter]:
    return [parameter for parameter in space.parameters if not isinstance(parameter, Constant)]


def read_box(path: Path) -> Mapping[str, Any]:
    """The bounds in a JSON file, which is a box, or a region of a report with its `bounds`; raises `InputError`."""
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    bounds = content.get("bounds", content) if isinstance(content, Mapping) else None
    if not isinstance(bounds, Mapping) or not bounds:
        raise InputError(f"{path}: not a box, which is an object of bounds by hyperparameter")
    return bounds


def focus(space: ParameterSpace, box: Box) -> ParameterSpace:
    """The space inside the box; a mutation's step becomes shorter as the range does."""
    entries = [_within(parameter, box) for parameter in space.parameters]
    return ParameterSpace(ParameterSpace.from_entries(entries, "box").parameters, space.warnings)


def _open(parameter: Parameter) -> tuple[Any, ...]:
    if isinstance(parameter, Number):
        return parameter.lower, parameter.upper
    assert isinstance(parameter, Choice)
    return parameter.values


def _holds(parameter: Parameter, side: tuple[Any, ...], value: Any) -> bool:
    if isinstance(parameter, Number):
        return bool(side[0] <= value <= side[1])
    return any(same(value, each) for each in side)


def _condition(parameter: Parameter, side: tuple[Any, ...]) -> str:
    if isinstance(parameter, Number):
        low, high = (_rounded(parameter, end) for end in side)
        if side[0] == side[1]:
            return f"{parameter.name} {low}"
        if side[0] == parameter.lower:
            return f"{parameter.name} {'up to' if parameter.whole else 'below'} {high}"
        if side[1] == parameter.upper:
            return f"{parameter.name} {'from' if parameter.whole else 'above'} {low}"
        return f"{parameter.name} {low} to {high}"
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in side]
    return f"{parameter.name} {' or '.join([', '.join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)}"


def _rounded(parameter: Number, value: float) -> str:
    """To a hundredth of the range, on a log scale to two digits; an end that is the range's own as it is."""
    if parameter.whole:
        return str(value)
    if parameter.use_log_scale:
        return f"{value:.2g}"
    places = max(0, 2 - math.floor(math.log10(parameter.upper - parameter.lower)))
    return f"{round(value, places):g}"


def _side(parameter: Parameter, given: Any, where: str) -> tuple[Any, ...]:
    """The part of what is given for a parameter that lies in the space; of a constant, its value."""
    if isinstance(parameter, Number):
        return _ends(parameter, given, where)
    values = given.get("values") if isinstance(given, Mapping) else None
    known = parameter.all_values()
    if not isinstance(values, list) or not values:
        raise InputError(f'{where}: {json.dumps(given)} is not {{"values": [...]}}; the space has {known}')
    held = tuple(value for value in known if any(same(value, each) for each in values))
    if not held:
        raise InputError(f"{where}: the space has none of {json.dumps(values)}, but {json.dumps(known)}")
    return held


def _ends(parameter: Number, given: Any, where: str) -> tuple[Any, ...]:
    is_pair = isinstance(given, (list, tuple)) and len(given) == 2
    if not is_pair or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in given):
        raise InputError(f"{where}: {json.dumps(given)} is not [low, high]")
    low, high = max(given[0], parameter.lower), min(given[1], parameter.upper)
    if parameter.whole:
        low, high = math.ceil(low), math.floor(high)
    if not low <= high:
        raise InputError(
            f"{where}: {json.dumps(list(given))} holds no value of the space,"
            f" {parameter.lower:g} to {parameter.upper:g}"
        )
    return low, high


def _within(parameter: Parameter, box: Box) -> dict[str, Any]:
    entry = parameter.entry()
    if isinstance(parameter, Constant):
        return entry
    side = box.sides[parameter.name]
    if isinstance(parameter, Number):
        share = _breadth(parameter, side) / _breadth(parameter, _open(parameter))
        return {**entry, "lower": side[0], "upper": side[1], "sigma": parameter.sigma * share or parameter.sigma}
    if side == _open(parameter):
        return entry
    element_type = parameter.element_type if isinstance(parameter, Choice) else ""
    return {"element_type": element_type, **entry, "type": _list_type(entry), "values": list(side)}


def _list_type(entry: Mapping[str, Any]) -> str:
    return "ordered" if entry["type"] == "ordered" else "categorical"


def _breadth(parameter: Number, side: tuple[Any, ...]) -> float:
    low, high = side
    return math.log10(high / low) if parameter.use_log_scale else float(high - low)
