"""How many seeds a point is trained on before the search is told its value."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 4


@dataclass(frozen=True)
class Replication:
    """`first` seeds for every point, up to `most` where the search is about to believe it.

    With `most` above `first` a point races against the best one so far: while its mean is the better one it gets as
    many seeds again as it has. So seeds go where a lucky draw would mislead, and none to what is beaten already.
    `test/bench/replication.py` has what that wins.
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

    def further(self, mean: float, seeds: int, best_of_others: float | None) -> int:
        """How many seeds more a point needs that has so many, 0 where it has enough.

        `mean` is its own, `best_of_others` the smallest of the other points, None of none; smaller is better.
        """
        if best_of_others is not None and mean > best_of_others:
            return 0
        return max(0, min(seeds, self.most - seeds))
