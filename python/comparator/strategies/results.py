"""What a search that models its results was told, and a surrogate that learns it as it comes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from comparator.evidence.coordinates import Array
from comparator.evidence.surrogate import MANY, Surrogate
from comparator.space import ParameterSpace, Point

#: Results between two fits of a surrogate's hyperparameters: so many, or this share of all where that is more.
REFIT, REFIT_SHARE = 4, 1 / 8
#: Results without which there is nothing to fit.
FEWEST = 4
#: Results up to which a surrogate rests on all of them. Its time grows with their cube: of more it rests on `KEPT`,
#: chosen anew at each fit, and on those that have come since, `REFIT_OF_MANY` at the most.
ALL, KEPT, REFIT_OF_MANY = 300, 160, 32

#: How far each of a surrogate's means is from what is looked for.
Away: TypeAlias = "Callable[[Array], Array]"


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
        self._failed: list[Point] = []
        #: The points of failures, as JSON.
        self.failed_keys: set[str] = set()
        self._distinct: dict[str, Point] = {}
        self._means: dict[str, float] = {}
        self._told: Counter[str] = Counter()

    @property
    def distinct(self) -> list[Point]:
        """The points with results, each once, in the order of the first."""
        return list(self._distinct.values())

    @property
    def failed(self) -> Sequence[Point]:
        """The points of failures."""
        return self._failed

    def take(self, point: Point, mean: float | None) -> bool:
        """Take what `point` was told with, None for a failure; returns whether it is a result."""
        is_result, key = mean is not None and math.isfinite(mean), json.dumps(point)
        self.tried.append(point)
        self.outcomes.append(float(is_result))
        if mean is None or not is_result:
            self._failed.append(point)
            self.failed_keys.add(key)
            return False
        before, told = self._means.get(key, 0.0), self._told[key]
        self.points.append(point)
        self.values.append((told + 1) * mean - told * before)
        self._distinct[key], self._means[key], self._told[key] = point, mean, told + 1
        return True


class Learner:
    """A surrogate that takes results as they come; its hyperparameters are fitted anew now and then.

    Of more than `ALL` results it rests on some, drawn evenly; with `away` half of them are those where its mean was
    last nearest to what is looked for. With `has_main` it models main effects too.
    """

    def __init__(self, space: ParameterSpace, seed: int, away: Away | None = None, has_main: bool = False) -> None:
        self._space, self._seed, self._away, self._has_main = space, seed, away, has_main
        self._fitted = self._taken = 0
        #: None while there are too few results.
        self.surrogate: Surrogate | None = None
        #: The places, among all results, of those that it rests on.
        self.kept: Array = np.zeros(0, dtype=int)

    def is_due(self, count: int) -> bool:
        """Whether its hyperparameters will be fitted anew to so many results."""
        if count > ALL:
            return count >= self._fitted + REFIT_OF_MANY or len(self.kept) > ALL
        return count >= max(FEWEST, self._fitted + REFIT, self._fitted * (1 + REFIT_SHARE))

    def learn(self, points: Sequence[Point], values: Sequence[float] | Array) -> None:
        """Take all results, of which the first are those that it has taken before."""
        count = len(points)
        if self.is_due(count):
            known = self.surrogate.hyperparameters if self.surrogate is not None and count >= MANY else None
            self.kept = np.arange(count) if count <= ALL else self._chosen(points)
            kept = [points[place] for place in self.kept.tolist()]
            own = values if count <= ALL else np.asarray(values)[self.kept]
            self.surrogate = Surrogate.fit(
                self._space, kept, own, seed=self._seed, start=known, has_main=self._has_main
            )
            self._fitted = self._taken = count
        elif self.surrogate is not None and count > self._taken:
            new = slice(self._taken, count)
            noise = self.surrogate.hyperparameters.noise or 0.0
            self.surrogate = self.surrogate.with_more(points[new], values[new], [noise] * (count - self._taken))
            self.kept, self._taken = np.concatenate([self.kept, np.arange(self._taken, count)]), count

    def _chosen(self, points: Sequence[Point]) -> Array:
        """The places of `KEPT` of the points, in their order."""
        rng = np.random.default_rng([self._seed, len(points)])
        near: Array = np.zeros(0, dtype=int)
        if self.surrogate is not None and self._away is not None:
            near = np.argsort(self._away(self.surrogate.mean(points)), kind="stable")[: KEPT // 2]
        others = np.setdiff1d(np.arange(len(points)), near)
        return np.sort(np.concatenate([near, rng.choice(others, KEPT - len(near), replace=False)]))
