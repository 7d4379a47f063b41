"""Files of the store: times, JSON that is written whole, and folders that a group shares."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import write_text_whole
from comparator.results.form import AnyForm, Form, as_text, of_form

#: What `json` raises of a text that is none, or none that we have written: nested thousands of times.
NOT_JSON = (ValueError, RecursionError)


def now() -> str:
    """The time in UTC, to the millisecond, as records have it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: str | None) -> datetime | None:
    """The time in UTC that a record has as text; None where that says none."""
    try:
        # Python 3.10 does not know Z.
        return datetime.fromisoformat((text or "").replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def write_whole(path: Path, content: object, *, sync: bool = True) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it; `sync`: if power fails too.

    That a process is killed does no harm either way. What is not synced is written often, and stands in one line: json
    indents ten times as slowly.
    """
    text = f"{json.dumps(content, indent=1 if sync else None, allow_nan=False)}\n".encode()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb", buffering=0) as file:
            if file.write(text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(temporary))
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def share_as(experiments: Path) -> None:
    """Have what this process makes from now on be shared as the folder of all experiments is, where a group shares it.

    That is so where the folder has the set-group-id bit (chmod g+s); else the user's own umask holds.
    """
    try:
        mode = experiments.stat().st_mode
    except OSError:
        return
    if mode & stat.S_ISGID:
        own = os.umask(0o077)
        os.umask(own & ~(mode & 0o077))


def read_json(path: Path) -> Any | None:
    """Read a JSON file; None where there is none or it is not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, *NOT_JSON):
        return None


def write_lines(path: Path, lines: Iterable[Form]) -> None:
    write_text_whole(path, "".join(as_text(line) + "\n" for line in lines))


def read_form(form: type[AnyForm], path: Path) -> AnyForm | None:
    """What a file holds; None where there is none, or it is damaged."""
    try:
        return of_form(form, read_json(path), str(path))
    except InputError:
        return None


def owner_of(path: Path) -> str:
    """The name of the user whose a file or folder is; of one without a name the number."""
    try:
        return path.owner()
    except (KeyError, OSError):
        return f"user {path.stat().st_uid}"


def sync_folder(path: Path) -> None:
    """See to it that what was made in a folder, or renamed into it, is there after a crash."""
    with contextlib.suppress(OSError):  # some file systems refuse it
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
