"""EQ/Py: the two queues between an algorithm that blocks and the workflow that evaluates its points.

An algorithm is a module with a function `run()`. It calls `OUT_put(text)` to hand out points and `IN_get()`
to wait for their results. The workflow, on the other side, calls

    init("module")        to start `module.run()` in a thread,
    output_q_get()        for the next text of the algorithm,
    input_q_put(text)     to answer it (`input_q.put(text)` is the same).

These are the names and the behaviour of EMEWS' EQ/Py, so that algorithms written for it run unchanged. When
the algorithm ends, by returning or by an exception, `output_q_get()` returns `EQPY_ABORT` once, and from then
on the traceback, or "Exited normally".

An algorithm may also be run in a `Conversation` of its own, any number of them side by side: within its thread
`IN_get`, `OUT_put`, `input_q` and `output_q` are those of the conversation. Everywhere else, in further threads
that an algorithm starts too, they belong to the process, as in the original. Where a conversation `tells_waiting`, its
`get` says when the algorithm itself waits: two sides that wait for each other would do so for ever.
"""

from __future__ import annotations

import importlib
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from queue import Queue
from typing import Any

EQPY_ABORT = "EQPY_ABORT"

#: What `Conversation.get` returns in the place of a text where the algorithm waits for an answer.
WAITING = object()
_STOP, _ASKED = object(), object()


class AlgorithmStopped(BaseException):
    """Raised inside an algorithm that is told to end; no `Exception`, so that none catches it by accident."""


class _Ending(str):
    """What an ended algorithm leaves in its queue: the text `EQPY_ABORT`, with how it ended."""

    how: str


class Conversation:
    """One algorithm in a thread of its own, and its two queues.

    Where it `tells_waiting`, `get` returns `WAITING` once the algorithm has called `IN_get` more often than it was
    answered, and has put no further text before.
    """

    def __init__(self, *, tells_waiting: bool = False) -> None:
        self.input_q: Queue[Any] = Queue()
        self.output_q: Queue[Any] = Queue()
        self.thread: threading.Thread | None = None
        self._tells_waiting = tells_waiting
        self._unanswered = 0  # below zero: answers that were given before they were asked for
        self._is_closed = False
        self._stopping = False
        self._ended: str | None = None

    def start(self, run: Callable[[], object]) -> None:
        """Call `run` in a new thread. A conversation that has ended may be started again."""
        if self.thread is not None:
            self._clear()
        # A daemon, because an algorithm that waits for results must not keep the process alive.
        self.thread = threading.Thread(target=self._run, args=(run,), name="EQ/Py algorithm", daemon=True)
        self.thread.start()

    def get(self) -> Any:
        """The next text of the algorithm; waits for it. After the end: `EQPY_ABORT`, then how it ended."""
        if self._ended is not None:
            return self._ended
        while (text := self.output_q.get()) is _ASKED:
            self._unanswered += 1
            if self._unanswered > 0 and not self._is_closed:
                return WAITING
        if isinstance(text, _Ending):
            self._ended = text.how
        return text

    def put(self, text: Any) -> None:
        """Answer the algorithm's `IN_get`."""
        self._unanswered -= 1
        self.input_q.put(text)

    def close_input(self) -> None:
        """No more answers: the algorithm's next `IN_get` beyond those given ends it."""
        self._is_closed = True
        self.input_q.put(_STOP)

    def stop(self, timeout: float = 5.0) -> None:
        """End the algorithm at its next `IN_get` or `OUT_put`; wait for that at most `timeout` seconds."""
        self._stopping = True
        self.close_input()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join(timeout)

    def algorithm_gets(self) -> Any:
        """`IN_get`, as the algorithm calls it."""
        if self._tells_waiting:
            # Through the queue, behind all that was put before it, like the end: nobody has to guess by the clock.
            self.output_q.put(_ASKED)
        answer = self.input_q.get()
        if answer is _STOP or self._stopping:
            self.input_q.put(_STOP)  # for an algorithm that catches even this and asks again
            raise AlgorithmStopped
        return answer

    def algorithm_puts(self, text: Any) -> None:
        """`OUT_put`, as the algorithm calls it."""
        if self._stopping:
            raise AlgorithmStopped
        self.output_q.put(text)

    def _run(self, run: Callable[[], object]) -> None:
        _current.set(self)
        ending = _Ending(EQPY_ABORT)
        ending.how = "Exited normally"
        try:
            run()
        except AlgorithmStopped:
            pass
        except BaseException:
            ending.how = traceback.format_exc()
        # The end travels through the queue, behind all that was put before it: nobody has to poll for it.
        self.output_q.put(ending)

    def _clear(self) -> None:
        for queue in (self.input_q, self.output_q):
            while not queue.empty():
                queue.get_nowait()
        self._unanswered, self._is_closed = 0, False
        self._stopping = False
        self._ended = None


_process = Conversation()
_current: ContextVar[Conversation] = ContextVar("eqpy", default=_process)


def init(package: str) -> None:
    """Import `package` and start its `run()` in a thread."""
    _process.start(importlib.import_module(package).run)


def output_q_get() -> Any:
    """The next text of the algorithm that `init` started; waits for it."""
    return _current.get().get()


def input_q_put(text: Any) -> None:
    """Answer the algorithm that `init` started."""
    _current.get().put(text)


def OUT_put(text: Any) -> None:
    """Hand a text to the workflow: points, by custom as JSON objects joined by `;`."""
    _current.get().algorithm_puts(text)


def IN_get() -> Any:
    """Wait for the workflow's answer: results, by custom joined by `;`, in the order of the points."""
    return _current.get().algorithm_gets()


def __getattr__(name: str) -> Any:
    """`input_q` and `output_q` are those of the algorithm that asks."""
    if name in ("input_q", "output_q"):
        return getattr(_current.get(), name)
    raise AttributeError(f"module 'eqpy' has no attribute '{name}'")
