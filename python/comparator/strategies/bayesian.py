"""Bayesian optimisation: a search for the least value by a Gaussian process of what was found so far.

It pays where an evaluation takes minutes and there are some dozens of them; a proposal takes a fraction of a second,
which grows with the square of the number of results.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from scipy.special import ndtr

from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.surrogate import Surrogate
from comparator.space import Choice, Constant, Ordered, ParameterSpace, Point
from comparator.strategies.options import FromTwo, StrategyOptions
from comparator.strategies.results import Learner
from comparator.strategies.surrogate_strategy import SurrogateStrategy

#: Points spread over the space, and how many of them, drawn anew, are candidates each time.
SPREAD, CANDIDATES = 2048, 512
#: So many of the best points have so many neighbours each among the candidates, at distances in fractions of the range.
BEST, NEIGHBOURS, NEAR = 5, 40, (0.003, 0.3)
#: So many of the best candidates have so many neighbours each among those of the next round, at distances by round.
FINALISTS, CLOSER, ROUNDS = 4, 32, ((0.01, 0.15), (0.001, 0.03))
#: The least improvement to seek, in what lies between the best and the median.
WORTH_SEEKING = 0.003
#: From here on heights are logarithmic: so many times what lies between the best and the median, above the median.
TALL = 4.0
#: Scattered points in a row that are passed over, at the most, where evaluations fail.
PASSED_OVER = 8
#: The least probability of success, since no failure is for ever.
UNLIKELY = 1e-3
#: The least deviation that is told from none; from how many deviations below the best an improvement is approximated.
TINY, FAR = 1e-12, 5.0


MainEffects = Annotated[
    bool, Field(description="every second time also model what each parameter does by itself, whatever the others are")
]


class BayesianOptions(StrategyOptions):
    """How Bayesian optimisation begins, and what it models."""

    scattered: FromTwo | None = Field(
        None,
        description="first points, spread evenly; none: 8, or two more than twice the number of parameters that vary",
    )
    main_effects: MainEffects = True


class BayesianStrategy(SurrogateStrategy):
    """Proposes the point of which the largest improvement on the best so far is expected.

    1. The first points are those of a Sobol sequence, `scattered` of them.
    2. From then on each result is answered with the candidate that has the largest expected improvement under a
       Gaussian process (Jones et al., Efficient global optimization, 1998). What is improved on is the least mean of
       the process at the points that have results, not the least result, which is a lucky one where there is noise.
       It is multiplied by the probability that an evaluation succeeds there, as far as failures tell; no failed point
       is tried again. Points in flight count as if their result were the mean expected there.
    3. Every second time the process has main effects too (`main_effects`): it soon knows what each parameter does by
       itself, where it does. A search by one process alone stays longer with what that one is wrong about.
    4. The candidates are points spread over the space, neighbours of the best points, and all points with results: one
       is proposed again where its next replicate promises more than a new point. The neighbours of the best of them
       are candidates next, twice, ever nearer.
    5. Where no candidate promises three thousandths of what lies between the best and the median, the sequence goes on.
    6. Of values far above the median only the logarithm counts (`Scale`).

    The results of a point's replicates reach the process one by one, so that it can tell noise from structure.
    """

    Options = BayesianOptions
    came_later: ClassVar[Mapping[str, Any]] = {"main_effects": False}

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: BayesianOptions) -> None:
        super().__init__(space, seed, in_flight, options.scattered, away=lambda means: means)
        self._with_main = Learner(space, seed, lambda means: means, has_main=True) if options.main_effects else None
        self._rng = np.random.default_rng(seed)
        self._spread = dense_sample(space, SPREAD, seed)
        self._near = Neighbours(space, self._rng)
        self._scale = Scale(0.0, 1.0)
        self._succeeds = Learner(space, seed, lambda means: np.abs(means - 0.5))

    def _learn(self) -> None:
        results = self._results
        if self._learner.is_due(len(results.values)):
            self._scale = Scale.of(results.values)
        heights = self._scale.heights(results.values)
        self._learner.learn(results.points, heights)
        if self._with_main is not None:
            self._with_main.learn(results.points, heights)
        if not all(results.outcomes):
            self._succeeds.learn(results.tried, results.outcomes)

    def _next_scattered(self) -> Point:
        """The next point of the sequence; one that will probably fail is passed over, a few times."""
        ahead = itertools.islice(self._scattered, PASSED_OVER)
        return next((point for point in ahead if self._success([point])[0] > 0.5), None) or next(self._scattered)

    def _next(self, surrogate: Surrogate) -> Point | None:
        """The candidate with the largest expected improvement, given all in flight; None where there is hardly any."""
        if self._with_main is not None and self._with_main.surrogate is not None and self._proposed % 2 == 0:
            surrogate = self._with_main.surrogate
        surrogate = self._with_pending(surrogate)
        known = self._known
        heights = surrogate.mean(known)
        best = [known[place] for place in np.argsort(heights)[:BEST]]
        drawn = [self._spread[place] for place in self._rng.choice(SPREAD, CANDIDATES, replace=False)]
        candidates = [*drawn, *self._near.of(best, NEIGHBOURS, NEAR), *known]
        for distances in ROUNDS:
            leading, _ = self._leading(surrogate, heights.min(), candidates)
            candidates = [*leading, *self._near.of(leading, CLOSER, distances)]
        leading, promise = self._leading(surrogate, heights.min(), candidates)
        return leading[0] if promise > WORTH_SEEKING else None

    def _leading(self, surrogate: Surrogate, best: float, candidates: Sequence[Point]) -> tuple[list[Point], float]:
        """The candidates that promise most, the best first, and what it promises."""
        free = self._free(candidates)
        mean, deviation = surrogate.predict(free)
        promise = log_improvement(mean, deviation, best) + np.log(self._success(free))
        order = np.argsort(-promise)[:FINALISTS]
        return [free[place] for place in order], math.exp(promise[order[0]])

    def _success(self, points: Sequence[Point]) -> Array:
        """The probability that an evaluation succeeds at each point, a deviation below what failures tell of it."""
        if self._succeeds.surrogate is None:
            return np.ones(len(points))
        mean, deviation = self._succeeds.surrogate.predict(points)
        return np.clip(mean - deviation, UNLIKELY, 1.0)


@dataclass(frozen=True)
class Scale:
    """The scale on which values are modelled: 0 is the median of those at hand, -1 the least.

    Above `TALL` it is logarithmic, so that the few huge losses of trainings that diverge do not hide all else.
    """

    median: float
    depth: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        median = float(np.median(values))
        least = sys.float_info.epsilon * max(map(abs, values))  # less is how values are rounded
        return cls(median, max(median - min(values), least) or 1.0)

    def heights(self, values: Sequence[float]) -> Array:
        plain = (np.array(values) - self.median) / self.depth
        return np.minimum(plain, TALL) + np.log1p(np.maximum(plain - TALL, 0.0))


class Neighbours:
    """Points near others: some of their parameters, or all, moved by normal steps; others drawn anew without order."""

    def __init__(self, space: ParameterSpace, rng: np.random.Generator) -> None:
        self._space, self._rng = space, rng
        self._coordinates = Coordinates(space)
        self._varies = [not isinstance(parameter, Constant) for parameter in space.parameters]

    def of(self, points: Sequence[Point], count: int, distances: tuple[float, float]) -> list[Point]:
        """`count` neighbours of each of `points`, with steps of deviations between two `distances` in ranges."""
        rng, shape = self._rng, (len(points) * count, sum(self._varies))
        nearest, farthest = distances
        if not shape[1]:
            return []
        places = self._fractions(points).repeat(count, axis=0)
        moves = rng.random(shape) < rng.choice([1 / shape[1], 0.5, 1.0], size=(shape[0], 1))
        moves[np.arange(shape[0]), rng.integers(shape[1], size=shape[0])] = True
        steps = rng.normal(size=shape) * np.exp(rng.uniform(math.log(nearest), math.log(farthest), size=(shape[0], 1)))
        moved = np.where(self._coordinates.is_category, rng.random(shape), places + steps)
        fractions = np.zeros((shape[0], len(self._varies)))
        fractions[:, self._varies] = np.clip(np.where(moves, moved, places), 0.0, 1.0)
        return [self._space.at(row) for row in fractions.tolist()]

    def _fractions(self, points: Sequence[Point]) -> Array:
        """Where each varying parameter's value lies in its range, or in the middle of its part of the list."""
        columns = self._coordinates.of(points)
        for column, parameter in enumerate(self._coordinates.parameters):
            if isinstance(parameter, Choice):
                last = len(parameter.values) - 1
                place = columns[:, column] * (last if isinstance(parameter, Ordered) else 1)
                columns[:, column] = (place + 0.5) / (last + 1)
        return columns


def log_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """The logarithm of the expected improvement on `best`; a probability, and so no more than finite far from it."""
    deviation = np.maximum(deviation, TINY)
    ahead = (best - mean) / deviation
    density = -(ahead**2) / 2 - math.log(2 * math.pi) / 2
    near = np.maximum(ahead, -FAR)
    plain = np.log(near * ndtr(near) + np.exp(-(near**2) / 2) / math.sqrt(2 * math.pi))
    # Far below, where the sum would cancel to nothing, the first term of its expansion.
    return np.asarray(np.log(deviation) + np.where(ahead > -FAR, plain, density - 2 * np.log(np.maximum(-ahead, 1))))
