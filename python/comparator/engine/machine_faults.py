"""Faults of the machine, which are no training's doing: they end the search, and what is finished is kept."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from comparator.results.files import owner_of

FULL = os.strerror(errno.ENOSPC)
#: Of a machine, not of a training: what a model says where it, or the shell that runs it, meets a limit.
LIMITS = (
    *map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE)),
    "SIGXFSZ",
)
MENDED = "; what is finished is kept, and once that is mended --resume goes on with it"


def fault_of_disk(folder: Path, reason: str | None) -> str | None:
    """What hinders any training from writing into a run's folder, where that may be why one failed."""
    if not folder.is_dir():
        return f"{folder}: is gone"
    usage = os.statvfs(folder)
    if usage.f_bavail == 0 or (usage.f_files > 0 and usage.f_favail == 0):
        return f"{folder}: {FULL}{MENDED}"
    return next((f"{folder}: {words}{MENDED}" for words in LIMITS if words in (reason or "")), None)


def fault_of_folder(folder: Path, experiments: Path) -> str | None:
    """What hinders anybody from writing into a folder, which is tried; `experiments` is the folder of all."""
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"0")
            trial.flush()
    except OSError as error:
        error.filename = str(folder)
        return words_of(error, experiments)
    return None


def words_of(error: OSError, experiments: Path) -> str:
    """What a person is told of a file that could not be read or written; `experiments` is the folder of all."""
    if not experiments.is_dir():
        return f"{experiments}: is gone, or cannot be read"
    at = Path(error.filename or experiments)
    whose = f" (it is {_nearest_owner(at)}'s)" if isinstance(error, PermissionError) else ""
    return f"{at}: {error.strerror or error}{whose}{MENDED}"


def _nearest_owner(path: Path) -> str:
    """Whose a file is; where that cannot be seen, whose the folder is in which it lies."""
    return owner_of(next(place for place in (path, *path.parents) if os.access(place, os.F_OK)))
