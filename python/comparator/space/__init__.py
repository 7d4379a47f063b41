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
everywhere, and so is the case of names, of which no two may differ in case alone (see `comparator.formats.spelling`).
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.json_text import read_json
from comparator.formats.kinds import SPACE, is_parameter_set, is_workflow_space, other_kind
from comparator.formats.spelling import check_once, spelling
from comparator.formats.text import read_text, shortened, shown
from comparator.space import mlrmbo, settings_of_candle
from comparator.space.entries import EntryReader
from comparator.space.parameters import Choice, Constant, Entry, Number, Ordered, Parameter

__all__ = ["Choice", "Constant", "Number", "Ordered", "Parameter", "ParameterSpace", "Point"]

Point = dict[str, Any]
#: More than anybody trains; lists of more fill the memory.
MOST_POINTS = 1_000_000


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
            return cls._read(path)
        except InputError as error:
            raise InputError(f"{error}{other_kind(path, SPACE)}") from None

    @classmethod
    def _read(cls, path: Path) -> ParameterSpace:
        text = read_text(path)
        if is_parameter_set(text):
            return cls.from_entries(mlrmbo.entries_of(text, str(path)), str(path))
        content = read_json(text, str(path))
        notes: list[str] = []
        if is_workflow_space(content):
            content, notes = settings_of_candle.entries_of(content, str(path))
        space = cls.from_entries(content, str(path), of_candle=True)
        return cls(space.parameters, (*notes, *space.warnings))

    @classmethod
    def from_entries(
        cls, entries: Sequence[Mapping[str, Any]], where: str, *, of_candle: bool = False
    ) -> ParameterSpace:
        """Make a space of the objects of the file format; `where` opens the text of errors and warnings.

        `of_candle` says that CANDLE's own programs may have read them, whose ways differ.
        """
        if not isinstance(entries, list):
            raise InputError(f"{where}: a parameter space is a list of objects, each with 'name' and 'type'")
        if not entries:
            raise InputError(f"{where}: is empty, so that nothing is varied; each hyperparameter has 'name' and 'type'")
        readers = [
            EntryReader(entry, number, where, of_candle=of_candle) for number, entry in enumerate(entries, start=1)
        ]
        parameters = tuple(reader.read() for reader in readers)
        check_once([parameter.name for parameter in parameters], where)
        return cls(parameters, tuple(warning for reader in readers for warning in reader.warnings))

    @property
    def constants(self) -> Point:
        """The values of the parameters that do not vary, by name."""
        return {each.name: each.value for each in self.parameters if isinstance(each, Constant)}

    @property
    def names(self) -> list[str]:
        return [parameter.name for parameter in self.parameters]

    def entries(self) -> list[Entry]:
        """The space in its file format, with defaults filled in."""
        return [parameter.entry() for parameter in self.parameters]

    def initial(self, rng: random.Random) -> Point:
        """A random first point."""
        return {parameter.name: parameter.draw(rng) for parameter in self.parameters}

    def at(self, fractions: Sequence[float]) -> Point:
        """The point at the given fractions, each from 0 up to 1, of the parameters' ranges and lists."""
        return {
            parameter.name: parameter.at(fraction)
            for parameter, fraction in zip(self.parameters, fractions, strict=True)
        }

    def spread(self, count: int) -> list[Point]:
        """Up to `count` distinct points, spread over the space: a Latin hypercube, always the same one.

        Of every parameter each of `count` equal parts of the range has one point, in its middle.
        """
        rng = random.Random(f"a spread of {count}")
        places = [rng.sample(range(count), count) for _ in self.parameters]
        points = [self.at([(each[number] + 0.5) / count for each in places]) for number in range(count)]
        return list({json.dumps(point): point for point in points}.values())

    def distance(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
        """How far two points are apart: the largest distance of any parameter, as a fraction of its range."""
        return max(parameter.distance(one[parameter.name], other[parameter.name]) for parameter in self.parameters)

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

        `counts` gives the number of values of each parameter, by names in any case. Lists that it leaves out get all
        their values; an `int` or a `float` that it leaves out, a name that the space lacks and a count below one are
        `InputError`s. A parameter never has more values than there are.
        """
        check_once(counts, "grid")
        counts = {spelling(name, self.names): count for name, count in counts.items()}
        for name, count in counts.items():
            if name not in self.names:
                raise InputError(f"grid: the space has no '{shortened(str(name))}'{nearest(name, self.names)}")
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise InputError(
                    f"grid: '{shortened(name)}' = {shown(count)}: a number of values is a whole number from 1"
                )
        for parameter in self.parameters:
            if parameter.name not in counts and isinstance(parameter, Number):
                raise InputError(f"grid: the number of values of '{parameter.name}' is missing")
        check_total((_values_of(parameter, counts.get(parameter.name)) for parameter in self.parameters), "grid")
        return self._combinations([_axis(parameter, counts.get(parameter.name)) for parameter in self.parameters])

    def all_points(self) -> list[Point]:
        """Every point of a space whose `size` is not None."""
        return self._combinations([parameter.all_values() for parameter in self.parameters])

    @property
    def combinations(self) -> int:
        """How many combinations there are of the values of all lists, whatever the numbers are."""
        return math.prod(each.count or 1 for each in self.parameters if not isinstance(each, Number))

    def counts_within(self, total: int, *, whole_lists: bool = False) -> dict[str, int]:
        """Numbers of values for `grid`, as even as can be, whose product does not exceed `total`.

        With `whole_lists` lists have all their values, of which there are `total` combinations at most.
        """
        kept = {each.name: each.count for each in self.parameters if whole_lists and not isinstance(each, Number)}
        counts = {name: kept.get(name) or 1 for name in self.names}
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
                raise InputError(f"{where}: the space has no '{shortened(str(name))}'{nearest(str(name), self.names)}")
        for parameter in self.parameters:
            if parameter.name not in point:
                raise InputError(f"{where}: '{parameter.name}' is missing")
            fault = parameter.fault(point[parameter.name])
            if fault:
                raise InputError(f"{where}: '{parameter.name}': {fault}")

    def fit(self, point: Mapping[str, Any], where: str = "point") -> Point:
        """`point` as the space has it: constants may be left out, and names and values written in another way.

        Raises `InputError` as `check` does.
        """
        check_once(point, where)
        given = {**self.constants, **{spelling(name, self.names): value for name, value in point.items()}}
        fitted = {each.name: each.fitted(given[each.name]) for each in self.parameters if each.name in given}
        self.check({**given, **fitted}, where)
        return fitted

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
                raise InputError(f"{where}: '{parameter.name}': '{shortened(text)}' is not {parameter.kind}") from None
        self.check(point, where)
        return point


def check_total(counts: Iterable[int], where: str) -> None:
    """Raise `InputError` where so many values of each axis are too many points together."""
    total = math.prod(counts)
    if total > MOST_POINTS:
        raise InputError(f"{where}: {total:.3g} points are too many; {MOST_POINTS:,} are allowed")


def _values_of(parameter: Parameter, points: int | None) -> int:
    counts = [count for count in (parameter.count, points) if count is not None]
    return min(counts)


def _axis(parameter: Parameter, points: int | None) -> list[Any]:
    """The values of one axis of a grid; all there are where `points` is None or exceeds them."""
    if parameter.count is not None and (points is None or points >= parameter.count):
        return parameter.all_values()
    assert points is not None
    return parameter.spread(points)
