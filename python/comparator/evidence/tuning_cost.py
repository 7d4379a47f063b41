"""What settings cost that were tuned elsewhere: paired by data split, with intervals that hold all together.

The splits must have chosen none of the settings that are compared on them. Then which settings are compared is no
matter of luck there, and the only correction that is needed is for how many numbers are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from comparator.evidence.replicates import mean_interval

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Cost:
    """A mean over splits, positive where it is a cost, and its interval; None where there are fewer than two splits.

    `same` says that both settings are one, so that there is nothing to estimate.
    """

    mean: float | None
    interval: tuple[float, float] | None = None
    pairs: int = 0
    same: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def paired_costs(used: Sequence[float | None], best: Sequence[float | None], *, relative: bool) -> list[float]:
    """How much worse `used` is than `best` on each split that has both: two values that are the smaller the better.

    Relative costs are logarithms of ratios, which lie as often above zero as below where the two are alike; all values
    are above zero then. Others are differences.
    """
    both = [(one, other) for one, other in zip(used, best, strict=True) if one is not None and other is not None]
    return [math.log(one / other) if relative else one - other for one, other in both]


def costs(samples: Mapping[Key, Sequence[float] | None], confidence: float = 0.95) -> dict[Key, Cost]:
    """The cost of each sample, with t-intervals that hold all at once with `confidence` (Bonferroni).

    A sample that is None stands for settings that are one: nothing is looked at there.
    """
    looked_at = sum(sample is not None and len(sample) > 1 for sample in samples.values())
    each = 1 - (1 - confidence) / max(1, looked_at)
    return {key: _cost(sample, each) for key, sample in samples.items()}


def _cost(sample: Sequence[float] | None, confidence: float) -> Cost:
    if sample is None:
        return Cost(0.0, same=True)
    if not sample:
        return Cost(None)
    return Cost(fmean(sample), mean_interval(sample, confidence), len(sample))
