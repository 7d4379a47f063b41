"""The threads of the local engine: whenever Ctrl-C comes, what runs ends, and nothing waits for ever."""

import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from comparator.engine.workers import Workers

PIECES = 3
STEP = 3
LIMIT_SECONDS = 20.0


class Pieces:
    """Work of which the first piece ends by itself; the others run until they are cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.ended: list[int] = []

    def carry_out(self, number: int) -> int:
        if number > 0 and not self.cancelled.wait(LIMIT_SECONDS):
            raise AssertionError("nobody has cancelled it")
        self.ended.append(number)
        return number

    def all(self, threads: int) -> list[int]:
        with Workers[int](threads, self.cancelled.set) as workers:
            for number in range(PIECES):
                workers.start(partial(self.carry_out, number))
            for number in workers.results():
                self.cancelled.set()
                if number == 0:
                    workers.start(partial(self.carry_out, PIECES))
        return sorted(self.ended)


class SignalAt:
    """Sends this process Ctrl-C's signal when its main thread has come to a line, the library's lines counted too.

    Those are counted at which the signal is not handled as it was before.
    """

    def __init__(self, line: int) -> None:
        self._left, self.sent, self._before = line, False, signal.getsignal(signal.SIGINT)

    def __enter__(self) -> "SignalAt":
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if event == "line" and signal.getsignal(signal.SIGINT) != self._before:
            self._left -= 1
            if self._left == 0:
                sys.settrace(None)
                self.sent = True
                signal.raise_signal(signal.SIGINT)
        return self._trace


@pytest.fixture
def stop_once():
    """A first Ctrl-C ends what runs, and further ones change nothing, as for every command."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    yield lambda: signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGINT, before)


@pytest.mark.long
def test_ctrl_c_at_any_line_ends_what_runs(stop_once):
    stopped = 0
    for line in range(1, 10_000, STEP):
        stop_once()
        pieces, threads = Pieces(), threading.active_count()
        with SignalAt(line) as at:
            try:
                assert pieces.all(2) == list(range(PIECES + 1))
            except KeyboardInterrupt:
                stopped += 1
        if not at.sent:
            break
        assert threading.active_count() == threads
    else:
        raise AssertionError("it never ended")
    assert stopped == line // STEP > 100


def test_ctrl_c_is_seen_that_does_not_end_the_wait_for_a_result(stop_once):
    stop_once()
    pieces = Pieces()

    def signalled() -> int:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # another thread than the one that waits
        return pieces.carry_out(1)

    with pytest.raises(KeyboardInterrupt), Workers[int](1, pieces.cancelled.set) as workers:
        workers.start(signalled)
        list(workers.results())
    assert pieces.ended == [1]


def test_a_signal_that_comes_after_the_last_result_is_not_lost(stop_once):
    stop_once()
    with pytest.raises(KeyboardInterrupt), Workers[int](1, lambda: None) as workers:
        workers.start(lambda: 1)
        assert list(workers.results()) == [1]
        signal.raise_signal(signal.SIGINT)


def test_results_come_as_they_end_and_a_piece_that_raises_ends_the_others():
    pieces = Pieces()
    assert pieces.all(2) == list(range(PIECES + 1))

    def bad() -> int:
        raise ValueError("bad")

    pieces = Pieces()
    with pytest.raises(ValueError, match="bad"), Workers[int](2, pieces.cancelled.set) as workers:
        for work in (partial(pieces.carry_out, 1), bad, partial(pieces.carry_out, 2)):
            workers.start(work)
        list(workers.results())
    assert pieces.ended == [1]


def test_signals_are_handled_as_before_once_it_is_over(stop_once):
    stop_once()
    before = signal.getsignal(signal.SIGINT)
    with Workers[int](1, lambda: None):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
