"""How ranks of one node wait for each other without a core.

MPI waits without sleep, and so does who asks a server of MPI again and again. Where a node has more ranks than cores,
those that wait would keep a core from those that work. There the resident rank listens under a name in the kernel (an
abstract socket address, unix(7)), which goes when its process does; each worker of its node connects to it, and each of
them sleeps until the other calls. Calls carry nothing: what there is to do comes by MPI. Who is on another node, or
cannot connect, asks again after a while.

    worker    -> CAME      it has sent results
              -> WAITS     it waits for a task: it asks for one once more, and then sleeps
              -> WORKS     it waits no longer: it has found one
    resident  -> CALL      there are tasks; to as many of those that wait as there are tasks
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import socket
import time

from comparator.engine.keeper import node_name

CAME, WAITS, WORKS, CALL = b"c", b"w", b"b", b"t"
#: What the resident rank listens as, beside the numbers of workers' places.
RESIDENT = "resident"


class Waits:
    """Pauses that grow from the shortest to the longest, in seconds; `first` is the one after something came."""

    def __init__(self, first: float, shortest: float, longest: float) -> None:
        self._first, self._shortest, self._longest = first, shortest, longest
        self._seconds = shortest

    def are_over(self) -> None:
        self._seconds = self._first

    def next(self) -> float:
        """The seconds of the next pause."""
        seconds = self._seconds
        self._seconds = min(max(2 * seconds, self._shortest), self._longest)
        return seconds


class WaitingResident:
    """The resident rank's side: hears of results, and calls workers that wait for tasks.

    Where all `workers` of the `launch` are connected it sleeps until one calls, `longest` seconds at the most; else the
    pauses of `waits` at the most.
    """

    def __init__(self, launch: str, workers: int, waits: Waits, longest: float) -> None:
        self._workers, self._waits, self._longest = workers, waits, longest
        self._connected: dict[int, socket.socket] = {}  # by descriptor
        self._waiting: dict[int, None] = {}  # descriptors, whoever waits longest first
        self._poll = select.poll()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.setblocking(False)
        with contextlib.suppress(OSError):  # no such addresses here, or the name is taken: workers ask again and again
            self._listener.bind(address_of(launch, RESIDENT))
            self._listener.listen(socket.SOMAXCONN)
            self._poll.register(self._listener, select.POLLIN)

    def results_came(self) -> None:
        self._waits.are_over()

    def wait(self) -> None:
        """Wait until a worker has sent results, or as long as may be."""
        pause = self._waits.next()
        if not self._connected:
            time.sleep(pause)
            self._hear(0.0)
            return
        until = time.monotonic() + (self._longest if len(self._connected) >= self._workers else pause)
        while not self._hear(max(0.0, until - time.monotonic())) and time.monotonic() < until:
            pass

    def call(self, tasks: int) -> None:
        """Call as many of the workers that wait, after the tasks were handed to MPI."""
        self._hear(0.0)
        for descriptor in list(self._waiting)[:tasks]:
            del self._waiting[descriptor]
            self._say(descriptor)

    def call_all(self) -> None:
        """Call everybody, after something for each worker was handed to MPI."""
        self._hear(0.0)
        self._waiting.clear()
        for descriptor in list(self._connected):
            self._say(descriptor)

    def _hear(self, seconds: float) -> bool:
        """Take what workers say within so long; whether results have come."""
        came = False
        for descriptor, _ in self._poll.poll(1e3 * seconds):
            news = self._accepted() if descriptor == self._listener.fileno() else [descriptor]
            for each in news:
                came |= CAME in self._said(each)
        return came

    def _accepted(self) -> list[int]:
        """The workers that have connected since, by descriptor."""
        accepted = []
        with contextlib.suppress(OSError):
            while True:
                worker, _ = self._listener.accept()
                worker.setblocking(False)
                self._connected[worker.fileno()] = worker
                self._poll.register(worker, select.POLLIN)
                accepted.append(worker.fileno())
        return accepted

    def _said(self, descriptor: int) -> bytes:
        """All that a worker has said since; each call is a packet of its own."""
        said = b""
        try:
            while packet := self._connected[descriptor].recv(1):
                said += packet
        except BlockingIOError:
            if last := said.replace(CAME, b"")[-1:]:
                self._waiting.pop(descriptor, None)
                if last == WAITS:
                    self._waiting[descriptor] = None
            return said
        except OSError:
            pass
        self._leave(descriptor)
        return said

    def _say(self, descriptor: int) -> None:
        try:
            self._connected[descriptor].send(CALL)
        except BlockingIOError:  # it has calls enough that it has not heard
            pass
        except OSError:
            self._leave(descriptor)

    def _leave(self, descriptor: int) -> None:
        """Forget a worker whose process is gone."""
        self._waiting.pop(descriptor, None)
        self._poll.unregister(descriptor)
        self._connected.pop(descriptor).close()


class WaitingWorker:
    """A worker's side: says when it waits, and sleeps until it is called, `longest` seconds at the most.

    Where the resident rank of the `launch` is not on this node, it sleeps by the pauses of `waits`.
    """

    def __init__(self, launch: str, waits: Waits, longest: float) -> None:
        self._waits, self._longest = waits, longest
        self._has_said_so = False
        self._poll = select.poll()
        self._resident: socket.socket | None = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._resident.connect(address_of(launch, RESIDENT))
            self._resident.setblocking(False)
            self._poll.register(self._resident, select.POLLIN)
        except OSError:
            self._resident = None

    def task_came(self) -> None:
        self._waits.are_over()
        if self._has_said_so:
            self._has_said_so = False
            self._say(WORKS)

    def results_sent(self) -> None:
        self._say(CAME)
        self._say_so()

    def wait(self) -> None:
        """Wait for a call. Who has not said yet that it waits, says so alone: a task may have come before."""
        if self._resident is None:
            time.sleep(self._waits.next())
        elif not self._has_said_so:
            self._say_so()
        elif self._poll.poll(1e3 * self._longest):
            self._hear()
            self._say_so()

    def _say_so(self) -> None:
        self._has_said_so = True
        self._say(WAITS)

    def _say(self, word: bytes) -> None:
        if self._resident is None:
            return
        try:
            self._resident.send(word)
        except BlockingIOError:  # the resident rank has not heard many others yet, and calls late
            pass
        except OSError:
            self._resident = None

    def _hear(self) -> None:
        assert self._resident is not None
        try:
            if not self._resident.recv(1):
                self._resident = None
        except OSError:
            self._resident = None


def address_of(launch: str, what: str | int) -> str:
    """The name in the kernel of something that a launch has on this node; there is room for 107 bytes in it."""
    digest = hashlib.sha256(launch.encode()).hexdigest()[:16]
    return f"\0comparator {os.getuid()} {digest} {node_name()} {what}"
