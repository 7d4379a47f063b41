"""Parameter spaces: the hyperparameters that a search may vary, with types and bounds.

The file format is the JSON of CANDLE's genetic algorithm, its users' `*_param_space*.json` files:

```json
[
  {"name": "noise", "type": "float", "lower": 0, "upper": 50, "sigma": 10},
  {"name": "layer_force", "type": "int", "lower": 500, "upper": 1000},
  {"name": "batch_size", "type": "ordered", "element_type": "int", "values": [16, 32, 64]}
]
```

| type | needs | may have | first draw | mutation |
|---|---|---|---|---|
| `int` | `lower`, `upper` | `sigma`, `use_log_scale` | uniform, rounded | normal step, clamped, rounded |
| `float` | `lower`, `upper` | `sigma`, `use_log_scale` | uniform | normal step, clamped |
| `logical` | | | fair coin | the other value |
| `categorical` | `values`, `element_type` | | uniform | any of the other values |
| `ordered` | `values`, `element_type` | `sigma` | uniform | normal step in the list, rounded, clamped |
| `constant` | `value` | | the value | none |

Bounds are included. `sigma`, the deviation of the step, defaults to a tenth of the range: in the parameter's
unit, in decades where `use_log_scale` is true, in places of the list for `ordered`. `element_type` is `int`,
`float`, `string` or `logical`. A parameter with one possible value is a constant. The order of the file is kept
everywhere.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest

Point = dict[str, Any]
Entry = dict[str, Any]


class Parameter(ABC):
    """One dimension of a space. Values are of one JSON type each and stay so."""

    name: str

    @property
    @abstractmethod
    def kind(self) -> str:
        """What a value is, for people: `a float`."""

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many values there are; None for infinitely many."""

    @abstractmethod
    def draw(self, rng: random.Random) -> Any:
        """A first value."""

    @abstractmethod
    def mutate(self, value: Any, rng: random.Random) -> Any:
        """A value near `value`, within the bounds."""

    @abstractmethod
    def all_values(self) -> list[Any]:
        """Every value in order, where `count` is not None."""

    @abstractmethod
    def spread(self, points: int) -> list[Any]:
        """At most `points` distinct values, evenly spread from the first to the last; the middle one for 1."""

    @abstractmethod
    def fault(self, value: Any) -> str | None:
        """What is wrong with a value, for people; None for a value of this parameter."""

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The value that stands in a table as `text`; raises `ValueError`."""

    @abstractmethod
    def entry(self) -> Entry:
        """The parameter as the file format has it."""


@dataclass(frozen=True)
class Number(Parameter):
    """`int` or `float`. All arithmetic is done on the scale: the value itself, or its decimal logarithm."""

    name: str
    lower: float
    upper: float
    sigma: float
    whole: bool
    use_log_scale: bool = False

    @property
    def kind(self) -> str:
        return "an int" if self.whole else "a float"

    @property
    def count(self) -> int | None:
        return int(self.upper - self.lower) + 1 if self.whole else None

    def draw(self, rng: random.Random) -> Any:
        return self._from_scale(rng.uniform(self._to_scale(self.lower), self._to_scale(self.upper)))

    def mutate(self, value: Any, rng: random.Random) -> Any:
        return self._from_scale(self._to_scale(value) + rng.gauss(0, self.sigma))

    def all_values(self) -> list[Any]:
        return list(range(int(self.lower), int(self.upper) + 1))

    def spread(self, points: int) -> list[Any]:
        low, high = self._to_scale(self.lower), self._to_scale(self.upper)
        if points == 1:
            return [self._from_scale((low + high) / 2)]
        steps = [self._from_scale(low + (high - low) * step / (points - 1)) for step in range(points)]
        return list(dict.fromkeys(steps))

    def fault(self, value: Any) -> str | None:
        wanted = int if self.whole else float
        if isinstance(value, bool) or not isinstance(value, wanted):
            return f"{value!r} is not {self.kind}"
        if not self.lower <= value <= self.upper:
            return f"{value!r} is not between {self.lower!r} and {self.upper!r}"
        return None

    def parse(self, text: str) -> Any:
        return _whole(text) if self.whole else float(text)

    def entry(self) -> Entry:
        entry = {
            "name": self.name,
            "type": "int" if self.whole else "float",
            "lower": self.lower,
            "upper": self.upper,
            "sigma": self.sigma,
        }
        return {**entry, "use_log_scale": True} if self.use_log_scale else entry

    def _to_scale(self, value: float) -> float:
        return math.log10(value) if self.use_log_scale else value

    def _from_scale(self, position: float) -> Any:
        low, high = self._to_scale(self.lower), self._to_scale(self.upper)
        position = max(low, min(high, position))
        value = 10.0**position if self.use_log_scale else position
        # The power of a logarithm may miss the bound by a rounding error.
        value = max(self.lower, min(self.upper, value))
        return round(value) if self.whole else float(value)


@dataclass(frozen=True)
class Choice(Parameter):
    """`categorical` and `logical`: values without an order."""

    name: str
    values: tuple[Any, ...]
    element_type: str

    @property
    def kind(self) -> str:
        return f"one of {', '.join(map(repr, self.values))}"

    @property
    def count(self) -> int:
        return len(self.values)

    def draw(self, rng: random.Random) -> Any:
        return rng.choice(self.values)

    def mutate(self, value: Any, rng: random.Random) -> Any:
        return rng.choice([other for other in self.values if not _same(other, value)])

    def all_values(self) -> list[Any]:
        return list(self.values)

    def spread(self, points: int) -> list[Any]:
        last = len(self.values) - 1
        if points == 1:
            return [self.values[last // 2]]
        places = {round(last * step / (points - 1)) for step in range(points)}
        return [self.values[place] for place in sorted(places)]

    def fault(self, value: Any) -> str | None:
        if any(_same(value, known) for known in self.values):
            return None
        return f"{value!r} is not {self.kind}"

    def parse(self, text: str) -> Any:
        for value in self.values:
            if text in (str(value), json.dumps(value)):
                return value
        return ELEMENT_TYPES[self.element_type](text)

    def entry(self) -> Entry:
        if self.values == (False, True):
            return {"name": self.name, "type": "logical"}
        return {**self._list_entry(), "type": "categorical"}

    def _list_entry(self) -> Entry:
        return {"name": self.name, "type": "", "element_type": self.element_type, "values": list(self.values)}


@dataclass(frozen=True)
class Ordered(Choice):
    """`ordered`: a list of values in an order of their own, such as batch sizes."""

    sigma: float

    def mutate(self, value: Any, rng: random.Random) -> Any:
        place = next(place for place, known in enumerate(self.values) if _same(known, value))
        moved = place + rng.gauss(0, self.sigma)
        return self.values[round(max(0, min(len(self.values) - 1, moved)))]

    def entry(self) -> Entry:
        return {**self._list_entry(), "type": "ordered", "sigma": self.sigma}


@dataclass(frozen=True)
class Constant(Parameter):
    """`constant`: goes into every point as it is."""

    name: str
    value: Any

    @property
    def kind(self) -> str:
        return f"the constant {self.value!r}"

    @property
    def count(self) -> int:
        return 1

    def draw(self, rng: random.Random) -> Any:
        return self.value

    def mutate(self, value: Any, rng: random.Random) -> Any:
        return self.value

    def all_values(self) -> list[Any]:
        return [self.value]

    def spread(self, points: int) -> list[Any]:
        return [self.value]

    def fault(self, value: Any) -> str | None:
        return None if _same(value, self.value) else f"{value!r} is not {self.kind}"

    def parse(self, text: str) -> Any:
        if text in (str(self.value), json.dumps(self.value)):
            return self.value
        raise ValueError(text)

    def entry(self) -> Entry:
        return {"name": self.name, "type": "constant", "value": self.value}


@dataclass(frozen=True)
class ParameterSpace:
    """The dimensions of a search, and the operators of an evolutionary search on its points.

    A point is a dict of a value for every parameter, in the order of the file. No operator changes its
    arguments, and all randomness comes from the generator that is handed in.
    """

    parameters: tuple[Parameter, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> ParameterSpace:
        """Read a space file; raises `InputError` that names the file, the parameter and the key."""
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise InputError(f"{path}: not a text file in UTF-8") from None
        except json.JSONDecodeError as error:
            raise InputError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: not JSON: {error}") from None
        return cls.from_entries(content, str(path))

    @classmethod
    def from_entries(cls, entries: Sequence[Mapping[str, Any]], where: str) -> ParameterSpace:
        """Make a space of the objects of the file format; `where` opens the text of errors and warnings."""
        if not isinstance(entries, list) or not entries:
            raise InputError(f"{where}: a parameter space is a list of objects, each with 'name' and 'type'")
        readers = [_EntryReader(entry, number, where) for number, entry in enumerate(entries, start=1)]
        parameters = tuple(reader.read() for reader in readers)
        names = [parameter.name for parameter in parameters]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{where}: '{name}' stands twice")
        return cls(parameters, tuple(warning for reader in readers for warning in reader.warnings))

    @property
    def names(self) -> list[str]:
        return [parameter.name for parameter in self.parameters]

    def entries(self) -> list[Entry]:
        """The space in its file format, with defaults filled in."""
        return [parameter.entry() for parameter in self.parameters]

    def initial(self, rng: random.Random) -> Point:
        """A random first point."""
        return {parameter.name: parameter.draw(rng) for parameter in self.parameters}

    def mutate(self, point: Point, probability: float, rng: random.Random) -> Point:
        """`point` with each value mutated with the given probability."""
        return {
            parameter.name: parameter.mutate(point[parameter.name], rng)
            if rng.random() < probability
            else point[parameter.name]
            for parameter in self.parameters
        }

    def crossover(self, one: Point, other: Point, probability: float, rng: random.Random) -> tuple[Point, Point]:
        """The two points with each value swapped with the given probability; values are never averaged."""
        children: tuple[Point, Point] = ({}, {})
        for name in self.names:
            swap = rng.random() < probability
            children[swap][name], children[not swap][name] = one[name], other[name]
        return children

    def size(self) -> int | None:
        """The number of distinct points; None for infinitely many."""
        counts = [parameter.count for parameter in self.parameters]
        return math.prod(count for count in counts if count is not None) if None not in counts else None

    def grid(self, counts: Mapping[str, int]) -> list[Point]:
        """All combinations of evenly spread values, the last parameter varying fastest.

        `counts` gives the number of values of each parameter. Lists that it leaves out get all their values;
        an `int` or a `float` that it leaves out, a name that the space lacks and a count below one are
        `InputError`s. A parameter never has more values than there are.
        """
        for name, count in counts.items():
            if name not in self.names:
                raise InputError(f"grid: the space has no '{name}'{nearest(name, self.names)}")
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise InputError(f"grid: '{name}' = {count!r}: a number of values is a whole number from 1")
        axes = []
        for parameter in self.parameters:
            points = counts.get(parameter.name)
            if points is None and isinstance(parameter, Number):
                raise InputError(f"grid: the number of values of '{parameter.name}' is missing")
            axes.append(_axis(parameter, points))
        return self._combinations(axes)

    def all_points(self) -> list[Point]:
        """Every point of a space whose `size` is not None."""
        return self._combinations([parameter.all_values() for parameter in self.parameters])

    def counts_within(self, total: int) -> dict[str, int]:
        """Numbers of values for `grid`, as even as can be, whose product does not exceed `total`."""
        counts = dict.fromkeys(self.names, 1)
        limits = {parameter.name: parameter.count or total for parameter in self.parameters}
        growing = [name for name in self.names if limits[name] > 1]
        while growing:
            name = min(growing, key=lambda name: counts[name])
            others = math.prod(counts.values()) // counts[name]
            if counts[name] < limits[name] and others * (counts[name] + 1) <= total:
                counts[name] += 1
            else:
                growing.remove(name)
        return counts

    def check(self, point: Mapping[str, Any], where: str = "point") -> None:
        """Raise `InputError` unless `point` has a fitting value for every parameter and nothing else."""
        for name in point:
            if name not in self.names:
                raise InputError(f"{where}: the space has no '{name}'{nearest(str(name), self.names)}")
        for parameter in self.parameters:
            if parameter.name not in point:
                raise InputError(f"{where}: '{parameter.name}' is missing")
            fault = parameter.fault(point[parameter.name])
            if fault:
                raise InputError(f"{where}: '{parameter.name}': {fault}")

    def _combinations(self, axes: list[list[Any]]) -> list[Point]:
        return [dict(zip(self.names, values, strict=True)) for values in itertools.product(*axes)]

    def parse(self, texts: Mapping[str, str], where: str) -> Point:
        """The point that stands as text in a row of a table, which may leave out constants and have more columns.

        Raises `InputError`.
        """
        point = {}
        for parameter in self.parameters:
            text = texts.get(parameter.name)
            if text is None and isinstance(parameter, Constant):
                point[parameter.name] = parameter.value
                continue
            if text is None:
                raise InputError(f"{where}: '{parameter.name}' is missing")
            try:
                point[parameter.name] = parameter.parse(text.strip())
            except ValueError:
                raise InputError(f"{where}: '{parameter.name}': '{text}' is not {parameter.kind}") from None
        self.check(point, where)
        return point


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: The keys of an entry by its type, besides `name` and `type`.
_KEYS = {
    "int": ("lower", "upper", "sigma", "use_log_scale"),
    "float": ("lower", "upper", "sigma", "use_log_scale"),
    "logical": (),
    "categorical": ("values", "element_type"),
    "ordered": ("values", "element_type", "sigma"),
    "constant": ("value",),
}
#: Keys that users' files have for people to read, or out of habit.
_FOR_PEOPLE = {"comment", "debug_value", "def_value", "def_values", "orig_values", "element_type"}
#: Larger bounds would overflow on the way.
_LARGEST = 1e300


class _EntryReader:
    """Reads one entry of a space file, and gathers what should be said about it."""

    def __init__(self, entry: Any, number: int, where: str) -> None:
        self.warnings: list[str] = []
        if not isinstance(entry, Mapping):
            raise InputError(f"{where}, parameter {number}: {_short(entry)} is not an object with 'name' and 'type'")
        self._entry = entry
        self._where = f"{where}, parameter {number}"
        name = self._get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._error(f"'name' = {_short(name)} is not the name of a hyperparameter")
        self._name = name
        self._where = f"{where}: '{name}'"

    def read(self) -> Parameter:
        kind = self._get("type")
        if not isinstance(kind, str) or kind not in _KEYS:
            raise self._error(f"type {_short(kind)} is unknown{nearest(str(kind), _KEYS)}; types: {', '.join(_KEYS)}")
        self._doubt_keys(kind)
        if kind == "constant":
            return Constant(self._name, self._json(self._get("value")))
        if kind == "logical":
            return Choice(self._name, (False, True), "logical")
        return self._number(whole=kind == "int") if kind in ("int", "float") else self._list(kind == "ordered")

    def _number(self, whole: bool) -> Parameter:
        lower, upper = self._bound("lower", whole), self._bound("upper", whole)
        use_log_scale = self._flag("use_log_scale")
        if lower > upper:
            raise self._error(f"'lower' = {lower!r} is above 'upper' = {upper!r}")
        if use_log_scale and lower <= 0:
            raise self._error(f"'use_log_scale' needs a 'lower' above zero, not {lower!r}")
        if lower == upper:
            self._warn(f"'lower' and 'upper' are equal; taken as the constant {lower!r}")
            return Constant(self._name, lower)
        breadth = math.log10(upper) - math.log10(lower) if use_log_scale else upper - lower
        sigma = self._sigma(breadth / 10)
        if use_log_scale:
            self._warn(f"searched on a log scale, sigma {sigma:g} decades; CANDLE's own search ran it linear")
        elif not whole and lower > 0 and upper / lower >= 1000:
            self._warn(f"{lower:g} to {upper:g} is searched linearly; 'use_log_scale' would suit it")
        if sigma > breadth:
            self._warn(f"'sigma' = {sigma:g} exceeds the range {breadth:g}: most mutations end on a bound")
        return Number(self._name, lower, upper, sigma, whole, use_log_scale)

    def _list(self, ordered: bool) -> Parameter:
        element_type = self._get("element_type")
        if not isinstance(element_type, str) or element_type not in ELEMENT_TYPES:
            raise self._error(
                f"'element_type' = {_short(element_type)} is unknown"
                f"{nearest(str(element_type), ELEMENT_TYPES)}; known: {', '.join(ELEMENT_TYPES)}"
            )
        given = self._get("values")
        if not isinstance(given, list) or not given:
            raise self._error(f"'values' = {_short(given)} is not a list of values")
        values: list[Any] = []
        for value in (self._element(value, element_type) for value in given):
            if any(_same(value, known) for known in values):
                self._warn(f"{value!r} stands twice among 'values'; taken once")
            else:
                values.append(value)
        sigma = self._sigma(len(values) / 10) if ordered else 0.0
        if len(values) == 1:
            return Constant(self._name, values[0])
        if ordered:
            return Ordered(self._name, tuple(values), element_type, sigma)
        return Choice(self._name, tuple(values), element_type)

    def _element(self, value: Any, element_type: str) -> Any:
        """A value of a list as it is given, but text as what it spells where the element type is not text."""
        given = value
        if isinstance(value, str) and element_type != "string":
            try:
                value = ELEMENT_TYPES[element_type](value)
            except ValueError:
                value = None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = {
            "int": is_number and isinstance(value, int),
            "float": is_number,
            "string": True,
            "logical": isinstance(value, int) and value in (0, 1),
        }
        if not fits[element_type]:
            raise self._error(f"{_short(given)} among 'values' is not of the element type {element_type}")
        return self._json(value)

    def _bound(self, key: str, whole: bool) -> Any:
        value = self._finite(key)
        if not whole:
            return float(value)
        if value != int(value):
            raise self._error(f"'{key}' = {value!r} is not a whole number")
        return int(value)

    def _sigma(self, default: float) -> float:
        if self._entry.get("sigma") is None:
            return default
        sigma = float(self._finite("sigma"))
        if sigma < 0:
            raise self._error(f"'sigma' = {sigma!r} is below zero")
        if sigma == 0:
            self._warn("'sigma' is zero: mutation changes nothing")
        return sigma

    def _finite(self, key: str) -> float:
        """A number, or the text of one, as users write `"sigma": "0.000495"`."""
        given = self._get(key)
        value = given
        if isinstance(given, str):
            try:
                value = _number(given)
            except ValueError:
                value = None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(f"'{key}' = {_short(given)} is not a number")
        if not -_LARGEST <= value <= _LARGEST:
            raise self._error(f"'{key}' = {_short(given)} is not a finite number of usual size")
        return value

    def _flag(self, key: str) -> bool:
        given = self._entry.get(key, False)
        try:
            return given if isinstance(given, bool) else _logical(str(given))
        except ValueError:
            raise self._error(f"'{key}' = {_short(given)} is neither true nor false") from None

    def _json(self, value: Any) -> Any:
        try:
            json.dumps(value, allow_nan=False)
        except (ValueError, TypeError):
            raise self._error(f"{_short(value)} is not a value that JSON text can hold") from None
        return value

    def _get(self, key: str) -> Any:
        if key not in self._entry:
            raise self._error(f"'{key}' is missing{nearest(key, map(str, self._entry))}")
        return self._entry[key]

    def _doubt_keys(self, kind: str) -> None:
        known = {"name", "type", *_KEYS[kind]}
        for key in self._entry:
            if key in known or key in _FOR_PEOPLE:
                continue
            elsewhere = any(key in keys for keys in _KEYS.values())
            reason = f"is of no use to the type {kind}" if elsewhere else f"is unknown{nearest(str(key), known)}"
            self._warn(f"the key '{key}' {reason}; ignored")

    def _warn(self, text: str) -> None:
        self.warnings.append(f"{self._where}: {text}")

    def _error(self, text: str) -> InputError:
        return InputError(f"{self._where}: {text}")


def _axis(parameter: Parameter, points: int | None) -> list[Any]:
    """The values of one axis of a grid; all there are where `points` is None or exceeds them."""
    if parameter.count is not None and (points is None or points >= parameter.count):
        return parameter.all_values()
    assert points is not None
    return parameter.spread(points)


def _same(one: Any, other: Any) -> bool:
    """Equality as it is written: `1`, `1.0` and `true` are three values."""
    return json.dumps(one) == json.dumps(other)


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _whole(text: str) -> int:
    value = _number(text)
    if not math.isfinite(value) or value != int(value):
        raise ValueError(f"'{text}' is not a whole number")
    return int(value)


def _logical(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.strip().lower() not in values:
        raise ValueError(f"'{text}' is neither true nor false")
    return values[text.strip().lower()]


#: How the text of a value becomes a value, by `element_type`.
ELEMENT_TYPES: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "float": float,
    "string": str,
    "logical": _logical,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
