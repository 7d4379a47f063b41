"""The keeper of a rank, so that no rank waits for another that is gone.

    python -S -m comparator.engine.keeper COMMAND [ARGUMENT ...]

`swift/rank.sh` starts every rank so. MPI cannot go on without a rank, and where the launcher does not end the others
they wait for it until the walltime. Hence this program, the keeper, is the parent of its rank. The keeper of the
resident rank listens, every other one holds a connection to it, and the kernels on both sides watch that:

| what happens | who notices | within |
|---|---|---|
| a rank is killed, or ends badly | its keeper | at once |
| a rank is stopped (SIGSTOP) | its keeper | `STOPPED_SECONDS` |
| a keeper is killed | the kernel, which kills the rank with it; the other end of the connection | at once |
| a node goes, or its network | the other end of the connection, by keepalive (tcp(7)) | 6 s |

The keeper of the resident rank hears of it, ends its rank, says in `state.json` which rank is gone, and tells the
others, who end theirs. Where it is itself what is gone, the keeper of rank 0 says so. Keepers that cannot reach it
watch their own rank alone. Nothing is polled once they are connected, and nothing grows with results.

Standard library only until something is lost: every rank starts it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from comparator.model.guard import PR_SET_PDEATHSIG, ask_kernel

ADDRESS_FILE = "keeper.json"
#: What launchers call a rank's number; Slurm last, for whose tasks an mpiexec inside its job may put its own ranks.
RANK_VARIABLES = ("PALS_RANKID", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
#: The same among the ranks of a node. Slurm's comes last: under an mpiexec in its job it is 0 for every rank.
LOCAL_RANK_VARIABLES = (
    "PALS_LOCAL_RANKID",
    "PMI_LOCAL_RANK",
    "MPI_LOCALRANKID",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "SLURM_LOCALID",
)
CONNECTING_SECONDS = 120.0
RETRY_SECONDS = 0.5
STOPPED_SECONDS = 4.0
#: Whoever ends a job on purpose ends its processes one after another: so long a keeper waits to be ended itself.
GRACE_SECONDS = 1.0
ANSWER_SECONDS = 5.0  # for the resident rank's keeper to say what is lost, before the launcher ends it too
KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 4}
KNOWN, DONE, LOST = "known", "done", "lost "


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    command, rank = sys.argv[1:], own_rank()
    if rank is None:  # a launcher that does not say: it watches alone
        os.execvp(command[0], command)
    resident = int(os.environ["RESIDENT_WORK_RANKS"])
    keeper = ResidentKeeper(rank, resident) if rank == resident else Keeper(rank, resident)
    sys.exit(keeper.keep(command))


def own_rank() -> int | None:
    """The rank's number, as its launcher says it; None where it does not."""
    return _first_number(RANK_VARIABLES)


def local_rank() -> int | None:
    """The rank's number among those of its node, as its launcher says it; None where it does not."""
    return _first_number(LOCAL_RANK_VARIABLES)


def _first_number(variables: Sequence[str]) -> int | None:
    return next((int(os.environ[name]) for name in variables if os.environ.get(name, "").isdigit()), None)


def node_name() -> str:
    """The node's name; Slurm's, where several of its nodes are one host."""
    return os.environ.get("SLURMD_NODENAME") or socket.gethostname()


class Keeper:
    """Keeps one rank: its parent, connected to the keeper of the resident rank."""

    def __init__(self, rank: int, resident: int) -> None:
        self._rank, self._resident = rank, resident
        self._launch = Path(os.environ["COMPARATOR_LAUNCH"]).parent
        self._selector = selectors.DefaultSelector()
        self._child = 0
        self._is_stopped, self._stopped_for = False, 0.0  # seconds in which this process itself was awake
        self._connection: _Line | None = None
        self._connect_until: float | None = None  # None once connected, or given up
        self._was_connected = self._is_refused = False

    def keep(self, command: list[str]) -> int:
        """Run the rank to its end, or to that of another; returns the exit status."""
        alarm, ring = os.pipe()
        os.set_blocking(ring, False)
        self._child = _start(command)
        signal.set_wakeup_fd(ring)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(alarm, selectors.EVENT_READ)
        self._begin()
        while True:
            status = self._look_at_rank()
            if status is not None:
                return self._rank_ended(status)
            if self._stopped_for > STOPPED_SECONDS:
                return self._lose(f"{self._who()} was stopped")
            events = self._selector.select(self._patience())
            if self._is_refused:
                return self._follow(self._resident_lost())
            if self._is_stopped and not events:
                self._stopped_for += RETRY_SECONDS
            for key, _ in events:
                if key.fileobj == alarm:
                    os.read(alarm, 64)
                elif (lost := self._hear(key.data)) is not None:
                    return self._follow(lost)

    # The others

    def _begin(self) -> None:
        self._connect_until = time.monotonic() + CONNECTING_SECONDS

    def _patience(self) -> float | None:
        """How long to wait for something to happen, in seconds; None: for ever."""
        if self._connect_until is not None:
            self._try_to_connect()
        return RETRY_SECONDS if self._is_stopped or self._connect_until is not None else None

    def _try_to_connect(self) -> None:
        assert self._connect_until is not None
        try:
            address = json.loads((self._launch / ADDRESS_FILE).read_text())
            host = "127.0.0.1" if address["host"] == socket.gethostname() else address["host"]
            connection = socket.create_connection((host, address["port"]), timeout=ANSWER_SECONDS)
        except (OSError, ValueError) as error:
            # One that has ended well has taken its address away.
            self._is_refused = self._was_connected and isinstance(error, ConnectionRefusedError)
            if time.monotonic() > self._connect_until:
                self._connect_until = None
                print(f"{self._who()}: the resident rank's node is not watched: {error}", file=sys.stderr, flush=True)
            return
        self._connect_until, self._was_connected = None, True
        self._connection = _Line(connection)
        self._connection.send(f"{address['token']} {self._who()}")
        self._selector.register(connection, selectors.EVENT_READ, self._connection)

    def _hear(self, line: _Line) -> str | None:
        """What is lost, by what the resident rank's keeper says or does not say any more."""
        for said in line.receive():
            if said.startswith(LOST):
                return said.removeprefix(LOST)
            if said == DONE:
                self._forget(line)
                return None
            line.is_known = line.is_known or said == KNOWN
        if line.is_open:
            return None
        self._forget(line)
        if not line.is_known:  # it may have ended well at this moment
            self._connect_until = time.monotonic() + CONNECTING_SECONDS
            return None
        return self._resident_lost()

    def _resident_lost(self) -> str:
        return f"rank {self._resident} (the resident rank) is gone, or its node"

    def _follow(self, lost: str) -> int:
        """End the own rank, because another is lost."""
        if self._connection is not None:  # the resident rank's keeper has said it
            return self._end_rank(lost)
        time.sleep(GRACE_SECONDS)
        status = self._end_rank(lost)
        if self._rank == 0:
            _say(self._launch, lost)
        return status

    def _forget(self, line: _Line) -> None:
        self._selector.unregister(line.socket)
        line.socket.close()
        self._connection = None

    # The own rank

    def _look_at_rank(self) -> int | None:
        """The rank's exit status once it has ended, 128 + n where signal n ended it."""
        while True:
            ended, status = os.waitpid(self._child, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if ended == 0:
                return None
            if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                # A scheduler that suspends a job stops its keepers too, and that is no loss.
                self._is_stopped, self._stopped_for = os.WIFSTOPPED(status), 0.0
            else:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code

    def _rank_ended(self, status: int) -> int:
        if status == 0:
            self._say_done()
            return 0
        killed = status > 128 and status - 128 in list(signal.Signals)
        how = f"was killed by {signal.Signals(status - 128).name}" if killed else f"ended with exit status {status}"
        self._lose(f"{self._who()} {how}")
        return status

    def _say_done(self) -> None:
        if self._connection is not None:
            self._connection.send(DONE)

    def _lose(self, reason: str) -> int:
        """Have the own rank's loss said, before the launcher ends all."""
        if self._connection is not None:
            self._connection.send(LOST + reason)
            self._connection.socket.settimeout(ANSWER_SECONDS)
            with contextlib.suppress(OSError):
                self._connection.socket.recv(1)  # what it answers is what it was told
        return self._end_rank(reason)

    def _end_rank(self, lost: str) -> int:
        print(f"{self._who()} ends: {lost}", file=sys.stderr, flush=True)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        return 1

    def _who(self) -> str:
        role = "a worker" if self._rank < self._resident else "a server"
        return f"rank {self._rank} ({'the resident rank' if self._rank == self._resident else role} on {node_name()})"


class ResidentKeeper(Keeper):
    """Keeps the resident rank, and hears of all others."""

    def _begin(self) -> None:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a connection for each rank
        self._lines: list[_Line] = []
        self._token = os.urandom(16).hex()
        self._listener = socket.create_server(("", 0), backlog=1024)
        self._selector.register(self._listener, selectors.EVENT_READ)
        address = {"host": socket.gethostname(), "port": self._listener.getsockname()[1], "token": self._token}
        temporary = self._launch / f".{ADDRESS_FILE}.tmp"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(address, file)
        temporary.replace(self._launch / ADDRESS_FILE)

    def _hear(self, line: _Line | None) -> str | None:
        if line is None:
            line = _Line(self._listener.accept()[0])
            self._lines.append(line)
            self._selector.register(line.socket, selectors.EVENT_READ, line)
            return None
        lost = None
        for said in line.receive():
            if line.who is None:
                token, _, who = said.partition(" ")
                line.is_open = line.is_open and token == self._token
                line.who = who if token == self._token else None
                if line.is_open:
                    line.send(KNOWN)
            elif said == DONE:
                line.who = None
            elif said.startswith(LOST):
                lost = said.removeprefix(LOST)
        if lost is None and not line.is_open:
            lost = None if line.who is None else f"{line.who} is gone, or its node"
            self._selector.unregister(line.socket)
            self._lines.remove(line)
            line.socket.close()
        return lost

    def _follow(self, lost: str) -> int:
        return self._lose(lost)

    def _say_done(self) -> None:
        (self._launch / ADDRESS_FILE).unlink(missing_ok=True)
        self._tell(DONE)

    def _lose(self, reason: str) -> int:
        time.sleep(GRACE_SECONDS)
        status = self._end_rank(reason)
        _say(self._launch, reason)
        self._tell(LOST + reason)
        return status

    def _tell(self, words: str) -> None:
        for line in self._lines:
            line.send(words)


class _Line:
    """A connection between two keepers, on which lines of text travel."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket, self.is_open = connection, True
        self.who: str | None = None
        self.is_known = False
        self._begun = b""
        connection.settimeout(ANSWER_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def send(self, words: str) -> None:
        with contextlib.suppress(OSError):  # the other end is gone, which is noticed where it is read
            self.socket.sendall(f"{words}\n".encode())

    def receive(self) -> list[str]:
        """The lines that have come; `is_open` is False once no more will."""
        try:
            came = self.socket.recv(4096)
        except OSError:
            came = b""
        self.is_open = came != b""
        *lines, self._begun = (self._begun + came).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def _start(command: list[str]) -> int:
    """Start the rank, whose end is that of this process too; returns its process id."""
    own, child = os.getpid(), os.fork()
    if child == 0:
        ask_kernel(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            if os.getppid() == own:
                os.execvp(command[0], command)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)
    return child


def _say(launch: Path, reason: str) -> None:
    """Note that the launch is over, where the search has not said so itself."""
    from comparator.results.state import ALIVE, last_word, say_ended

    said = last_word(launch.parent)
    if said.state in ALIVE and said.launch in (launch.name, None):
        say_ended(launch.parent, said, "interrupted", f"{reason}; see {launch}/output.txt", launch.name)


if __name__ == "__main__":
    main()
