"""An algorithm that puts its points into an EQ/SQL database: the engine's workers are its worker pool.

The algorithm is a program of its own, written for EMEWS's package `eqsql`, and runs where it pleases. It submits tasks
of a work type, waits for their results, and stops its pool in the end (`stop_worker_pool`).

| a task's payload, JSON | its result, JSON |
|---|---|
| a point: `{"x": 0.1, "n": 20}` | its value: `0.31` |
| values in the order of the space, without its constants: `[0.1, 20]` | likewise |
| a list of either | a list of values, in the same order |

Smaller values are better; a failed evaluation is `NaN`, as Python's `json` writes and reads it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from comparator.errors import ComparatorError, InputError
from comparator.formats.text import json_hooks, shown
from comparator.space import Constant, ParameterSpace, Point
from comparator.strategies.eqsql_tasks import WorkerPool, check_url
from comparator.strategies.options import StrategyOptions
from comparator.strategies.strategy import Proposal, Strategy

MOST_TYPES = 2**31 - 1  # of PostgreSQL's integer


class EQSQLOptions(StrategyOptions):
    """Where the tasks are."""

    database: Annotated[str, AfterValidator(check_url)] = Field(
        description="postgresql://USER@HOST:PORT/NAME; a password is read from ~/.pgpass, or PGPASSWORD"
    )
    work_type: Annotated[int, Field(ge=0, le=MOST_TYPES)] = Field(description="the tasks that are taken")
    pool: Annotated[str, Field(min_length=1)] = Field(
        "comparator", description="the name of the worker pool, which no other at work on the same tasks may have"
    )


@dataclass
class _Task:
    """A task that was taken: what is known of its points, by their places in its list."""

    number: int
    points: list[Point]
    is_list: bool
    values: dict[int, float | None] = field(default_factory=dict)

    def result(self) -> str:
        values = [self.values[place] for place in range(len(self.points))]
        numbers = [float("nan") if value is None else value for value in values]
        return json.dumps(numbers if self.is_list else numbers[0])


class EQSQLStrategy(Strategy):
    """Takes tasks from the database while workers are free, and reports each once all its points are known."""

    Options = EQSQLOptions
    ends_by_itself = True
    listens = True

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: EQSQLOptions) -> None:
        self._space, self._in_flight, self._options = space, in_flight, options
        self._pool: WorkerPool | None = None
        self._recalled: list[Proposal] = []
        self._open: dict[int, tuple[_Task, int]] = {}  # by the proposal's number: of which task, and where in its list
        self._is_stopped = False

    def check(self) -> None:
        self._worker_pool().check()

    def recall(self, recorded: Sequence[Proposal]) -> None:
        super().recall(recorded)
        self._recalled = list(recorded)

    def start(self) -> list[Proposal]:
        return self._recalled

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if number in self._open:  # else it was reported in an earlier session
            task, place = self._open.pop(number)
            task.values[place] = value
            self._report(task)
        return []

    def listen(self) -> list[Proposal] | None:
        if self._is_stopped:
            return None
        free = self._in_flight - len(self._open)
        if free < 1:
            return []
        found, self._is_stopped = self._opened().take(free)
        return [proposal for number, payload in found for proposal in self._proposals(number, payload)]

    def close(self) -> None:
        """Put back the tasks that have no result, for another pool, or for this one when it goes on."""
        if self._pool is not None and self._pool.is_open:
            with contextlib.suppress(ComparatorError):  # without a connection the next pool of the name does it
                self._pool.put_back(stop=self._is_stopped)
            self._pool.close()

    def _worker_pool(self) -> WorkerPool:
        options = self._options
        return WorkerPool(options.database, options.work_type, options.pool)

    def _opened(self) -> WorkerPool:
        if self._pool is None:
            pool = self._worker_pool()
            pool.open()
            self._pool = pool
        return self._pool

    def _proposals(self, number: int, payload: str) -> list[Proposal]:
        where = f"task {number} of work type {self._options.work_type}"
        task = _Task(number, *points_of(payload, self._space, where))
        proposals = [self._propose(point) for point in task.points]
        self._open.update({proposal.number: (task, place) for place, proposal in enumerate(proposals)})
        self._report(task)
        return proposals

    def _report(self, task: _Task) -> None:
        if len(task.values) == len(task.points):
            self._opened().report(task.number, task.result())


def points_of(payload: str, space: ParameterSpace, where: str) -> tuple[list[Point], bool]:
    """The points of a task, and whether it is a list of them; raises `ComparatorError` whose line `where` begins."""
    try:
        content = json.loads(payload, **json_hooks(where))
    except InputError as error:
        raise ComparatorError(str(error)) from None
    except (ValueError, RecursionError):
        raise ComparatorError(f"{where}: its payload is not JSON: {shown(payload)}") from None
    is_list = isinstance(content, list) and all(isinstance(each, (dict, list)) for each in content)
    try:
        return [_point(each, space, where) for each in (content if is_list else [content])], is_list
    except InputError as error:
        raise ComparatorError(str(error)) from None


def _point(given: Any, space: ParameterSpace, where: str) -> Point:
    if isinstance(given, dict):
        return space.fit(given, where)
    names = [each.name for each in space.parameters if not isinstance(each, Constant)]
    if not isinstance(given, list):
        raise InputError(f"{where}: its payload is neither a point nor a list of points: {shown(given)}")
    if len(given) != len(names):
        raise InputError(f"{where}: {len(given)} values for {len(names)} parameters ({', '.join(names)})")
    return space.fit(dict(zip(names, given, strict=True)), where)
