"""What `points` says of a record, kept while the record grows: each evaluation is looked at once."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence

from comparator.results.points import key_of
from comparator.results.record import AFTERWARDS, CONFIRM, FULL, Evaluation


class Tally:
    """The counts and the best of the evaluations that it has taken, as the functions of `points` have them.

    `latest` are the last `keep` evaluations of pilot and search, `doubled` those that have several lines.
    """

    def __init__(self, keep: int = 0) -> None:
        self._keep = keep
        self._begin()

    def _begin(self) -> None:
        self.done = self.failed = self.confirming = 0
        self.latest: deque[Evaluation] = deque(maxlen=self._keep)
        self.doubled: set[int] = set()
        self._numbers: set[int] = set()
        self._taken = 0
        self._untold: set[tuple[bool, str, int]] = (
            set()
        )  # replicates of evaluations that do not say what they asked for
        self._searched, self._full = _Best(), _Best()

    @property
    def best(self) -> Evaluation | None:
        """The first of `points.best_of`; None while nothing has a value."""
        return self._full.first or self._searched.first

    def take(self, records: Sequence[Evaluation]) -> Tally:
        """Take the evaluations of a record that were not there when it was taken last; of a shorter one all, anew."""
        if len(records) < self._taken:
            self._begin()
        for record in records[self._taken :]:
            self._add(record)
        self._taken = len(records)
        return self

    def _add(self, record: Evaluation) -> None:
        if record.evaluation in self._numbers:
            self.doubled.add(record.evaluation)
        self._numbers.add(record.evaluation)
        self.failed += record.status != "ok"
        if record.stage not in AFTERWARDS:
            self.done += self._pairs(record)
            self.latest.append(record)
            self._searched.take(record)
        elif record.stage == FULL:
            self._full.take(record)
        elif record.stage == CONFIRM:
            self.confirming += self._pairs(record)

    def _pairs(self, record: Evaluation) -> int:
        if record.asked is not None:
            return len(record.asked)
        confirms = record.stage == CONFIRM
        asked = {(confirms, key_of(record.point), run.replicate) for run in record.runs} - self._untold
        self._untold |= asked
        return len(asked)


class _Best:
    """The point of the smallest value, where the latest evaluation of a point has its value."""

    def __init__(self) -> None:
        self._order: dict[str, int] = {}
        self._latest: dict[str, Evaluation] = {}
        self._heap: list[tuple[float, int, int, str]] = []  # what a later evaluation has made untrue goes at the top

    def take(self, record: Evaluation) -> None:
        if record.status != "ok":
            return
        key = key_of(record.point)
        order = self._order.setdefault(key, len(self._order))
        self._latest[key] = record
        heapq.heappush(self._heap, (record.value or 0.0, order, record.evaluation, key))

    @property
    def first(self) -> Evaluation | None:
        while self._heap:
            _, _, number, key = self._heap[0]
            if self._latest[key].evaluation == number:
                return self._latest[key]
            heapq.heappop(self._heap)
        return None
