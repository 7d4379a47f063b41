"""Hold a folder, an experiment's or a run's, so that one process at a time changes it, on whatever file system.

    FOLDER/lock     locked (flock) by its holder, where the file system has such locks; goes with the lease
    FOLDER/lease    who holds it, as long as it is held; its time of change is renewed by the holder. That of a run is
                    mostly a link to its worker's, which is locked itself (`worker_lease`)

A lease is as good as its holder. Of a process on this machine that is seen: once it is dead its lease is free. Of one
elsewhere it is not; its lease has expired when nobody has renewed it for `EXPIRES_SECONDS` in which it was looked at.
No clock of another machine is compared with one's own.

Locks alone would not do: some shared file systems have none, others keep them to each machine by itself. Leases alone
would not either: the Python inside a rank stands still while its rank waits in MPI, and renews nothing. Whether a job
lives is asked of its scheduler (`engine.jobs`) before its lease is looked at.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from comparator.errors import ComparatorError
from comparator.results.holder import UNKNOWN, Holder, this_holder

LOCK, LEASE = "lock", "lease"
RENEWED_SECONDS = 10.0
EXPIRES_SECONDS = 60.0
#: How often a lease is looked at by whoever waits for it.
FIRST_WAIT_SECONDS, LOOK_SECONDS = 0.05, 0.5
#: A lock that is looked at is held for an instant by whoever looks.
INSTANTS, INSTANT_SECONDS = 5, 0.05
WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
WITHOUT_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)


@dataclass(frozen=True)
class _Seen:
    """A lease as it was seen: `inode` and `changed` tell one that was renewed or taken by another."""

    holder: Holder
    inode: int
    changed: int  # nanoseconds, by the clock of the file system


class Lease:
    """A folder that this process holds, until `release`."""

    def __init__(self, folder: Path, lock: int, lease: int) -> None:
        self.folder, self._path, self._lock, self._lease = folder, folder / LEASE, lock, lease
        self._place = folder.stat()
        self.is_released = self._was_lost = False
        renewal.add(lease)

    def check(self) -> None:
        """Raises `ComparatorError` where the folder is gone, or held by another because this process seemed dead."""
        if self.is_lost:
            seen = _look(self._path)
            by = "another process, which has ended," if seen is None else seen.holder.words
            raise ComparatorError(f"{self.folder}: was taken over by {by} while this process stood still; it ends here")
        if not lies_at(self._path, self._lease):
            raise ComparatorError(f"{self.folder}: was removed or moved while it was in use; what used it ends here")

    @property
    def is_lost(self) -> bool:
        """Whether another has taken the folder over, because this process seemed dead, and may be done with it."""
        if self.is_released:
            return self._was_lost
        return not lies_at(self._path, self._lease) and self._folder_is_there

    def release(self) -> None:
        """Let go of the folder, which may be gone; once is enough."""
        if self.is_released:
            return
        self.is_released = True
        renewal.remove(self._lease)
        has_lease = lies_at(self._path, self._lease)
        self._was_lost = not has_lease and self._folder_is_there
        os.close(self._lease)
        # The lock goes first: who then makes a lease sees that the lock it has opened before is gone.
        with contextlib.suppress(OSError):
            if has_lease and lies_at(self.folder / LOCK, self._lock):
                (self.folder / LOCK).unlink()
        with contextlib.suppress(OSError):
            if has_lease:
                self._path.unlink()
        os.close(self._lock)

    @property
    def _folder_is_there(self) -> bool:
        try:
            return os.path.samestat(self.folder.stat(), self._place)
        except OSError:
            return False


class Attempt:
    """Trying to hold a folder, as often as `now` is called."""

    def __init__(self, folder: Path, purpose: str = "") -> None:
        self._folder, self._purpose = folder, purpose
        self._seen: _Seen | None = None
        self._since = 0.0  # when it was first seen as it is, by this process's own clock
        self._was_renewed = False
        #: Whether the latest try found the folder locked, be it by somebody who only looks.
        self.is_locked = False

    def now(self) -> Lease | Holder:
        """The lease, or who holds the folder. Raises `OSError` where it cannot be written."""
        while (taken := self._once()) is None:
            continue
        return taken

    def _once(self) -> Lease | Holder | None:
        """The same; None where the lock that was opened went with a lease."""
        lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self.is_locked = not try_lock(lock)
            taken = self._holder() if self.is_locked else self._take()
        except BaseException:
            os.close(lock)
            raise
        if isinstance(taken, Holder):
            os.close(lock)
            return taken
        if not lies_at(self._folder / LOCK, lock):
            (self._folder / LEASE).unlink(missing_ok=True)
            os.close(taken)
            os.close(lock)
            return None
        return Lease(self._folder, lock, taken)

    def is_held_by(self, token: str) -> bool:
        """Whether the holder of this token has the folder still, as far as that is seen by looking again and again."""
        seen = _look(self._folder / LEASE)
        return seen is not None and seen.holder.token == token and not self._has_expired(seen)

    @property
    def is_doubtful(self) -> bool:
        """Whether the holder may be dead: it is elsewhere, and nothing has been heard of it since it was first seen."""
        return self._seen is not None and not self._seen.holder.is_here and not self._was_renewed

    def _holder(self) -> Holder:
        seen = _look(self._folder / LEASE)
        return UNKNOWN if seen is None else seen.holder

    def _take(self) -> int | Holder:
        path = self._folder / LEASE
        while True:
            seen = _look(path)
            if seen is None:
                made = _make(path, self._purpose)
                if made is not None:
                    return made
                continue
            if not self._has_expired(seen):
                return seen.holder
            _remove(path, seen)

    def _has_expired(self, seen: _Seen) -> bool:
        if seen.holder.is_here:
            return not seen.holder.is_alive_here
        if seen != self._seen:
            self._was_renewed = self._seen is not None
            self._seen, self._since = seen, time.monotonic()
        return time.monotonic() - self._since >= EXPIRES_SECONDS and not _is_locked(self._folder / LEASE)


def hold(folder: Path, purpose: str = "", *, on_doubt: Callable[[Holder], None] = lambda _: None) -> Lease | Holder:
    """Hold a folder, or tell who does.

    Where it cannot be seen whether the holder is alive, this takes until its lease is renewed or has expired; then
    `on_doubt` is called first.
    """
    attempt, told = Attempt(folder, purpose), False
    got = attempt.now()
    for _ in range(INSTANTS):
        if not attempt.is_locked:
            break
        time.sleep(INSTANT_SECONDS)
        got = attempt.now()
    while not isinstance(got, Lease) and attempt.is_doubtful:
        if not told:
            on_doubt(got)
            told = True
        time.sleep(LOOK_SECONDS)
        got = attempt.now()
    return got


@contextlib.contextmanager
def claim(folder: Path, purpose: str, wait: Callable[[Holder, float], bool]) -> Iterator[Lease | None]:
    """Hold a folder while something is made in it; `purpose` says of whoever waits for it what for.

    While another holds it, `wait(holder, seconds)` is called, which is to return after these seconds at the latest,
    False in order to give up. Yields the lease of it, or None where it was given up. Raises `OSError` where the folder
    is gone, or may not be written.
    """
    attempt, seconds = Attempt(folder, purpose), FIRST_WAIT_SECONDS
    while isinstance(got := attempt.now(), Holder):
        if not wait(got, seconds):
            yield None
            return
        seconds = min(2 * seconds, LOOK_SECONDS)
    try:
        yield got
    finally:
        got.release()


def holder_of(folder: Path) -> Holder | None:
    """Who holds a folder, as far as a look tells; None where nobody does. Nothing is written."""
    is_locked = _is_locked(folder / LOCK)
    try:
        seen = _look(folder / LEASE)
    except PermissionError:
        return UNKNOWN
    if is_locked:
        return UNKNOWN if seen is None else seen.holder
    if seen is None:
        return None
    if seen.holder.is_here:
        return seen.holder if seen.holder.is_alive_here else None
    age = time.time() - seen.changed / 1e9
    return seen.holder if age < EXPIRES_SECONDS or _is_locked(folder / LEASE) else None


def lies_at(path: Path, descriptor: int) -> bool:
    """Whether a file that is open is still the one at its path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _look(path: Path) -> _Seen | None:
    """The lease that lies there; None where none does. It is opened: a network file system then asks its server."""
    try:
        with path.open("rb") as file:
            stat, text = os.fstat(file.fileno()), file.read()
    except FileNotFoundError:
        return None
    try:
        holder = Holder.model_validate_json(text)
    except ValidationError:
        holder = UNKNOWN
    return _Seen(holder, stat.st_ino, stat.st_mtime_ns)


def _make(path: Path, purpose: str) -> int | None:
    """Make the lease, whole at once, and give it open; None where there is one now.

    Of an empty one, as a process may leave that is killed as it writes, nobody could say whether its maker lives.
    """
    holder = this_holder(purpose)
    own = path.with_name(f".{path.name}.{holder.token}")
    descriptor = os.open(own, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, (json.dumps(holder.model_dump()) + "\n").encode())
        os.link(own, path)
    except FileExistsError:
        if os.fstat(descriptor).st_nlink == 2:  # NFS may say so of the link that it has made
            return descriptor
        os.close(descriptor)
        return None
    except FileNotFoundError:  # who holds the folder meanwhile has cleared it
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        if error.errno not in WITHOUT_LINKS:
            raise
        return _make_without_links(path, holder)
    finally:
        own.unlink(missing_ok=True)
    return descriptor


def _make_without_links(path: Path, holder: Holder) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return None
    os.write(descriptor, (json.dumps(holder.model_dump()) + "\n").encode())
    return descriptor


def _remove(path: Path, expired: _Seen) -> None:
    """Remove a lease that has expired, and no other that may have taken its place meanwhile."""
    guard = path.with_name(f".{path.name}.taking-over")
    try:
        os.close(os.open(guard, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
    except FileExistsError:
        time.sleep(INSTANT_SECONDS)  # another process removes it at this moment
        with contextlib.suppress(FileNotFoundError):
            if abs(time.time() - guard.stat().st_mtime) > EXPIRES_SECONDS:  # or has died at it
                guard.unlink()
        return
    try:
        now = _look(path)
        if now is not None and (now.inode, now.holder) == (expired.inode, expired.holder):
            path.unlink()
    finally:
        guard.unlink(missing_ok=True)


def try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock a file, for as long as it is open; True too where the file system has no locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
    return True


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


class _Renewal:
    """One thread that renews all leases of this process; it sleeps between two renewals, and ends with the process."""

    def __init__(self) -> None:
        self._leases: set[int] = set()
        self._changes = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, lease: int) -> None:
        with self._changes:
            self._leases.add(lease)
            if self._thread is None or not self._thread.is_alive():  # the process may have been forked
                self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)
                self._thread.start()

    def remove(self, lease: int) -> None:
        with self._changes:
            self._leases.discard(lease)

    def _renew(self) -> None:
        while True:
            time.sleep(RENEWED_SECONDS)
            with self._changes:
                for lease in self._leases:
                    with contextlib.suppress(OSError):
                        os.utime(lease)


renewal = _Renewal()
