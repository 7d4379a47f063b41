"""What evaluations say of a point that was not evaluated.

The surrogate tells mean and deviation. Its deviation is too small where few evaluations chose its hyperparameters, or
where the difference does not change as it assumes. So an interval reaches as many deviations as the larger of two
numbers: Student's t for the degrees of freedom that the evaluations leave to the noise and the blocks to their luck,
one less than there are (together by Welch and Satterthwaite's formula), and what 95 of 100 evaluations stay within when
each is predicted from all others (conformal prediction by leaving one out: Vovk, Gammerman and Shafer, Algorithmic
Learning in a Random World, 2005). Across an edge that is sharper than the points lie apart, the interval of the mean is
still too short; that of a training is not, since what the edge does counts as noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparator.evidence.coordinates import Array, dense_sample
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.surrogate import MOST, Surrogate, fit_differences
from comparator.space import ParameterSpace, Point

CONFIDENCE = 0.95
FEWEST_POINTS = 8
FEWEST_FREEDOM = 2.0
PLACES = 2048

Interval = tuple[float, float]


@dataclass(frozen=True)
class Prediction:
    """The mean signed difference (of a single model: the metric) at a point, over splits and seeds.

    `interval` holds it with 95 % chance, `of_one` what one new pair of trainings (one training) gives there.
    """

    mean: float
    interval: Interval
    of_one: Interval


@dataclass(frozen=True)
class Predictor:
    """A surrogate of the signed difference, and how many of its deviations an interval extends to either side."""

    surrogate: Surrogate
    reach: float

    @classmethod
    def fit(cls, space: ParameterSpace, observations: Sequence[Observation], seed: int = 0) -> Predictor | None:
        """Learn from observations, of more than `MOST` from so many; None for fewer than `FEWEST_POINTS` points."""
        every = Paired.of(observations)
        paired = every.some(MOST, seed)
        if len(paired.points) < FEWEST_POINTS:
            return None
        surrogate = fit_differences(space, paired, seed)
        # Where all is one number its size tells nothing of how far from it another may be.
        return cls(surrogate, _reach(surrogate) if np.ptp(every.differences) else 0.0)

    def at(self, point: Mapping[str, Any]) -> Prediction:
        """What the observations say of `point`."""
        (mean,), (deviation,), (of_one,) = self.surrogate.predict_over_blocks([point])
        return Prediction(float(mean), _around(mean, self.reach * deviation), _around(mean, self.reach * of_one))


@dataclass(frozen=True)
class Promise:
    """The place of a space at which the most is expected, and what is expected there."""

    point: Point
    prediction: Prediction


def most_expected(predictor: Predictor, worth: Callable[[Array], Array], seed: int = 0) -> Promise:
    """Where a search that follows this surrogate would look next, were it sure of it.

    `worth` of predicted means is small where the search wants to be; it is asked at `PLACES` points over the space.
    """
    space = predictor.surrogate.coordinates.space
    places = dense_sample(space, PLACES, seed)
    point = places[int(np.argmin(worth(predictor.surrogate.predict(places)[0])))]
    return Promise(point, predictor.at(point))


def _reach(surrogate: Surrogate) -> float:
    """How many of the surrogate's deviations an interval extends to either side."""
    from scipy.special import stdtrit

    residuals, deviations = surrogate.left_out()
    freedom = _freedom(surrogate, float((surrogate.variances / deviations**2).sum()))
    by_freedom = float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
    return max(by_freedom, _bound(np.abs(residuals) / deviations))


def _freedom(surrogate: Surrogate, of_noise: float) -> float:
    """The degrees of freedom of the variance of one training at a place, which is that of its block and the noise."""
    of_noise, given = max(of_noise, FEWEST_FREEDOM), surrogate.hyperparameters
    noise, luck = given.noise or 0.0, given.block_level + given.block_field
    if surrogate.blocks is None or not luck:
        return of_noise
    of_blocks = len(np.unique(surrogate.blocks)) - 1
    share = luck / (noise + luck)
    return max(1 / ((1 - share) ** 2 / of_noise + share**2 / of_blocks), FEWEST_FREEDOM)


def _bound(sizes: Array) -> float:
    """What one more of such sizes stays within with 95 % chance; the largest where they are too few to tell."""
    place = math.ceil(CONFIDENCE * (len(sizes) + 1))
    return float(np.sort(sizes)[min(place, len(sizes)) - 1])


def _around(mean: float, half: float) -> Interval:
    return float(mean - half), float(mean + half)
