"""A model's script in a process of its own: with a time limit, and ended at once where that is wanted."""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from comparator.errors import InputError
from comparator.model.links import linked
from comparator.model.log_lines import our_line
from comparator.model.model import Model
from comparator.model.process import GuardedProcess, call, clear_scratch, exit_words
from comparator.model.reported import last_words
from comparator.model.training import Outcome
from comparator.site.profile import Slot


class Scripts:
    """Runs scripts of one model in one slot, one at a time; `under` is a command to start them by."""

    def __init__(self, model: Model, slot: Slot, data_folder: Path, *, under: Sequence[str] = ()) -> None:
        self._model, self._slot, self._data_folder, self._under = model, slot, data_folder, under
        self._process: GuardedProcess | None = None
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def run(
        self, inside: Sequence[str], folder: Path, log_file: Path, timeout: float | None, who: str
    ) -> Outcome | None:
        """Run a command, called `who`, in `folder`, for `timeout` seconds at the most; how it failed, None: it did not.

        What it prints goes to the end of the log. Folders that it wants there are made, files of the model that it
        wants are linked meanwhile.
        """
        own = self._model.own_command
        apart = [] if own is None or own.settings is None else [own.settings]
        try:
            for name in self._model.description.folders:
                (folder / name).mkdir(parents=True, exist_ok=True)
            with linked(self._model.links, folder, apart, str if own is None else own.seen):
                return self._run(inside, folder, log_file, timeout, who)
        except InputError as error:
            return Outcome("failed", reason=str(error))

    def _run(
        self, inside: Sequence[str], folder: Path, log_file: Path, timeout: float | None, who: str
    ) -> Outcome | None:
        start = folder / (self._model.description.start_in or ".")
        words = list(inside)
        command, environment = call(self._model, words, self._slot, self._data_folder, folder, start=start)
        with log_file.open("ab") as log:
            log.write(our_line(f"a process of its own: {shlex.join(command)}"))
            log.flush()
            with self._lock:
                if self.is_cancelled:
                    return Outcome("cancelled", reason="stopped before it began")
                command = [*self._under, *command]
                start.mkdir(parents=True, exist_ok=True)
                self._process = GuardedProcess(command, environment, log, piped=False, folder=start)
            try:
                code = self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                self.close()
                clear_scratch(folder)
        if self.is_cancelled:
            return Outcome("cancelled", reason="stopped")
        if code is None:
            return Outcome("timeout", reason=f"the run exceeded its limit of {timeout:g} seconds")
        return None if code == 0 else Outcome("failed", reason=last_words(log_file) or exit_words(code, who))

    def wait(self, seconds: float) -> bool:
        """Wait so long; False where it was cancelled meanwhile."""
        return not self._cancelled.wait(seconds)

    def cancel(self) -> None:
        """End what runs at once, from any thread; what is asked later does not begin."""
        with self._lock:
            self._cancelled.set()
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.close()
                self._process = None
