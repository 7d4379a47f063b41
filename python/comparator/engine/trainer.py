"""A worker's trainings: each by the runner of its model and slot, with what it has read."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from comparator.engine.given import epochs_name
from comparator.engine.machine_faults import fault_of_disk
from comparator.engine.workplace import Workplace
from comparator.errors import Fault
from comparator.formats.names import ML_DATA
from comparator.model.inputs import BEGAN, Inputs
from comparator.model.ml_data import MLData
from comparator.model.model import installed_packages
from comparator.model.named_paths import NamedPaths
from comparator.model.process import SCRATCH
from comparator.model.reads import Reads
from comparator.model.runners.runner import is_served, make_runner
from comparator.model.runners.together import offers_many, outcomes_of
from comparator.model.training import Outcome, Runner, Training
from comparator.results.files import now
from comparator.results.in_flight import InFlight, SlotNotes
from comparator.results.lease import LEASE, LOCK
from comparator.results.provenance import computed_on
from comparator.results.requests import Request
from comparator.results.run_result import ReadsOfResult, RunResult
from comparator.site.profile import Slot

# A fact that a model may report: it ended before its training was complete, by its own `timeout`.
CUT_SHORT = "timed_out"
LOG = "model.log"
CODE_ENDINGS = (".py", ".so")
#: A look at code and data that is no older spares another before a training; the one after it is what counts.
RECENT_SECONDS = 0.1


class Trainer:
    """The runners of a worker, kept warm; `inputs` and `named` are what each submodel's trainings rest on."""

    def __init__(self, place: Workplace, runs_folder: Path) -> None:
        """`runs_folder` is the store's of all runs."""
        self._place, self._runs_folder = place, runs_folder
        models, data_folder = place.models, place.data_folder
        self._notes = {slot.number: SlotNotes(place.folder, f"{place.name}.{slot.number}") for slot in place.slots}
        self._takes_many = [place.together > 1 and offers_many(model) for model in models]
        self._has_told = False  # that trainings which were given together were not carried out so
        self._runners: dict[tuple[int, Hashable, Hashable], Runner] = {}
        self.named = [NamedPaths([data_folder, model.folder], model.covers(data_folder)) for model in models]
        self.inputs = [self._inputs_of(number) for number in range(len(models))]
        self._read: list[Reads | None] = [None] * len(models)
        self._lock = threading.Lock()

    def train(
        self,
        number: int,
        asked: Request,
        hyperparameters: dict[str, object],
        folder: Path,
        slot: Slot,
    ) -> tuple[RunResult, str | None, float]:
        """The result, why more may have gone into it than is known, None where nothing has, and when it ended.

        Raises `Fault` where no training can go on.
        """
        if (fault := self.inputs[number].fault(time.monotonic() - RECENT_SECONDS)) is not None:
            raise Fault(fault)
        training = self._training(number, asked, hyperparameters, folder)
        started = now()
        slot = self._place.slot_of(number, slot)
        going_on = self._in_flight(number, asked, hyperparameters, folder.name, started)
        with self._notes[slot.number].of(going_on):
            place, carry_out = (asked.evaluation, asked.replicate), partial(self._carry_out, number, slot)
            outcome = self._place.gathering.train(slot.number, number, place, training, carry_out)
        if outcome.status == "failed" and (fault := fault_of_disk(folder, outcome.reason)) is not None:
            raise Fault(fault)
        result, untold = self._result(number, outcome, hyperparameters, slot, started)
        return result, untold, outcome.ended

    def cancel(self) -> None:
        """End what is running, at once."""
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            runner.cancel()

    def end_processes(self) -> None:
        """End the models' processes that were kept; the next training has one that has done nothing before."""
        for runner in self._runners.values():
            runner.close()

    def close(self) -> None:
        """Remove the notes of what is trained."""
        for note in self._notes.values():
            note.close()

    def _training(self, number: int, asked: Request, hyperparameters: dict[str, object], folder: Path) -> Training:
        """What the model's process is given: the hyperparameters with the names and folders of this run."""
        experiment = self._place.experiment
        prefix = hyperparameters.get("run_id")
        own = f"{asked.name or format(asked.evaluation, '05d')}-{asked.replicate}-{number}"
        run_id = f"{prefix}-{own}" if prefix else own
        names = self._place.models[number].run_names(
            experiment.id, run_id, folder, self._place.data_folder, hyperparameters
        )
        return Training({**hyperparameters, **names}, folder, folder / LOG, experiment.metric, experiment.run_timeout)

    def _carry_out(self, number: int, slot: Slot, trainings: Sequence[Training]) -> Iterable[Outcome]:
        """The outcomes of trainings of one submodel that were asked for together, as they come."""
        at_once = self._takes_many[number]
        return outcomes_of(self._runner(number, slot), trainings, at_once=at_once, clear=_clear, say=self._tell_once)

    def _tell_once(self, words: str) -> None:
        if not self._has_told and not self._place.cancelled.is_set():
            self._has_told = True
            self._place.say(words)

    def _in_flight(
        self, number: int, asked: Request, hyperparameters: Mapping[str, object], run: str, started: str
    ) -> InFlight:
        submodel = self._place.experiment.models[number]
        epochs = hyperparameters.get(epochs_name(submodel))
        return InFlight(
            evaluation=asked.evaluation,
            replicate=asked.replicate,
            submodel=submodel.submodel,
            run=run,
            point=asked.point,
            started=started,
            epochs=epochs if isinstance(epochs, int) and not isinstance(epochs, bool) else None,
        )

    def _result(
        self, number: int, outcome: Outcome, hyperparameters: dict[str, object], slot: Slot, started: str
    ) -> tuple[RunResult, str | None]:
        """The result of a training, and why more may have gone into it than is known."""
        status, reason = outcome.status, outcome.reason
        if status == "ok" and outcome.metrics.get(CUT_SHORT):
            status, reason = "timeout", "the model ended its training early, by its timeout"
        reads, untold = self._reads_of(number, outcome)
        if status == "ok" and (fault := self.inputs[number].fault(outcome.ended)) is not None:
            raise Fault(fault)
        together: dict[str, Any] = {"together": outcome.together} if outcome.together > 1 else {}
        result = RunResult(
            status=status,
            metrics=outcome.metrics,
            history=outcome.history,
            reason=reason,
            reads=None if reads is None else ReadsOfResult(**reads.as_record()),
            unnamed=outcome.unnamed,
            seconds=round(outcome.seconds, 3),
            **together,
            started=started,
            device=slot.device,
            model=self._place.models[number].name,
            hyperparameters=hyperparameters,
            worker=self._place.name,
            computed_on=computed_on(slot.device),
            experiment=self._place.experiment.id,
        )
        return result, untold

    def _reads_of(self, number: int, outcome: Outcome) -> tuple[Reads | None, str | None]:
        """What a training has read, None where that is not known; and why more may have gone into its numbers.

        Raises `Fault` where the code that it read is not that of earlier trainings.
        """
        model, reads, earlier = self._place.models[number], outcome.reads, self._read[number]
        untold = outcome.untold
        if reads is None:
            # Nobody has seen which packages a process of its own has loaded.
            by_itself = model.module is not None and model.reads_tell_packages
            return Reads(packages=installed_packages()) if by_itself else None, untold
        changed = None if earlier is None else earlier.conflict(reads)
        # What the identity holds of the data folder is not among what was read besides.
        came = next((path for path in (*reads.files, *reads.folders) if self._is_data(number, path)), None)
        if came is not None:
            untold = untold or f"{came} has come or changed {BEGAN}"
        if changed is not None and changed.endswith(CODE_ENDINGS):
            raise Fault(f"{changed} has changed {BEGAN}")
        self._read[number] = earlier or reads
        if changed is not None:
            untold = untold or f"{changed} has changed {BEGAN}: trainings before and after that may differ"
        return reads, untold

    def _is_data(self, number: int, path: str) -> bool:
        until = self._place.experiment.models[number].data_until
        return until is not None and f"{path}/".startswith(f"{self._place.data_folder}/")

    def _runner(self, number: int, slot: Slot) -> Runner:
        place, model = self._place, self._place.models[number]
        with self._lock:
            # The variants of a model are served by one process.
            key = (slot.number, tuple(slot.environment.items()), (model.path, model.python))
            if key not in self._runners:
                self._runners[key] = make_runner(
                    model,
                    slot,
                    place.data_folder,
                    warm=place.warm,
                    data_until=place.experiment.models[number].data_until,
                    ml_data=self._ml_data(number),
                    runs_folder=self._runs_folder,
                )
                if place.cancelled.is_set():
                    self._runners[key].cancel()
            return self._runners[key]

    def _ml_data(self, number: int) -> MLData:
        """Where a submodel's preprocessed data are kept, for all that rests on the same code, data and environment."""
        submodel = self._place.experiment.models[number]
        rests_on = [submodel.identity, submodel.data, json.dumps(submodel.environment, sort_keys=True)]
        if submodel.data is None:  # nobody can tell one data set from another
            rests_on.append(self._place.experiment.id)
        return MLData(self._place.experiments / ML_DATA, rests_on, self.named[number])

    def _inputs_of(self, number: int) -> Inputs:
        model = self._place.models[number]
        sees_reads = model.sees_reads and is_served(model, warm=self._place.warm)
        return Inputs(model, self._place.experiment.models[number], self._place.data_folder, sees_reads=sees_reads)


def remove(folder: Path, left: Iterable[str]) -> None:
    """Clear what an earlier, failed attempt at the same run has left in its folder."""
    for entry in map(folder.joinpath, left):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)  # a lease that another process is about to make, say


def _clear(folder: Path) -> None:
    """Rid a run's folder of what a training has left there, as it was when that began."""
    remove(folder, set(os.listdir(folder)) - {LOCK, LEASE, LOG, SCRATCH})  # noqa: PTH208  (names alone)
