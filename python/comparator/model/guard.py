"""Run a command, and end it with its whole process group as soon as the process that asked for it is gone.

    python guard.py FD COMMAND [ARGUMENT ...]

FD is the reading end of a pipe whose only writing end is held by the asking process. The kernel closes that
end however the asking process ends, SIGKILL included; this guard then kills its process group, of which the
command and its children are members. The command inherits standard input, output and error untouched, and
its exit status is the guard's (128 + n for signal n).

Standard library only: it is started with `-I -S` for every cold run, and should cost no more than Python itself.
"""

import os
import signal
import sys


def _die_with_parent() -> None:
    """Ask Linux to kill this process when the guard dies: covers a guard that is itself killed."""
    try:
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):  # not Linux: the guard alone must do
        pass


def main() -> None:
    life, command = int(sys.argv[1]), sys.argv[2:]
    child = os.fork()
    if child == 0:
        os.close(life)
        _die_with_parent()
        try:
            os.execvp(command[0], command)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
            os._exit(127)
    _wait_until_either_ends(life, child)


def _wait_until_either_ends(life: int, child: int) -> None:
    import select

    alarm, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        readable, _, _ = select.select([life, alarm], [], [])
        if alarm in readable:
            os.read(alarm, 64)
        if life in readable:
            os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
