"""Whether and where two models differ, by the trainings of the search alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from comparator.evidence.chance import FEWEST_BLOCKS, differ, net, vary
from comparator.evidence.claims import FEWEST
from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.paired import Paired
from comparator.evidence.reading import FEWEST_INSIDE, Heights, Reading, read_regions
from comparator.evidence.regions import Evidence, Reason, Region, Verdict
from comparator.evidence.replicates import mean_interval
from comparator.evidence.surrogate import MOST
from comparator.space import ParameterSpace, Point

PLACES = 4096  # over which means of a region are taken


class BySearch:
    """What the search's own evaluations say."""

    def __init__(self, space: ParameterSpace, paired: Paired, noise: float | None, alpha: float, seed: int) -> None:
        self.space, self.paired, self.noise, self.alpha, self.seed = space, paired, noise, alpha, seed
        self._rng = np.random.default_rng(seed)
        self._coordinates = Coordinates(space)
        # A scan of all boxes takes time by evaluations times boxes, that of neighbours by their square.
        self._places = paired.places_of_some(MOST, seed)
        self._scanned = paired.some(MOST, seed)
        self._rows = self._coordinates.of(self._scanned.points)

    @cached_property
    def _net(self) -> Array:
        return net(self._coordinates, self._rows)

    @property
    def is_exact(self) -> bool:
        return self.noise == 0

    def p_differ(self, *, scans: bool = True) -> float | None:
        """Of the mean, and where it `scans` of each box of the net: skewed noise makes small ones stand out."""
        if not len(self.paired.points):
            return None
        if self.is_exact:
            return 0.0 if np.any(self.paired.differences != 0) else 1.0
        boxes = self._net if scans else np.zeros((0, len(self._rows)))
        return differ(self.paired, boxes, self._rng, self._places)

    def p_where(self, *, is_spread: bool) -> float | None:
        if self.is_exact:
            return 0.0 if np.ptp(self.paired.means) > 1e-9 * np.abs(self.paired.means).max() else 1.0
        return vary(self._scanned, self._coordinates, self._rows, self._net, self._rng, is_spread=is_spread)

    def evidence(self, level: float | None, resamples: int, failed: Sequence[Point], *, is_spread: bool) -> Evidence:
        """The verdict where nothing was trained anew."""
        p_differ = self.p_differ()
        overall = self._overall(is_spread=is_spread)
        if p_differ is None or p_differ > self.alpha:
            return self.answer("none", self.why_none(p_differ), overall, p_differ=p_differ)
        if len(self.paired.points) < FEWEST:
            return self.answer("everywhere", self.too_few(), overall, p_differ=p_differ)
        p_where = self.p_where(is_spread=is_spread)
        tests = {"p_differ": p_differ, "p_where": p_where}
        if p_where is None or p_where > self.alpha:
            return self.answer("everywhere", Reason("no place"), overall, **tests)
        reading = read_regions(self.space, self.paired, level=level, seed=self.seed, resamples=resamples, failed=failed)
        found = {**tests, **beside_parts(reading, self.paired)}
        regions = self._regions(reading) if reading.parts else ()
        if not regions:
            reason = Reason("no condition", reading.level, FEWEST_INSIDE)
            return self.answer("everywhere", reason, overall, **found)
        return self.answer("regions", Reason("somewhere more"), overall, regions=regions, **found)

    def too_few(self) -> Reason:
        return Reason("few points", len(self.paired.points), FEWEST)

    def why_none(self, p_differ: float | None) -> Reason:
        if not len(self.paired.points):
            return Reason("nothing given")
        if not np.any(self.paired.differences):
            return Reason("all the same")
        if p_differ is None:
            return Reason("few blocks", self.paired.block_count, FEWEST_BLOCKS)
        count = len(self.paired.differences)
        if 2 / 2**count > 0.05:
            return Reason("few pairs", count)
        return Reason("only seeds")

    def answer(
        self,
        verdict: Verdict,
        reason: Reason,
        overall: tuple[float | None, tuple[float, float] | None],
        **found: Any,
    ) -> Evidence:
        whole: dict[str, Any] = {"p_differ": None, "p_where": None, "level": None, "regions": (), **found}
        return Evidence(
            verdict=verdict,
            reason=reason,
            overall=overall[0],
            overall_interval=overall[1],
            noise=self.noise,
            points=len(self.paired.points),
            blocks=self.paired.block_count,
            **whole,
        )

    def _overall(self, *, is_spread: bool) -> tuple[float | None, tuple[float, float] | None]:
        """The mean over the points; its interval where they lie evenly: over blocks, else over the points of one."""
        means = self.paired.means if len(self.paired.points) else np.zeros(0)
        if not len(means):
            return None, None
        if not is_spread:
            return float(means.mean()), None
        units = self.paired.block_means if self.paired.block_count > 1 else means
        return float(means.mean()), mean_interval(units.tolist())

    def _regions(self, reading: Reading) -> tuple[Region, ...]:
        """The parts of a reading with the means of their points, the largest first."""
        means = self.paired.means
        inside = [np.array(part.box.contains(self.paired.points)) for part in reading.parts]
        elsewhere = ~np.any(inside, axis=0)
        dense = dense_sample(self.space, PLACES, self.seed)
        regions = []
        for part, held in zip(reading.parts, inside, strict=True):
            if held.all():  # a place is one beside others
                continue
            mean = part.direction * float(means[held].mean())
            outside = part.direction * float(means[elsewhere].mean()) if elsewhere.any() else None
            regions.append(
                Region(
                    bounds=part.box.bounds,
                    mean=mean,
                    interval=None,
                    outside=outside,
                    outside_interval=None,
                    contrast=None if outside is None else mean - outside,
                    contrast_interval=None,
                    p=None,
                    blocks=0,
                    evaluations=int(held.sum()),
                    larger=int(part.direction > 0),
                    share=float(np.mean(part.box.contains(dense))),
                    stability=part.stability,
                )
            )
        regions.sort(key=lambda region: -region.mean)
        return tuple(replace(region, number=number) for number, region in enumerate(regions, start=1))


def beside_parts(reading: Heights, paired: Paired) -> dict[str, Any]:
    """What a reading says beside its parts."""
    return {
        "level": reading.level,
        "failing": tuple(box.bounds for box in reading.failing),
        "components": reading.surrogate.components() if paired.block_count > 1 else None,
    }
