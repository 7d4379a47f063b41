"""Threads that carry work out, and whose results are taken as they come; Ctrl-C is acted on between two takings."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A signal that comes in the moment before a wait does not end it; its handler is called at the next look.
LOOK_SECONDS = 0.2

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Ended(Generic[Result]):
    result: Result | None
    error: BaseException | None


class Workers(Generic[Result]):
    """So many threads; a context, at whose end all that was begun has ended.

    An exception, one of a piece of work too, calls `cancel` before it goes on its way, which should end what is
    running; what has not begun never does. While the context is open, a signal that stops a command waits until the
    next result is asked for: an exception from within a lock's own code would leave that lock held for ever.
    """

    def __init__(self, number: int, cancel: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(number)
        self._cancel = cancel
        self._ended: queue.SimpleQueue[_Ended[Result] | int] = queue.SimpleQueue()
        self._running = 0
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def __enter__(self) -> Workers[Result]:
        if threading.current_thread() is threading.main_thread():
            for number in STOPPED_BY:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._put_off)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._cancel()
            self._pool.shutdown(wait=True, cancel_futures=True)
        finally:
            self._handle_as_before()
        if error is None:
            while not self._ended.empty():
                late = self._ended.get()
                if isinstance(late, int):
                    self._handle(late)

    def start(self, work: Callable[[], Result]) -> None:
        """Have a piece of work carried out as soon as a thread is free."""
        self._running += 1
        self._pool.submit(self._carry_out, work)

    def results(self) -> Iterator[Result]:
        """What the pieces of work gave, in the order in which they ended, until none is left; raises what one raised.

        More may be started meanwhile.
        """
        for several in self.batches(1):
            yield from several

    def batches(self, most: int) -> Iterator[list[Result]]:
        """The same, all that have ended since the last taking at once, up to `most` of them."""
        while self._running:
            results = self._take(most)
            if results:
                yield results

    def _take(self, most: int) -> list[Result]:
        """Wait a moment for the first that ends, and take what has ended besides."""
        results: list[Result] = []
        try:
            ended = self._ended.get(timeout=LOOK_SECONDS)
            while True:
                is_result = not isinstance(ended, int) and ended.error is None
                if results and not is_result:  # it waits until these are taken
                    self._ended.put(ended)
                    return results
                if isinstance(ended, int):
                    self._handle(ended)
                else:
                    self._running -= 1
                    if ended.error is not None:
                        raise ended.error
                    results.append(ended.result)  # type: ignore[arg-type]  # it has none only where there was an error
                if len(results) == most:
                    return results
                ended = self._ended.get_nowait()
        except queue.Empty:
            return results

    def _carry_out(self, work: Callable[[], Result]) -> None:
        try:
            self._ended.put(_Ended(work(), None))
        except BaseException as error:
            self._ended.put(_Ended(None, error))

    def _handle(self, number: int) -> None:
        self._handlers[number](number, None)

    def _put_off(self, number: int, frame: FrameType | None) -> None:
        self._ended.put(number)  # may be called in the midst of any other call, of this one too

    def _handle_as_before(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._put_off:  # one that has stopped the command may have set another
                signal.signal(number, handler)
