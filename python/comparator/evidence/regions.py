"""Under which conditions two models differ: from evaluations to a verdict and boxes.

1. Do they differ at all? Signs of the paired differences are flipped (`chance.differ`); if not, `none`.
2. Does the difference vary over the space? Contrasts of boxes, corrected for having been chosen (`chance.vary`); if
   not, `everywhere`.
3. Where? A surrogate is fitted to the signed differences. The cut is the size of its mean that parts the evaluations
   into the two groups that differ most, unless the user gives a level; the part of the space beyond it, of either
   sign, is covered with as few boxes as explain it (`cover`).
4. How sure is each box? The evaluations are drawn again, by point and with replacement, and 3 is done again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from comparator.evidence.boxes import Box
from comparator.evidence.chance import differ, net, vary
from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.cover import Cells, Lattice
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.replicates import mean_interval
from comparator.evidence.surrogate import Surrogate
from comparator.space import ParameterSpace

FEWEST = 8  # distinct points, with fewer there is no telling where
FEWEST_INSIDE = 3  # evaluations in a box
DENSE, DENSE_OF_MANY = 2048, 4096  # points of the dense sample, in up to three parameters and in more
RESAMPLES = 40
ALIKE = 0.5  # overlap of two boxes, the shared part of their union, above which they are one

Verdict = Literal["regions", "everywhere", "none"]


@dataclass(frozen=True)
class Region:
    """A box in which the models differ more than elsewhere.

    `mean` is the size of the mean signed difference of the `evaluations` distinct points inside, each counted once,
    `larger` the submodel whose metric is the larger there. `interval`, 95 %, is a t-interval over these points,
    shifted down by what a mean gains from its box having been chosen (Efron's optimism: the mean in the boxes of
    resampled evaluations, as these evaluations and as all have it), so that it need not hold `mean`. `outside`
    is the size of the mean outside all regions, None where nothing lies there; `stability` the share of resamples in
    which a box that overlaps by more than half was found.
    """

    bounds: Mapping[str, Any]
    mean: float
    interval: tuple[float, float]
    evaluations: int
    outside: float | None
    larger: int
    stability: float


@dataclass(frozen=True)
class Evidence:
    """What the evaluations prove.

    `reason` is a sentence for people. `p_differ` and `p_where` are the two tests' (None: not done), `level` the size
    of the difference beyond which a point counts as in a region, `overall` and `overall_interval` those of the
    signed difference over distinct points, `noise` the deviation of a replicate from its point's mean, None where
    no point has two.
    """

    verdict: Verdict
    reason: str
    p_differ: float | None
    p_where: float | None
    level: float | None
    regions: tuple[Region, ...]
    overall: float | None
    overall_interval: tuple[float, float] | None
    noise: float | None
    points: int

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON text."""
        return _plain({**asdict(self), "regions": [asdict(region) for region in self.regions]})


def find_evidence(
    space: ParameterSpace,
    observations: Sequence[Observation],
    *,
    level: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    noise: float | None = None,
    resamples: int = RESAMPLES,
) -> Evidence:
    """Say whether and where two models differ, from each point's signed differences, one for each replicate.

    `level` is the size of the difference that counts, by default the cut whose two sides differ most. `alpha` is
    the chance of finding a difference where there is none, and of finding regions where the difference is the same
    all over. `noise` is the deviation within a point where it is known from elsewhere; 0 says that the models do not
    depend on their seed, as do replicates that are all equal. Without `resamples` the boxes are the same, but no
    `stability` is known, and their intervals do not allow for their having been chosen: enough for a verdict.
    """
    paired = Paired.of(observations)
    found = _Question(space, paired, paired.deviation if noise is None else noise, np.random.default_rng(seed))
    p_differ = found.p_differ()
    if p_differ is None or p_differ > alpha:
        return found.answer("none", found.why_none(p_differ), p_differ)
    if len(paired.points) < FEWEST:
        reason = f"they differ; {len(paired.points)} points are too few to say where, which takes {FEWEST}"
        return found.answer("everywhere", reason, p_differ)
    p_where = found.p_where()
    if p_where > alpha:
        return found.answer("everywhere", "they differ, and about alike wherever it was tried", p_differ, p_where)
    height, regions = _Search(space, paired, level, seed).regions(resamples)
    if not regions:
        reason = (
            f"the difference varies, but no condition holds {FEWEST_INSIDE} evaluations where it exceeds {height:.3g}"
        )
        return found.answer("everywhere", reason, p_differ, p_where, height)
    return found.answer("regions", "they differ more under some conditions", p_differ, p_where, height, regions)


class _Question:
    """The two tests, and the answer in the form of `Evidence`."""

    def __init__(self, space: ParameterSpace, paired: Paired, noise: float | None, rng: np.random.Generator) -> None:
        self._paired, self._noise, self._rng = paired, noise, rng
        self._coordinates = Coordinates(space)
        self._rows = self._coordinates.of(paired.points)
        self._net = net(self._coordinates, self._rows) if len(paired.points) else np.zeros((0, 0))

    @property
    def _is_exact(self) -> bool:
        return self._noise == 0

    def p_differ(self) -> float | None:
        if not len(self._paired.points):
            return None
        if self._is_exact:
            return 0.0 if np.any(self._paired.differences != 0) else 1.0
        return differ(self._paired, self._net, self._rng)

    def p_where(self) -> float:
        if self._is_exact:
            return 0.0 if np.ptp(self._paired.means) > 1e-9 * np.abs(self._paired.means).max() else 1.0
        return vary(self._paired, self._coordinates, self._rows, self._net, self._rng)

    def why_none(self, p_differ: float | None) -> str:
        if p_differ is None:
            return "no evaluation has a difference"
        if not np.any(self._paired.differences):
            return "both models give the same everywhere"
        count = len(self._paired.differences)
        if 2 / 2**count > 0.05:
            return f"{count} {'pair' if count == 1 else 'pairs'} of trainings cannot show a difference"
        return "no difference beyond what seeds alone give"

    def answer(
        self,
        verdict: Verdict,
        reason: str,
        p_differ: float | None,
        p_where: float | None = None,
        level: float | None = None,
        regions: Sequence[Region] = (),
    ) -> Evidence:
        means = self._paired.means if len(self._paired.points) else np.zeros(0)
        return Evidence(
            verdict,
            reason,
            p_differ,
            p_where,
            level,
            tuple(regions),
            float(means.mean()) if len(means) else None,
            mean_interval(means.tolist()),
            self._noise,
            len(means),
        )


class _Search:
    """The search for boxes, once on all evaluations and again on those that are drawn from them."""

    def __init__(self, space: ParameterSpace, paired: Paired, level: float | None, seed: int) -> None:
        self._paired, self._level = paired, level
        self._means = paired.means
        self._surrogate = Surrogate.fit(space, paired.points, self._means, seed=seed, counts=paired.counts)
        coordinates = self._surrogate.coordinates
        dense = dense_sample(space, DENSE if len(coordinates.parameters) <= 3 else DENSE_OF_MANY, seed)
        self._lattice = Lattice(coordinates, dense)
        self._own = Lattice(coordinates, paired.points)
        self._resampled = _Resampled(self._surrogate, coordinates.of(dense))
        self._rng = np.random.default_rng(seed)

    def regions(self, resamples: int) -> tuple[float, list[Region]]:
        """The level and the regions beyond it, the largest mean first."""
        every = np.ones(len(self._means), dtype=int)
        level, boxes = self._boxes(every)
        boxes = [box for box in boxes if self._own.inside(box).sum() >= FEWEST_INSIDE]
        if not boxes:
            return level, []
        drawn = [self._drawn() for _ in range(resamples)]
        inside = np.array([self._own.inside(box) for box in boxes])
        elsewhere = ~inside.any(axis=0)
        outside = abs(float(self._means[elsewhere].mean())) if elsewhere.any() else None
        regions = [self._region(box, outside, drawn) for box in boxes]
        return level, sorted(regions, key=lambda region: -region.mean)

    def _boxes(self, counts: Array) -> tuple[float, list[Cells]]:
        """The level, and the boxes of either sign beyond it, of the evaluations each taken `counts` times."""
        mean, own = self._resampled.means(counts)
        level = self._level if self._level is not None else cut(np.abs(own), np.sign(own) * self._means, counts)
        boxes: list[Cells] = []
        for sign in (1, -1):
            boxes += self._lattice.cover(np.where(sign * mean > level, 1.0, -1.0))
        return level, boxes

    def _drawn(self) -> tuple[Array, list[Cells]]:
        count = len(self._means)
        counts = np.bincount(self._rng.integers(0, count, count), minlength=count)
        return counts, self._boxes(counts)[1]

    def _region(self, box: Cells, outside: float | None, drawn: Sequence[tuple[Array, list[Cells]]]) -> Region:
        inside = self._own.inside(box)
        numbers = self._means[inside]
        mean = float(numbers.mean())
        gains = []
        for counts, boxes in drawn:
            match = max(boxes, key=lambda other: self._overlap(box, other), default=None)
            if match is not None and self._overlap(box, match) > ALIKE:
                gains.append(self._optimism(match, counts, mean < 0))
        optimism = float(np.mean([gain for gain in gains if gain is not None] or [0.0]))
        low, high = mean_interval((-numbers if mean < 0 else numbers).tolist()) or (-math.inf, math.inf)
        return Region(
            self._lattice.box(box).bounds,
            abs(mean),
            (low - optimism, high - optimism),
            int(inside.sum()),
            outside,
            int(mean > 0),
            len(gains) / len(drawn) if drawn else 0.0,
        )

    def _overlap(self, one: Cells, other: Cells) -> float:
        return overlap(self._lattice.inside(one), self._lattice.inside(other))

    def _optimism(self, box: Cells, counts: Array, is_negative: bool) -> float | None:
        """By how much more the evaluations that a box was chosen by differ in it than all do."""
        inside = self._own.inside(box)
        taken = counts * inside
        if not taken.any():
            return None
        gain = float(np.average(self._means, weights=taken) - self._means[inside].mean())
        return -gain if is_negative else gain


class _Resampled:
    """The surrogate's mean where each observation is taken a number of times, with the same hyperparameters."""

    def __init__(self, surrogate: Surrogate, rows: Array) -> None:
        self._surrogate = surrogate
        self._across = surrogate.covariance(np.vstack([rows, surrogate.rows]))
        self._dense = len(rows)

    def means(self, counts: Array) -> tuple[Array, Array]:
        """The means at the dense sample, and at the observations' points."""
        taken = np.flatnonzero(counts)
        own = self._across[self._dense :][np.ix_(taken, taken)].copy()
        own[np.diag_indices_from(own)] += self._surrogate.variances[taken] / counts[taken]
        factor = cho_factor(own, lower=True)
        values = self._surrogate.values[taken]
        ones = cho_solve(factor, np.ones(len(taken)))
        middle = float(ones @ values) / float(ones.sum())
        mean = middle + self._across[:, taken] @ cho_solve(factor, values - middle)
        return mean[: self._dense], mean[self._dense :]


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


def words(region: Region, space: ParameterSpace) -> str:
    """A region in words; open sides are left unsaid.

    "noise above 34 and layer_force above 860: mean difference 0.61 [0.52, 0.70], 23 evaluations; elsewhere 0.18"
    """
    low, high = region.interval
    elsewhere = "" if region.outside is None else f"; elsewhere {region.outside:.2f}"
    return (
        f"{Box.from_bounds(space, region.bounds, 'region').words()}: mean difference {region.mean:.2f}"
        f" [{low:.2f}, {high:.2f}], {region.evaluations} evaluations{elsewhere}"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
