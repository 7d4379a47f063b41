"""Whether what a search found holds on seeds, and splits, that it never saw.

The best of many noisy results is partly luck: told again, it is smaller. So the best distinct points are trained anew
and judged by these runs alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.evidence.replicates import mean_interval

Point = Mapping[str, Any]

NEAR = 0.1  # of the range of every parameter: nearer points are one finding


@dataclass(frozen=True)
class Retest:
    """A point that was found, and what fresh runs gave there.

    `searched` is the difference that the search reported (of a single model: the metric). `direction` is +1 or -1, the
    sign of the signed difference in the search, 0 for a single model. `signed` are the signed differences of
    the fresh runs, one a seed; `splits` counts the fresh data splits among them.
    """

    point: Point
    searched: float
    direction: int
    signed: Sequence[float]
    splits: int = 0


@dataclass(frozen=True)
class Confirmation:
    """What became of a finding.

    `confirmed` is the mean of the fresh signed differences in the direction that the search saw, so negative where it
    turned round; `interval` contains it with 95 % chance for all points together (t-intervals, Bonferroni's correction
    for the number of points looked at). `verdict` is `confirmed` where the interval lies above 0, that is, where the
    models differ at this point in this direction, else `not confirmed`, and `untested` where fewer than two fresh seeds
    gave a result, so that there is no interval; None for a single model. `given_this_split`
    says that every run had the search's own data split. `winners_curse` is how much the search promised too much.
    """

    point: Point
    searched: float
    confirmed: float | None
    interval: tuple[float, float] | None
    seeds: int
    splits: int
    verdict: str | None
    given_this_split: bool
    winners_curse: float | None


def distinct_best(
    found: Iterable[tuple[Point, float]], count: int, distance: Callable[[Point, Point], float]
) -> list[Point]:
    """The up to `count` points of the smallest values of which no two are within `NEAR` of each other."""
    chosen: list[Point] = []
    for point, _ in sorted(found, key=lambda each: each[1]):
        if len(chosen) == count:
            break
        if all(distance(point, other) > NEAR for other in chosen):
            chosen.append(point)
    return chosen


def confirm(retests: Sequence[Retest], *, alpha: float = 0.05, larger_is_better: bool = True) -> list[Confirmation]:
    """Judge findings by their fresh runs, all together at level `alpha`.

    `larger_is_better` says which way a search promises too much: of a single model's error it is a smaller number.
    """
    return [_judged(each, alpha / len(retests), larger_is_better) for each in retests]


def interval_over_seeds(retests: Sequence[Retest], confidence: float = 0.95) -> tuple[float, float] | None:
    """The t-interval of the mean difference, in the directions that the search saw, over all findings together.

    Its units are the seeds: each gives one number, the mean over the findings. So what a seed does to all points alike
    is part of the noise. Findings that lack a seed are left out; None for fewer than two seeds.
    """
    most = max((len(each.signed) for each in retests), default=0)
    whole = [[number * (each.direction or 1) for number in each.signed] for each in retests if len(each.signed) == most]
    return mean_interval([statistics.fmean(of_seed) for of_seed in zip(*whole, strict=True)], confidence)


def _judged(retest: Retest, alpha: float, larger_is_better: bool) -> Confirmation:
    turned = [number * (retest.direction or 1) for number in retest.signed]
    mean = statistics.fmean(turned) if turned else None
    interval = mean_interval(turned, 1 - alpha)
    promised = None if mean is None else retest.searched - mean
    verdict = "untested" if interval is None else "confirmed" if interval[0] > 0 else "not confirmed"
    return Confirmation(
        point=retest.point,
        searched=retest.searched,
        confirmed=mean,
        interval=interval,
        seeds=len(turned),
        splits=retest.splits,
        verdict=verdict if retest.direction else None,
        given_this_split=retest.splits == 0,
        winners_curse=promised if promised is None or larger_is_better else -promised,
    )
