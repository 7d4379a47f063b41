"""Warm runs: one server process for each slot (see `server.py`), so that imports are paid once."""

from __future__ import annotations

import json
import math
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from comparator.model.model import Model
from comparator.model.process import SERVER, SERVER_IN_IMAGE, GuardedProcess, call, clear_scratch, exit_words
from comparator.model.training import Outcome, Status, Training
from comparator.site import Slot

START_LIMIT_SECONDS = 600.0


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
        self._server_folder: Path | None = None
        self._defaults: dict[str, Any] | None = None
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

    def defaults(self, log: Path) -> dict[str, Any] | None:
        """Start the server and say what `initialize_parameters()` gave, None where the module has none.

        Raises `ServerEnded` where the module cannot be served; `log` then has the traceback.
        """
        with log.open("ab") as file:
            self._start_if_needed(file, log.parent)
        return self._defaults

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
            inside = self._command(module)
            command, environment = call(self._model, inside, self._slot, self._data_folder, folder)
            self._server = GuardedProcess(command, environment, log, piped=True, folder=folder)
            self._server_folder = folder
            self._served, self._buffer = 0, b""
        ready = self._reply(START_LIMIT_SECONDS, "importing the model")
        if not ready["ready"]:
            raise ServerEnded("failed", str(ready["reason"]))
        self._defaults = ready["hyperparameters"]

    def _command(self, module: str) -> list[str]:
        if self._model.image is None:
            return [sys.executable, str(SERVER), module, *map(str, self._model.python_path)]
        served = [SERVER_IN_IMAGE, module, *self._model.description.python_path]
        return ["/bin/sh", "-c", 'cd "$0" && exec python3 "$@"', self._model.image.folder or "/", *served]

    def _ask(self, training: Training) -> dict[str, Any]:
        request = {
            "hyperparameters": self._model.seen(dict(training.hyperparameters), self._data_folder),
            "folder": str(training.folder),
            "log": str(training.log),
        }
        assert self._server is not None
        try:
            self._server.requests.write(json.dumps(request, default=str).encode() + b"\n")
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
        return exit_words(code, "the model's process")

    def _discard(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None
            if self._server_folder is not None:
                clear_scratch(self._server_folder)
                self._server_folder = None
