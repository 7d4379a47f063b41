"""What is kept: experiments (settings and one line an evaluation) and the runs that all of them share.

EXPERIMENTS/ID/experiment.json      frozen settings and provenance
EXPERIMENTS/ID/evaluations.jsonl    one line per finished evaluation, appended and synced: the truth
EXPERIMENTS/ID/state.json           what the running process last said of itself; advice, never truth
EXPERIMENTS/ID/running/             what is being trained (`in_flight`); advice too
EXPERIMENTS/ID/lock, lease          held by the process that runs the experiment (`lease`)
EXPERIMENTS/ID/withdrawn.jsonl      one line for each of its runs that was withdrawn since
EXPERIMENTS/ID/notes.json           tags and a note, which people may change at any time (`notes`)
EXPERIMENTS/ml_data/IDENTITY/       data that a model's own step has preprocessed (`model.ml_data`)
EXPERIMENTS/runs/AB/IDENTITY/       model.log, result.json and whatever the model writes; withdrawn.json in the place
                                    of a result that did not come out again; lock, lease while it is trained
                                    (AB: how IDENTITY begins; of earlier versions runs/IDENTITY)

What is finished is read without a lock, and without permission to write. Where the folder of all experiments has the
set-group-id bit, a group shares it: what is made in it has the folder's own permissions (`share_as`).
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from comparator.errors import ComparatorError, InputError
from comparator.formats.names import check_new_name, name_after
from comparator.results.experiments import EXPERIMENT
from comparator.results.files import now, owner_of, share_as, sync_folder, write_lines, write_whole
from comparator.results.form import as_text
from comparator.results.frozen import FrozenExperiment
from comparator.results.holder import Holder
from comparator.results.lease import LEASE, LOCK, Lease, hold, holder_of, lies_at
from comparator.results.record import Evaluation
from comparator.results.record_file import check_order, records_from
from comparator.results.state import STATE, Running, say

#: An experiment's folder while it is made, and how long after its last change its maker is surely dead.
UNFINISHED, UNFINISHED_SECONDS = ".unfinished-", 3600.0


class ExperimentFolder:
    """One experiment on disk, opened for writing by the one process that runs it."""

    def __init__(self, path: Path, *, on_doubt: Callable[[Holder], None] = lambda _: None) -> None:
        """Open the experiment in the folder `path`; `on_doubt` is called where it takes time to see whether it runs.

        Raises `InputError` where another process runs it, it may not be written, or its record is damaged.
        """
        self.path = path
        self.identifier = path.name
        self.evaluations = path / "evaluations.jsonl"
        share_as(path.parent)
        self._lease = _hold_experiment(path, on_doubt)
        self.launch: str | None = None  # the folder of the Swift/T launch that runs it, in this one
        try:
            self.records, end = records_from(self.evaluations, 0, 0)
            check_order(self.records, self.evaluations)
            self._file = self.evaluations.open("ab", buffering=0)
            #: Where the file ends, and with how many records, that are all on disk.
            self._synced = end, len(self.records)
            self._is_together = False
            self._end_at(self._synced[0])
            sync_folder(path)
        except BaseException:
            self._lease.release()
            raise

    @classmethod
    def create(
        cls,
        experiments: Path,
        stem: str,
        identifier: str | None,
        frozen: FrozenExperiment,
        records: Iterable[Evaluation] = (),
    ) -> ExperimentFolder:
        """Make a new experiment called `identifier`, or after `stem` with the first free number: a whole one, or none.

        Its file holds `frozen` with the id and the time, its record `records`.
        """
        check_new_experiment(experiments, identifier)
        numbers, stem = itertools.count(1), name_after(stem)
        with unfinished_folder(experiments) as making:
            write_lines(making / "evaluations.jsonl", records)
            while True:
                name = identifier or f"{stem}-{next(numbers)}"
                if identifier is None and (experiments / name).exists() and not _is_leftover(experiments / name):
                    continue
                named = frozen.model_copy(update={"id": name, "created": now()})
                write_whole(making / EXPERIMENT, named.as_json())
                if put_in_place(making, experiments / name):
                    return cls(experiments / name)
                check_new_experiment(experiments, identifier)

    def freeze(self, experiment: FrozenExperiment) -> None:
        """Write the frozen experiment anew, whose settings stay as they are; one that was closed is held for that.

        Raises `ComparatorError` as `append` does.
        """
        lease = _hold_experiment(self.path, lambda _: None) if self._lease.is_released else self._lease
        try:
            lease.check()
            if lease is self._lease:
                self._sync()  # what was found rests on lines
            write_whole(self.path / EXPERIMENT, experiment.as_json())
        except OSError as error:
            raise ComparatorError(f"{self.path / EXPERIMENT}: cannot be written: {error.strerror}") from None
        finally:
            if lease is not self._lease:
                lease.release()

    def append(self, record: Evaluation) -> None:
        """Add one finished evaluation, on disk when this returns, or where it is one of several when `together` ends.

        Raises `ComparatorError` on a full disk, where the file is no longer in its place, or where another process
        runs the experiment meanwhile.
        """
        self._lease.check()
        line = as_text(record).encode() + b"\n"
        with self._undone_on_failure(self._file.tell(), len(self.records)):
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.records.append(record)
        if not self._is_together:
            self._sync()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Have the lines that are appended while the context lasts brought to disk by one sync, when it ends.

        They are in the file at once, so that a process that is killed loses none; what rests on them may be said when
        the context has ended. Within another one it is part of that. Raises as `append` does.
        """
        if self._is_together:
            yield
            return
        self._is_together = True
        try:
            yield
        finally:
            self._is_together = False
            self._sync()

    def _sync(self) -> None:
        """Bring to disk what was appended since this was called last."""
        end = self._file.tell()
        if end == self._synced[0]:
            return
        with self._undone_on_failure(*self._synced):
            os.fsync(self._file.fileno())
        self._synced = end, len(self.records)
        if not lies_at(self.evaluations, self._file.fileno()):
            raise ComparatorError(f"{self.evaluations}: was removed or moved while it was in use; what wrote it ends")

    @contextlib.contextmanager
    def _undone_on_failure(self, end: int, records: int) -> Iterator[None]:
        """Where the file cannot be written, say so, and have it end again where it did with so many records."""
        try:
            yield
        except OSError as error:
            with contextlib.suppress(OSError):
                self._end_at(end)
            del self.records[records:]
            raise ComparatorError(f"{self.evaluations}: cannot be written: {error.strerror}") from None

    def _end_at(self, end: int) -> None:
        self._file.truncate(end)
        self._file.seek(end)

    @property
    def is_lost(self) -> bool:
        """Whether another process has taken the experiment over: what it is, is the other's to say."""
        return self._lease.is_lost

    def say(self, state: str, running: Sequence[Running], reason: str | None = None, *, unlisted: int = 0) -> None:
        """Note for watchers what this process is doing; a failure to write it is of no consequence.

        The last word of an experiment that another has taken over is the other's.
        """
        if not self.is_lost:
            say(self.path, state, running, reason, self.launch, unlisted=unlisted)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._lease.release()


@contextlib.contextmanager
def unfinished_folder(experiments: Path) -> Iterator[Path]:
    """A folder in that of all experiments, which commands do not see, and which is gone unless it was put in place.

    Raises `InputError` where experiments cannot be kept there.
    """
    _make_writable(experiments)
    share_as(experiments)
    _remove_unfinished(experiments)
    making = experiments / f"{UNFINISHED}{os.getpid()}-{time.monotonic_ns()}"
    making.mkdir()
    try:
        yield making
    finally:
        shutil.rmtree(making, ignore_errors=True)


def put_in_place(made: Path, path: Path) -> bool:
    """Give a folder that was made whole its place, at once and for good; False where another is there."""
    sync_folder(made)
    if _is_leftover(path):
        shutil.rmtree(path)
    try:
        made.rename(path)  # takes the place of an empty folder, and of no other
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise
        return False
    sync_folder(path.parent)
    return True


def _hold_experiment(path: Path, on_doubt: Callable[[Holder], None]) -> Lease:
    try:
        held = hold(path, on_doubt=on_doubt)
    except PermissionError:
        owner = owner_of(path)
        raise InputError(
            f"experiment '{path.name}' is {owner}'s, and its folder may not be written: it can be reported elsewhere"
            " (report --output, export --to), but not gone on with"
        ) from None
    if isinstance(held, Holder):
        raise InputError(
            f"experiment '{path.name}' is being run by {held.words}; follow it by: comparator watch {path.name}"
        )
    return held


def _is_leftover(path: Path) -> bool:
    """Whether a folder is what an earlier version has left that died before there was an experiment in it."""
    if not path.is_dir():
        return False
    left = [entry.name for entry in path.iterdir() if entry.name != "evaluations.jsonl" or entry.stat().st_size]
    return set(left) <= {LOCK, LEASE, STATE} and holder_of(path) is None


def _remove_unfinished(experiments: Path) -> None:
    """Remove what processes have left that died while they made an experiment."""
    for folder in experiments.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > UNFINISHED_SECONDS:
                shutil.rmtree(folder)


def check_new_experiment(experiments: Path, identifier: str | None) -> None:
    """See to it that an experiment of this name can be made; raises `InputError`, and makes nothing."""
    if identifier is not None:
        path = experiments / check_new_name(identifier, "id")
        if (path / EXPERIMENT).exists():
            raise InputError(
                f"id '{identifier}': there is already an experiment of this name in {experiments};"
                f" '--resume {identifier}' goes on with it"
            )
        if path.exists() and not _is_leftover(path):
            raise InputError(f"id '{identifier}': {path} is there, and is no experiment; remove it, or give another id")
    nearest_there = next(folder for folder in (experiments, *experiments.parents) if folder.exists())
    if not nearest_there.is_dir() or not os.access(nearest_there, os.W_OK | os.X_OK):
        what = "cannot be written" if nearest_there.is_dir() else "is a file"
        raise InputError(f"{experiments}: experiments cannot be kept here: {nearest_there} {what}")


def _make_writable(experiments: Path) -> None:
    try:
        experiments.mkdir(parents=True, exist_ok=True)
        probe = experiments / f".probe-{os.getpid()}-{time.monotonic_ns()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{experiments}: experiments cannot be kept here: {error.strerror}") from None
