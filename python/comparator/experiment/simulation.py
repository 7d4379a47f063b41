"""A search carried out without trainings: on a record kept nowhere, and on numbers that a function gives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

from comparator.experiment.controller import Controller
from comparator.experiment.controller.open_evaluations import Runs
from comparator.objective.differences import NoValue
from comparator.results.form import Metrics
from comparator.results.record import Evaluation, Run
from comparator.results.requests import Request, Result

SIGNED = "signed"


def carry_out(controller: Controller, measure: Callable[[Request], float | None]) -> None:
    """Carry an experiment out, first come first served.

    A replicate gives `measure(request)`, the signed difference, and fails where that is None.
    """
    waiting = deque(controller.start())
    while waiting:
        asked = waiting.popleft()
        number = measure(asked)
        metrics: Metrics = {} if number is None else {SIGNED: number}
        status: Literal["ok", "failed"] = "failed" if number is None else "ok"
        run = Run(submodel=0, replicate=asked.replicate, status=status, metrics=metrics, block=asked.block)
        result = Result(
            evaluation=asked.evaluation,
            replicate=asked.replicate,
            status=status,
            started="",
            seconds=0.0,
            worker="",
            runs=[run],
        )
        waiting += controller.tell(result)
    controller.close()


class MemoryRecord:
    """A record that is kept nowhere."""

    def __init__(self) -> None:
        self.records: list[Evaluation] = []
        self.evaluations = Path("memory")

    def append(self, record: Evaluation) -> None:
        self.records.append(record)

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()


class SignedNumber:
    """The objective of runs that report nothing but a signed difference; `worth` turns it into what is minimised."""

    needs_unit = False

    def __init__(self, worth: Callable[[float], float]) -> None:
        self._worth = worth

    def __call__(self, runs: Runs) -> float:
        return self._worth(self.signed(runs))

    def signed(self, runs: Runs) -> float:
        number = runs[0].metrics.get(SIGNED)
        if number is None:
            raise NoValue("the run has no signed difference")
        return number
