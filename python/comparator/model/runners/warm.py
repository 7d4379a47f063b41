"""Warm runs: one server process for each slot (see `server.py`), so that imports are paid once."""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from comparator.formats.text import one_line, shortened
from comparator.model.model import Model
from comparator.model.process import SERVER, SERVER_IN_IMAGE, GuardedProcess, call, clear_scratch, exit_words
from comparator.model.reads import Reading, Reads
from comparator.model.training import Outcome, Status, Training
from comparator.site.profile import Slot

START_LIMIT_SECONDS = 600.0
#: A reply, which has a number for each epoch and metric, is never longer.
LONGEST_REPLY = 256 << 20
#: poll(2) counts milliseconds in 31 bits.
LONGEST_WAIT_SECONDS = 1e6
MOST_SHOWN = 1 << 10  # bytes of what is no reply


class ServerEnded(Exception):
    """The server is gone, did not answer within the limit, or gave no answer; `status` says which."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class NotTogether(Exception):
    """Trainings that were given together came to no results; `status` and `reason` say how that ended.

    Whose fault it was cannot be told; each may be tried by itself.
    """

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


class OneByOne(Exception):
    """A model takes no several trainings by one call, or not here; nothing was trained."""


class WarmRunner:
    """Feeds runs to one server process, started on first use and replaced when it dies, hangs or babbles.

    `data_until` is the time (nanoseconds since 1970) up to which the identity of the runs holds what is in the data
    folder, None where it holds all of it; `under` is a command to start the server by; all its runs lie somewhere in
    `runs_folder`, None: beside the first one.
    """

    def __init__(
        self,
        model: Model,
        slot: Slot,
        data_folder: Path,
        *,
        data_until: int | None = None,
        under: Sequence[str] = (),
        runs_folder: Path | None = None,
    ) -> None:
        self._model, self._slot, self._data_folder, self._under = model, slot, data_folder, under
        self._data_until, self._runs_folder = data_until, runs_folder
        self._covered: list[tuple[str, int | None]] = []
        self._server: GuardedProcess | None = None
        self._server_folder: Path | None = None
        self._process: int | None = None  # the server's number, as it says itself
        self._defaults: dict[str, Any] | None = None
        #: Whether the module of the server that was started last has `run_many(params_list)`.
        self.takes_many, self._why_one_by_one = False, ""
        self._reading: Reading | None = None
        self._served = 0
        self._buffer = bytearray()
        self._lock = threading.Lock()
        self._cancelled = False

    def run(self, training: Training) -> Outcome:
        with training.log.open("ab", buffering=0) as log:
            try:
                self._start_if_needed(log, training.folder)
                self._note(log, training)
                reply = self._ask(training, self._what_to_train(training))
            except ServerEnded as ended:
                return self._ended(training, ended)
        return self._outcome(training, reply, self._read_so_far(reply))

    def run_many(self, trainings: Sequence[Training]) -> list[Outcome]:
        """Carry out several trainings by one call of the model's `run_many`.

        The call has the time limit of one training: one that would exceed it by itself is then found as soon, and as
        surely. What the model prints goes to the log of each. Raises `NotTogether` where the call came to no results,
        and `OneByOne` where there is no such function, or it declines; then it is not asked again.
        """
        first = trainings[0]
        try:
            with first.log.open("ab", buffering=0) as log:
                self._start_if_needed(log, first.folder)
        except ServerEnded as ended:
            return [self._ended(first, ended), *map(self.run, trainings[1:])]
        if not self.takes_many:
            raise OneByOne(self._why_one_by_one)
        for training in trainings:
            with training.log.open("ab", buffering=0) as log:
                self._note(log, training, len(trainings))
        try:
            with _added_to_all([training.log for training in trainings]):
                reply = self._ask(first, {"many": list(map(self._what_to_train, trainings))})
        except ServerEnded as ended:
            if self._cancelled:
                return [self._ended(training, ended) for training in trainings]
            self._discard()
            raise NotTogether(ended.status, ended.reason) from None
        read = self._read_so_far(reply)  # said once: what the call has kept in memory, later runs have from there
        if reply["declined"] is not None:
            self.takes_many, self._why_one_by_one = False, reply["declined"]
            self._served -= len(trainings)
            raise OneByOne(reply["declined"])
        if reply["raised"] is not None:
            raise NotTogether("failed", reply["raised"])
        outcomes = [self._outcome(training, one, read) for training, one in zip(trainings, reply["many"], strict=True)]
        return [replace(outcome, together=len(trainings)) for outcome in outcomes]

    def _ended(self, training: Training, ended: ServerEnded) -> Outcome:
        """The outcome of a run whose server has ended."""
        self._discard()
        status: Status = "cancelled" if self._cancelled else ended.status
        with training.log.open("ab") as log:
            log.write(f"comparator: {status}: {ended.reason}\n".encode())
        return Outcome(status, reason=ended.reason)

    def _outcome(self, training: Training, reply: dict[str, Any], read: tuple[Reads | None, str | None]) -> Outcome:
        metrics, unnamed = reply["metrics"], None
        if reply["value"] is not None or (reply["status"] == "ok" and not metrics):
            metrics[training.metric], unnamed = reply["value"], training.metric
        return Outcome(reply["status"], metrics, reply["history"], reply["reason"], *read, unnamed)

    def _read_so_far(self, reply: dict[str, Any]) -> tuple[Reads | None, str | None]:
        """All that the server has read, what it may hold of earlier runs too; and what of that is not known."""
        if reply["read"] is None:
            return None, None
        assert self._reading is not None
        self._reading.add(reply["read"])
        return self._reading.so_far(), self._reading.untold(self._where_to_say)

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

    def _note(self, log: IO[bytes], training: Training, together: int = 1) -> None:
        self._served += 1
        device = "no device" if self._slot.device is None else f"device {self._slot.device}"
        given = json.dumps(training.hyperparameters, default=str)
        words = f"comparator: warm server, run {self._served} of it, {device}\ncomparator: hyperparameters {given}\n"
        if together > 1:
            words += f"comparator: {together} runs are trained together; what follows is the log of all of them\n"
        log.write(words.encode())

    @cached_property
    def _where_to_say(self) -> str | None:
        """Where the model's author may say what else is read; None where that is said."""
        description = self._model.description
        return None if description.tells_what_is_read else f"reads = [...] in {self._model.description_file}"

    # The server

    def _start_if_needed(self, log: IO[bytes], folder: Path) -> None:
        """Have a server that is ready; raises `ServerEnded`.

        One that has said something since its last reply is not asked again: that might pass for the next reply.
        """
        if self._server is not None and self._server.is_alive() and not self._has_babbled(log):
            return
        self._discard()
        with self._lock:
            if self._cancelled:
                raise ServerEnded("cancelled", "stopped before it began")
            token = secrets.token_hex(8)
            runs = self._runs_folder or folder.parent
            self._covered = self._model.covered(self._data_folder, self._data_until, runs)
            command, environment = call(self._model, self._command(token), self._slot, self._data_folder, folder, runs)
            self._reading = Reading(self._covered, environment, packages=self._model.python is None)
            self._server = GuardedProcess(command, environment, log, piped=True, folder=folder)
            self._server_folder = folder
            self._served, self._buffer = 0, bytearray()
        try:
            ready = self._hello(token, log)
            if not ready["ready"]:
                raise ServerEnded("failed", str(ready["reason"]))
        except ServerEnded as ended:
            if ended.status != "failed" or self._model.image is not None or not environment.get("PYTHONPATH"):
                raise
            raise ServerEnded(ended.status, f"{ended.reason} (PYTHONPATH is set: is it another Python's?)") from None
        self._process, self._defaults = ready["process"], ready["hyperparameters"]
        self.takes_many, self._why_one_by_one = ready["many"], "the model has no function run_many(params_list)"
        if self._model.description.run_many and not self.takes_many:
            said = f"run_many = true in {self._model.description_file}"
            raise ServerEnded("failed", f"the model has no function run_many(params_list), but {said}")
        self._reading.add(ready["read"])

    def _command(self, token: str) -> list[str]:
        module = self._model.module
        assert module is not None
        asked = {"token": token, "module": module, "covered": self._covered}
        if self._model.image is None:
            asked["folders"] = [str(folder) for folder in self._model.python_path]
            return [*self._under, self._model.interpreter, str(SERVER), json.dumps(asked)]
        asked["folders"] = self._model.description.python_path
        served = [self._model.interpreter, SERVER_IN_IMAGE, json.dumps(asked)]
        return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self._model.image.folder or "/", *served]

    def _hello(self, token: str, log: IO[bytes]) -> dict[str, Any]:
        """The server's first line; what is said before it, by the start of a shell or of Python, goes to the log."""
        deadline = time.monotonic() + START_LIMIT_SECONDS
        said = 0
        while said < LONGEST_REPLY:
            line = self._line(deadline, f"importing the model exceeded its limit of {START_LIMIT_SECONDS:g} seconds")
            hello = _json_object(line)
            if hello is not None and hello.get("token") == token:
                return hello
            said += len(line) + 1
            log.write(line + b"\n")
        raise ServerEnded("failed", "the model's process says more than any log before it is ready")

    def _what_to_train(self, training: Training) -> dict[str, Any]:
        given = self._model.seen(training.hyperparameters, self._data_folder)
        return {"hyperparameters": given, "metric": training.metric}

    def _ask(self, training: Training, what: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request for what is to be trained, in the folder and the log of a training."""
        number = secrets.token_hex(16)
        request = {"request": number, **what, "folder": str(training.folder), "log": str(training.log)}
        assert self._server is not None
        try:
            self._server.requests.write(json.dumps(request, default=str).encode() + b"\n")
            self._server.requests.flush()
        except BrokenPipeError:
            raise ServerEnded("failed", "the model's process ended between two runs") from None
        limit = training.timeout
        deadline = math.inf if limit is None else time.monotonic() + limit
        line = self._line(deadline, f"the run exceeded its limit of {limit or 0:g} seconds")
        reply = _json_object(line)
        if reply is None or reply.get("request") != number or reply.get("process") != self._process:
            raise ServerEnded("failed", f"the model's process sent what is no reply: {_shown(line)}")
        if self._buffer:
            raise ServerEnded("failed", f"the model's process sent more than its reply: {_shown(self._buffer)}")
        return reply

    def _has_babbled(self, log: IO[bytes]) -> bool:
        """Whether the server has said something unasked."""
        assert self._server is not None
        descriptor = self._server.replies.fileno()
        if not _poll(descriptor).poll(0):
            return False
        said = os.read(descriptor, 1 << 16)
        if said:
            log.write(f"comparator: a new server: the last one said unasked: {_shown(said)}\n".encode())
        return True

    def _line(self, deadline: float, too_late: str) -> bytes:
        """The next line of the server; the pipe is read without waiting past `deadline` (of `time.monotonic()`)."""
        assert self._server is not None
        descriptor = self._server.replies.fileno()
        searched, poll = 0, _poll(descriptor)
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LONGEST_REPLY:
                said = _shown(self._buffer)
                raise ServerEnded("failed", f"the model's process sent {searched:,} bytes without a reply: {said}")
            left = deadline - time.monotonic()
            if left <= 0:
                raise ServerEnded("timeout", too_late)
            if not poll.poll(None if left == math.inf else math.ceil(1e3 * min(left, LONGEST_WAIT_SECONDS))):
                continue
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                raise ServerEnded("failed", self._cause_of_death())
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _cause_of_death(self) -> str:
        assert self._server is not None
        half = f"; it had begun to say: {_shown(self._buffer)}" if self._buffer else ""
        try:
            code = self._server.wait(5.0)
        except subprocess.TimeoutExpired:
            return f"the model closed its side of the pipe{half}"
        return exit_words(code, "the model's process") + half

    def _discard(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None
            if self._server_folder is not None:
                clear_scratch(self._server_folder)
                self._server_folder = None


@contextlib.contextmanager
def _added_to_all(logs: Sequence[Path]) -> Iterator[None]:
    """Add to each of some logs what comes to the first of them while the context lasts."""
    first, *others = logs
    had = first.stat().st_size
    try:
        yield
    finally:
        with first.open("rb") as said:
            for log in others:
                said.seek(had)
                with log.open("ab") as copy:
                    shutil.copyfileobj(said, copy)


def _poll(descriptor: int) -> select.poll:
    """Waits until there is something to read; unlike a selector it takes no descriptor of its own."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shown(said: bytes | bytearray) -> str:
    """What a process said, for people: the beginning of it, without what a terminal would take for orders."""
    return shortened(one_line(bytes(said[:MOST_SHOWN]).decode(errors="replace")))
