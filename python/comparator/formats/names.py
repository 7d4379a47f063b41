"""Names that become paths (decision 15 of `docs/architecture.md`)."""

from __future__ import annotations

import re
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.text import shortened

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
#: Folders among those of the experiments that are none: of all runs, and of what models have preprocessed.
RUNS, ML_DATA = "runs", "ml_data"
LONGEST = 100
ROOM_FOR_NUMBER = 10


def check_name(name: str, what: str) -> str:
    """Return `name` where it can be a folder's name; raises `InputError` where it cannot.

    `runs` and `ml_data` are folders of all experiments, so nothing else may be called that.
    """
    if not NAME.fullmatch(name) or name in (RUNS, ML_DATA) or len(name) > LONGEST:
        raise InputError(
            f"{what} '{shortened(name)}': may hold letters, digits, '.', '_' and '-',"
            f" {LONGEST} at the most, must not begin with '.', and must not be '{RUNS}' or '{ML_DATA}'"
        )
    return name


def check_new_name(name: str, what: str) -> str:
    """The same of a name that is given to something new: one with '-' at its front is an option to every command."""
    if check_name(name, what).startswith("-"):
        raise InputError(f"{what} '{name}': must not begin with '-': commands would take it for an option")
    return name


def name_after(text: str) -> str:
    """A name that follows `text`, the stem of a file say, and leaves room for a number behind it."""
    return as_file_name(text).lstrip("-.")[: LONGEST - ROOM_FOR_NUMBER] or "experiment"


def home_written_out(path: str | Path) -> Path:
    """A path with `~` written out; as it is where that is nobody's home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def as_file_name(text: str) -> str:
    """`text`, a metric's name say, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:LONGEST]
