"""Boxes of a parameter space: conditions such as "noise above 34 and layer_force above 860".

A box is handed back to a new search as JSON, `{"noise": [34.0, 50.0], "activation": {"values": ["relu"]}}`: ends,
both included, for `int` and `float`, the values for the other types; a parameter that is left out is open. Names may be
in any case. `focus` gives the space inside, `avoid` the space around it.
"""

from __future__ import annotations

import json
import math
import random
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.hyperparameters import parse_value
from comparator.formats.json_text import fault_in, read_json
from comparator.formats.spelling import check_once, spelling
from comparator.formats.text import json_hooks, read_text, shortened
from comparator.space import Choice, Constant, Number, Parameter, ParameterSpace, Point
from comparator.space.parameters import same

#: Between two sides of a box that is written `NAME=LOW:HIGH,NAME=VALUE,VALUE`.
_BETWEEN_SIDES = re.compile(r"[,\s]+(?=[^,\s=]+=)")
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
        check_once(bounds, where)
        bounds = {spelling(name, space.names): given for name, given in bounds.items()}
        parameters = {parameter.name: parameter for parameter in space.parameters}
        for name in bounds:
            if name not in parameters:
                raise InputError(f"{where}: the space has no '{shortened(str(name))}'{nearest(str(name), parameters)}")
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

    def contains(self, points: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Whether each point lies inside."""
        sides = [(parameter, self.sides[parameter.name]) for parameter in self.closed]
        return [all(_holds(parameter, side, point[parameter.name]) for parameter, side in sides) for point in points]


def in_none(boxes: Iterable[Box], points: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Whether each point lies in no box."""
    held = [box.contains(points) for box in boxes]
    return [not any(each) for each in zip(*held, strict=True)] if held else [True] * len(points)


def varying(space: ParameterSpace) -> list[Parameter]:
    return [parameter for parameter in space.parameters if not isinstance(parameter, Constant)]


def read_box(given: str) -> Mapping[str, Any]:
    """The bounds in a JSON file: a box, a region with its `bounds`, or `REPORT.json:2`, region 2 of a report.

    Raises `InputError` that names the file.
    """
    name, colon, number = given.rpartition(":")
    path, place = (Path(name), number.lstrip("0")) if colon and number.isdecimal() else (Path(given), None)
    content = read_json(read_text(path), str(path))
    if place is not None:
        regions = content.get("regions") if isinstance(content, Mapping) else None
        # In reports of earlier versions a region's number is its place.
        listed = enumerate(regions if isinstance(regions, list) else (), start=1)
        numbered = {str(each.get("number", number)): each for number, each in listed if isinstance(each, Mapping)}
        if place not in numbered:
            there = (
                f"the region{'s' * (len(numbered) > 1)} {shortened(', '.join(numbered))}" if numbered else "no regions"
            )
            raise InputError(f"{path}: has {there}, not number {shortened(number)}")
        content = numbered[place]
    bounds = content.get("bounds", content) if isinstance(content, Mapping) else None
    if not isinstance(bounds, Mapping) or not bounds:
        raise InputError(f"{path}: not a box, an object of bounds by hyperparameter")
    return bounds


def written_box(text: str) -> dict[str, Any] | None:
    """The bounds in a text, None where it is none: JSON, or `noise=0:20,activation=relu,elu`, an end left out is open.

    Raises `InputError` for JSON that is none.
    """
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text, **json_hooks("the box")))
        except json.JSONDecodeError as error:
            raise InputError(f"{shortened(text)}: not JSON: {fault_in(text, error)[1]}") from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{shortened(text)}: not JSON: {error}") from None
    sides = [side.partition("=") for side in _BETWEEN_SIDES.split(text.strip())]
    if not all(name.strip() and equals and given.strip() for name, equals, given in sides):
        return None
    check_once([name.strip() for name, _, _ in sides], shortened(text))
    return {name.strip(): _written_side(given.strip(), f"'{shortened(text)}'") for name, _, given in sides}


def _written_side(given: str, where: str) -> Any:
    low, colon, high = given.partition(":")
    if not colon:
        return {"values": [parse_value(value, where) for value in given.split(",")]}
    ends = (low.strip() or -sys.float_info.max, high.strip() or sys.float_info.max)
    return [parse_value(str(end), where) for end in ends]


def focus(space: ParameterSpace, box: Box) -> ParameterSpace:
    """The space inside the box; a mutation's step becomes shorter as the range does."""
    entries = [_within(parameter, box) for parameter in space.parameters]
    return ParameterSpace(ParameterSpace.from_entries(entries, "box").parameters, space.warnings)


def avoid(space: ParameterSpace, box: Box) -> ParameterSpace:
    """The space around the box, every operator of which gives points outside it; raises `InputError` for none."""
    if not box.closed:
        raise InputError("the box to avoid is the whole space: nothing is left to search")
    return _Around(space.parameters, space.warnings, box=box)


@dataclass(frozen=True)
class _Around(ParameterSpace):
    """A space without a box.

    `at`, and first points, spread over what is left as evenly as over a whole space: the fraction of each parameter
    is stretched by how much of the space is left at its values (Rosenblatt's transformation). A mutation that ends in
    the box is tried again, and after `TRIES` a new point is drawn; a child of a crossover in the box is its parent.
    """

    box: Box = field(kw_only=True)

    def initial(self, rng: random.Random) -> Point:
        return self.at([rng.random() for _ in self.parameters])

    def at(self, fractions: Sequence[float]) -> Point:
        point: Point = {}
        is_inside = True  # as far as the parameters so far tell
        for parameter, fraction in zip(self.parameters, fractions, strict=True):
            if is_inside and not isinstance(parameter, Constant):
                fraction = _stretched(fraction, _pieces(parameter, self._side(parameter)), self._left_beside(parameter))
            value = point[parameter.name] = parameter.at(fraction)
            if not isinstance(parameter, Constant):
                is_inside = is_inside and _holds(parameter, self._side(parameter), value)
        return self._moved_out(point) if is_inside else point

    def mutate(self, point: Point, probability: float, rng: random.Random) -> Point:
        for _ in range(TRIES):
            child = super().mutate(point, probability, rng)
            if self._is_outside(child):
                return child
        return self.initial(rng)

    def crossover(self, one: Point, other: Point, probability: float, rng: random.Random) -> tuple[Point, Point]:
        first, second = super().crossover(one, other, probability, rng)
        return first if self._is_outside(first) else dict(one), second if self._is_outside(second) else dict(other)

    def size(self) -> int | None:
        size = super().size()
        held = [_count(parameter, self._side(parameter)) for parameter in varying(self)]
        return None if size is None else size - math.prod(held)

    def _combinations(self, axes: list[list[Any]]) -> list[Point]:
        return [point for point in super()._combinations(axes) if self._is_outside(point)]

    def _is_outside(self, point: Point) -> bool:
        return not self.box.contains([point])[0]

    def _side(self, parameter: Parameter) -> tuple[Any, ...]:
        return self.box.sides[parameter.name]

    def _left_beside(self, parameter: Parameter) -> float:
        """The share of the parameters that follow which is left where this one and those before lie in the box."""
        parameters = varying(self)
        later = parameters[parameters.index(parameter) + 1 :]
        return 1 - math.prod(_share(each, self._side(each)) for each in later)

    def _moved_out(self, point: Point) -> Point:
        """A point on the box's border, where rounding has put it, as its nearest neighbour outside."""
        parameter = self.box.closed[-1]
        side, value = self._side(parameter), point[parameter.name]
        if isinstance(parameter, Choice):
            outside = next(each for each in parameter.values if not _holds(parameter, side, each))
        else:
            assert isinstance(parameter, Number)
            ends = [(_step(parameter, side[0], -1), side[0]), (_step(parameter, side[1], 1), side[1])]
            there = [(abs(value - end), beyond) for beyond, end in ends if parameter.lower <= beyond <= parameter.upper]
            outside = min(there)[1]
        return {**point, parameter.name: outside}


def _step(parameter: Number, end: Any, direction: int) -> Any:
    return end + direction if parameter.whole else math.nextafter(end, direction * math.inf)


def _pieces(parameter: Parameter, side: tuple[Any, ...]) -> list[tuple[float, float, bool]]:
    """The fractions of the parameter's range in pieces: begin, end, whether it lies in the side."""
    if isinstance(parameter, Choice):
        count = len(parameter.values)
        held = [_holds(parameter, side, value) for value in parameter.values]
        return [(place / count, (place + 1) / count, is_held) for place, is_held in enumerate(held)]
    assert isinstance(parameter, Number)
    margin = 0.5 if parameter.whole else 0.0  # what is rounded to the end
    low, high = _fraction(parameter, side[0] - margin), _fraction(parameter, side[1] + margin)
    return [(0.0, low, False), (low, high, True), (high, 1.0, False)]


def _fraction(parameter: Number, value: float) -> float:
    value = min(max(value, parameter.lower), parameter.upper)
    return _breadth(parameter, (parameter.lower, value)) / _breadth(parameter, _open(parameter))


def _share(parameter: Parameter, side: tuple[Any, ...]) -> float:
    return sum(end - begin for begin, end, is_held in _pieces(parameter, side) if is_held)


def _stretched(fraction: float, pieces: list[tuple[float, float, bool]], left: float) -> float:
    """Where a fraction of what is left lies, if of the pieces in the box only the share `left` is."""
    weights = [(end - begin) * (left if is_held else 1.0) for begin, end, is_held in pieces]
    rest = fraction * sum(weights)
    for (begin, end, _), weight in zip(pieces, weights, strict=True):
        if weight > 0 and rest <= weight:
            return begin + (end - begin) * rest / weight
        rest -= weight
    return fraction


def _count(parameter: Parameter, side: tuple[Any, ...]) -> int:
    return int(side[1] - side[0]) + 1 if isinstance(parameter, Number) else len(side)


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
        raise InputError(f'{where}: {shortened(json.dumps(given))} is not {{"values": [...]}}; the space has {known}')
    held = tuple(value for value in known if any(same(value, each) for each in values))
    if not held:
        raise InputError(
            f"{where}: the space has none of {shortened(json.dumps(values))}, but {shortened(json.dumps(known))}"
        )
    return held


def _ends(parameter: Number, given: Any, where: str) -> tuple[Any, ...]:
    is_pair = isinstance(given, (list, tuple)) and len(given) == 2
    if not is_pair or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in given):
        raise InputError(f"{where}: {shortened(json.dumps(given))} is not [low, high]")
    low, high = max(given[0], parameter.lower), min(given[1], parameter.upper)
    if parameter.whole:
        low, high = math.ceil(low), math.floor(high)
    if not low <= high:
        open_ends = {-sys.float_info.max: parameter.lower, sys.float_info.max: parameter.upper}
        asked = [open_ends.get(end, end) for end in given]
        raise InputError(
            f"{where}: {shortened(json.dumps(asked))} holds no value of the space,"
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
