"""Level-set estimation: a search for the conditions under which a difference is large, not for its maximum.

A maximiser spends its evaluations where the difference seems largest, and learns little of where it ceases to be
large. This search asks at each place of the space on which side of a level it lies, and evaluates next what is expected
to leave the fewest places on the wrong side.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field
from scipy.special import ndtr

from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.reading import cut, overlap
from comparator.evidence.steps import Steps, share
from comparator.evidence.surrogate import MANY, Success, Surrogate
from comparator.space import ParameterSpace, Point
from comparator.strategies.options import FromOne, FromTwo, StrategyOptions
from comparator.strategies.results import ALL, KEPT
from comparator.strategies.surrogate_strategy import SurrogateStrategy

#: Points of the space that a new one is chosen of, and how many of them, drawn anew, are looked at each time.
POOL, CANDIDATES = 1024, 256
#: Places of the space that are to be told apart.
PLACES = 256
#: Results that a candidate may have, and their weights: Gauss and Hermite's, for a normal of variance 1.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
#: The same by step functions: so many, from below the lowest to above the highest by so many deviations of the noise.
RESULTS, BEYOND = 16, 2.5
#: Added to deviations, which may be 0.
TINY = 1e-9
#: Shared part of the union of two looks at the region, and at what is outside, above which it has not changed.
ALIKE = 0.9


class LevelSetOptions(StrategyOptions):
    """Where a level-set estimation draws the border, how it begins, and when it ends."""

    level: float | None = Field(
        None, description="size of the difference at the border; none: the cut whose two sides differ most"
    )
    scattered: FromTwo | None = Field(
        None,
        description="first points, spread evenly; none: half of the budget, without one 8, or two more than twice the"
        " number of parameters that vary",
    )
    patience: FromOne = Field(3, description="looks at the region in a row that must agree to end the search")


class LevelSetStrategy(SurrogateStrategy):
    """Samples the region in which the values are below -level (the differences above level), and its border.

    1. The first points are those of a Sobol sequence, `scattered` of them.
    2. From then on each result is answered with the candidate whose own result is expected to leave the fewest places
       misclassified (one step ahead, as Bect et al. do for a probability of failure, Sequential design of computer
       experiments, 2012): under a Gaussian process, where a place is called as its mean says, and under a sample of
       functions of two heights, one in few boxes and one elsewhere, each believed as it foretells the results. Points
       in flight count as if their result were the mean expected there, and what one of the sample says.
    3. The candidates are points spread over the space, and those evaluated before: one is proposed again where the
       next replicate tells more than a new point. What it is worth is multiplied by the probability that a training
       succeeds there, as far as failures tell, and a place counts as much as one does; no failed point is tried again.
    4. The level, where none is given, is taken anew each time: the height of the surrogate at which the results of
       both sides differ most; under a function of two heights it is halfway between them.
    5. Whenever the surrogate's hyperparameters are fitted again, the region is compared with what it was before. It
       ends when `patience` looks in a row agree.

    The results of a point's replicates reach the surrogate one by one, so that it can tell noise from structure. It
    hears sizes of differences only, never signs.
    """

    Options = LevelSetOptions

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: LevelSetOptions) -> None:
        super().__init__(space, seed, in_flight, options.scattered)
        self._options = options
        self._rng = random.Random(seed)
        self._pool = dense_sample(space, POOL, seed)
        self._steps = Steps(Coordinates(space), seed)
        self._steps_are_old = False  # and rest on results that the surrogate no longer rests on
        self._border = 0.0
        self._success, self._failures = Success(None), 0
        self._region: Array = np.zeros(POOL, dtype=bool)
        self._alike = 0

    @classmethod
    def within(cls, options: Mapping[str, Any], *, evaluations: int, points: int) -> dict[str, Any]:
        return {"scattered": points_to_scatter(evaluations), **options}

    def _learn(self) -> None:
        is_due = self._learner.is_due(len(self._results.values))
        self._learner.learn(self._results.points, self._heights)
        if is_due and self._learner.surrogate is not None and self._has_many:
            self._border, self._steps_are_old = self._cut(self._learner.surrogate), True
        if is_due or len(self._results.failed) > self._failures:
            self._fit_success()
        if is_due and self._learner.surrogate is not None:
            self._look(self._learner.surrogate)

    @property
    def _heights(self) -> Array:
        """The sizes of the differences, one for each replicate."""
        return -np.array(self._results.values)

    def _fit_success(self) -> None:
        """Learn anew where trainings succeed: after a failure, and as often as the surrogate is fitted."""
        succeeded, failed = self._results.distinct, self._results.failed
        self._failures = len(failed)
        start = self._success if len(succeeded) + len(failed) >= MANY else None
        if len(succeeded) + len(failed) > ALL:  # the same share of both
            share = KEPT / (len(succeeded) + len(failed))
            drawn = random.Random(len(failed))
            succeeded, failed = (drawn.sample(each, math.ceil(share * len(each))) for each in (succeeded, failed))
        self._success = Success.fit(self._space, succeeded, failed, self._seed, start)

    def _look(self, surrogate: Surrogate) -> None:
        """Compare the region with what it was, and end the search where it has not changed for long enough."""
        if self._is_scattering:
            return
        region = surrogate.mean(self._pool) > self._level(surrogate)
        # Of a region that is most of the space the rest tells whether it has changed.
        shared = min(overlap(region, self._region), overlap(~region, ~self._region))
        self._alike = self._alike + 1 if shared >= ALIKE else 0
        self._region = region
        if self._alike >= self._options.patience:
            self.ended = f"the region was the same at the last {self._alike} looks at it"

    @property
    def _has_many(self) -> bool:
        return len(self._results.values) > ALL

    def _level(self, surrogate: Surrogate) -> float:
        if not self._has_many:  # of many it is worked out at each fit
            self._border = self._cut(surrogate)
        return self._border

    def _cut(self, surrogate: Surrogate) -> float:
        if self._options.level is not None:
            return self._options.level
        return cut(surrogate.mean(self._results.points), self._heights)

    def _learn_steps(self) -> None:
        """Have the sample of step functions rest on the results that the surrogate rests on."""
        if not self._has_many:
            self._steps.learn(self._results.points, self._heights)
            return
        points = [self._results.points[place] for place in self._learner.kept]
        heights = self._heights[self._learner.kept]
        if self._steps_are_old:
            self._steps.exchange(points, heights)
        else:
            self._steps.learn(points, heights, sweeps=1)  # one more result of many changes little
        self._steps_are_old = False

    def _next(self, surrogate: Surrogate) -> Point:
        """The candidate whose result is expected to leave the fewest places misclassified, given all in flight."""
        level = self._level(surrogate)
        self._learn_steps()
        trust = share(surrogate, self._steps)
        surrogate = self._with_pending(surrogate)
        candidates = self._free([*self._rng.sample(self._pool, CANDIDATES), *self._known])
        places = self._pool[:PLACES]
        weights = self._success.at(places)
        gain = (1 - trust) * expected_gain(surrogate, level, candidates, places, weights)
        levels = self._steps.middles if self._options.level is None else level
        gain += trust * expected_gain_of_steps(self._steps, levels, candidates, places, weights, self._pending)
        return candidates[int(np.argmax(gain * self._success.at(candidates)))]


def points_to_scatter(evaluations: int) -> int:
    """With how many points spread evenly a search for regions of so many evaluations begins."""
    return max(8, evaluations // 2)


def expected_gain(
    surrogate: Surrogate, level: float, candidates: Sequence[Point], places: Sequence[Point], weights: Array
) -> Array:
    """By how much the expected sum of `weights` of misclassified `places` falls with one result at each candidate.

    A place is misclassified with the probability that the function lies on the other side of `level` than its mean.
    """
    mean, deviation = surrogate.predict(places)
    rows = surrogate.coordinates.of(candidates)
    _, own = surrogate.predict_rows(rows)
    spread = np.sqrt(own**2 + (surrogate.hyperparameters.noise or 0.0)) + TINY
    moves = surrogate.joint(rows, surrogate.coordinates.of(places)) / spread[:, None]  # of a place's mean, by one node
    left = np.sqrt(np.maximum(deviation**2 - moves**2, 0.0)) + TINY
    after = sum(
        weight * ndtr(-np.abs(mean + node * moves - level) / left) for node, weight in zip(NODES, WEIGHTS, strict=True)
    )
    return np.asarray((ndtr(-np.abs(mean - level) / (deviation + TINY)) - after) @ weights)


def expected_gain_of_steps(
    steps: Steps,
    level: float | Array,
    candidates: Sequence[Point],
    places: Sequence[Point],
    weights: Array,
    pending: Sequence[Point] = (),
) -> Array:
    """As `expected_gain`, by a sample of step functions: a result makes those likelier that foretold it.

    `level` is one for all of the sample, or each one's own. A result is expected as each of the sample foretells it.
    Those of `pending` are taken to be what the first of the sample says.
    """
    count = len(candidates)
    means, deviations = steps.heights([*candidates, *places, *pending])
    beyond = ndtr((means - np.reshape(level, (-1, 1))) / (deviations + TINY))[:, count : count + len(places)]
    expected, in_flight = means[:, :count], means[:, count + len(places) :]
    likely = np.exp(-0.5 * (((in_flight - in_flight[0]) / steps.noise) ** 2).sum(axis=1))
    likely /= likely.sum()

    def misclassified(shares: Array) -> Array:
        called = shares @ beyond
        return np.asarray(np.minimum(called, shares.sum(axis=-1, keepdims=True) - called) @ weights)

    margin = BEYOND * steps.noise
    results = np.linspace(float(expected.min()) - margin, float(expected.max()) + margin, RESULTS)
    width = max(steps.noise, float(results[1] - results[0]))
    density = np.exp(-0.5 * ((results[:, None, None] - expected) / width) ** 2)
    # How likely each of the sample is together with each result, of shape (results, sample, candidates).
    joint = density / density.sum(axis=0) * likely[:, None]
    return np.asarray(misclassified(likely) - sum(misclassified(each.T) for each in joint))
