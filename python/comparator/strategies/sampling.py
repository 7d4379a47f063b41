"""Strategies that do not look at results: random points, points of a Sobol sequence, and a grid."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from comparator.space import ParameterSpace, Point
from comparator.strategies.options import FromOne, StrategyOptions, read_options
from comparator.strategies.strategy import Proposal, Strategy

#: Draws of a random point before one that has not been drawn is looked for in a list of all points.
TRIES = 100
#: The largest space whose points are listed for that.
LISTABLE = 100_000
#: So many points of a Sobol sequence are made at a time.
BLOCK = 64


class SamplingStrategy(Strategy):
    """Proposes the points of an iterator, always `in_flight` at a time, until it ends.

    `names`, where given, are the points' names, in the same order. What an earlier session proposed is proposed at the
    start, since that one may have had more in flight; it goes on once no more than `in_flight` of them are left.
    """

    def __init__(self, points: Iterator[Point], in_flight: int, names: Iterable[str] | None = None) -> None:
        self._points = zip(points, itertools.repeat(None) if names is None else names, strict=False)
        self._in_flight, self._beyond = in_flight, 0

    def recall(self, recorded: Sequence[Proposal]) -> None:
        proposed = 1 + max((each.number for each in recorded), default=-1)
        self._beyond = max(0, proposed - self._in_flight)

    def start(self) -> list[Proposal]:
        return self._next(self._in_flight + self._beyond)

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._beyond:
            self._beyond -= 1
            return []
        return self._next(1)

    def close(self) -> None:
        self._points = zip((), (), strict=True)

    def _next(self, count: int) -> list[Proposal]:
        return [self._propose(point, name=name) for point, name in itertools.islice(self._points, count)]


class RandomPoints(SamplingStrategy):
    """Random points, none twice where they can be counted."""

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: StrategyOptions) -> None:
        super().__init__(random_points(space, seed), in_flight)


class SobolSequence(SamplingStrategy):
    """Points of a Sobol sequence: scattered as random ones, but evenly."""

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: StrategyOptions) -> None:
        super().__init__(sobol_points(space, seed), in_flight)


class GridOptions(StrategyOptions):
    """How fine a grid is."""

    points: FromOne | dict[str, Any] | None = Field(
        None, description="values of each int and float, or a table of numbers by name; lists have all of theirs"
    )
    total: FromOne = Field(64, description="the most points of the grid where 'points' is not given")


class Grid(SamplingStrategy):
    """All combinations of evenly spread values."""

    Options = GridOptions
    ends_by_itself = True

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: GridOptions) -> None:
        super().__init__(iter(grid_points(space, options)), in_flight)

    @classmethod
    def within(cls, options: Mapping[str, Any], *, evaluations: int, points: int) -> dict[str, Any]:
        return dict(options) if "points" in options else {"total": max(1, points), **options}

    @classmethod
    def points_in(cls, space: ParameterSpace, options: Mapping[str, object]) -> int:
        return len(grid_points(space, read_options(GridOptions, options, "strategy 'grid'")))


def grid_points(space: ParameterSpace, options: GridOptions) -> list[Point]:
    """The points of a grid; raises `InputError` where the space has no such grid."""
    if options.points is None:
        return space.grid(space.counts_within(options.total))
    numbers = [entry["name"] for entry in space.entries() if entry["type"] in ("int", "float")]
    return space.grid(dict.fromkeys(numbers, options.points) if isinstance(options.points, int) else options.points)


def random_points(space: ParameterSpace, seed: int) -> Iterator[Point]:
    """Points drawn as a genetic search draws its first ones; none twice, in a space that can be listed."""
    rng = random.Random(seed)
    size = space.size()
    if size is None or size > LISTABLE:
        while True:
            yield space.initial(rng)
    drawn: set[str] = set()
    while len(drawn) < size:
        point = next((each for each in _draws(space, rng) if json.dumps(each) not in drawn), None)
        if point is None:
            point = rng.choice([each for each in space.all_points() if json.dumps(each) not in drawn])
        drawn.add(json.dumps(point))
        yield point


def sobol_points(space: ParameterSpace, seed: int) -> Iterator[Point]:
    """The points of a scrambled Sobol sequence, evenly spread over the space; a small space repeats them."""
    from comparator.space.sobol import sobol_sequence  # NumPy, which no worker needs

    draw = sobol_sequence(len(space.names), seed)
    while True:
        yield from (space.at(row) for row in draw(BLOCK).tolist())


def _draws(space: ParameterSpace, rng: random.Random) -> Iterator[Point]:
    return (space.initial(rng) for _ in range(TRIES))
