"""Run a command, and end it with all its descendants as soon as the process that asked for it is gone.

    python guard.py FD COMMAND [ARGUMENT ...]

FD is the reading end of a pipe whose only writing end is held by the asking process. The kernel closes that
end however the asking process ends, SIGKILL included; closing it is also how the asking process has the command
ended. The command inherits standard input, output and error untouched, and its exit status is the guard's
(128 + n for signal n). Children that it leaves behind, in whatever session, are ended with it, and what it leaves of
temporary files goes: its TMPDIR is a folder of its own, in that of whoever asks. A guard that is killed removes none
itself; the next one does.

Standard library only: it is started with `-I -S` for every cold run, and should cost no more than Python itself.
"""

import fcntl
import os
import select
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
#: How the folder of a command's temporary files is called.
SCRATCH = "comparator-run-"


def main() -> None:
    life, command = int(sys.argv[1]), sys.argv[2:]
    scratch = _make_scratch()
    _remove_those_left()
    # On Linux, orphans of this process's descendants become its children, wherever they have gone.
    ask_kernel(PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        os.close(life)
        # Covers a guard that is itself killed.
        ask_kernel(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            os.execvpe(command[0], command, {**os.environ, **({"TMPDIR": scratch} if scratch else {})})
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
            os._exit(127)
    status = _wait_until_either_ends(life, child)
    _end_descendants()
    _remove(scratch)
    if status is None:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    else:
        os._exit(status)


def _make_scratch() -> "str | None":
    """A new folder for temporary files; None where there can be none, and they go where they went.

    Its name is short: sockets are made in it, whose paths have a hundred characters at the most.
    """
    place = os.path.join(_temporary(), f"{SCRATCH}{os.getpid()}")
    for other in ("", "a", "b", "c"):  # one is left of a process of this number that was killed
        try:
            os.mkdir(place + other, 0o700)
        except FileExistsError:
            continue
        except OSError:
            break
        _hold(place + other)
        return place + other
    return None


def _temporary() -> str:
    return os.environ.get("TMPDIR") or "/tmp"


def _hold(scratch: str) -> bool:
    """Whether nobody else holds a folder; then this process does, to its end, however that comes.

    A number tells no process of another machine, or another container, that shares the folder; a lock does.
    """
    try:
        fcntl.flock(os.open(scratch, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_those_left() -> None:
    """Remove the folders of guards that were killed: no process here has their number, and nobody holds them."""
    try:
        names = [name for name in os.listdir(_temporary()) if name.startswith(SCRATCH)]
    except OSError:
        return
    for name in names:
        number = name[len(SCRATCH) :].rstrip("abc")
        if number.isdecimal() and not _lives(int(number)):
            left = os.path.join(_temporary(), name)
            if not os.path.islink(left) and _hold(left):
                _remove(left)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _remove(scratch: "str | None") -> None:
    if scratch is None:
        return
    try:
        os.rmdir(scratch)
    except OSError:
        import shutil  # takes as long to load as all the rest, and most leave nothing

        shutil.rmtree(scratch, ignore_errors=True)


def ask_kernel(option: int, value: int) -> None:
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (OSError, AttributeError):  # not Linux: process group and pipe must do
        pass


def _wait_until_either_ends(life: int, child: int) -> "int | None":
    """The exit status of the command; None where the asking process ended first, or wants it ended."""
    alarm, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ended = _reap(child)
        if ended is not None:
            return ended
        readable, _, _ = select.select([life, alarm], [], [])
        if alarm in readable:
            os.read(alarm, 64)
        if life in readable:
            return None


def _reap(child: int) -> "int | None":
    """Reap whatever has ended, adopted orphans too; the status of `child` once it is among them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if ended == 0:
            return None
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _end_descendants() -> None:
    """Kill every descendant; again until there is none, because a dying one may just have started another."""
    for _ in range(20):
        left = descendants(os.getpid())
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def descendants(ancestor: int) -> "list[int]":
    """The process ids of all descendants of a process that still run; none where there is no /proc."""
    parents = {}
    try:
        processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for pid in processes:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[pid] = int(parent)
    found = [ancestor]
    for each in found:
        found += [pid for pid, parent in parents.items() if parent == each]
    return found[1:]


if __name__ == "__main__":
    main()
