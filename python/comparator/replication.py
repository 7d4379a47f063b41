"""How many seeds a point is trained on before the search is told its value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

MOST = 8
RIVALS = 1  # the best so far that a point is compared with
SEPARATED = 1.0  # standard errors


@dataclass(frozen=True)
class Replication:
    """`first` seeds for every point, up to `most` where the search is about to believe it.

    With `most` above `first` it is a race: while a point's mean is not clearly worse than that of the best point so
    far, nor clearly better, it gets more seeds, as many again as it has. So seeds go where a lucky draw would mislead,
    and few elsewhere.
    """

    first: int = 1
    most: int = 1

    @classmethod
    def of(cls, replicates: int | str) -> Replication:
        """What `[search] replicates` says: a number, or `adaptive`."""
        return cls(1, MOST) if isinstance(replicates, str) else cls(replicates, replicates)

    @property
    def is_adaptive(self) -> bool:
        return self.most > self.first

    def further(self, values: Sequence[float], others: Sequence[float], deviation: float | None) -> int:
        """How many seeds more a point needs, 0 where it has enough.

        `values` are its own, one a seed; `others` the means of the other points; smaller is better. `deviation` is
        that of a value from seed to seed, None where it is not known yet.
        """
        count = len(values)
        if not values or count >= self.most:
            return 0
        if others and deviation is not None:
            rival = sorted(others)[min(RIVALS, len(others)) - 1]
            if abs(fmean(values) - rival) > SEPARATED * deviation / math.sqrt(count):
                return 0
        return min(count, self.most - count)
