"""How much there is of a record: pairs that are done, points, failures. Everything that counts asks here.

A record that grows is counted by a `Tally`, which looks at each evaluation once; the functions count one that is whole.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comparator.results.frozen import Claim
from comparator.results.points import is_settled_by, searched
from comparator.results.record import AFTERWARDS, CONFIRM, FULL, Evaluation


@dataclass(frozen=True)
class Counts:
    """How many there are.

    `done` are the pairs (single runs for a single model) of the budget that were asked for and have come to their end;
    `in_full` and `confirming` those beside it, by stage. `points` are the distinct points of pilot and search,
    `without_value` those of them none of whose evaluations has a value. `failed` are evaluations, of any stage, that
    have none, `lost` the pairs, of any stage, that gave no result: an evaluation may have asked for several.
    """

    done: int
    in_full: int
    confirming: int
    points: int
    without_value: int
    failed: int
    lost: int


class Tally:
    """The counts and the best of the evaluations that it has taken.

    `latest` are the last `keep` evaluations of pilot and search, `doubled` those that have several lines.
    """

    def __init__(self, keep: int = 0) -> None:
        self._keep = keep
        self._begin()

    def _begin(self) -> None:
        self.latest: deque[Evaluation] = deque(maxlen=self._keep)
        self._taken = self._failed = self._lost = 0
        self._numbers = _Numbers()
        self._pairs, self._pairs_in_full, self._pairs_anew = _Pairs(), _Pairs(), _Pairs()
        self._points: set[str] = set()
        self._searched, self._full = _Best(), _Best()

    @property
    def counts(self) -> Counts:
        return Counts(
            done=self._pairs.number,
            in_full=self._pairs_in_full.number,
            confirming=self._pairs_anew.number,
            points=len(self._points),
            without_value=len(self._points) - self._searched.points,
            failed=self._failed,
            lost=self._lost,
        )

    @property
    def doubled(self) -> set[int]:
        return self._numbers.doubled

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
        self._numbers.add(record)
        self._failed += record.status != "ok"
        self._lost += lost_in(record)
        if record.stage not in AFTERWARDS:
            key = record.point_key
            self._points.add(key)
            self._pairs.add(record)
            self.latest.append(record)
            self._searched.take(record, key)
        elif record.stage == FULL:
            self._pairs_in_full.add(record)
            self._full.take(record, record.point_key)
        elif record.stage == CONFIRM:
            self._pairs_anew.add(record)


def count(records: Sequence[Evaluation]) -> Counts:
    """Count what a record has."""
    return Tally().take(records).counts


def done_in(records: Iterable[Evaluation]) -> int:
    """`Counts.done` alone, which is sooner found."""
    return pairs_in(searched(records))


def pairs_in(records: Iterable[Evaluation]) -> int:
    """How many pairs these evaluations have asked for and heard of; a repeat that asked for none adds none."""
    pairs = _Pairs()
    for record in records:
        pairs.add(record)
    return pairs.number


def lost_in(record: Evaluation) -> int:
    """How many of the pairs that an evaluation asked for itself gave no result.

    Lines of earlier versions, and of other programs, do not say what they asked for: then those of its runs.
    """
    asked = {run.replicate for run in record.runs} if record.asked is None else [one.replicate for one in record.asked]
    failed = {run.replicate for run in record.runs if run.status != "ok"}
    return sum(record.status != "ok" or replicate in failed for replicate in asked)


def doubled_in(records: Iterable[Evaluation]) -> list[int]:
    """The evaluations that have more than one line: a record has none, but where lines were copied by hand."""
    numbers = _Numbers()
    for record in records:
        numbers.add(record)
    return sorted(numbers.doubled)


def pairs_to_confirm(claims: Iterable[Claim], records: Iterable[Evaluation]) -> int:
    """How many pairs try the claims anew, by what is known so far: one for each block, or one that settles it."""
    if not (claims := list(claims)):
        return 0
    tried = [record for record in records if record.stage == CONFIRM]
    return sum(1 if any(is_settled_by(line, claim) for line in tried) else len(claim.points) for claim in claims)


class _Pairs:
    """The pairs that evaluations have asked for and heard of."""

    def __init__(self) -> None:
        self._asked = 0
        # Records of earlier versions, and of other programs, do not say what they asked for.
        self._untold: set[tuple[str, int]] = set()

    def add(self, record: Evaluation) -> None:
        if record.asked is not None:
            self._asked += len(record.asked)
        else:
            self._untold.update((record.point_key, run.replicate) for run in record.runs)

    @property
    def number(self) -> int:
        return self._asked + len(self._untold)


class _Numbers:
    """The numbers of evaluations, and those that came twice."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self.doubled: set[int] = set()

    def add(self, record: Evaluation) -> None:
        if record.evaluation in self._known:
            self.doubled.add(record.evaluation)
        self._known.add(record.evaluation)


class _Best:
    """The point of the smallest value, where the latest evaluation of a point has its value."""

    def __init__(self) -> None:
        self._order: dict[str, int] = {}
        self._latest: dict[str, Evaluation] = {}
        self._heap: list[tuple[float, int, int, str]] = []  # what a later evaluation has made untrue goes at the top

    @property
    def points(self) -> int:
        """How many points have a value."""
        return len(self._latest)

    def take(self, record: Evaluation, key: str) -> None:
        if record.status != "ok":
            return
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
