"""Calls of a machine's programs whose failure is a finding."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

SECONDS = 120.0


def try_command(
    command: list[str], environment: Mapping[str, str], seconds: float | None = SECONDS
) -> subprocess.CompletedProcess[str]:
    """What a command says; one that cannot be called, or takes longer (None: as long as it likes), has failed."""
    try:
        return subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def reason_in(text: str) -> str:
    """The line that most likely tells why: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"(?i)\berror\b", line)]
    return [*telling, *lines[-1:], "no reason was given"][0]
