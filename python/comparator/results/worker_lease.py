"""The lease of a worker: made once, and linked into the folder of each run that it trains.

    EXPERIMENTS/ID/running/WORKER.lease     the worker's, locked and renewed for as long as it lives
    EXPERIMENTS/runs/AB/IDENTITY/lease      a link to it, while the run is trained

To make a link is one call, in which one of several workers alone succeeds, on file systems without locks too. Who finds
a lease in its way, or cannot make such links, takes the longer way of `lease`, which knows the dead from the living.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from comparator.results.holder import Holder, this_holder
from comparator.results.lease import LEASE, claim, renewal, try_lock


class Held(Protocol):
    """A folder that is held."""

    @property
    def is_lost(self) -> bool:
        """Whether another has taken it over, because this process seemed dead."""


class WorkerLease:
    """The lease of one worker for a `purpose`, kept at `path`; it is made when the first folder is held by it."""

    def __init__(self, path: Path, purpose: str) -> None:
        self._path, self._purpose = path, purpose
        self._descriptor: int | None = None
        self._status: os.stat_result | None = None
        self._held: set[Path] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def claim(self, folder: Path, wait: Callable[[Holder, float], bool]) -> Iterator[Held | None]:
        """Hold a folder while something is made in it, as `lease.claim` does."""
        held = self._link(folder)
        if held is None:
            with claim(folder, self._purpose, wait) as by_its_own:
                yield by_its_own
            return
        try:
            yield held
        finally:
            held.release()
            self._held.discard(folder)

    def close(self) -> None:
        """Let go of the lease, which is made anew where it is used again."""
        with self._lock:
            if self._descriptor is not None:
                renewal.remove(self._descriptor)
                with contextlib.suppress(OSError):
                    self._path.unlink()
                os.close(self._descriptor)
                self._descriptor = None

    def _link(self, folder: Path) -> _Linked | None:
        """Hold a folder by a link; None where that cannot be."""
        path = f"{folder}/{LEASE}"
        with self._lock:
            # Of two links to one lease neither could tell that it was lost to the other.
            if folder in self._held:
                return None
            try:
                if self._descriptor is None:
                    self._make()
                # By its descriptor, since another worker of the name may have put its own in the place.
                os.link(f"/proc/self/fd/{self._descriptor}", path, src_dir_fd=self._descriptor)
            except OSError as error:
                # NFS may say so of the link that it has made.
                if not (isinstance(error, FileExistsError) and self._lies_at(path)):
                    return None
            self._held.add(folder)
        assert self._status is not None
        return _Linked(path, self._status)

    def _lies_at(self, path: str) -> bool:
        assert self._status is not None
        try:
            return os.path.samestat(os.stat(path), self._status)  # noqa: PTH116
        except OSError:
            return False

    def _make(self) -> None:
        """Make the lease, whole at once, in the place of that of a dead worker of the name."""
        holder = this_holder(self._purpose)
        own = self._path.with_name(f".{self._path.name}.{holder.token}")
        own.parent.mkdir(exist_ok=True)
        descriptor = os.open(own, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            try_lock(descriptor)
            os.write(descriptor, (json.dumps(holder.model_dump()) + "\n").encode())
            own.replace(self._path)
        except OSError:
            os.close(descriptor)
            own.unlink(missing_ok=True)
            raise
        renewal.add(descriptor)
        self._descriptor, self._status = descriptor, os.fstat(descriptor)


class _Linked:
    """A folder that is held by a link at `path` to a worker's lease, whose `status` tells it from others."""

    def __init__(self, path: str, status: os.stat_result) -> None:
        self._path, self._status = path, status

    @property
    def is_lost(self) -> bool:
        try:
            return not os.path.samestat(os.stat(self._path), self._status)  # noqa: PTH116  (asked after each run)
        except OSError:
            return os.path.isdir(os.path.dirname(self._path))  # noqa: PTH112, PTH120

    def release(self) -> None:
        """Let go of the folder, which may be gone, or another's."""
        if not self.is_lost:
            with contextlib.suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108
