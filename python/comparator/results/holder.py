"""Who holds a folder: a process, and whether it still lives, as far as that can be seen from here."""

from __future__ import annotations

import getpass
import os
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from secrets import token_hex

from pydantic import BaseModel, ConfigDict


class Holder(BaseModel):
    """Who holds a folder: a process. `began` tells it from a later one with its number; `machine` from one elsewhere.

    `purpose` is what it does with the folder, for people.
    """

    model_config = ConfigDict(extra="ignore", strict=True)

    token: str
    host: str
    machine: str
    pid: int
    began: str | None
    user: str
    since: str
    purpose: str = ""

    @property
    def words(self) -> str:
        """`process 4711 of alice on node3, since 2026-05-01T12:00:00Z (experiment cmp-ga-1)`."""
        if not self.token:  # stopped before it had written its lease, or as it let go
            return "a process that has not said which it is"
        purpose = f" ({self.purpose})" if self.purpose else ""
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}{purpose}"

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, where its processes can be seen from here."""
        return self.machine == this_machine()

    @property
    def is_alive_here(self) -> bool:
        """Whether it is a process of this machine that has not ended; one of another user may hide when it began."""
        if not self.is_here:
            return False
        return lives(self.pid) and _beginning_of(self.pid) in (self.began, None)


UNKNOWN = Holder(token="", host="another machine", machine="", pid=0, began=None, user="an unknown user", since="")


def lives(process: int) -> bool:
    """Whether there is a process of this number on this machine, be it another user's."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@cache
def this_machine() -> str:
    """What tells processes that can be seen from here from others: this start of it, and the namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    try:
        return f"{boot.read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return os.uname().nodename


def _beginning_of(pid: int) -> str | None:
    """When a process began, in ticks since the machine did (proc(5), `starttime`); empty of one that is dead.

    None where that cannot be read.
    """
    try:
        # The name of its program, in parentheses, may hold anything.
        state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return "" if state in "ZX" else fields[18]


def this_holder(purpose: str) -> Holder:
    since = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    return _process(os.getpid()).model_copy(update={"token": token_hex(8), "since": since, "purpose": purpose})


@cache
def _process(pid: int) -> Holder:
    """This process, whose number is given since it may be forked."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"user {os.getuid()}"
    host, machine = os.uname().nodename, this_machine()
    return Holder(token="", host=host, machine=machine, pid=pid, began=_beginning_of(pid), user=user, since="")
