"""What a few runs before a search say of it: how much seeds change, how long it takes, how small a thing it can see."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comparator.evidence.power import point_seen
from comparator.evidence.replicates import pooled_deviation

#: With which a true deviation stays below what is assumed of it.
SURE = 0.8


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
        """The difference that one of `points` points, of `seeds` seeds each, shows (`power.point_seen`)."""
        return None if self.deviation is None else point_seen(self.deviation, points, seeds)

    @property
    def in_its_own_unit(self) -> Pilot:
        """The same in units of its own deviation, where there is one."""
        if not self.deviation:
            return self
        return replace(self, deviation=1.0, between=self.between and self.between / self.deviation)

    @property
    def doubt(self) -> float:
        """How many times the measured deviation the true one stays below with a chance of `SURE`.

        (Browne, On the use of a pilot sample for sample size determination, 1995.)
        """
        from scipy.special import gammaincinv  # of the chi-squared distribution; scipy.stats takes a second to import

        freedom = max(1, self.pairs - self.points)
        return math.sqrt(freedom / (2 * float(gammaincinv(freedom / 2, 1 - SURE))))


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
