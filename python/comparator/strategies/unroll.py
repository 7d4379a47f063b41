"""Make the points of an unrolled parameter file: from lists, and from a parameter space by a design.

A design says which points of a space are taken:

| design | points |
|---|---|
| `cartesian` | every combination of all values of lists with evenly spread numbers, `count` of them at the most |
| `random` | `count` draws |
| `latin` | a Latin hypercube of `count` points: each parameter's range is covered evenly |
| `sobol` | the first `count` points of a scrambled Sobol sequence; best where `count` is a power of two |
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.hyperparameters import parse_value
from comparator.formats.spelling import check_once
from comparator.formats.text import shortened
from comparator.space import ParameterSpace, Point, check_total
from comparator.strategies.sampling import sobol_points

DESIGNS = ("cartesian", "random", "latin", "sobol")


def read_axis(text: str) -> tuple[str, list[Any]]:
    """Read `NAME=FIRST:LAST:COUNT` (evenly spread numbers) or `NAME=VALUE,VALUE,...`."""
    name, separator, values = text.partition("=")
    if not separator or not name.strip() or not values.strip():
        raise InputError(f"'{shortened(text)}' is neither NAME=FIRST:LAST:COUNT nor NAME=VALUE,VALUE,...")
    if values.count(":") == 2:
        return name.strip(), _spread(values, text)
    ends = [parse_value(end) for end in values.split(":")]
    if len(ends) > 1 and all(isinstance(end, (int, float)) for end in ends):
        raise InputError(
            f"'{shortened(text)}': how many values? NAME=FIRST:LAST:COUNT, such as {shortened(name.strip())}="
            f"{ends[0]}:{ends[-1]}:6, spreads them evenly; NAME=VALUE,VALUE,... lists them"
        )
    return name.strip(), [parse_value(value, f"'{shortened(name.strip())}'") for value in values.split(",")]


def combine(axes: Iterable[tuple[str, Sequence[Any]]], points: Iterable[Point]) -> list[Point]:
    """Every point with every combination of the axes' values; the axes come first and vary slowest.

    All points have the same names. Raises `InputError` where a name stands twice among these and the axes.
    """
    named, listed = list(axes), list(points) or [{}]
    check_once([*(name for name, _ in named), *listed[0]], "unroll")
    check_total([*(len(values) for _, values in named), len(listed)], "unroll")
    return [
        {**dict(zip((name for name, _ in named), values, strict=True)), **point}
        for values in itertools.product(*(values for _, values in named))
        for point in listed
    ]


def design_points(space: ParameterSpace, design: str, count: int, seed: int) -> list[Point]:
    """The points that `design` takes of `space`.

    Raises `InputError` for an unknown design, and where `count` has no room for every combination of what is listed.
    """
    check_total([count], f"--points {count}")
    if design == "cartesian":
        if space.combinations > count:
            raise InputError(
                f"--points {count}: the lists of the space have {space.combinations:,} combinations, and all are taken;"
                f" give --points {space.combinations} or more, or --design sobol, which draws some"
            )
        return space.grid(space.counts_within(count, whole_lists=True))
    if design == "random":
        generator = random.Random(seed)
        return [space.initial(generator) for _ in range(count)]
    if design == "latin":
        from scipy.stats import qmc

        drawn = qmc.LatinHypercube(len(space.names), rng=seed).random(count)
        return [space.at(fractions) for fractions in drawn.tolist()]
    if design == "sobol":
        return list(itertools.islice(sobol_points(space, seed), count))
    raise InputError(f"no design '{design}'{nearest(design, DESIGNS)}; there are {', '.join(DESIGNS)}")


def _spread(values: str, text: str) -> list[Any]:
    first, last, count = (parse_value(part, f"'{shortened(text)}'") for part in values.split(":"))
    numbers = all(isinstance(part, (int, float)) and not isinstance(part, bool) for part in (first, last))
    if not numbers or not isinstance(count, int) or count < 1:
        raise InputError(f"'{shortened(text)}': FIRST:LAST:COUNT are two numbers and a whole number from 1")
    check_total([count], f"'{shortened(text)}'")
    if count == 1:
        return [first]
    if not -sys.float_info.max <= last - first <= sys.float_info.max:
        raise InputError(f"'{shortened(text)}': the two numbers are too far apart")
    step = (last - first) / (count - 1)
    spread = [first + step * place for place in range(count)]
    whole = isinstance(first, int) and isinstance(last, int)
    return [round(value) for value in spread] if whole and float(step).is_integer() else spread
