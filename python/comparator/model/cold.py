"""Cold runs: `train.sh` in a process of its own for every run."""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from comparator.formats.hyperparameters import as_flags
from comparator.model.model import Model
from comparator.model.process import GuardedProcess, call, clear_scratch, exit_words
from comparator.model.reported import last_words, our_line, reported_results
from comparator.model.training import Outcome, Training
from comparator.site.profile import Slot


class ColdRunner:
    """Starts `train.sh DEVICE DATA_FOLDER --name value ...` for every run; `under` is a command to start it by."""

    def __init__(self, model: Model, slot: Slot, data_folder: Path, *, under: Sequence[str] = ()) -> None:
        self._model, self._slot, self._data_folder, self._under = model, slot, data_folder, under
        self._process: GuardedProcess | None = None
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self, training: Training) -> Outcome:
        inside = self._command(training)
        command, environment = call(self._model, inside, self._slot, self._data_folder, training.folder)
        with training.log.open("ab") as log:
            log.write(our_line(f"a process of its own: {shlex.join(command)}"))
            log.flush()
            with self._lock:
                if self._cancelled:
                    return Outcome("cancelled", reason="stopped before it began")
                command = [*self._under, *command]
                self._process = GuardedProcess(command, environment, log, piped=False, folder=training.folder)
            try:
                code = self._process.wait(training.timeout)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                self._discard()
                clear_scratch(training.folder)
        if self._cancelled:
            return Outcome("cancelled", reason="stopped")
        if code is None:
            return Outcome("timeout", reason=f"the run exceeded its limit of {training.timeout:g} seconds")
        if code != 0:
            return Outcome("failed", reason=last_words(training.log) or exit_words(code, "train.sh"))
        return reported_results(training, self._data_folder)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        self._discard()

    def _command(self, training: Training) -> list[str]:
        script = self._model.script("train.sh")
        assert script is not None
        flags = as_flags(self._model.seen(training.hyperparameters, self._data_folder))
        if self._model.description.convention == "improve":
            return [str(script), *flags]
        return [
            str(script),
            self._slot.device or "-1",
            self._model.seen(str(self._data_folder), self._data_folder),
            *flags,
        ]

    def _discard(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.close()
                self._process = None
