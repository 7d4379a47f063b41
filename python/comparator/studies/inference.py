"""Inference by runs of the store: `infer.sh` with a trained model, on one study after another.

`infer/STUDY/` in a run's folder holds what it wrote (`test_scores.json`, `test_y_data_predicted.csv`) and `model.log`.
The folder appears whole, by a rename, and is made once for the same data: `data` in it has their fingerprint, and the
run's identity says which model, seed, hyperparameters and training data it comes from. A model that describes the
hyperparameter `separate_tests` is started once for all studies, any other once for each.
"""

from __future__ import annotations

import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from comparator.engine.patience import Patience
from comparator.engine.workers import Workers
from comparator.experiment.host import Host
from comparator.model.data import data_of
from comparator.model.log_lines import our_line
from comparator.model.model import Model
from comparator.model.process import GuardedProcess, call, clear_scratch, exit_words
from comparator.model.reported import lacks_scores, last_words, read_scores
from comparator.results.run_store import RunStore
from comparator.site.profile import Slot

SCORES, PREDICTIONS, LOG, DATA = "test_scores.json", "test_y_data_predicted.csv", "model.log", "data"
SEPARATE_TESTS = "separate_tests"


class Inference:
    """Infers with one model's runs, each run in one slot, under the runs' time limit."""

    def __init__(self, model: Model, host: Host, target: str, limit: float | None) -> None:
        self._model, self._data_folder = model, host.site.data_folder
        # What tests may read is more than what trainings say that they read.
        self._data = str(data_of(model, self._data_folder, everything=True).digest)
        self._target, self._limit = target, limit
        self._runs = RunStore(host.experiments)
        self._host = host
        self._processes: set[GuardedProcess] = set()
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    def folder(self, identity: str, study: str) -> Path:
        folder = self._runs.folder_of(identity)
        assert folder is not None  # it was trained
        return folder / "infer" / study

    def scores(self, identity: str, study: str) -> dict[str, float | None] | None:
        """The scores of a finished inference, None where there is none."""
        folder = self.folder(identity, study)
        numbers, _ = read_scores(folder / SCORES) or ({}, {})
        return numbers if numbers and self._is_of_these_data(folder) else None

    def _is_of_these_data(self, folder: Path) -> bool:
        """Whether an inference was made with the data of today; one of an earlier version does not say."""
        try:
            return (folder / DATA).read_text(encoding="utf-8") == self._data
        except OSError:
            return self._model.description.data_manifest is not None

    def missing(self, identity: str, studies: Sequence[str]) -> list[str]:
        return [study for study in studies if self.scores(identity, study) is None]

    def run_all(self, wanted: Mapping[str, Sequence[str]], on_change: Callable[[int], None]) -> dict[str, str]:
        """Infer by each run (by identity) on its studies; returns why runs failed, by identity.

        `on_change` is told how many runs are done. An exception, Ctrl-C among them, ends what runs before it goes
        on its way; finished inferences are kept.
        """
        slots: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        for slot in self._host.slots[: self._host.workers]:
            slots.put(slot)

        def infer(identity: str, studies: Sequence[str]) -> tuple[str, str | None]:
            slot = slots.get()
            try:
                return identity, self._run(identity, studies, slot)
            finally:
                slots.put(slot)

        failed: dict[str, str] = {}
        with Workers[tuple[str, str | None]](self._host.workers, self._cancel) as workers:
            for identity, studies in wanted.items():
                workers.start(partial(infer, identity, studies))
            for done, (identity, reason) in enumerate(workers.results(), start=1):
                on_change(done)
                if reason is not None:
                    failed[identity] = reason
        return failed

    def _cancel(self) -> None:
        with self._lock:
            self._cancelled.set()
            for process in self._processes:
                process.kill()

    def _run(self, identity: str, studies: Sequence[str], slot: Slot) -> str | None:
        """Infer by one run; says why it failed, or None."""
        patience = Patience(identity, limit=self._limit, stopped=self._cancelled, say=self._host.say)
        with self._runs.claim(identity, "its inference", patience.wait) as held:
            if held is None:
                return "stopped"
            studies = self.missing(identity, studies)
            separate = SEPARATE_TESTS in self._model.description.hyperparameters
            for together in [studies] if separate and studies else [[study] for study in studies]:
                reason = self._infer(held.folder, together, slot, separate=separate)
                if reason is not None:
                    return reason
        return None

    def _infer(self, folder: Path, studies: Sequence[str], slot: Slot, *, separate: bool) -> str | None:
        making = folder / "infer" / ".making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        reason = self._start(self._command(folder, making, studies, slot, separate=separate), making, slot)
        for study in studies if reason is None else ():
            written = making / study if separate else making
            lacks = lacks_scores(written / SCORES)
            if lacks is not None:
                reason = f"infer.sh {lacks} for {study}"
                break
            if separate:
                shutil.copyfile(making / LOG, written / LOG)
            (written / DATA).write_text(self._data, encoding="utf-8")
            shutil.rmtree(folder / "infer" / study, ignore_errors=True)
            written.rename(folder / "infer" / study)
        if reason is not None:
            shutil.copyfile(making / LOG, folder / "infer" / "failed.log")
        shutil.rmtree(making, ignore_errors=True)
        return reason

    def _command(self, folder: Path, output: Path, studies: Sequence[str], slot: Slot, *, separate: bool) -> list[str]:
        improve = self._model.description.convention == "improve"
        flags = ["--input_model_dir" if improve else "--model_dir", str(folder), "--output_dir", str(output)]
        flags += [f"--{self._target}", *studies]
        if separate:
            flags += [f"--{SEPARATE_TESTS}", "True"]
        where = [] if improve else [slot.device or "-1", self._model.seen(str(self._data_folder), self._data_folder)]
        return [*self._model.command("infer.sh"), *where, *flags]

    def _start(self, inside: list[str], folder: Path, slot: Slot) -> str | None:
        command, environment = call(self._model, inside, slot, self._data_folder, folder, self._runs.folder)
        with (folder / LOG).open("wb") as log:
            log.write(our_line(" ".join(command)))
            log.flush()
            with self._lock:
                if self._cancelled.is_set():
                    return "stopped before it began"
                process = GuardedProcess(command, environment, log, piped=False, folder=folder)
                self._processes.add(process)
            try:
                code = process.wait(self._limit)
            except subprocess.TimeoutExpired:
                return f"the inference exceeded its limit of {self._limit:g} seconds"
            finally:
                with self._lock:
                    self._processes.discard(process)
                process.close()
                clear_scratch(folder)
        if code == 0:
            return None
        return last_words(folder / LOG) or exit_words(code, "infer.sh")
