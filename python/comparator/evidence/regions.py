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

from comparator.evidence.boxes import Box
from comparator.evidence.chance import differ, net, vary
from comparator.evidence.coordinates import Coordinates
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.reading import FEWEST_INSIDE, RESAMPLES, Reading, read_regions
from comparator.evidence.replicates import mean_interval
from comparator.space import ParameterSpace

FEWEST = 8  # distinct points, with fewer there is no telling where

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
    observations: Sequence[Observation | tuple[Mapping[str, Any], Sequence[float]]],
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
    reading = read_regions(space, paired, level=level, seed=seed, resamples=resamples)
    if not reading.parts:
        reason = (
            f"the difference varies, but no condition holds {FEWEST_INSIDE} evaluations where it exceeds"
            f" {reading.level:.3g}"
        )
        return found.answer("everywhere", reason, p_differ, p_where, reading.level)
    regions = _regions(reading, paired)
    return found.answer("regions", "they differ more under some conditions", p_differ, p_where, reading.level, regions)


def _regions(reading: Reading, paired: Paired) -> list[Region]:
    """The parts of a reading with their numbers, the largest mean first."""
    inside = [np.array(part.box.contains(paired.points)) for part in reading.parts]
    elsewhere = ~np.any(inside, axis=0)
    outside = abs(float(paired.means[elsewhere].mean())) if elsewhere.any() else None
    regions = []
    for part, held in zip(reading.parts, inside, strict=True):
        numbers = part.direction * paired.means[held]
        interval = mean_interval(numbers.tolist()) or (-math.inf, math.inf)
        mean, larger = abs(float(numbers.mean())), int(part.direction > 0)
        regions.append(Region(part.box.bounds, mean, interval, int(held.sum()), outside, larger, part.stability))
    return sorted(regions, key=lambda region: -region.mean)


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
