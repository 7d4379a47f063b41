"""What is known of a point, and an evaluation that has no record yet."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from comparator.evidence.replicates import Moments
from comparator.objective.differences import NoValue
from comparator.results.files import now
from comparator.results.record import Evaluation, Run
from comparator.results.requests import Result
from comparator.results.state import Running
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
    of_values: Moments = field(default_factory=Moments)  # of `values`
    of_signed: Moments = field(default_factory=Moments)
    #: Replicates that ended well and that no line of the record has; the evaluation of the latest line that has any.
    unrecorded: set[int] = field(default_factory=set)
    recorded_by: int | None = None
    #: Whether two replicates, whose seeds differ, reported exactly the same metrics: the model is deterministic.
    is_equal_under_different_seeds: bool = False
    _reported: set[str] = field(default_factory=set)
    _next: int = 0  # no replicate below it is free

    def learn(self, replicate: int, runs: Runs, objective: ObjectiveFunction) -> bool:
        """Take what a replicate has given; returns whether that is a value."""
        if replicate in self.runs:
            return replicate in self.values
        self.runs[replicate] = runs
        try:
            value, signed = objective(runs), objective.signed(runs)
        except NoValue:
            return False
        self.values[replicate], self.signed[replicate] = value, signed
        self.of_values, self.of_signed = self.of_values.plus(value), self.of_signed.plus(signed)
        self.unrecorded.add(replicate)
        said = reported(runs)
        self.is_equal_under_different_seeds = self.is_equal_under_different_seeds or said in self._reported
        self._reported.add(said)
        return True

    def record(self, line: Evaluation) -> None:
        """Take note of which replicates a line of the record has."""
        if line.replicates:
            self.unrecorded.difference_update(line.replicates)
            self.recorded_by = line.evaluation

    def next_free(self, fresh: Sequence[int] = ()) -> int:
        """The first replicate, of `fresh` where there are any, that was not asked for.

        It need not be behind all that were: of two in flight the first may have been cut off.
        """
        if fresh:
            return next(number for number in fresh if number not in self.asked)
        while self._next in self.asked:
            self._next += 1
        return self._next


@dataclass
class OpenEvaluation:
    """A proposal without a record yet. `number` is that of the record; `proposal` has the strategy's.

    `fresh` are the replicates of a stage that follows the search; there it may confirm the `claim` of that name.
    `epochs` are those of short trainings, None of full ones.
    """

    number: int
    stage: str
    proposal: Proposal
    point: KnownPoint
    claim: str | None = None
    fresh: Sequence[int] = ()
    epochs: int | None = None
    running: dict[int, str] = field(default_factory=dict)  # replicate: time of its start
    outcomes: dict[int, Result] = field(default_factory=dict)  # by replicate
    is_complete: bool = False  # it has all its outcomes
    cancelled: bool = False

    @property
    def length(self) -> dict[str, Any]:
        """The epochs, for what is asked and for what is recorded; nothing of full trainings."""
        return {} if self.epochs is None else {"epochs": self.epochs}

    def block(self, replicate: int, blocks: int) -> Block:
        """The block of a replicate, of so many that they are dealt to."""
        known = self.point.blocks
        if replicate not in known:
            known[replicate] = block_of(self.proposal.point, replicate, blocks)
        return known[replicate]


class OpenEvaluations:
    """The evaluations that have no record yet, in the order of their proposal, and what of them workers hold."""

    def __init__(self) -> None:
        self._open: dict[int, OpenEvaluation] = {}
        self._running: dict[int, OpenEvaluation] = {}  # those of them that wait for a result
        #: How many requests have no result yet.
        self.waiting = 0

    def __iter__(self) -> Iterator[OpenEvaluation]:
        return iter(self._open.values())

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, evaluation: OpenEvaluation) -> None:
        self._open[evaluation.number] = evaluation

    def get(self, number: int) -> OpenEvaluation | None:
        return self._open.get(number)

    def remove(self, evaluation: OpenEvaluation) -> None:
        """Take out one that is recorded."""
        del self._open[evaluation.number]

    def clear(self) -> None:
        """Take out all, which were proposed and are not tried."""
        self._open.clear()

    def begin(self, evaluation: OpenEvaluation, replicate: int) -> None:
        """Note that a replicate was asked for."""
        evaluation.running[replicate] = now()
        self._running[evaluation.number] = evaluation
        self.waiting += 1

    def hear(self, result: Result) -> OpenEvaluation:
        """Take the result of a replicate; gives its evaluation."""
        evaluation = self._open[result.evaluation]
        del evaluation.running[result.replicate]
        self.waiting -= 1
        if not evaluation.running:
            del self._running[evaluation.number]
        evaluation.outcomes[result.replicate] = result
        return evaluation

    @property
    def in_flight(self) -> int:
        """How many of them wait for a result."""
        return len(self._running)

    def running(self, most: int) -> list[Running]:
        """The first of those that wait for a result, for people."""
        return [
            Running(
                evaluation=each.number,
                stage=each.stage,
                point=each.proposal.point,
                started=min(each.running.values()),
            )
            for each in itertools.islice(self._running.values(), most)
        ]


def reported(runs: Runs) -> str:
    """The metrics of a replicate's runs, to be told from another's."""
    return json.dumps([run.metrics for run in runs], sort_keys=True)
