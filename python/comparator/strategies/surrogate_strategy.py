"""What searches have in common that choose the next point by a surrogate of the results so far."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.evidence.surrogate import Surrogate
from comparator.space import ParameterSpace, Point
from comparator.strategies.results import ALL, Away, Learner, Results
from comparator.strategies.sampling import sobol_points
from comparator.strategies.strategy import Proposal, Strategy

#: Points in flight that a surrogate is told of, the latest; of all others it is only known that they are in flight.
IN_FLIGHT = 100


class SurrogateStrategy(Strategy):
    """Answers each result with one point: first those of a Sobol sequence, `scattered` of them, then of `_next`.

    Where `scattered` is None there are 8, or two more than twice the number of parameters that vary. `away` is what the
    surrogate's learner takes.
    """

    fits_a_model = True

    @classmethod
    def begins_uninformed(cls, options: Mapping[str, Any], in_flight: int) -> bool:
        return True

    def __init__(
        self, space: ParameterSpace, seed: int, in_flight: int, scattered: int | None, away: Away | None = None
    ) -> None:
        self._space, self._seed, self._in_flight = space, seed, in_flight
        self._scattered = sobol_points(space, seed)
        varying = sum(parameter.count != 1 for parameter in space.parameters)
        self._first = scattered or max(8, 2 * varying + 2)
        self._informed = 0
        self._open: dict[int, Point] = {}
        self._in_flight_keys: Counter[str] = Counter()
        self._results = Results()
        self._learner = Learner(space, seed, away)
        self._closed = False

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        used = sum([self._results.take(point, value) for point, value in past])
        self._informed += used
        self._learn()
        return used

    def start(self) -> list[Proposal]:
        return [self._proposal() for _ in range(self._in_flight)]

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._closed or number not in self._open:
            return []
        point = self._open.pop(number)
        self._in_flight_keys[json.dumps(point)] -= 1
        self._results.take(point, value)
        self._learn()
        return [] if self.ended is not None else [self._proposal()]

    def close(self) -> None:
        self._closed = True

    @abstractmethod
    def _learn(self) -> None:
        """Take what has come into the results."""

    @abstractmethod
    def _next(self, surrogate: Surrogate) -> Point | None:
        """The point to evaluate next; None for one of the sequence."""

    def _next_scattered(self) -> Point:
        return next(self._scattered)

    @property
    def _is_scattering(self) -> bool:
        return self._proposed + self._informed < self._first

    def _proposal(self) -> Proposal:
        surrogate = self._learner.surrogate
        point = None if self._is_scattering or surrogate is None else self._next(surrogate)
        proposal = self._propose(self._next_scattered() if point is None else point)
        self._open[proposal.number] = proposal.point
        self._in_flight_keys[json.dumps(proposal.point)] += 1
        return proposal

    @property
    def _pending(self) -> list[Point]:
        """The points in flight, the latest of many."""
        return list(self._open.values())[-IN_FLIGHT:]

    @property
    def _known(self) -> list[Point]:
        """The points with results, each once; of many results those that the surrogate rests on."""
        if len(self._results.points) <= ALL:
            return self._results.distinct
        kept = (self._results.points[place] for place in self._learner.kept)
        return list({json.dumps(point): point for point in kept}.values())

    def _with_pending(self, surrogate: Surrogate) -> Surrogate:
        """The surrogate, told that the points in flight come to what it expects there."""
        pending = self._pending
        if not pending:
            return surrogate
        expected, _ = surrogate.predict(pending)
        return surrogate.with_more(pending, expected, [surrogate.hyperparameters.noise or 0.0] * len(pending))

    def _free(self, points: Sequence[Point]) -> Sequence[Point]:
        """Those that are not in flight and have not failed; in a small space that may be none, and then all."""
        keys = map(json.dumps, points)
        barred, failed = self._in_flight_keys, self._results.failed_keys
        return [point for point, key in zip(points, keys, strict=True) if not (barred[key] or key in failed)] or points
