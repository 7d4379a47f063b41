"""Which files a command reads, whatever it starts: strace(1) tells."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from comparator.model.opened_files import is_of_system

#: One file for each process: no line is cut by another's.
OUTPUT = "opened"
CALLS = "trace=open,openat,openat2,creat"
OPENED = re.compile(r"^\w+\(.*?(O_[A-Z_|]+).*\) = \d+<(/.*)>$")
WRITES = ("O_WRONLY", "O_TRUNC", "O_EXCL", "O_DIRECTORY")


def can_trace() -> bool:
    """Whether strace is on the PATH, and may trace here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def traced_by(folder: Path) -> list[str]:
    """The words before a command that have it traced into `folder`."""
    return ["strace", "-ff", "-qq", "-y", "-e", CALLS, "-e", "signal=none", "-o", str(folder / OUTPUT)]


def files_read(folder: Path) -> list[str]:
    """The files that a command traced into `folder` has opened to read, and not written, but for the system's own."""
    read: dict[str, None] = {}
    written = set()
    for path in sorted(folder.glob(f"{OUTPUT}.*")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            match = OPENED.match(line)
            if match is None or is_of_system(match[2]):
                continue
            if any(flag in match[1].split("|") for flag in WRITES):
                written.add(match[2])
            else:
                read[match[2]] = None
    return [path for path in read if path not in written]
