"""What a few runs before a search say of it: how much seeds change, how long it takes, how small a thing it can see."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from comparator.evidence.replicates import pooled_deviation

BELIEVED = 0.95


@dataclass(frozen=True)
class Pilot:
    """The measurements of a pilot.

    `deviation` is that of the signed difference (of a single model: the metric) from seed to seed, pooled within
    points; `between` the deviation of the points' means; None where too few runs succeeded. `seconds` is the mean wall
    time of a pair that was trained. `pairs` counts the pilot's own, failed ones too. `is_deterministic` says that seeds
    changed nothing at two points or more.
    """

    points: int
    pairs: int
    deviation: float | None
    between: float | None
    seconds: float | None
    is_deterministic: bool

    def visible(self, points: int, seeds: int = 1) -> float | None:
        """The difference that one of `points` points, of `seeds` seeds each, shows above the luck of all of them.

        That is the height that the largest of so many Gaussian means stays under with 95 % chance.
        """
        if self.deviation is None:
            return None
        return self.deviation / math.sqrt(seeds) * NormalDist().inv_cdf(BELIEVED ** (1 / max(points, 1)))

    def words(self, pairs: int | None, seeds: int, workers: int) -> str:
        """What a search with `pairs` pairs left, `seeds` seeds a point, on `workers` workers can see, for people."""
        if self.deviation is None:
            return f"pilot: {self.pairs} pairs gave too few results to say how much seeds change"
        if self.deviation == 0:
            once = "; every point is trained once" if self.is_deterministic else ""
            return f"pilot: seeds change nothing{once}"
        spread = f"pilot: deviation {self.deviation:.2g} from seed to seed"
        if self.between is not None:
            spread += f", {self.between:.2g} between {self.points} points"
        if pairs is None:
            return spread
        points, more = max(1, pairs // seeds), 4 * seeds
        return (
            f"{spread}; differences under {self.visible(points, seeds):.2g} between points are invisible"
            f" with {pairs} pairs{self._time(pairs, workers)};"
            f" {more} seeds a point see {self.visible(points, more):.2g}{self._time(points * more, workers)}"
        )

    def _time(self, pairs: int, workers: int) -> str:
        if self.seconds is None:
            return ""
        seconds = self.seconds * pairs / max(workers, 1)
        return f" in {_duration(seconds)}"


def measure_pilot(groups: Sequence[Sequence[float]], seconds: Sequence[float], pairs: int) -> Pilot:
    """Measure a pilot: for each of its points the signed differences, one a seed; the wall times of its pairs."""
    several = sum(len(group) > 1 for group in groups)
    deviation = pooled_deviation(groups)
    means = [statistics.fmean(group) for group in groups if group]
    return Pilot(
        points=len(groups),
        pairs=pairs,
        deviation=deviation,
        between=statistics.stdev(means) if len(means) > 1 else None,
        seconds=statistics.fmean(seconds) if seconds else None,
        is_deterministic=deviation == 0 and several > 1,
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
