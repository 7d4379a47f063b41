"""The leaf task: one replicate of an evaluation, JSON text in and JSON text out, on whatever worker it lands.

    request  {"evaluation": 17, "name": null, "point": {"noise": 31.2}, "replicate": 0, "expected_seconds": 7.0,
              "block": 3, "seed": 3, "split": 3}
    result   {"evaluation": 17, "replicate": 0, "status": "ok", "value": -0.29, "started": "...", "seconds": 7.4,
              "worker": "node3/2", "runs": [...], "reason": null}

`record.Request` and `record.Result` say what they are. An evaluation is one request for each of its replicates. A leaf
never raises: a failure is a result.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from comparator.engine.gathering import Gathering
from comparator.engine.given import epochs_name, run_hyperparameters, varied_names
from comparator.engine.run_identity import (
    Identity,
    identity_after_change,
    identity_in_experiment,
    run_identity,
)
from comparator.engine.tasks import BETWEEN
from comparator.errors import FAULT, Fault
from comparator.formats.names import ML_DATA
from comparator.formats.text import message
from comparator.model.inputs import BEGAN, Inputs, Pending
from comparator.model.ml_data import MLData
from comparator.model.model import Model, installed_packages
from comparator.model.named_paths import NamedPaths
from comparator.model.process import SCRATCH, run_environment
from comparator.model.reads import Reads
from comparator.model.runner import is_served, make_runner
from comparator.model.together import offers_many, outcomes_of
from comparator.model.training import Outcome, Runner, Training
from comparator.objective.differences import NoValue
from comparator.results.files import now, owner_of, share_as
from comparator.results.form import as_text
from comparator.results.frozen import FrozenExperiment, Submodel
from comparator.results.in_flight import InFlight, SlotNotes, purpose_of, running_file
from comparator.results.lease import LEASE, LOCK, Holder
from comparator.results.provenance import computed_on
from comparator.results.record import Run
from comparator.results.requests import LISTEN, Request, Result
from comparator.results.run_result import ReadsOfResult, RunResult
from comparator.results.run_store import RunStore, finished_in, save_in
from comparator.results.worker_lease import WorkerLease
from comparator.site.profile import Slot

# A fact that a model may report: it ended before its training was complete, by its own `timeout`.
CUT_SHORT = "timed_out"
ERRORS_FILE, LOG = "errors.log", "model.log"
CODE_ENDINGS = (".py", ".so")
NOT_LOOKED_AT = "the data and the model's files have not been looked at since"
FULL = os.strerror(errno.ENOSPC)
#: Of a machine, not of a training: what a model says where it, or the shell that runs it, meets a limit.
LIMITS = (
    *map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE)),
    "SIGXFSZ",
)
MENDED = "; what is finished is kept, and once that is mended --resume goes on with it"
OUT_OF_TIME = "the walltime ends before it could"
#: After so long a wait for another's run is said; so long after its time limit it is given up.
SAID_SECONDS, GRACE_SECONDS = 5.0, 10.0
#: A look at code and data that is no older spares another before a training; the one after it is what counts.
RECENT_SECONDS = 0.1


class Patience:
    """How long a worker waits for a run that another process trains: as long as that may take, and it says so.

    `limit` is how long it may take in seconds, None where there is none; `deadline` a time as
    `time.monotonic()` has it, None where there is none.
    """

    def __init__(
        self,
        run: str,
        *,
        limit: float | None,
        deadline: float | None = None,
        stopped: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self._run, self._limit, self._deadline, self._stopped, self._say = run, limit, deadline, stopped, say
        self._holder: str | None = None  # by its token, which is empty of one that has not said which it is
        self._since = 0.0
        self._is_said = False

    def wait(self, holder: Holder, seconds: float) -> bool:
        """Wait so long; False where there is no more time, or the experiment is stopped.

        Raises `Fault` where one holder has had the run for longer.
        """
        now = time.monotonic()
        if holder.token != self._holder:
            self._holder, self._since = holder.token, now
        waited = now - self._since
        if self._limit is not None and waited > self._limit + GRACE_SECONDS:
            raise Fault(
                f"run {self._run} is held by {holder.words}, for longer than the {self._limit:g} s that it may take;"
                f" end that process{MENDED}"
            )
        if waited > SAID_SECONDS and not self._is_said:
            self._is_said = True
            self._say(f"waiting for run {self._run}, which is being trained by {holder.words}")
        return not self._stopped.wait(seconds) and (self._deadline is None or now < self._deadline)


class Leaf:
    """One worker's side of an experiment: its slots, its runners (kept warm), its access to the store."""

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
        self._experiment, self._models, self._objective = experiment, models, objective
        self._experiments, self._data_folder = experiments, data_folder
        self._slots, self._name, self._warm, self._together = slots, name, warm, together
        self._deadline = None if deadline is None else time.monotonic() + deadline - time.time()  # clocks are set
        self._longest, self._say = 0.0, say
        share_as(experiments)
        self._runs = RunStore(experiments)
        own = experiments / experiment.id
        self._lease = WorkerLease(running_file(own, f"{name}.lease"), purpose_of(experiment.id))
        self._notes = {slot.number: SlotNotes(own, f"{name}.{slot.number}") for slot in slots}
        self._gathering = Gathering()
        self._takes_many = [together > 1 and offers_many(model) for model in models]
        self._has_told = False  # that trainings which were given together were not carried out so
        self._runners: dict[tuple[int, Hashable, Hashable], Runner] = {}
        self._named = [NamedPaths([data_folder, model.folder], model.covers(data_folder)) for model in models]
        self._inputs = [self._inputs_of(number) for number in range(len(models))]
        self._pending = Pending(self._settle)
        self._read: list[Reads | None] = [None] * len(models)
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

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
        if self._together == 1 or len(requests) == 1:
            return list(map(self.evaluate, requests))
        results: list[str] = []
        with ThreadPoolExecutor(min(self._together, len(requests))) as side_by_side:
            for first in range(0, len(requests), self._together):
                several = requests[first : first + self._together]
                self._gathering.expect(len(several))
                results += side_by_side.map(self._evaluate, several)
        return results

    def _evaluate(self, request: str) -> str:
        with self._gathering.taking_part():
            return as_text(self._result_of(request))

    def _result_of(self, request: str) -> Result:
        asked = Request.model_validate_json(request)
        clock = time.monotonic()
        result = Result(
            evaluation=asked.evaluation,
            replicate=asked.replicate,
            status="failed",
            value=None,
            started=now(),
            seconds=0.0,
            worker=self._name,
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
            result.status, result.reason = FAULT, self._words_of(error)
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
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            runner.cancel()

    def close(self) -> None:
        """End the model servers, and have every result serve others that may."""
        for runner in self._runners.values():
            runner.close()
        with self._lock, contextlib.suppress(OSError):
            self._pending.look(again=True)
        self._lease.close()
        for note in self._notes.values():
            note.close()

    def change_since(self, submodel: int, result: RunResult) -> str | None:
        """What a finished run has read that is not as it was; None where all is, or it is not known."""
        kinds = ("files", "noticed", "folders", "places", "variables", "packages", "imports")
        model, slot = self._models[submodel], slot_of(self._experiment.models[submodel], self._slots[0])
        return change_of_reads(model, result, slot, self._data_folder, kinds)

    def repeat(self, request: Request, submodel: int) -> tuple[Run, RunResult]:
        """Carry out the run of one submodel alone, by a process that has done nothing before."""
        try:
            self._gathering.expect(1)
            with self._gathering.taking_part():
                return self._run_with_result(submodel, request, self._slots[0])
        finally:
            for runner in self._runners.values():
                runner.close()
            self._pending = Pending(self._settle)  # it serves nobody else

    def _words_of(self, error: OSError) -> str:
        if not self._experiments.is_dir():
            return f"{self._experiments}: is gone, or cannot be read"
        at = Path(error.filename or self._experiments)
        whose = f" (it is {_nearest_owner(at)}'s)" if isinstance(error, PermissionError) else ""
        return f"{at}: {error.strerror or error}{whose}{MENDED}"

    def _is_too_late(self, asked: Request) -> bool:
        expected = max(self._longest, asked.expected_seconds or 0.0)
        return self._deadline is not None and time.monotonic() + expected > self._deadline

    def _run_all(self, asked: Request) -> list[Run]:
        """The runs of the models at a point: side by side on two slots, else one after the other."""
        numbers = self._experiment.models_at(asked.point)
        if len(numbers) > 1 and len(self._slots) > 1:
            self._gathering.expect(len(numbers))
            with self._gathering.aside(), ThreadPoolExecutor(len(numbers)) as side_by_side:
                waiting = [side_by_side.submit(self._run_beside, number, asked) for number in numbers]
                return [future.result() for future in waiting]
        runs: list[Run] = []
        for number in numbers:
            runs.append(self._run(number, asked, self._slots[0]))
            if runs[-1].status != "ok":
                break
        return runs

    def _run_beside(self, number: int, asked: Request) -> Run:
        """One submodel's run beside that of the other, on a slot of its own."""
        with self._gathering.taking_part():
            return self._run(number, asked, self._slots[number])

    def _run(self, number: int, asked: Request, slot: Slot) -> Run:
        """One submodel's run: found in the store, or trained now."""
        return self._run_with_result(number, asked, slot)[0]

    def _run_with_result(self, number: int, asked: Request, slot: Slot) -> tuple[Run, RunResult]:
        """A run as a line of the record shows it, and its result."""
        submodel = self._experiment.models[number]
        hyperparameters, seed = run_hyperparameters(
            *(self._experiment, number, asked.point),
            seed=asked.seed,
            split=asked.split,
            epochs=asked.epochs,
            seeds=asked.seeds,
        )
        identity = run_identity(
            submodel,
            hyperparameters,
            seed,
            self._named[number],
            varied=varied_names(submodel, asked.point),
            untold=submodel.untold or self._models[number].untold(warm=self._warm),
            experiment=self._experiment.id,
        )
        own_seeds: dict[str, Any] = {} if asked.seeds is None else {"seeds": asked.seeds}
        if asked.split is not None:
            own_seeds["split"] = None if submodel.split is None else hyperparameters[submodel.split]
        folder, result, reused = self._find_or_train(number, asked, hyperparameters, identity, slot)
        no_reuse: dict[str, Any] = {"no_reuse": result.no_reuse} if result.no_reuse else {}
        run = Run(
            submodel=submodel.submodel,
            replicate=asked.replicate,
            seed=seed,
            **own_seeds,
            block=asked.block,
            run=folder.name,
            status=result.status,
            metrics=result.metrics,
            seconds=result.seconds,
            device=result.device,
            reason=result.reason and message(result.reason),  # the log has all of it
            **no_reuse,
            reused=reused,
            log=(folder / LOG).relative_to(self._experiments).as_posix(),
        )
        return run, result

    def _find_or_train(
        self, number: int, asked: Request, hyperparameters: dict[str, object], identity: Identity, slot: Slot
    ) -> tuple[Path, RunResult, bool]:
        """The run's folder in the store, its result, and whether that was there already.

        A run in the store that would come out otherwise today, by what it read, or of which that cannot be told, keeps
        its name; the run that takes its place gets one of its own.
        """
        run = identity.digest
        while True:
            folder = self._runs.place(run)
            result = finished_in(folder)
            if result is None:
                self._runs.make(folder)
                with self._gathering.alone(run), self._lease.claim(folder, self._waiting_for(run)) as held:
                    if held is None:
                        reason = "stopped" if self._cancelled.is_set() else OUT_OF_TIME
                        return folder, RunResult(status="cancelled", reason=reason), False
                    left = set(os.listdir(folder)) - {LOCK, LEASE}  # noqa: PTH208  (names alone)
                    result = finished_in(folder) if left else None  # by whoever held it
                    if result is None:
                        _remove(folder, left)
                        result, untold, ended = self._train(number, asked, hyperparameters, folder, slot)
                        if held.is_lost:  # what took its place has trained the run, or trains it
                            continue
                        return folder, self._keep(number, folder, result, identity.untold or untold, ended), False
            successor = self._successor(run, result, number, slot)
            if successor is None:
                return folder, result.in_metric(self._experiment.metric), True
            run = successor

    def _waiting_for(self, run: str) -> Callable[[Holder, float], bool]:
        """How a thread waits for a run that another process trains."""
        limit = self._experiment.run_timeout
        if limit is not None and self._together > 1:
            # Of each submodel it may wait for trainings that are carried out together, and then again one by one.
            limit *= (1 + self._together) * len(self._models)
        patience = Patience(run, limit=limit, deadline=self._deadline, stopped=self._cancelled, say=self._say)

        def wait(holder: Holder, seconds: float) -> bool:
            with self._gathering.aside():
                return patience.wait(holder, seconds)

        return wait

    def _keep(self, number: int, folder: Path, result: RunResult, untold: str | None, ended: float) -> RunResult:
        """Put a result into the store; says in it why it serves no other experiment, None where it does.

        A look at what it rests on has to follow it first, which is not taken after every training where it is dear.
        """
        untold = untold or self._inputs[number].doubt(ended)
        result.no_reuse = untold
        with self._lock:
            if untold is None and self._inputs[number].looked_at() < ended:
                self._pending.add(self._inputs[number], folder.name, result)
                save_in(folder, result.model_copy(update={"no_reuse": NOT_LOOKED_AT}))
            else:
                save_in(folder, result)
            self._pending.look()
        return result

    def _settle(self, run: str, result: RunResult) -> None:
        """Let a result serve others, where it is still what is in the store: it may have been withdrawn meanwhile."""
        stored = self._runs.result(run)
        if stored is not None and (stored.worker, stored.started) == (result.worker, result.started):
            self._runs.save(run, result)

    def _inputs_of(self, number: int) -> Inputs:
        model = self._models[number]
        sees_reads = model.sees_reads and is_served(model, warm=self._warm)
        return Inputs(model, self._experiment.models[number], self._data_folder, sees_reads=sees_reads)

    def _successor(self, run: str, result: RunResult, number: int, slot: Slot) -> str | None:
        """The name of the run that is to take the place of a finished one; None where it serves as it is."""
        if result.no_reuse and result.experiment != self._experiment.id:
            return identity_in_experiment(run, self._experiment.id)
        if result.reads is None:
            return None
        read = Reads(**result.reads.model_dump())
        bound = slot_of(self._experiment.models[number], slot)
        now = read.now(run_environment(self._models[number], bound, self._data_folder))
        return None if read.change(now) is None else identity_after_change(run, now)

    def _train(
        self,
        number: int,
        asked: Request,
        hyperparameters: dict[str, object],
        folder: Path,
        slot: Slot,
    ) -> tuple[RunResult, str | None, float]:
        """The result, why more may have gone into it than is known, None where nothing has, and when it ended."""
        log = folder / LOG
        model = self._models[number]
        if (fault := self._inputs[number].fault(time.monotonic() - RECENT_SECONDS)) is not None:
            raise Fault(fault)
        prefix = hyperparameters.get("run_id")
        own = f"{asked.name or format(asked.evaluation, '05d')}-{asked.replicate}-{number}"
        run_id = f"{prefix}-{own}" if prefix else own
        names = model.run_names(self._experiment.id, run_id, folder, self._data_folder, hyperparameters)
        training = Training(
            {**hyperparameters, **names},
            folder,
            log,
            self._experiment.metric,
            self._experiment.run_timeout,
        )
        started = now()
        slot = slot_of(self._experiment.models[number], slot)
        going_on = self._in_flight(number, asked, hyperparameters, folder.name, started)
        with self._notes[slot.number].of(going_on):
            place, carry_out = (asked.evaluation, asked.replicate), partial(self._carry_out, number, slot)
            outcome = self._gathering.train(slot.number, number, place, training, carry_out)
        if outcome.status == "failed" and (fault := _fault_of_disk(folder, outcome.reason)) is not None:
            raise Fault(fault)
        status, reason = outcome.status, outcome.reason
        if status == "ok" and outcome.metrics.get(CUT_SHORT):
            status, reason = "timeout", "the model ended its training early, by its timeout"
        reads, untold = self._reads_of(number, outcome)
        if status == "ok" and (fault := self._inputs[number].fault(outcome.ended)) is not None:
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
            model=model.name,
            hyperparameters=hyperparameters,
            worker=self._name,
            computed_on=computed_on(slot.device),
            experiment=self._experiment.id,
        )
        return result, untold, outcome.ended

    def _carry_out(self, number: int, slot: Slot, trainings: Sequence[Training]) -> Iterable[Outcome]:
        """The outcomes of trainings of one submodel that were asked for together, as they come."""
        at_once = self._takes_many[number]
        return outcomes_of(self._runner(number, slot), trainings, at_once=at_once, clear=_clear, say=self._tell_once)

    def _tell_once(self, words: str) -> None:
        if not self._has_told and not self._cancelled.is_set():
            self._has_told = True
            self._say(words)

    def _in_flight(
        self, number: int, asked: Request, hyperparameters: Mapping[str, object], run: str, started: str
    ) -> InFlight:
        epochs = hyperparameters.get(epochs_name(self._experiment.models[number]))
        return InFlight(
            evaluation=asked.evaluation,
            replicate=asked.replicate,
            submodel=self._experiment.models[number].submodel,
            run=run,
            point=asked.point,
            started=started,
            epochs=epochs if isinstance(epochs, int) and not isinstance(epochs, bool) else None,
        )

    def _reads_of(self, number: int, outcome: Outcome) -> tuple[Reads | None, str | None]:
        """What a training has read, None where that is not known; and why more may have gone into its numbers.

        Raises `Fault` where the code that it read is not that of earlier trainings.
        """
        model, reads, earlier, untold = self._models[number], outcome.reads, self._read[number], outcome.untold
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
        until = self._experiment.models[number].data_until
        return until is not None and f"{path}/".startswith(f"{self._data_folder}/")

    def _runner(self, number: int, slot: Slot) -> Runner:
        model = self._models[number]
        with self._lock:
            # The variants of a model are served by one process.
            key = (slot.number, tuple(slot.environment.items()), (model.path, model.python))
            if key not in self._runners:
                until = self._experiment.models[number].data_until
                self._runners[key] = make_runner(
                    model,
                    slot,
                    self._data_folder,
                    warm=self._warm,
                    data_until=until,
                    ml_data=self._ml_data(number),
                    runs_folder=self._runs.folder,
                )
                if self._cancelled.is_set():
                    self._runners[key].cancel()
            return self._runners[key]

    def _ml_data(self, number: int) -> MLData:
        """Where a submodel's preprocessed data are kept, for all that rests on the same code, data and environment."""
        submodel = self._experiment.models[number]
        rests_on = [submodel.identity, submodel.data, json.dumps(submodel.environment, sort_keys=True)]
        if submodel.data is None:  # nobody can tell one data set from another
            rests_on.append(self._experiment.id)
        return MLData(self._experiments / ML_DATA, rests_on, self._named[number])

    def _keep_traceback(self, evaluation: int) -> None:
        path = self._experiments / self._experiment.id / ERRORS_FILE
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(f"{now()} evaluation {evaluation}\n{traceback.format_exc()}\n")


def change_of_reads(
    model: Model,
    result: RunResult,
    slot: Slot,
    data_folder: Path,
    kinds: Sequence[str] = ("files", "packages"),
) -> str | None:
    """What, of some kinds, a finished run has read that is not as it was; None where all is, or it is not known.

    `slot` is one in which the model would run today, as `slot_of` has it.
    """
    if result.reads is None:
        return None
    read = Reads(**result.reads.model_dump())
    return read.change(read.now(run_environment(model, slot, data_folder)), kinds)


def slot_of(submodel: Submodel, slot: Slot) -> Slot:
    """The slot as one submodel uses it: with its own device and the variables of its own environment."""
    device = submodel.device
    if device is None:
        bound = dict(slot.environment)
    else:
        bound = dict.fromkeys(slot.environment, "" if device == "none" else device)
        slot = replace(slot, device=None if device == "none" else device)
    return replace(slot, environment={**bound, **submodel.environment})


def _nearest_owner(path: Path) -> str:
    """Whose a file is; where that cannot be seen, whose the folder is in which it lies."""
    return owner_of(next(place for place in (path, *path.parents) if os.access(place, os.F_OK)))


def _fault_of_disk(folder: Path, reason: str | None) -> str | None:
    """What hinders any training from writing into a run's folder, where that may be why one failed."""
    if not folder.is_dir():
        return f"{folder}: is gone"
    usage = os.statvfs(folder)
    if usage.f_bavail == 0 or (usage.f_files > 0 and usage.f_favail == 0):
        return f"{folder}: {FULL}{MENDED}"
    return next((f"{folder}: {words}{MENDED}" for words in LIMITS if words in (reason or "")), None)


def _clear(folder: Path) -> None:
    """Rid a run's folder of what a training has left there, as it was when that began."""
    _remove(folder, set(os.listdir(folder)) - {LOCK, LEASE, LOG, SCRATCH})  # noqa: PTH208  (names alone)


def _remove(folder: Path, left: Iterable[str]) -> None:
    """Clear what an earlier, failed attempt at the same run has left in its folder."""
    for entry in map(folder.joinpath, left):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)  # a lease that another process is about to make, say


def _worst(runs: Sequence[Run]) -> Literal["cancelled", "timeout", "failed"]:
    statuses = {run.status for run in runs}
    return "cancelled" if "cancelled" in statuses else "timeout" if "timeout" in statuses else "failed"
