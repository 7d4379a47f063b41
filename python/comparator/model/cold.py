"""Cold runs: `train.sh` in a process of its own for every run, and how its result is read."""

from __future__ import annotations

import glob
import json
import math
import re
import shlex
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from comparator.hyperparameters import as_flags
from comparator.model.model import Model
from comparator.model.process import GuardedProcess, call, clear_scratch, exit_words
from comparator.model.training import Outcome, Training
from comparator.site import Slot

# `val_scores.json` of the IMPROVE interface, in CANDLE's names.
IMPROVE_SCORES = {
    "mse": "val_loss",
    "rmse": "val_rmse",
    "mae": "val_mae",
    "r2": "val_r2",
    "pcc": "val_corr",
    "scc": "val_spearman",
}
RESULT_LINE = re.compile(r"^\s*(?:IMPROVE|CANDLE)_RESULT:?\s+(?:([A-Za-z_]\w*)\s*:)?\s*(\S+)\s*$")


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
            log.write(f"comparator: a process of its own: {shlex.join(command)}\n".encode())
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
            return Outcome("failed", reason=_last_words(training.log) or exit_words(code, "train.sh"))
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
        flags = as_flags(self._model.seen(dict(training.hyperparameters), self._data_folder))
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


def reported_results(training: Training, data_folder: Path) -> Outcome:
    """What a finished `train.sh` reported: result lines of the log, then `result.txt`, then `val_scores.json`.

    A named line (`IMPROVE_RESULT val_r2: 0.4`) gives that metric, one without a name the metric that was asked
    for; of several the last counts. The two files only add metrics that no line gave. They are looked for in the
    run's folder, then where CANDLE's library writes: `DATA/MODEL/Output/EXPERIMENT_ID/RUN_ID`.
    """
    metrics: dict[str, float | None] = {}
    for line in training.log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = RESULT_LINE.match(line)
        if match:
            value = _finite(match[2])
            if isinstance(value, str):
                return Outcome("failed", metrics, reason=f"'{line.strip()[:80]}' reports no number")
            metrics[match[1] or training.metric] = value
    result_file, scores_file = (_output(training, data_folder, name) for name in ("result.txt", "val_scores.json"))
    if result_file.is_file() and result_file.stat().st_size:
        words = result_file.read_text(errors="replace").split()
        value = _finite(words[0]) if words else "nothing"
        if not isinstance(value, str):
            metrics.setdefault(training.metric, value)
    if scores_file.is_file():
        for name, value in _scores(scores_file).items():
            metrics.setdefault(IMPROVE_SCORES.get(name, name), value)
    if not metrics:
        return Outcome("failed", reason="train.sh ended well but reported no result (no IMPROVE_RESULT line)")
    return Outcome("ok", metrics)


def _output(training: Training, data_folder: Path, name: str) -> Path:
    """Where a run has written the file called `name`, if it has."""
    names = [str(training.hyperparameters.get(key, "")) for key in ("experiment_id", "run_id")]
    own = training.folder / name
    if own.is_file() or not all(names):
        return own
    return next(iter(sorted(data_folder.glob("/".join(["*", "Output", *map(glob.escape, names), name])))), own)


def _scores(path: Path) -> dict[str, float]:
    try:
        scores = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(scores, dict):
        return {}
    return {
        name: float(value) for name, value in scores.items() if isinstance(value, (int, float)) and math.isfinite(value)
    }


def _finite(word: str) -> float | str | None:
    """The number that a word stands for, None where it is not finite, the word itself where it is no number."""
    try:
        value = float(word)
    except ValueError:
        return word
    return value if math.isfinite(value) else None


def _last_words(log: Path) -> str:
    """The last line that a failed process printed: by custom the error."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else ""
    return "" if last.startswith("comparator:") else last[:300]
