"""The dimensions of a space: what values each has, how they are drawn, mutated, spread and written."""

from __future__ import annotations

import json
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comparator.formats.text import shortened, shown

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
    def at(self, fraction: float) -> Any:
        """The value at a fraction, from 0 up to 1, of the way through the range or the list."""

    @abstractmethod
    def distance(self, one: Any, other: Any) -> float:
        """How far two values are apart, as a fraction of the range or the list; 1 for unlike values without order."""

    @abstractmethod
    def fault(self, value: Any) -> str | None:
        """What is wrong with a value, for people; None for a value of this parameter."""

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The value that stands in a table as `text`; raises `ValueError`."""

    def fitted(self, value: Any) -> Any:
        """The value that `value` is another way to write, as 3.0 and "3" for 3; `value` itself where it is none."""
        if self.fault(value) is None or not isinstance(value, str | int | float):
            return value
        try:
            return self.parse(str(value))
        except ValueError:
            return value

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

    def at(self, fraction: float) -> Any:
        low, high = self._to_scale(self.lower), self._to_scale(self.upper)
        return self._from_scale(low + fraction * (high - low))

    def spread(self, points: int) -> list[Any]:
        low, high = self._to_scale(self.lower), self._to_scale(self.upper)
        if points == 1:
            return [self._from_scale((low + high) / 2)]
        steps = [self._from_scale(low + (high - low) * step / (points - 1)) for step in range(points)]
        return list(dict.fromkeys(steps))

    def distance(self, one: Any, other: Any) -> float:
        whole = self._to_scale(self.upper) - self._to_scale(self.lower)
        return abs(self._to_scale(one) - self._to_scale(other)) / whole if whole else 0.0

    def fault(self, value: Any) -> str | None:
        wanted = int if self.whole else float
        if isinstance(value, bool) or not isinstance(value, wanted):
            return f"{shown(value)} is not {self.kind} from {self.lower!r} to {self.upper!r}"
        if not self.lower <= value <= self.upper:
            return f"{shown(value)} is not between {self.lower!r} and {self.upper!r}"
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
        return rng.choice([other for other in self.values if not same(other, value)])

    def all_values(self) -> list[Any]:
        return list(self.values)

    def spread(self, points: int) -> list[Any]:
        last = len(self.values) - 1
        if points == 1:
            return [self.values[last // 2]]
        places = {round(last * step / (points - 1)) for step in range(points)}
        return [self.values[place] for place in sorted(places)]

    def at(self, fraction: float) -> Any:
        return self.values[min(int(fraction * len(self.values)), len(self.values) - 1)]

    def distance(self, one: Any, other: Any) -> float:
        return 0.0 if same(one, other) else 1.0

    def fault(self, value: Any) -> str | None:
        if any(same(value, known) for known in self.values):
            return None
        return f"{shown(value)} is not {self.kind}"

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
        moved = self._place(value) + rng.gauss(0, self.sigma)
        return self.values[round(max(0, min(len(self.values) - 1, moved)))]

    def distance(self, one: Any, other: Any) -> float:
        return abs(self._place(one) - self._place(other)) / max(1, len(self.values) - 1)

    def _place(self, value: Any) -> int:
        return next(place for place, known in enumerate(self.values) if same(known, value))

    def entry(self) -> Entry:
        return {**self._list_entry(), "type": "ordered", "sigma": self.sigma}


@dataclass(frozen=True)
class Constant(Parameter):
    """`constant`: goes into every point as it is."""

    name: str
    value: Any

    @property
    def kind(self) -> str:
        return f"the constant {shown(self.value)}"

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

    def at(self, fraction: float) -> Any:
        return self.value

    def distance(self, one: Any, other: Any) -> float:
        return 0.0

    def fault(self, value: Any) -> str | None:
        return None if same(value, self.value) else f"{shown(value)} is not {self.kind}"

    def parse(self, text: str) -> Any:
        if text in (str(self.value), json.dumps(self.value)):
            return self.value
        raise ValueError(text)

    def entry(self) -> Entry:
        return {"name": self.name, "type": "constant", "value": self.value}


def number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _whole(text: str) -> int:
    value = number(text)
    if (isinstance(value, float) and not math.isfinite(value)) or value != int(value):
        raise ValueError(f"'{shortened(text)}' is not a whole number")
    return int(value)


def logical(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.strip().lower() not in values:
        raise ValueError(f"'{shortened(text)}' is neither true nor false")
    return values[text.strip().lower()]


#: How the text of a value becomes a value, by `element_type`.
ELEMENT_TYPES: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "float": float,
    "string": str,
    "logical": logical,
}


def same(one: Any, other: Any) -> bool:
    """Equality as it is written: `1`, `1.0` and `true` are three values."""
    return json.dumps(one) == json.dumps(other)
