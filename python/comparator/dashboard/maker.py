"""The one process that makes what takes seconds: pages, maps, comparisons. It begins when it is first asked."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from comparator.errors import ComparatorError

#: After so long without work the process ends: what it has imported takes memory.
IDLE_SECONDS = 300.0
#: The search comes first.
NICENESS = 10


class MakerEnded(ComparatorError):
    """The process ended before it had answered: it was killed, for want of memory say."""


class Maker:
    """Calls functions in the process, one at a time; from any thread."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def __call__(self, function: Callable[..., Any], *given: Any) -> Any:
        """What the function gives, which has to be one of a module; raises what it raises, or `MakerEnded`."""
        with self._turn:
            pipe = self._begun()
            try:
                pipe.send((function, given))
                is_well, result = pipe.recv()
            except (EOFError, OSError):
                self._forget()
                raise MakerEnded("the process that makes pages has ended") from None
        if not is_well:
            raise result
        return result

    def close(self) -> None:
        """End the process at once, whatever it does."""
        process = self._process
        if process is not None:
            process.kill()
            process.join()

    def _begun(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self._forget()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs,), name="comparator pages", daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _forget(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = self._process = None


def _work(pipe: Connection) -> None:
    """Answer until nothing more is asked, or whoever asked is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    from comparator.evidence.threads import one_thread

    with one_thread(loads_scipy=True), contextlib.suppress(EOFError, OSError):
        while pipe.poll(IDLE_SECONDS):
            function, given = pipe.recv()
            try:
                answer = (True, function(*given))
            except Exception as error:
                answer = (False, _sendable(error))
            pipe.send(answer)


def _sendable(error: Exception) -> Exception:
    return error if isinstance(error, ComparatorError) else ComparatorError(f"{type(error).__name__}: {error}")
