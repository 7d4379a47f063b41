"""The leaf task: one replicate of an evaluation, JSON text in and JSON text out, on whatever worker it lands.

    request  {"evaluation": 17, "name": null, "point": {"noise": 31.2}, "replicate": 0, "expected_seconds": 7.0,
              "block": 3, "seed": 3, "split": 3}
    result   {"evaluation": 17, "replicate": 0, "status": "ok", "value": -0.29, "started": "...", "seconds": 7.4,
              "worker": "node3/2", "runs": [...], "reason": null}

`results.requests` says what they are. An evaluation is one request for each of its replicates. A leaf never raises: a
failure is a result. `engine.runs` finds or trains the runs that it takes.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from comparator.engine.machine_faults import words_of
from comparator.engine.reads_again import change_of_reads
from comparator.engine.runs import OUT_OF_TIME, Runs
from comparator.engine.tasks import BETWEEN
from comparator.engine.workplace import Workplace
from comparator.errors import FAULT, Fault
from comparator.formats.text import message
from comparator.model.model import Model
from comparator.objective.differences import NoValue
from comparator.results.files import now, share_as
from comparator.results.form import as_text, from_text
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Run
from comparator.results.requests import LISTEN, Request, Result
from comparator.results.run_result import RunResult
from comparator.site.profile import Slot

ERRORS_FILE = "errors.log"


class Leaf:
    """One worker's side of an experiment: what it is asked, in threads where a model takes trainings together."""

    def __init__(
        self,
        experiment: FrozenExperiment,
        models: Sequence[Model],
        objective: Callable[[list[Run]], float],
        *,
        experiments: Path,
        data_folder: Path,
        slots: Sequence[Slot],
        name: str,
        warm: bool = True,
        together: int = 1,
        deadline: float | None = None,
        say: Callable[[str], None] = lambda words: None,
    ) -> None:
        """`deadline` is a time as `time.time()` has it: what may not end before it, is cancelled before it starts.

        Of several requests that are given, so many as `together` are evaluated at once. `say` is called with what a
        person may want to know while evaluations run.
        """
        # Clocks are set: what is compared is that of monotonic time.
        until = None if deadline is None else time.monotonic() + deadline - time.time()
        self._place = Workplace(experiment, models, experiments, data_folder, slots, name, warm, together, until, say)
        self._objective = objective
        self._longest = 0.0
        share_as(experiments)
        self._runs = Runs(self._place)
        self._gathering, self._cancelled = self._place.gathering, self._place.cancelled

    def evaluate(self, request: str) -> str:
        """Carry out one request; always returns a result."""
        self._gathering.expect(1)
        return self._evaluate(request)

    def carry_out(self, task: str) -> str:
        """Carry out the requests of a task; gives their results, in their order, as a task's text has them.

        Where a model takes trainings together, so many of them are evaluated at once, each in a thread.
        """
        return BETWEEN.join(self._evaluate_all(task.split(BETWEEN)))

    def _evaluate_all(self, requests: Sequence[str]) -> list[str]:
        if self._place.together == 1 or len(requests) == 1:
            return list(map(self.evaluate, requests))
        results: list[str] = []
        with ThreadPoolExecutor(min(self._place.together, len(requests))) as side_by_side:
            for first in range(0, len(requests), self._place.together):
                several = requests[first : first + self._place.together]
                self._gathering.expect(len(several))
                results += side_by_side.map(self._evaluate, several)
        return results

    def _evaluate(self, request: str) -> str:
        with self._gathering.taking_part():
            return as_text(self._result_of(request))

    def _result_of(self, request: str) -> Result:
        asked = from_text(Request, request)
        clock = time.monotonic()
        result = Result(
            evaluation=asked.evaluation,
            replicate=asked.replicate,
            status="failed",
            value=None,
            started=now(),
            seconds=0.0,
            worker=self._place.name,
            runs=[],
            reason=None,
        )
        if self._is_too_late(asked):
            result.status, result.reason = "cancelled", OUT_OF_TIME
            return result
        if asked.evaluation == LISTEN:
            with self._gathering.aside():
                is_stopped = self._cancelled.wait(asked.expected_seconds)
            result.status = "cancelled" if is_stopped else "ok"
            return result
        try:
            result.runs = self._run_all(asked)
            result.value = self._objective(result.runs)
            result.status = "ok"
        except NoValue as failure:
            result.status, result.reason = _worst(result.runs), message(str(failure))
        except Fault as fault:
            result.status, result.reason = FAULT, str(fault)
        except OSError as error:  # a full disk, a folder that is gone, a file that may not be read: no training's doing
            result.status, result.reason = FAULT, words_of(error, self._place.experiments)
        except Exception as error:
            result.reason = message(f"{type(error).__name__}: {error}")
            self._keep_traceback(asked.evaluation)
        if self._cancelled.is_set() and result.status != "ok":
            result.status = "cancelled"
        result.seconds = round(time.monotonic() - clock, 3)
        self._longest = max(self._longest, time.monotonic() - clock)
        return result

    def cancel(self) -> None:
        """End what is running, at once; later requests come back cancelled."""
        self._cancelled.set()
        self._runs.trainer.cancel()

    def close(self) -> None:
        """End the model servers, and have every result serve others that may."""
        self._runs.close()

    def change_since(self, submodel: int, result: RunResult) -> str | None:
        """What a finished run has read that is not as it was; None where all is, or it is not known."""
        kinds = ("files", "noticed", "folders", "places", "variables", "packages", "imports")
        place = self._place
        model, slot = place.models[submodel], place.slot_of(submodel, place.slots[0])
        return change_of_reads(model, result, slot, place.data_folder, kinds)

    def repeat(self, request: Request, submodel: int) -> tuple[Run, RunResult]:
        """Carry out the run of one submodel alone, by a process that has done nothing before."""
        try:
            self._gathering.expect(1)
            with self._gathering.taking_part():
                return self._runs.run(submodel, request, self._place.slots[0])
        finally:
            self._runs.trainer.end_processes()
            self._runs.forget_pending()  # it serves nobody else

    def _is_too_late(self, asked: Request) -> bool:
        expected = max(self._longest, asked.expected_seconds or 0.0)
        return self._place.deadline is not None and time.monotonic() + expected > self._place.deadline

    def _run_all(self, asked: Request) -> list[Run]:
        """The runs of the models at a point: side by side on two slots, else one after the other."""
        numbers, slots = self._place.experiment.models_at(asked.point), self._place.slots
        if len(numbers) > 1 and len(slots) > 1:
            self._gathering.expect(len(numbers))
            with self._gathering.aside(), ThreadPoolExecutor(len(numbers)) as side_by_side:
                waiting = [side_by_side.submit(self._run_beside, number, asked) for number in numbers]
                return [future.result() for future in waiting]
        runs: list[Run] = []
        for number in numbers:
            runs.append(self._runs.run(number, asked, slots[0])[0])
            if runs[-1].status != "ok":
                break
        return runs

    def _run_beside(self, number: int, asked: Request) -> Run:
        """One submodel's run beside that of the other, on a slot of its own."""
        with self._gathering.taking_part():
            return self._runs.run(number, asked, self._place.slots[number])[0]

    def _keep_traceback(self, evaluation: int) -> None:
        path = self._place.folder / ERRORS_FILE
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(f"{now()} evaluation {evaluation}\n{traceback.format_exc()}\n")


def _worst(runs: Sequence[Run]) -> Literal["cancelled", "timeout", "failed"]:
    statuses = {run.status for run in runs}
    return "cancelled" if "cancelled" in statuses else "timeout" if "timeout" in statuses else "failed"
