"""Where a difference is large, read off evaluations: a level, and the few boxes in which the surrogate lies beyond it.

The level is the size of the surrogate's mean that parts the evaluations into the two groups that differ most, unless
the user gives one. The part of the space beyond it, of either sign, is covered with as few boxes as explain it
(`cover`); the evaluations are then drawn again, by point and with replacement, and the same is done again. A place is
beyond the level where it is likelier than not: by the mean of the probability that the surrogate gives it and the share
of the drawn that have it in a box, and by a sample of step functions (`steps`), each believed as it foretells the
evaluations. The surrogate knows differences that change little by little, steps those that begin and end at sides. What
is beyond is covered with boxes once more, and how often each came back is its stability.

No place is beyond the level where trainings are likely to fail, or where nothing was tried near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from comparator.evidence.coordinates import Array, dense_sample
from comparator.evidence.cover import Cells, Lattice
from comparator.evidence.paired import Paired
from comparator.evidence.steps import Steps, share
from comparator.evidence.surrogate import MOST, Points, Success, Surrogate, fit_differences, fit_success
from comparator.space import ParameterSpace, Point
from comparator.space.boxes import Box

FEWEST_INSIDE = 3  # evaluated points in a box
DENSE, DENSE_OF_MANY = 2048, 4096  # points of the dense sample, in up to three parameters and in more
RESAMPLES = 40
ALIKE = 0.5  # overlap of two boxes, the shared part of their union, above which they are one
LIKELY = 0.5  # probability of success below which a place is one where trainings fail
UNTESTED = 0.9  # of the surrogate's variance: what is left of it where nothing was tried near
FORBIDDEN = -5.0  # weight of a place where trainings fail; of one that is surely not beyond the level it is -1
FOLDS = 5  # in which it is tried whether failures can be foretold
SMALL = 1e-12  # of the largest difference: no deviation is taken for less
CHANCE = 0.01  # that they seem to be where they cannot


@dataclass(frozen=True)
class Part:
    """A box beyond the level: `direction` is the sign of the difference there, `stability` how often it came back.

    `share` is that of the space which it takes.
    """

    box: Box
    direction: int
    stability: float
    share: float


@dataclass(frozen=True)
class ReadPlaces:
    """Points that fill the space evenly and what was read at each.

    `direction` is the sign of the difference that is beyond the level there, 0 where none is; `fails` says that a
    training is more likely to fail than not, `is_untested` that nothing was tried near.
    """

    points: tuple[Point, ...]
    direction: Array
    fails: Array
    is_untested: Array


@dataclass(frozen=True)
class Heights:
    """The surrogate of the signed difference, the level, and the boxes in which trainings fail together."""

    surrogate: Surrogate
    level: float
    failing: tuple[Box, ...]


@dataclass(frozen=True)
class Reading(Heights):
    """What was read: beside the heights the parts of the space beyond the level, and `places` the same by place."""

    parts: tuple[Part, ...]
    places: ReadPlaces


def read_regions(
    space: ParameterSpace,
    paired: Paired,
    *,
    level: float | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    failed: Sequence[Point] = (),
) -> Reading:
    """Read where the difference is beyond `level`, by default the cut whose two sides differ most.

    A part holds `FEWEST_INSIDE` evaluated points or more. Without `resamples` the boxes of all evaluations take the
    place of those of the drawn, and no stability is known (0). `failed` are the points at which trainings failed.
    Of more than `MOST` trainings it rests on so many, drawn evenly at random.
    """
    return _Reader(space, paired, level, failed, seed).read(resamples)


def read_heights(
    space: ParameterSpace,
    paired: Paired,
    *,
    level: float | None = None,
    seed: int = 0,
    failed: Sequence[Point] = (),
) -> Heights:
    """Read what `read_regions` does without the parts, which take most of its time; of as many trainings."""
    return _Reader(space, paired, level, failed, seed).heights()


def _some(points: Points, count: int, seed: int) -> Points:
    """`count` of the points, drawn evenly at random; all where they are no more."""
    if len(points) <= count:
        return points
    kept = np.random.default_rng(seed).permutation(len(points))[:count]
    return [points[place] for place in np.sort(kept)]


class _Reader:
    """The search for boxes, once on all evaluations and again on those that are drawn from them.

    Of many it is `MOST` differences; where trainings fail is learnt from the same share of points with and without one.
    """

    def __init__(
        self, space: ParameterSpace, paired: Paired, level: float | None, failed: Sequence[Point], seed: int
    ) -> None:
        share = min(1.0, MOST / max(len(paired.points) + len(failed), 1))
        self._succeeded = _some(paired.points, int(share * len(paired.points)), seed)
        self._failed = _some(failed, int(share * len(failed)), seed)
        paired = paired.some(MOST, seed)
        self._paired, self._level, self._seed = paired, level, seed
        self._means = paired.means
        self._surrogate = fit_differences(space, paired, seed)
        coordinates = self._surrogate.coordinates
        self._dense = dense_sample(space, DENSE if len(coordinates.parameters) <= 3 else DENSE_OF_MANY, seed)
        self._lattice = Lattice(coordinates, self._dense)
        self._own = Lattice(coordinates, paired.points)
        self._across = self._surrogate.covariance(coordinates.of([*self._dense, *paired.points]))
        self._success = fit_success(space, self._succeeded, self._failed, seed).at(self._dense)
        self._rng = np.random.default_rng(seed)

    def heights(self) -> Heights:
        level, _ = self._level_and_mean(np.ones(len(self._means), dtype=int))
        return Heights(self._surrogate, level, self._failing())

    def read(self, resamples: int) -> Reading:
        steps = Steps(self._surrogate.coordinates, self._seed)
        without_luck = self._surrogate.without_luck()
        steps.learn(self._paired.point_of_each, without_luck.values)
        steps.settle()
        believed = share(without_luck, steps)
        level, boxes = self._boxes(np.ones(len(self._means), dtype=int))
        drawn = [self._drawn() for _ in range(resamples)]
        mean, deviation = self._surrogate.predict(self._dense)
        heights, spreads = steps.heights(self._dense)
        least = SMALL * (float(np.abs(self._means).max()) or 1.0)
        fails = self._success < LIKELY
        is_untested = deviation**2 > UNTESTED * self._surrogate.hyperparameters.signal
        direction = np.zeros(len(mean), dtype=int)
        parts: list[Part] = []
        for sign in (1, -1):
            beyond = ndtr((sign * mean - level) / np.maximum(deviation, least))
            smooth = (beyond + np.mean([self._held(each, sign) for each in drawn or [boxes]], axis=0)) / 2
            stepped = ndtr((sign * heights - level) / np.maximum(spreads, least)).mean(axis=0)
            score = believed * stepped + (1 - believed) * smooth
            score[fails | is_untested] = 0.0
            direction[score > 0.5] = sign
            found = self._lattice.cover(np.where(fails, FORBIDDEN, 2 * score - 1))
            parts += [self._part(box, sign, drawn) for box in found if self._own.inside(box).sum() >= FEWEST_INSIDE]
        places = ReadPlaces(tuple(self._dense), direction, fails, is_untested)
        return Reading(self._surrogate, level, self._failing(), tuple(parts), places)

    def _part(self, box: Cells, sign: int, drawn: Sequence[list[tuple[Cells, int]]]) -> Part:
        share = float(self._lattice.inside(box).mean())
        return Part(self._lattice.box(box), sign, self._stability(box, drawn), share)

    def _boxes(self, counts: Array) -> tuple[float, list[tuple[Cells, int]]]:
        """The level, and the boxes of either sign beyond it, of the evaluations each taken `counts` times."""
        level, mean = self._level_and_mean(counts)
        boxes: list[tuple[Cells, int]] = []
        for sign in (1, -1):
            boxes += [(box, sign) for box in self._lattice.cover(np.where(sign * mean > level, 1.0, -1.0))]
        return level, boxes

    def _level_and_mean(self, counts: Array) -> tuple[float, Array]:
        """The level and the surrogate's mean at each place, of the evaluations each taken `counts` times."""
        taken = np.repeat(counts, self._paired.counts)
        means = self._surrogate.taken(taken).mean_of(self._across[:, np.flatnonzero(taken)])
        mean, own = means[: len(self._dense)], means[len(self._dense) :]
        level = self._level if self._level is not None else cut(np.abs(own), np.sign(own) * self._means, counts)
        return level, mean

    def _drawn(self) -> list[tuple[Cells, int]]:
        count = len(self._means)
        return self._boxes(np.bincount(self._rng.integers(0, count, count), minlength=count))[1]

    def _held(self, boxes: Sequence[tuple[Cells, int]], sign: int) -> Array:
        """Which places lie in a box of this sign."""
        held = np.zeros(len(self._dense), dtype=bool)
        for box, direction in boxes:
            if direction == sign:
                held |= self._lattice.inside(box)
        return held

    def _stability(self, box: Cells, drawn: Sequence[list[tuple[Cells, int]]]) -> float:
        found = [any(self._overlap(box, other) > ALIKE for other, _ in boxes) for boxes in drawn]
        return float(np.mean(found)) if found else 0.0

    def _overlap(self, one: Cells, other: Cells) -> float:
        return overlap(self._lattice.inside(one), self._lattice.inside(other))

    def _failing(self) -> tuple[Box, ...]:
        """The boxes in which trainings fail, if failures can be foretold; most of a box's trainings failed."""
        failures, successes = (Lattice(self._own.coordinates, each) for each in (self._failed, self._succeeded))
        boxes = []
        for box in self._lattice.cover(LIKELY - self._success):
            failed = failures.inside(box).sum()
            if failed >= FEWEST_INSIDE and failed > successes.inside(box).sum():
                boxes.append(self._lattice.box(box))
        return tuple(boxes) if boxes and self._can_be_foretold() else ()

    def _can_be_foretold(self) -> bool:
        """Whether failures are where those of the other folds let expect them: a rank test of what these foretell."""
        from scipy.stats import mannwhitneyu  # a second's import, only where trainings failed

        points = [*self._succeeded, *self._failed]
        succeeds = np.arange(len(points)) < len(self._succeeded)
        folds = self._rng.permutation(len(points)) % FOLDS
        foretold = np.zeros(len(points))
        for fold in range(FOLDS):
            known = folds != fold
            succeeded, failed = (
                [points[place] for place in np.flatnonzero(known & kind)] for kind in (succeeds, ~succeeds)
            )
            learnt = Success.fit(self._own.coordinates.space, succeeded, failed, self._seed)
            foretold[~known] = learnt.at([points[place] for place in np.flatnonzero(~known)])
        return bool(mannwhitneyu(foretold[~succeeds], foretold[succeeds], alternative="less").pvalue <= CHANCE)


def cut(heights: Array, values: Array, counts: Array | None = None) -> float:
    """The height that parts the observations into the two groups whose values differ most.

    `heights` is the size of the surrogate's mean at each observation, `values` are the observations with the sign that
    the surrogate's mean has there, each taken `counts` times (default once). A group has at least two, where there
    are four. Most: with the largest sum of squares between the groups.
    """
    taken = np.ones(len(heights)) if counts is None else np.asarray(counts, dtype=float)
    order = np.argsort(heights, kind="stable")
    order = order[taken[order] > 0]
    ascending, weights = heights[order], taken[order]
    sums, held = np.cumsum(weights * values[order]), np.cumsum(weights)
    below, above = held[:-1], held[-1] - held[:-1]
    fewest = min(2.0, held[-1] / 2)
    between = below * above * ((sums[-1] - sums[:-1]) / above - sums[:-1] / below) ** 2
    between[(below < fewest) | (above < fewest)] = -1.0
    place = int(np.argmax(between)) if len(between) else 0
    return float(ascending[place : place + 2].mean())


def overlap(one: Array, other: Array) -> float:
    """The shared part of the union of two sets, 0 where both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0
