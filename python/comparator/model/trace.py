"""Which files a command reads, whatever it starts: strace(1) tells."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from comparator.model.guard import SCRATCH
from comparator.model.watching.whose import is_of_system
from comparator.site.programs import try_command

#: One file for each process: no line is cut by another's.
OUTPUT = "opened"
CALLS = "trace=open,openat,openat2,creat,mkdir,mkdirat,execve"
OPENED = re.compile(r"^\w+\(.*?(O_[A-Z_|]+).*\) = \d+<(/.*)>$")
MADE = re.compile(r'^mkdir(?:at)?\((?:\S+, )?"(/.*?)", .*\) = 0$')
EXECUTED = re.compile(r'^execve\("(/.*?)", .*\) = 0$')
#: The system's libraries read these, and of a program it cannot be told from them which it reads itself.
SETTINGS = "/etc/"
WRITES = ("O_WRONLY", "O_TRUNC", "O_EXCL")


def can_trace() -> bool:
    """Whether strace is on the PATH, and may trace here."""
    return try_command(["strace", "-f", "-o", "/dev/null", "true"]).returncode == 0


def traced_by(folder: Path) -> list[str]:
    """The words before a command that have it traced into `folder`."""
    return ["strace", "-ff", "-qq", "-y", "-e", CALLS, "-e", "signal=none", "-o", str(folder / OUTPUT)]


def files_read(folder: Path) -> list[str]:
    """The files and folders that a command traced into `folder` has read or executed, and not written.

    What lies in a folder that it made, or that its guard made for its temporary files, is its own. The system's own and
    those of installed packages are left out.
    """
    read: dict[str, None] = {}
    written, made = set(), set[str]()
    for path in sorted(folder.glob(f"{OUTPUT}.*")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            opened, executed = OPENED.match(line), EXECUTED.match(line)
            if folder_made := MADE.match(line):
                made.add(folder_made[1])
            if opened and any(flag in opened[1].split("|") for flag in WRITES):
                written.add(opened[2])
            elif opened:
                read[opened[2]] = None
            elif executed:
                read[executed[1]] = None
    foreign = [path for path in read if path not in written and not made & {path, *map(str, Path(path).parents)}]
    others = (SETTINGS, str(Path(tempfile.gettempdir()) / SCRATCH))
    return [path for path in foreign if not is_of_system(path) and not path.startswith(others)]
