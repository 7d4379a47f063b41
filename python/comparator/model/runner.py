"""Carry out one training: in a warm server where the model has a Python module, else by `train.sh`.

Both ways take a `Training` and give an `Outcome`, and both end with their whole process group when the time
limit passes, when `cancel()` is called, or when this process is gone (see `guard.py`).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from comparator.hyperparameters import as_flags
from comparator.model.model import Model
from comparator.site import Slot

HERE = Path(__file__).parent
START_LIMIT_SECONDS = 600.0
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

Status = Literal["ok", "failed", "timeout", "cancelled"]


@dataclass(frozen=True)
class Training:
    """One run to carry out: `folder` exists and is empty but for `log`."""

    hyperparameters: Mapping[str, object]
    folder: Path
    log: Path
    metric: str
    timeout: float | None = None  # seconds


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `metrics` are final values (None: not finite), `history` one number an epoch."""

    status: Status
    metrics: dict[str, float | None] = field(default_factory=dict)
    history: dict[str, list[float | None]] = field(default_factory=dict)
    reason: str | None = None


class Runner(Protocol):
    """Carries out trainings of one model in one slot, one at a time."""

    def run(self, training: Training) -> Outcome: ...

    def cancel(self) -> None:
        """End the run in progress at once, from another thread; every later run is cancelled too."""

    def close(self) -> None:
        """Free what is kept between runs."""


def make_runner(model: Model, slot: Slot, data_folder: Path, *, warm: bool = True) -> Runner:
    """Choose the way that a model's runs take: warm where it has a module, else a process per run."""
    if model.module is not None and (warm or model.script("train.sh") is None):
        return WarmRunner(model, slot, data_folder)
    return ColdRunner(model, slot, data_folder)


class GuardedProcess:
    """A command under `guard.py`: in a process group of its own that ends when this process does."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        errors: IO[bytes],
        *,
        piped: bool,
        folder: Path,
    ) -> None:
        life, self._life = os.pipe()
        guard = [sys.executable, "-I", "-S", str(HERE / "guard.py"), str(life)]
        self._process = subprocess.Popen(
            guard + command,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else errors,
            stderr=errors,
            env=dict(environment),
            cwd=folder,
            pass_fds=[life],
            start_new_session=True,
        )
        os.close(life)

    @property
    def requests(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def replies(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float | None) -> int:
        """The exit status; raises `subprocess.TimeoutExpired`."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """End the whole group; safe to call from any thread and more than once."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the group, reap it and close the pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(OSError):
            os.close(self._life)
        self._life = -1


def run_environment(model: Model, slot: Slot, data_folder: Path) -> dict[str, str]:
    """The environment of a run: this process's, one BLAS thread, the slot's device, the data folder."""
    one_thread = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
        ),
        "1",
    )
    interpreter = str(Path(sys.executable).parent)
    return {
        **os.environ,
        **one_thread,
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.pathsep.join([interpreter, os.environ.get("PATH", os.defpath)]),
        "CANDLE_DATA_DIR": str(data_folder),
        "IMPROVE_DATA_DIR": str(data_folder),
        **slot.environment,
    }


class ServerEnded(Exception):
    """The server is gone, or did not answer within the limit; `status` says which."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class WarmRunner:
    """Feeds runs to one server process, started on first use and replaced when it dies or hangs."""

    def __init__(self, model: Model, slot: Slot, data_folder: Path) -> None:
        self._model, self._slot, self._data_folder = model, slot, data_folder
        self._server: GuardedProcess | None = None
        self._served = 0
        self._buffer = b""
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self, training: Training) -> Outcome:
        with training.log.open("ab") as log:
            try:
                self._start_if_needed(log, training.folder)
                self._note(log, training)
                reply = self._ask(training)
            except ServerEnded as ended:
                self._discard()
                status: Status = "cancelled" if self._cancelled else ended.status
                log.write(f"comparator: {status}: {ended.reason}\n".encode())
                return Outcome(status, reason=ended.reason)
        metrics = dict(reply["metrics"])
        if reply["value"] is not None or (reply["status"] == "ok" and not metrics):
            metrics[training.metric] = reply["value"]
        return Outcome(reply["status"], metrics, reply["history"], reply["reason"])

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._server is not None:
                self._server.kill()

    def close(self) -> None:
        self._discard()

    def _note(self, log: IO[bytes], training: Training) -> None:
        self._served += 1
        device = "no device" if self._slot.device is None else f"device {self._slot.device}"
        given = json.dumps(dict(training.hyperparameters), default=str)
        log.write(f"comparator: warm server, run {self._served} of it, {device}\n".encode())
        log.write(f"comparator: hyperparameters {given}\n".encode())
        log.flush()

    def _start_if_needed(self, log: IO[bytes], folder: Path) -> None:
        with self._lock:
            if self._cancelled:
                raise ServerEnded("cancelled", "stopped before it began")
            if self._server is not None and self._server.is_alive():
                return
            if self._server is not None:
                self._server.close()
            module = self._model.module
            assert module is not None
            command = [sys.executable, str(HERE / "server.py"), module, *map(str, self._model.python_path)]
            environment = run_environment(self._model, self._slot, self._data_folder)
            self._server = GuardedProcess(command, environment, log, piped=True, folder=folder)
            self._served, self._buffer = 0, b""
        ready = self._reply(START_LIMIT_SECONDS, "importing the model")
        if not ready["ready"]:
            raise ServerEnded("failed", str(ready["reason"]))

    def _ask(self, training: Training) -> dict[str, Any]:
        request = {
            "hyperparameters": dict(training.hyperparameters),
            "folder": str(training.folder),
            "log": str(training.log),
        }
        assert self._server is not None
        try:
            self._server.requests.write(json.dumps(request).encode() + b"\n")
            self._server.requests.flush()
        except BrokenPipeError:
            raise ServerEnded("failed", "the model's process ended between two runs") from None
        return self._reply(training.timeout, "the run")

    def _reply(self, limit: float | None, what: str) -> dict[str, Any]:
        """The next line of the server; the pipe's own buffer is read without blocking past `limit` seconds."""
        assert self._server is not None
        deadline = math.inf if limit is None else time.monotonic() + limit
        descriptor = self._server.replies.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(None if left == math.inf else left):
                    raise ServerEnded("timeout", f"{what} exceeded its limit of {limit:g} seconds")
                piece = os.read(descriptor, 1 << 16)
                if not piece:
                    raise ServerEnded("failed", self._cause_of_death())
                self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _cause_of_death(self) -> str:
        assert self._server is not None
        try:
            code = self._server.wait(5.0)
        except subprocess.TimeoutExpired:
            return "the model closed its side of the pipe"
        return _exit_words(code, "the model's process")

    def _discard(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None


class ColdRunner:
    """Starts `train.sh DEVICE DATA_FOLDER --name value ...` for every run."""

    def __init__(self, model: Model, slot: Slot, data_folder: Path) -> None:
        self._model, self._slot, self._data_folder = model, slot, data_folder
        self._process: GuardedProcess | None = None
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self, training: Training) -> Outcome:
        command = self._command(training)
        environment = run_environment(self._model, self._slot, self._data_folder)
        with training.log.open("ab") as log:
            log.write(f"comparator: a process of its own: {' '.join(command)}\n".encode())
            log.flush()
            with self._lock:
                if self._cancelled:
                    return Outcome("cancelled", reason="stopped before it began")
                self._process = GuardedProcess(command, environment, log, piped=False, folder=training.folder)
            try:
                code = self._process.wait(training.timeout)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                self._discard()
        if self._cancelled:
            return Outcome("cancelled", reason="stopped")
        if code is None:
            return Outcome("timeout", reason=f"the run exceeded its limit of {training.timeout:g} seconds")
        if code != 0:
            return Outcome("failed", reason=_last_words(training.log) or _exit_words(code, "train.sh"))
        return reported_results(training)

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
        flags = as_flags(dict(training.hyperparameters))
        if self._model.description.convention == "improve":
            return [str(script), *flags]
        return [str(script), self._slot.device or "-1", str(self._data_folder), *flags]

    def _discard(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.close()
                self._process = None


def reported_results(training: Training) -> Outcome:
    """What a finished `train.sh` reported: result lines of the log, then `result.txt`, then `val_scores.json`.

    A named line (`IMPROVE_RESULT val_r2: 0.4`) gives that metric, one without a name the metric that was asked
    for; of several the last counts. The two files only add metrics that no line gave.
    """
    metrics: dict[str, float | None] = {}
    for line in training.log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = RESULT_LINE.match(line)
        if match:
            value = _finite(match[2])
            if isinstance(value, str):
                return Outcome("failed", metrics, reason=f"'{line.strip()[:80]}' reports no number")
            metrics[match[1] or training.metric] = value
    result_file, scores_file = training.folder / "result.txt", training.folder / "val_scores.json"
    if result_file.is_file() and result_file.stat().st_size:
        value = _finite(result_file.read_text(errors="replace").split()[0])
        if not isinstance(value, str):
            metrics.setdefault(training.metric, value)
    if scores_file.is_file():
        for name, value in _scores(scores_file).items():
            metrics.setdefault(IMPROVE_SCORES.get(name, name), value)
    if not metrics:
        return Outcome("failed", reason="train.sh ended well but reported no result (no IMPROVE_RESULT line)")
    return Outcome("ok", metrics)


def _scores(path: Path) -> dict[str, float]:
    try:
        scores = json.loads(path.read_text())
    except (OSError, ValueError):
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


def _exit_words(code: int, who: str) -> str:
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"{who} was killed by {signal.Signals(code - 128).name}"
    return f"{who} ended with exit status {code}"


def _last_words(log: Path) -> str:
    """The last line that a failed process printed: by custom the error."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else ""
    return "" if last.startswith("comparator:") else last[:300]
