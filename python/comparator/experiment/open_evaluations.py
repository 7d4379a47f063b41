"""What is known of a point, and an evaluation that has no record yet."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from comparator.objective.differences import NoValue
from comparator.results.record import Result, Run
from comparator.strategies import Proposal
from comparator.strategies.blocks import Block, block_of

Runs = Sequence[Run]


class ObjectiveFunction(Protocol):
    """What one replicate's runs are worth: the value to minimise, and the signed difference. Both raise `NoValue`."""

    @property
    def needs_unit(self) -> bool: ...

    def __call__(self, runs: Runs) -> float: ...

    def signed(self, runs: Runs) -> float: ...


@dataclass
class KnownPoint:
    """What is known of one point: its replicates in search and pilot, those in full, or those that confirm it."""

    asked: set[int] = field(default_factory=set)  # replicates asked for, finished or not
    runs: dict[int, Runs] = field(default_factory=dict)  # of finished replicates
    values: dict[int, float] = field(default_factory=dict)  # of replicates that ended well
    signed: dict[int, float] = field(default_factory=dict)  # of the same
    blocks: dict[int, Block] = field(default_factory=dict)  # of replicates
    waiting: list[OpenEvaluation] = field(default_factory=list)  # repeats that need no replicate of their own
    #: The search's that have no record yet, as they were asked for.
    under_way: list[OpenEvaluation] = field(default_factory=list)

    def learn(self, replicate: int, runs: Runs, objective: ObjectiveFunction) -> bool:
        """Take what a replicate has given; returns whether that is a value."""
        self.runs[replicate] = runs
        try:
            self.values[replicate] = objective(runs)
            self.signed[replicate] = objective.signed(runs)
        except NoValue:
            return False
        return True

    @property
    def is_equal_under_different_seeds(self) -> bool:
        """Whether two replicates, whose seeds differ, reported exactly the same metrics: the model is deterministic."""
        said = [reported(self.runs[each]) for each in self.values]
        return len(set(said)) < len(said)


@dataclass
class OpenEvaluation:
    """A proposal without a record yet. `number` is that of the record; `proposal` has the strategy's.

    `fresh` are the replicates of a stage that follows the search; there it may confirm the `claim` of that name.
    """

    number: int
    stage: str
    proposal: Proposal
    point: KnownPoint
    claim: str | None = None
    fresh: Sequence[int] = ()
    running: dict[int, str] = field(default_factory=dict)  # replicate: time of its start
    outcomes: dict[int, Result] = field(default_factory=dict)  # by replicate
    is_complete: bool = False  # it has all its outcomes
    cancelled: bool = False

    def block(self, replicate: int, blocks: int) -> Block:
        """The block of a replicate, of so many that they are dealt to."""
        known = self.point.blocks
        if replicate not in known:
            known[replicate] = block_of(self.proposal.point, replicate, blocks)
        return known[replicate]


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


def by_replicate(runs: Runs) -> dict[int, list[Run]]:
    """Runs by the replicate that they are of."""
    grouped: dict[int, list[Run]] = {}
    for run in runs:
        grouped.setdefault(run.replicate, []).append(run)
    return grouped


def reported(runs: Runs) -> str:
    """The metrics of a replicate's runs, to be told from another's."""
    return json.dumps([run.metrics for run in runs], sort_keys=True)
