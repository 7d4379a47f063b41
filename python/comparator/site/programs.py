"""Short calls of this machine's programs, and why one failed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 120.0


def try_command(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    seconds: float | None = SECONDS,
    exactly: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What a command says that is given no input, in `folder`, by default this process's own, as its environment is.

    One that cannot be called, or has not ended after so many `seconds` (None: it may take as long as it likes), is one
    that failed: its status is 1, and its errors are a line on why. Bytes that are no text are replaced; `exactly` keeps
    them as Python keeps those of variables and of files' names.
    """
    try:
        return subprocess.run(
            command,
            env=None if environment is None else dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding=sys.getfilesystemencoding() if exactly else "utf-8",
            errors="surrogateescape" if exactly else "replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"no answer in {seconds:g} seconds"
    except OSError as error:
        why = error.strerror or str(error)
    return subprocess.CompletedProcess(command, 1, "", f"{Path(command[0]).name}: {why}")


def reason_in(text: str) -> str:
    """The line that most likely tells why: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"(?i)\berror\b", line)]
    return [*telling, *lines[-1:], "no reason was given"][0]
