"""Strategies that do not look at results: random points, and a grid."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator

from comparator.space import ParameterSpace, Point
from comparator.strategies.strategy import Proposal, Strategy

#: Draws of a random point before one that has not been drawn is looked for in a list of all points.
TRIES = 100
#: The largest space whose points are listed for that.
LISTABLE = 100_000
#: Two to the power of this many points of a Sobol sequence are made at first.
FIRST_BLOCK = 6


class SamplingStrategy(Strategy):
    """Proposes the points of an iterator, always `in_flight` at a time, until it ends.

    `names`, where given, are the points' names, in the same order.
    """

    def __init__(self, points: Iterator[Point], in_flight: int, names: Iterable[str] | None = None) -> None:
        super().__init__()
        self._points = zip(points, itertools.repeat(None) if names is None else names, strict=False)
        self._in_flight = in_flight

    def start(self) -> list[Proposal]:
        return self._next(self._in_flight)

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        return self._next(1)

    def close(self) -> None:
        self._points = zip((), (), strict=True)

    def _next(self, count: int) -> list[Proposal]:
        return [self._propose(point, name=name) for point, name in itertools.islice(self._points, count)]


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
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(space.names), rng=seed)
    power = FIRST_BLOCK
    # Each block doubles what was drawn, since the sequence is balanced at powers of two.
    block = sequence.random_base2(power)
    while True:
        yield from (space.at(row) for row in block.tolist())
        block = sequence.random_base2(power)
        power += 1


def _draws(space: ParameterSpace, rng: random.Random) -> Iterator[Point]:
    return (space.initial(rng) for _ in range(TRIES))
