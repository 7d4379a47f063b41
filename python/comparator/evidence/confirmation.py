"""Whether what a search claims holds on blocks, data splits and streams of seeds, that it never saw.

What a search saw is partly luck: the best of many noisy results is too good, and a region fits the noise as well as
the difference. So every claim is tried anew beside what it is compared with (`claims`), and judged by these trainings
alone. The unit is the block: each gives one number, so that what a split does to all points alike, or to neighbours
alike, is part of the noise.

The points within a region differ from each other, which is no doubt of its mean. So what the search's surrogate
expects at the points that were drawn is taken off, and its mean over the region put in its place (the difference
estimator of survey sampling; Saerndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, section 6.3). The
surrogate has not seen these trainings, so that the mean stays right however wrong it is.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.evidence.replicates import Moments
from comparator.results.frozen import Claim

if TYPE_CHECKING:
    from comparator.evidence.coordinates import Array

FEWEST = 2  # blocks that gave a result, with fewer there is no verdict
ALPHA = 0.05
PRIOR = 4  # degrees of freedom for which the search's own deviation counts

Points = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Fresh:
    """What fresh blocks gave for a claim: a point, a signed difference (of a single model its metric), a block each.

    `is_exact` says that one training gave all of it, as the models gave the same numbers for every seed.
    """

    claim: Claim
    points: Points
    signed: Sequence[float]
    blocks: Sequence[int]
    is_exact: bool = False


@dataclass(frozen=True)
class Estimate:
    """The mean of a claim in its direction, by block: `by_block` has a number for each that gave a result.

    `variance` is what the search says of that of a training; None where it says nothing. `interval`, 95 %, is over
    blocks; None for fewer than `FEWEST`.
    """

    claim: Claim
    by_block: Mapping[int, float]
    variance: float | None = None

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.by_block.values()) if self.by_block else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return interval_of(list(self.by_block.values()), self.variance)


@dataclass(frozen=True)
class Contrast:
    """By how much more a claim differs, in its direction, than what it is compared with, from blocks that gave both.

    `p` is the chance of as much, were it not larger in size: of the two t-tests, one-sided, that it is above what it is
    compared with, and above the same with its sign turned, the larger chance. `interval`, 95 %, is that of `mean`.
    """

    mean: float
    interval: tuple[float, float]
    p: float
    blocks: int


@dataclass(frozen=True)
class Confirmation:
    """What became of a best point.

    `searched` is the difference that the search reported (of a single model: the metric). `confirmed` is the mean of
    the fresh signed differences in the direction that the search saw, so negative where it turned round, with its
    `interval` (95 %, over blocks). `contrast`, with its own, is how much that is more than at the places it is compared
    with, in the same blocks. `verdict` is `confirmed` where the contrast lies above 0, all points together at level
    0.05, else `not confirmed`, and `untested` where fewer than `FEWEST` blocks gave both; None where there is nothing
    to compare with. `given_this_split` says that every run had the search's own data split. `winners_curse` is how much
    the search promised too much. `p` is the chance of such a contrast where there is none, all points together; None
    where it was not tested. `is_exact` says that the models gave the same numbers for every seed, so that one training
    stands for all blocks; `seeds` is 1 then, and there is no interval.
    """

    point: Mapping[str, Any]
    searched: float
    confirmed: float | None
    interval: tuple[float, float] | None
    contrast: float | None
    contrast_interval: tuple[float, float] | None
    seeds: int
    verdict: str | None
    given_this_split: bool
    winners_curse: float | None
    p: float | None = None
    is_exact: bool = False


def confirm(
    best: Fresh, rest: Fresh | None, searched: float, *, points: int, given_this_split: bool, larger_is_better: bool
) -> Confirmation:
    """Judge one of so many best `points` by its fresh trainings.

    `larger_is_better` says which way a search promises too much: of a single model's error it is a smaller number.
    """
    found = estimate(best)
    beside = None if rest is None else contrast(found, estimate(rest))
    verdict = None if rest is None else "untested" if beside is None else "not confirmed"
    if beside is not None and beside.p <= ALPHA / points:
        verdict = "confirmed"
    promised = None if found.mean is None else searched - found.mean
    return Confirmation(
        point=best.claim.points[0],
        searched=searched,
        confirmed=found.mean,
        interval=None if best.is_exact else found.interval,
        contrast=None if beside is None else beside.mean,
        contrast_interval=None if beside is None else beside.interval,
        seeds=1 if best.is_exact else len(found.by_block),
        verdict=verdict,
        given_this_split=given_this_split,
        winners_curse=promised if promised is None or larger_is_better else -promised,
        p=None if beside is None else min(1.0, beside.p * points),
        is_exact=best.is_exact,
    )


@dataclass(frozen=True)
class Expected:
    """What a search expects of a claim: at points, on average over the claim, and how a training departs from it."""

    at: Callable[[Points], Array]
    over: float
    variance: float


def estimate(fresh: Fresh, expected: Expected | None = None) -> Estimate:
    """The estimate of one claim; where the search expects nothing the trainings stand for themselves."""
    numbers = list(fresh.signed)
    if expected is not None and numbers:
        known = expected.at(fresh.points).tolist()
        numbers = [number - at + expected.over for number, at in zip(numbers, known, strict=True)]
    direction = fresh.claim.direction or 1
    grouped: dict[int, list[float]] = {}
    for block, number in zip(fresh.blocks, numbers, strict=True):
        grouped.setdefault(block, []).append(direction * number)
    by_block = {block: statistics.fmean(those) for block, those in grouped.items()}
    return Estimate(fresh.claim, by_block, None if expected is None else expected.variance)


def contrast(claim: Estimate, rest: Estimate) -> Contrast | None:
    """The contrast of a claim with what it is compared with; None where fewer than `FEWEST` blocks gave both."""
    direction = (claim.claim.direction or 1) * (rest.claim.direction or 1)
    both = [
        (number, direction * rest.by_block[block]) for block, number in claim.by_block.items() if block in rest.by_block
    ]
    above = [number - other for number, other in both]
    interval = interval_of(above)
    if interval is None:
        return None
    p = max(chance_above_zero(above), chance_above_zero([number + other for number, other in both]))
    return Contrast(statistics.fmean(above), interval, p, len(both))


def interval_of(
    numbers: Sequence[float], variance: float | None = None, confidence: float = 0.95
) -> tuple[float, float] | None:
    """The t-interval of a mean over blocks; None for fewer than `FEWEST`. `variance` is as for `_error`."""
    if len(numbers) < FEWEST:
        return None
    from scipy.special import stdtrit

    error, freedom = _error(numbers, variance)
    half, mean = float(stdtrit(freedom, (1 + confidence) / 2)) * error, statistics.fmean(numbers)
    return mean - half, mean + half


def chance_above_zero(numbers: Sequence[float], variance: float | None = None) -> float:
    """How likely a mean over blocks as high is, were it not above 0: the one-sided t-test."""
    from scipy.special import stdtr

    (error, freedom), mean = _error(numbers, variance), statistics.fmean(numbers)
    if error == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stdtr(freedom, -mean / error))


def chance_not_zero(numbers: Sequence[float], variance: float | None = None) -> float:
    """How likely a mean over blocks as far from 0 is, were it 0: the two-sided t-test."""
    above, below = (chance_above_zero([sign * number for number in numbers], variance) for sign in (1, -1))
    return min(1.0, 2 * min(above, below))


def _error(numbers: Sequence[float], variance: float | None) -> tuple[float, int]:
    """The standard error of a mean, and its degrees of freedom.

    A `variance` that is known from elsewhere counts for `PRIOR` of them (the moderated t of Smyth, Linear models and
    empirical Bayes methods, 2004). So few numbers do not tell their own deviation well, least of all where they are
    skewed: a mean that lies too low then comes with a deviation that is too small.
    """
    count, own = len(numbers), Moments.of(numbers).deviation
    assert own is not None
    if variance is None or variance < sys.float_info.min:  # of the smallest numbers squares are lost
        return own / math.sqrt(count), count - 1
    freedom = count - 1 + PRIOR
    both = math.hypot(math.sqrt(count - 1) * own, math.sqrt(PRIOR * variance))
    return both / math.sqrt(freedom) / math.sqrt(count), freedom
