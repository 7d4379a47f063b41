"""What a search that models its results was told, and a surrogate that learns it as it comes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence

from comparator.evidence.coordinates import Array
from comparator.evidence.surrogate import MANY, Surrogate
from comparator.space import ParameterSpace, Point

#: Results between two fits of a surrogate's hyperparameters: so many, or this share of all where that is more.
REFIT, REFIT_SHARE = 4, 1 / 8
#: Results without which there is nothing to fit.
FEWEST = 4


class Results:
    """Results as they are told: the value of a point is the mean of all its replicates so far.

    `points` and `values` have an entry for each replicate, which the newest is recovered from the mean for, so that a
    model of them can tell noise from structure. `tried` and `outcomes` have an entry for each try, 1 where it gave a
    result, 0 where it failed.
    """

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.values: list[float] = []
        self.tried: list[Point] = []
        self.outcomes: list[float] = []
        self._distinct: dict[str, Point] = {}
        self._means: dict[str, float] = {}
        self._told: Counter[str] = Counter()

    @property
    def distinct(self) -> list[Point]:
        """The points with results, each once, in the order of the first."""
        return list(self._distinct.values())

    @property
    def failed(self) -> list[Point]:
        """The points of failures."""
        return [point for point, outcome in zip(self.tried, self.outcomes, strict=True) if not outcome]

    def take(self, point: Point, mean: float | None) -> bool:
        """Take what `point` was told with, None for a failure; returns whether it is a result."""
        is_result = mean is not None and math.isfinite(mean)
        self.tried.append(point)
        self.outcomes.append(float(is_result))
        if mean is None or not is_result:
            return False
        key = json.dumps(point)
        before, told = self._means.get(key, 0.0), self._told[key]
        self.points.append(point)
        self.values.append((told + 1) * mean - told * before)
        self._distinct[key], self._means[key], self._told[key] = point, mean, told + 1
        return True


class Learner:
    """A surrogate that takes results as they come; its hyperparameters are fitted anew now and then."""

    def __init__(self, space: ParameterSpace, seed: int) -> None:
        self._space, self._seed = space, seed
        self._fitted = 0
        #: None while there are too few results.
        self.surrogate: Surrogate | None = None

    def is_due(self, count: int) -> bool:
        """Whether its hyperparameters will be fitted anew to so many results."""
        return count >= max(FEWEST, self._fitted + REFIT, self._fitted * (1 + REFIT_SHARE))

    def learn(self, points: Sequence[Point], values: Sequence[float] | Array) -> None:
        """Take all results, of which the first are those that it has taken before."""
        if self.is_due(len(points)):
            known = self.surrogate.hyperparameters if self.surrogate is not None and len(points) >= MANY else None
            self.surrogate = Surrogate.fit(self._space, points, values, seed=self._seed, start=known)
            self._fitted = len(points)
        elif self.surrogate is not None and len(points) > len(self.surrogate.values):
            new = slice(len(self.surrogate.values), None)
            noise = self.surrogate.hyperparameters.noise or 0.0
            self.surrogate = self.surrogate.with_more(points[new], values[new], [noise] * len(points[new]))
