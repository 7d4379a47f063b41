"""Fingerprints: what tells that files have changed, for as little reading as that takes.

`content_of` is the hash of one file: streamed, and kept for as long as the file's size, times and inode are the same.
`tree_of` is that of files and of all files below folders: names and contents where there are few and small ones, else
names, sizes and times. Links are followed; experiments and runs, which may lie below a folder by chance, are left out.
`Recent` has a measurement repeated no more often than it can afford.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, cast

#: Folders of tools, whose files are nobody's data and nobody's code.
NOT_COUNTED = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints"})
#: What the folder of an experiment holds, and how that of a run is called.
EXPERIMENT, RUN = "experiment.json", re.compile("[0-9a-f]{64}")
#: A larger file, where nobody named it, counts with its size and time.
LARGE_BYTES = 64 << 20
#: More files than this are not looked at one by one.
MOST_FILES = 200_000
#: So many files at the most, and so large ones, count with their contents; beyond, with sizes and times.
FEW_FILES, SMALL_BYTES = 1000, 1 << 20
PIECE_BYTES = 1 << 20
SAMPLES, SAMPLE_BYTES = 16, 4096
#: A file system's clock may be this coarse: what changed within it before it was read, may change unseen again.
CLOCK_TICK_SECONDS = 2.0
#: A measurement that took a second is repeated after so many seconds.
SPARING, NO_TIME_SECONDS = 20.0, 0.01

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Tree:
    """What files and folders hold: `digest` None where it cannot be told, and then `unknown` says why in a line.

    `latest` is the time of the last change of any of `files` files, in nanoseconds since 1970; 0 where there is none.
    """

    digest: str | None
    files: int = 0
    latest: int = 0
    unknown: str | None = None


class _File(NamedTuple):
    name: str
    path: str
    status: os.stat_result

    @property
    def size(self) -> int:
        return self.status.st_size

    @property
    def changed(self) -> int:
        return self.status.st_mtime_ns


class _Unknown(Exception):
    """The files cannot be listed; the text says why."""


#: By what tells that a file has changed: the hash of its contents, and of a large one that of samples.
_contents: dict[tuple[int, ...], str] = {}
_samples: dict[tuple[int, ...], str] = {}


def content_of(path: Path | str) -> str | None:
    """SHA-256 of a file's contents; None where there is no such file or it cannot be read."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            known = _contents.get(_key(status))
            if known is not None:
                return known
            whole = hashlib.sha256()
            while piece := file.read(PIECE_BYTES):
                whole.update(piece)
    except (OSError, ValueError):
        return None
    _keep(_contents, status, whole.hexdigest())
    return whole.hexdigest()


def state_of(path: Path | str) -> str | None:
    """What tells that a file has changed: its contents, of a large one its size and time; None where there is none.

    A folder is none of these: it is told by its being one.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    if status.st_size > LARGE_BYTES:
        return f"{status.st_size} {status.st_mtime_ns}"
    return content_of(path)


def names_in(folder: Path | str) -> str | None:
    """SHA-256 of the names in a folder; None where there is no such folder or it cannot be listed."""
    try:
        names = sorted(entry.name for entry in Path(folder).iterdir())
    except (OSError, ValueError):
        return None
    return digest_of([name for name in names if name not in NOT_COUNTED])


def tree_of(
    roots: Iterable[tuple[str, Path]],
    *,
    skip: Callable[[str], bool] = lambda name: False,
    only: Callable[[str], bool] = lambda name: True,
    until: int | None = None,
    limit: int = MOST_FILES,
) -> Tree:
    """The fingerprint of files and folders, each with the name that it goes by.

    `skip` says of a folder's name, `NAME/OF/FOLDER`, whether it is left out, `only` of a file's whether it counts;
    `until` leaves out files changed after that time (nanoseconds since 1970); `limit` is the number of files beyond
    which nothing is told.
    """
    files: list[_File] = []
    for name, root in roots:
        try:
            _add_files(files, name, str(root), skip, set(), limit)
        except _Unknown as reason:
            return Tree(None, unknown=str(reason))
        if len(files) > limit:
            return Tree(None, unknown=f"{root} holds more than {limit:,} files")
    files = [file for file in files if only(file.name) and (until is None or file.changed <= until)]
    files.sort(key=lambda file: file.name)
    few = len(files) <= FEW_FILES
    whole = "".join([f"{file.name}\0{_telling(file, few=few)}\n" for file in files])
    digest = hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest()
    return Tree(digest, len(files), max([file.changed for file in files], default=0))


def latest_below(*roots: tuple[str, Path], skip: Callable[[str], bool] = lambda name: False) -> str | None:
    """The path of the file below the roots that changed last; None where there is none, or they cannot be listed.

    Roots and `skip` are as `tree_of` has them.
    """
    files: list[_File] = []
    try:
        for name, root in roots:
            _add_files(files, name, str(root), skip, set(), math.inf)
    except _Unknown:
        return None
    return max(files, key=lambda file: file.changed).path if files else None


class Recent(Generic[Measured]):
    """What `measure` gave last; measured again where that takes no time, or was SPARING times longer ago than it took.

    `began` is when it was last measured, as `time.monotonic()` has it.
    """

    def __init__(self, measure: Callable[[], Measured]) -> None:
        self._measure = measure
        self._lock = threading.Lock()
        self._last: Measured | None = None
        self._again = self.began = -math.inf

    def __call__(self, *, anew: bool = False, since: float = math.inf) -> Measured:
        """`anew`: measure now; `since`: what was measured from then on serves."""
        with self._lock:
            now = time.monotonic()
            if anew or (now >= self._again and self.began < since):
                self.began, self._last = now, self._measure()
                ended = time.monotonic()
                took = ended - now
                self._again = ended + (SPARING * took if took > NO_TIME_SECONDS else 0.0)
            return cast(Measured, self._last)


def digest_of(parts: Sequence[object]) -> str:
    """SHA-256 over texts, numbers and None, in their order."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode(errors="surrogateescape")).hexdigest()


def _key(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _keep(known: dict[tuple[int, ...], str], status: os.stat_result, digest: str) -> None:
    """Keep the hash of a file of this status, unless it may yet change unseen."""
    if time.time() - max(status.st_mtime, status.st_ctime) > CLOCK_TICK_SECONDS:
        known[_key(status)] = digest


def _telling(file: _File, *, few: bool) -> str:
    """What tells a file from another of its name: its contents, else size and time, of one of few with samples.

    A file whose hash is known by its status is not opened: over a network that would ask the server of each, at every
    look. What a training has opened this machine has asked the server of since.
    """
    if not few:
        return f"{file.size} {file.changed}"
    if file.size <= SMALL_BYTES:
        return _contents.get(_key(file.status)) or content_of(file.path) or "unreadable"
    return f"{file.size} {file.changed} {_samples.get(_key(file.status)) or _samples_of(file)}"


def _samples_of(file: _File) -> str:
    """SHA-256 of pieces of a file, evenly over its length."""
    whole = hashlib.sha256()
    try:
        with open(file.path, "rb", opener=_without_waiting) as opened:
            for number in range(SAMPLES):
                opened.seek(number * (file.size - SAMPLE_BYTES) // (SAMPLES - 1))
                whole.update(opened.read(SAMPLE_BYTES))
    except OSError:
        return "unreadable"
    _keep(_samples, file.status, whole.hexdigest())
    return whole.hexdigest()


def _add_files(
    found: list[_File],
    name: str,
    path: str,
    skip: Callable[[str], bool],
    open_folders: set[tuple[int, int]],
    limit: float,
) -> None:
    """Add the file at `path`, or all files below it, to those `found`, and no more once they are more than `limit`.

    A link that leads back to a folder that it lies in is left alone.
    """
    try:
        status = os.stat(path)  # noqa: PTH116  (a walk asks of many)
    except OSError:
        return  # none, or a link to nowhere
    if stat.S_ISREG(status.st_mode):
        found.append(_File(name, path, status))
        return
    itself = (status.st_dev, status.st_ino)
    if not stat.S_ISDIR(status.st_mode) or itself in open_folders or skip(name):
        return
    try:
        with os.scandir(path) as listed:
            entries = list(listed)
    except OSError as error:
        raise _Unknown(f"{path} cannot be read: {error.strerror}") from None
    if any(entry.name == EXPERIMENT for entry in entries):
        return
    for entry in entries:
        if len(found) > limit:
            return
        if entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):  # it went meanwhile
                found.append(_File(f"{name}/{entry.name}", entry.path, entry.stat()))
        elif entry.name not in NOT_COUNTED and not RUN.fullmatch(entry.name):
            _add_files(found, f"{name}/{entry.name}", entry.path, skip, {*open_folders, itself}, limit)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe too, without waiting for somebody who writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
