"""How long trainings take, by those that are recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from statistics import fmean

from comparator.results.frozen import FirstEpochs
from comparator.results.record import Evaluation

LATEST = 100  # of so many evaluations the longest run tells how long the next may take


class Durations:
    """How long the trainings of a record took, which `records` gives, and so how long the next may take.

    Where a search began with fewer epochs, `first`, a full training takes longer as it has more of them.
    """

    def __init__(self, records: Callable[[], Sequence[Evaluation]], first: FirstEpochs | None) -> None:
        self._records, self._first = records, first
        self._longest, self._longest_in_full = Latest(LATEST), Latest(LATEST)  # seconds
        self._taken = 0  # records, into these

    @property
    def usual_seconds(self) -> float | None:
        """How long a training takes, the mean of the latest; None before there is one.

        Not their median: of those that fail at once, or are found in the store, most may be, and the others take long.
        """
        records = self._records()
        return fmean(map(_longest, records[-LATEST:])) if records else None

    def expected(self, *, is_short: bool) -> float | None:
        """How long a replicate may take, in seconds; `is_short` of a training with fewer epochs."""
        records = self._records()
        for line in records[self._taken :]:
            self._longest.add(_longest(line))
            self._longest_in_full.add(_longest(line) * self._times_longer(line))
        self._taken = len(records)
        return (self._longest if is_short else self._longest_in_full).largest

    def _times_longer(self, line: Evaluation) -> float:
        """How many times the epochs of a recorded training a full one has."""
        return self._first.full / self._first.epochs if self._first and line.epochs else 1.0


def _longest(record: Evaluation) -> float:
    return max((part.seconds for part in record.asked or ()), default=record.seconds or 0.0)


class Latest:
    """The largest of the latest `count` numbers, None of none."""

    def __init__(self, count: int) -> None:
        self._count, self._added = count, 0
        self._falling: deque[tuple[int, float]] = deque()  # none is followed by one as large

    def add(self, number: float) -> None:
        while self._falling and self._falling[-1][1] <= number:
            self._falling.pop()
        self._falling.append((self._added, number))
        self._added += 1
        if self._falling[0][0] < self._added - self._count:
            self._falling.popleft()

    @property
    def largest(self) -> float | None:
        return self._falling[0][1] if self._falling else None
