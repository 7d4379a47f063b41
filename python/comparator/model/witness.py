"""Run a command, and write down how long it took, the memory it took, and what it left running.

    python -m comparator.model.witness REPORT COMMAND [ARGUMENT ...]

Runs under `guard.py`, to which orphans of the command fall, and which ends them afterwards. REPORT is a JSON file:
`status`, the command's exit status (128 + n for signal n), which is also this process's; `seconds`; `peak_memory`,
bytes of the largest process; `left_running`, the names of processes that still run GRACE_SECONDS after the command has
ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from comparator.model.guard import descendants

GRACE_SECONDS = 1.0
LOOK_SECONDS = 0.02


def main() -> None:
    report, command = Path(sys.argv[1]), sys.argv[2:]
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os.execvp(command[0], command)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    code = code if code >= 0 else 128 - code
    seen = {
        "status": code,
        "seconds": seconds,
        "peak_memory": usage.ru_maxrss * 1024,
        "left_running": _left_running(),
    }
    report.write_text(json.dumps(seen), encoding="utf-8")
    sys.exit(code)


def _left_running() -> list[str]:
    """The names of the guard's other descendants; those that are only about to end are given the time to."""
    deadline = time.monotonic() + GRACE_SECONDS
    while True:
        left = [pid for pid in descendants(os.getppid()) if pid != os.getpid()]
        if not left or time.monotonic() > deadline:
            return sorted(filter(None, map(_name, left)))
        time.sleep(LOOK_SECONDS)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
