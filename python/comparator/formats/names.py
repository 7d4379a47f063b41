"""Names that become paths (decision 15 of `docs/architecture.md`)."""

from __future__ import annotations

import re
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.text import shortened

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
RUNS = "runs"
LONGEST = 100


def check_name(name: str, what: str) -> str:
    """Return `name` where it can be a folder's name; raises `InputError` where it cannot.

    `runs` is the folder of all runs, so nothing else may be called that.
    """
    if not NAME.fullmatch(name) or name == RUNS or len(name) > LONGEST:
        raise InputError(
            f"{what} '{shortened(name)}': may hold letters, digits, '.', '_' and '-',"
            f" {LONGEST} at the most, must not begin with '.', and must not be '{RUNS}'"
        )
    return name


def home_written_out(path: str | Path) -> Path:
    """A path with `~` written out; as it is where that is nobody's home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def as_file_name(text: str) -> str:
    """`text`, a metric's name say, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:LONGEST]
