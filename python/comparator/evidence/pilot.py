"""What a few runs before a search say of it: how much seeds change, how long it takes, how small a thing it can see."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comparator.evidence.power import MOST_BLOCKS, blocks_for, contrast_seen, point_seen, seeds_for
from comparator.evidence.replicates import pooled_deviation
from comparator.objective.amounts import PLAIN, Measure

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

    def words(
        self,
        pairs: int | None,
        seeds: int,
        workers: int,
        *,
        blocks: int | None = None,
        smallest: float | None = None,
        measure: Measure = PLAIN,
        trained: str = "pairs",
    ) -> str:
        """What a search with `pairs` pairs left, `seeds` seeds a point, on `workers` workers can see, for people.

        `blocks` are the fresh ones on which regions are confirmed, None where none are; `smallest` is the size of
        difference that matters; `measure` puts them into words, of so many that are
        `trained`: pairs, or trainings of a single model.
        """
        if self.deviation is None:
            return f"pilot: {self.pairs} {trained} gave too few results to say how much seeds change"
        if self.deviation == 0:
            once = "; every point is trained once" if self.is_deterministic else ""
            return f"pilot: seeds change nothing{once}"
        spread = f"pilot: deviation {measure.amount(self.deviation, 2)} from training to training"
        if self.between is not None:
            spread += f", {measure.amount(self.between, 2)} between {self.points} points"
        assumed = self.deviation * self._doubt
        spread += f"; so few {trained} tell it badly, and {measure.amount(assumed, 2)} is assumed"
        points = None if pairs is None else max(1, pairs // seeds)
        sees, takes = [], []
        if blocks is not None:
            contrast = measure.apart(contrast_seen(assumed, blocks))
            sees.append(f"{contrast} between regions ({blocks} fresh blocks)")
            takes += [] if smallest is None else [f"{_at_most(blocks_for(smallest, assumed))} blocks for regions"]
        if points is not None:
            seen, time = point_seen(assumed, points, seeds), self._time(points * seeds, workers)
            sees.append(f"{measure.amount(seen, 2)} at a point ({pairs} {trained}{time})")
            takes += [] if smallest is None else [f"{seeds_for(smallest, assumed, points):,} seeds for a point"]
        said = [spread]
        if sees:
            said.append(f"this budget sees {', '.join(sees)}")
        if takes:
            said.append(f"a difference of {measure.amount(smallest)} takes {', '.join(takes)}")
        elif points is not None:
            more, time = 4 * seeds, self._time(4 * points * seeds, workers)
            said.append(f"{more} seeds a point see {measure.amount(point_seen(assumed, points, more), 2)}{time}")
        return "; ".join(said)

    @property
    def _doubt(self) -> float:
        """How many times the measured deviation the true one stays below with a chance of `SURE`.

        (Browne, On the use of a pilot sample for sample size determination, 1995.)
        """
        from scipy.special import gammaincinv  # of the chi-squared distribution; scipy.stats takes a second to import

        freedom = max(1, self.pairs - self.points)
        return math.sqrt(freedom / (2 * float(gammaincinv(freedom / 2, 1 - SURE))))

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


def _at_most(blocks: int | None) -> str:
    return f"over {MOST_BLOCKS:,}" if blocks is None else f"{blocks:,}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        whole = round(max(seconds, 1))
        return "a second" if whole == 1 else f"{whole} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
