"""A worker's runs: each found in the store, or trained now and kept there."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from comparator.engine.given import run_hyperparameters, varied_names
from comparator.engine.patience import Patience
from comparator.engine.reads_again import reads_then_and_now
from comparator.engine.run_identity import (
    Identity,
    identity_after_change,
    identity_in_experiment,
    run_identity,
)
from comparator.engine.trainer import LOG, Trainer, remove
from comparator.engine.workplace import Workplace
from comparator.formats.text import message
from comparator.model.inputs import Pending
from comparator.results.holder import Holder
from comparator.results.in_flight import purpose_of, running_file
from comparator.results.lease import LEASE, LOCK
from comparator.results.record import Run
from comparator.results.requests import Request
from comparator.results.run_result import RunResult
from comparator.results.run_store import RunStore, finished_in, save_in
from comparator.results.worker_lease import WorkerLease
from comparator.site.profile import Slot

NOT_LOOKED_AT = "the data and the model's files have not been looked at since"
OUT_OF_TIME = "the walltime ends before it could"


class Runs:
    """The runs of one worker, whose `trainer` carries out those that the store does not have."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._store = RunStore(place.experiments)
        self.trainer = Trainer(place, self._store.folder)
        own = running_file(place.folder, f"{place.name}.lease")
        self._lease = WorkerLease(own, purpose_of(place.experiment.id))
        self._pending = Pending(self._settle)
        self._lock = threading.Lock()

    def run(self, number: int, asked: Request, slot: Slot) -> tuple[Run, RunResult]:
        """One submodel's run, found in the store or trained now: as a line of the record shows it, and its result."""
        experiment = self._place.experiment
        submodel = experiment.models[number]
        hyperparameters, seed = run_hyperparameters(
            *(experiment, number, asked.point),
            seed=asked.seed,
            split=asked.split,
            epochs=asked.epochs,
            seeds=asked.seeds,
        )
        identity = run_identity(
            submodel,
            hyperparameters,
            seed,
            self.trainer.named[number],
            varied=varied_names(submodel, asked.point),
            untold=submodel.untold or self._place.models[number].untold(warm=self._place.warm),
            experiment=experiment.id,
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
            log=(folder / LOG).relative_to(self._place.experiments).as_posix(),
        )
        return run, result

    def forget_pending(self) -> None:
        """Have no result that waits for a look at what it rests on serve others."""
        self._pending = Pending(self._settle)

    def close(self) -> None:
        """End the models' processes, and have every result serve others that may."""
        self.trainer.end_processes()
        with self._lock, contextlib.suppress(OSError):
            self._pending.look(again=True)
        self._lease.close()
        self.trainer.close()

    def _find_or_train(
        self, number: int, asked: Request, hyperparameters: dict[str, object], identity: Identity, slot: Slot
    ) -> tuple[Path, RunResult, bool]:
        """The run's folder in the store, its result, and whether that was there already.

        A run in the store that would come out otherwise today, by what it read, or of which that cannot be told, keeps
        its name; the run that takes its place gets one of its own.
        """
        run = identity.digest
        while True:
            folder = self._store.place(run)
            result = finished_in(folder)
            if result is None:
                self._store.make(folder)
                with self._place.gathering.alone(run), self._lease.claim(folder, self._waiting_for(run)) as held:
                    if held is None:
                        reason = "stopped" if self._place.cancelled.is_set() else OUT_OF_TIME
                        return folder, RunResult(status="cancelled", reason=reason), False
                    left = set(os.listdir(folder)) - {LOCK, LEASE}  # noqa: PTH208  (names alone)
                    result = finished_in(folder) if left else None  # by whoever held it
                    if result is None:
                        remove(folder, left)
                        result, untold, ended = self.trainer.train(number, asked, hyperparameters, folder, slot)
                        if held.is_lost:  # what took its place has trained the run, or trains it
                            continue
                        return folder, self._keep(number, folder, result, identity.untold or untold, ended), False
            successor = self._successor(run, result, number, slot)
            if successor is None:
                return folder, result.in_metric(self._place.experiment.metric), True
            run = successor

    def _waiting_for(self, run: str) -> Callable[[Holder, float], bool]:
        """How a thread waits for a run that another process trains."""
        place = self._place
        limit = place.experiment.run_timeout
        if limit is not None and place.together > 1:
            # Of each submodel it may wait for trainings that are carried out together, and then again one by one.
            limit *= (1 + place.together) * len(place.models)
        patience = Patience(run, limit=limit, deadline=place.deadline, stopped=place.cancelled, say=place.say)

        def wait(holder: Holder, seconds: float) -> bool:
            with place.gathering.aside():
                return patience.wait(holder, seconds)

        return wait

    def _keep(self, number: int, folder: Path, result: RunResult, untold: str | None, ended: float) -> RunResult:
        """Put a result into the store; says in it why it serves no other experiment, None where it does.

        A look at what it rests on has to follow it first, which is not taken after every training where it is dear.
        """
        inputs = self.trainer.inputs[number]
        untold = untold or inputs.doubt(ended)
        result.no_reuse = untold
        with self._lock:
            if untold is None and inputs.looked_at() < ended:
                self._pending.add(inputs, folder.name, result)
                save_in(folder, result.model_copy(update={"no_reuse": NOT_LOOKED_AT}))
            else:
                save_in(folder, result)
            self._pending.look()
        return result

    def _settle(self, run: str, result: RunResult) -> None:
        """Let a result serve others, where it is still what is in the store: it may have been withdrawn meanwhile."""
        stored = self._store.result(run)
        if stored is not None and (stored.worker, stored.started) == (result.worker, result.started):
            self._store.save(run, result)

    def _successor(self, run: str, result: RunResult, number: int, slot: Slot) -> str | None:
        """The name of the run that is to take the place of a finished one; None where it serves as it is."""
        place = self._place
        if result.no_reuse and result.experiment != place.experiment.id:
            return identity_in_experiment(run, place.experiment.id)
        both = reads_then_and_now(place.models[number], result, place.slot_of(number, slot), place.data_folder)
        if both is None:
            return None
        then, now = both
        return None if then.change(now) is None else identity_after_change(run, now)
