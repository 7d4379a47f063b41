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
import gc
import itertools
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from comparator.errors import ComparatorError, InputError, nearest, nearest_names
from comparator.formats.names import RUNS, check_name
from comparator.formats.text import shortened, write_text_whole
from comparator.results.lease import LEASE, LOCK, Holder, Lease, claim, hold, holder_of, lies_at
from comparator.results.record import (
    FORMAT,
    AnyForm,
    Evaluation,
    Form,
    FrozenExperiment,
    Run,
    Running,
    RunResult,
    State,
    WholeExperiment,
    Withdrawal,
    WithdrawnResult,
    as_text,
    of_form,
)
from comparator.tables.predictions import FILE, PredictedRows, Predictions, read_predicted_rows, read_predictions

NAME_OF_RUN = re.compile(r"[\w-][\w.-]*")  # a record may be damaged, and leads nowhere else
#: So many characters of a run's identity name the folder that its own lies in: of a million runs each has 3,900.
LEVEL = 2
EXPERIMENT, STATE = "experiment.json", "state.json"
RESULT, WITHDRAWN, WITHDRAWALS = "result.json", "withdrawn.json", "withdrawn.jsonl"
#: An experiment's folder while it is made, and how long after its last change its maker is surely dead.
UNFINISHED, UNFINISHED_SECONDS = ".unfinished-", 3600.0
#: Trainings that took so long are on disk, whatever happens to the machine, before their result is told.
SYNCED_SECONDS = 1.0
#: Names of experiments in a message that there is none of a name.
MOST_TOLD = 8
#: What `json` raises of a text that is none, or none that we have written: nested thousands of times.
NOT_JSON = (ValueError, RecursionError)

AnyExperiment = TypeVar("AnyExperiment", bound=FrozenExperiment)


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


def read_records(path: Path) -> list[Evaluation]:
    """The records of `evaluations.jsonl`, in file order; a torn last line is left out.

    Raises `InputError` where a line before the last is not a record: then the file was changed by hand.
    """
    with without_collector():
        return list(each_record(path))


def each_record(path: Path) -> Iterator[Evaluation]:
    """The same, one after another, so that memory holds one."""
    for record, _ in _checked_lines(path):
        yield record


def records_from(path: Path, place: int, before: int) -> tuple[list[Evaluation], int]:
    """The records behind a place in the file, in bytes, that `before` records end at; and where the last one ends."""
    with without_collector():
        lines = list(_checked_lines(path, place, before))
    return [record for record, _ in lines], lines[-1][1] if lines else place


def _checked_lines(path: Path, place: int = 0, before: int = 0) -> Iterator[tuple[Evaluation, int]]:
    """The records from a place in the file on, and where in it, in bytes, each ends."""
    for number, (read, end) in enumerate(_whole_lines(path, place, _record_in), start=before + 1):
        yield read if isinstance(read, Evaluation) else of_form(Evaluation, read, f"{path}: line {number}"), end


def _record_in(line: bytes) -> Any:
    """The record of a line; of one that is none what it holds, which tells what is wrong with it."""
    try:
        return Evaluation.model_validate_json(line)
    except ValidationError:
        return json.loads(line)


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """While many objects are made and none is dropped: the collector would look through all of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _whole_lines(path: Path, place: int = 0, read: Callable[[bytes], Any] = json.loads) -> Iterator[tuple[Any, int]]:
    """What the whole lines of a file of JSON hold from a place on, and where in the file, in bytes, each ends."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        end = file.seek(place)
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                content = read(line)
            except NOT_JSON:
                if any(later.endswith(b"\n") for later in file):
                    words = f"line {number} is not a record; the file was changed or damaged"
                    raise InputError(f"{path}: {words}") from None
                return
            end += len(line)
            yield content, end


def left_over(path: Path) -> int:
    """How many bytes at the end of a record are no whole line."""
    whole = max((end for _, end in _whole_lines(path)), default=0)
    return (path.stat().st_size if path.exists() else 0) - whole


def table_cell(value: Any) -> Any:
    """A value as a CSV table can hold it: Python 3.10's writer refuses the character NUL, and no reader wants it."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


class RunStore:
    """The runs, by identity. One training at a time for each identity, over threads and processes.

    `folder` is that of all runs; where in it one lies `folder_of` alone says.
    """

    def __init__(self, experiments: Path) -> None:
        self.folder = experiments / RUNS

    def finished(self, identity: str) -> RunResult | None:
        """The result of a run that ended well, else None: failed, cancelled and damaged ones are never reused."""
        folder = self.folder_of(identity)
        return None if folder is None else finished_in(folder)

    def result(self, identity: str) -> RunResult | None:
        """The result of a run, however it ended; None where there is none, or it is damaged."""
        folder = self.folder_of(identity)
        return None if folder is None else read_form(RunResult, folder / RESULT)

    def folder_of(self, identity: str) -> Path | None:
        """Where a run's files lie, or would; None where what a record calls it is no name of a run.

        A run that an earlier version has put beside all others stays there, unless one of these days' has a result.
        """
        if not NAME_OF_RUN.fullmatch(identity):
            return None
        place = self.folder / identity[:LEVEL] / identity
        if len(identity) > LEVEL and (flat := self.folder / identity).is_dir() and not (place / RESULT).exists():
            return flat
        return place

    def place(self, identity: str) -> Path:
        """The same; raises `ComparatorError` where what is given is no name of a run."""
        folder = self.folder_of(identity)
        if folder is None:
            raise ComparatorError(f"'{shortened(identity)}' is no name of a run")
        return folder

    def folders(self) -> Iterator[Path]:
        """The folders of all runs, in no order."""
        for entry in _folders_in(self.folder):
            yield from _folders_in(entry) if len(entry.name) == LEVEL else (entry,)

    def predictions(self, run: Run) -> Predictions | None:
        """What a run has written of its predictions; None where it has not."""
        folder = None if run.run is None else self.folder_of(run.run)
        return None if folder is None else read_predictions(folder / FILE)

    def predicted_rows(self, run: Run) -> PredictedRows | None:
        """The rows of a run's predictions; None where it has written none."""
        folder = None if run.run is None else self.folder_of(run.run)
        return None if folder is None else read_predicted_rows(folder / FILE)

    @contextlib.contextmanager
    def claim(self, identity: str, purpose: str, wait: Callable[[Holder, float], bool]) -> Iterator[Lease | None]:
        """Hold the run's folder while it is trained; `purpose` says of whoever waits for it what for.

        While another holds it, `wait(holder, seconds)` is called, which is to return after these seconds at the
        latest, False in order to give up. Yields the lease of it, or None where it was given up. Raises `OSError` where
        the folder of all experiments is gone, or may not be written.
        """
        folder = self.place(identity)
        self.make(folder)
        with claim(folder, purpose, wait) as held:
            yield held

    def make(self, folder: Path) -> None:
        """Make a run's folder where there is none; raises `OSError` as `claim` does."""
        try:
            folder.mkdir(exist_ok=True)
        except (FileNotFoundError, NotADirectoryError):
            for each in (self.folder, folder.parent, folder):
                each.mkdir(exist_ok=True)

    def save(self, identity: str, result: RunResult) -> None:
        """Keep a result, however it ended, as `save_in` does."""
        save_in(self.place(identity), result)

    def withdraw(self, identity: str, reason: str) -> list[str]:
        """Take a result from use, and note it in every experiment that has used it; returns the ids of these."""
        folder = self.place(identity)
        result = self.result(identity) or RunResult(status="failed")
        write_whole(folder / WITHDRAWN, WithdrawnResult(withdrawn=now(), reason=reason, result=result).as_json())
        (folder / RESULT).unlink(missing_ok=True)
        users = []
        for name in experiment_names(self.folder.parent):
            path = self.folder.parent / name
            evaluations = _evaluations_with(path / "evaluations.jsonl", identity)
            if evaluations:
                users.append(name)
                note = Withdrawal(run=identity, evaluations=evaluations, withdrawn=now(), reason=reason)
                with (path / WITHDRAWALS).open("a", encoding="utf-8") as file:
                    file.write(as_text(note) + "\n")
        return users

    def withdrawn(self, identity: str) -> RunResult | None:
        """The result that was withdrawn; None where none was, or it has been trained again since."""
        folder = self.folder_of(identity)
        if folder is None or self.finished(identity) is not None:
            return None
        noted = read_form(WithdrawnResult, folder / WITHDRAWN)
        return None if noted is None else noted.result

    def restore(self, identity: str) -> None:
        """Take a withdrawn result into use again, and forget of it in every experiment that has used it."""
        result = self.withdrawn(identity)
        if result is not None:
            self.save(identity, result)
        (self.place(identity) / WITHDRAWN).unlink(missing_ok=True)
        for name in experiment_names(self.folder.parent):
            path = self.folder.parent / name
            noted = withdrawals(path)
            kept = [note for note in noted if note.run != identity]
            if kept and kept != noted:
                _write_lines(path / WITHDRAWALS, kept)
            elif noted and not kept:
                (path / WITHDRAWALS).unlink(missing_ok=True)


def finished_in(folder: Path) -> RunResult | None:
    """The result in a run's folder where it ended well, else None."""
    result = read_form(RunResult, folder / RESULT)
    return result if result is not None and result.status == "ok" else None


def save_in(folder: Path, result: RunResult) -> None:
    """Keep a run's result in its folder, however it ended; a process that is killed then loses none.

    That of a training of no length is not synced: to train it again costs less than a sync of each. After a power
    failure it may be missing, empty or cut short, which is no JSON, hence no result: the run is trained anew.
    """
    write_whole(folder / RESULT, result.as_json(), sync=result.seconds >= SYNCED_SECONDS)


def _folders_in(folder: Path) -> list[Path]:
    """The folders in one that may be missing."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []


def _write_lines(path: Path, lines: Iterable[Form]) -> None:
    write_text_whole(path, "".join(as_text(line) + "\n" for line in lines))


def read_form(form: type[AnyForm], path: Path) -> AnyForm | None:
    """What a file holds; None where there is none, or it is damaged."""
    try:
        return of_form(form, read_json(path), str(path))
    except InputError:
        return None


def withdrawals(path: Path) -> list[Withdrawal]:
    """The runs of the experiment in `path` that were withdrawn after it had used them."""
    file = path / WITHDRAWALS
    return [of_form(Withdrawal, note, f"{file}: line {n}") for n, (note, _) in enumerate(_whole_lines(file), start=1)]


def _evaluations_with(path: Path, identity: str) -> list[int]:
    """The numbers of the evaluations that a run is part of; none where the record cannot be read."""
    try:
        return [line.evaluation for line in read_records(path) if any(run.run == identity for run in line.runs)]
    except InputError:
        return []


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
            self._file = self.evaluations.open("ab", buffering=0)
            #: Where the file ends, and with how many records, that are all on disk.
            self._synced = end, len(self.records)
            self._is_together = False
            self._end_at(self._synced[0])
            _sync_folder(path)
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
        """Make a new experiment called `identifier`, or `stem-N` with the first free N: a whole one, or none.

        Its file holds `frozen` with the id and the time, its record `records`.
        """
        check_new_experiment(experiments, identifier)
        names = itertools.count(1)
        with unfinished_folder(experiments) as making:
            _write_lines(making / "evaluations.jsonl", records)
            while True:
                name = identifier or f"{stem}-{next(names)}"
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
    _sync_folder(made)
    if _is_leftover(path):
        shutil.rmtree(path)
    try:
        made.rename(path)  # takes the place of an empty folder, and of no other
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise
        return False
    _sync_folder(path.parent)
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


def owner_of(path: Path) -> str:
    """The name of the user whose a file or folder is; of one without a name the number."""
    try:
        return path.owner()
    except (KeyError, OSError):
        return f"user {path.stat().st_uid}"


def _sync_folder(path: Path) -> None:
    """See to it that what was made in a folder, or renamed into it, is there after a crash."""
    with contextlib.suppress(OSError):  # some file systems refuse it
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_unfinished(experiments: Path) -> None:
    """Remove what processes have left that died while they made an experiment."""
    for folder in experiments.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > UNFINISHED_SECONDS:
                shutil.rmtree(folder)


def experiment_path(experiments: Path, identifier: str) -> Path:
    """The folder of an existing experiment; raises `InputError` with the nearest name."""
    path = experiments / check_name(identifier, "id")
    if not (path / EXPERIMENT).exists():
        known = experiment_names(experiments)
        told = list(dict.fromkeys([*nearest_names(identifier, known, most=MOST_TOLD), *reversed(known)]))[:MOST_TOLD]
        more = f" and {len(known) - len(told)} more" if len(known) > len(told) else ""
        there = f"; there are: {', '.join(told)}{more}" if known else "; there is none yet"
        raise InputError(f"no experiment '{shortened(identifier)}' in {experiments}{nearest(identifier, known)}{there}")
    return path


def read_experiment(path: Path) -> FrozenExperiment:
    """The frozen experiment in the folder `path`.

    Raises `InputError` where there is none, or it is damaged, or of a later version.
    """
    return _read_experiment(path, FrozenExperiment)


def read_whole_experiment(path: Path) -> WholeExperiment:
    """The same, where it has all that it takes to go on with it; raises `InputError` where it has not."""
    return _read_experiment(path, WholeExperiment)


def _read_experiment(path: Path, form: type[AnyExperiment]) -> AnyExperiment:
    file = path / EXPERIMENT
    try:
        content = read_json(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    if content is None:
        raise InputError(f"{file}: {'is not a whole experiment' if file.exists() else 'no such file'}")
    given = content.get("format") if isinstance(content, dict) else None
    if isinstance(given, int) and given > FORMAT:
        raise InputError(f"{file}: its format is {given}, of a later version; this one reads {FORMAT}")
    return of_form(form, content, str(file))


def hidden_experiments(experiments: Path) -> list[str]:
    """The names of what lies among the experiments and may not be looked into."""
    return sorted(
        path.name for path in experiments.glob("[!.]*") if path.is_dir() and not os.access(path, os.R_OK | os.X_OK)
    )


def experiment_names(experiments: Path) -> list[str]:
    """The ids of all experiments, oldest first."""
    changed = {}
    for file in experiments.glob(f"[!.]*/{EXPERIMENT}"):
        with contextlib.suppress(OSError):  # it may be removed at this moment
            changed[file.parent.name] = file.stat().st_mtime
    return sorted(changed, key=lambda name: changed[name])


def say(
    path: Path,
    state: str,
    running: Sequence[Running],
    reason: str | None,
    launch: str | None,
    *,
    unlisted: int = 0,
) -> None:
    """Note for watchers what an experiment is doing; a failure to write it is of no consequence."""
    said = State(
        state=state,
        pid=os.getpid(),
        host=os.uname().nodename,
        launch=launch,
        updated=now(),
        running=list(running),
        unlisted=unlisted,
        reason=reason,
    )
    with contextlib.suppress(OSError):
        write_whole(path / STATE, said.as_json(), sync=False)


def say_ended(path: Path, said: State, state: str, reason: str, launch: str | None) -> None:
    """Note that an experiment that last `said` what it was doing has ended; what ran then is kept."""
    say(path, state, said.running, reason, launch, unlisted=said.unlisted)


def say_reporting(path: Path, share: float | None) -> None:
    """Note for watchers how much of a finished experiment's report is written, None once all is; as `say` does."""
    said = last_word(path)
    if said.state == "finished":
        with contextlib.suppress(OSError):
            told = said.model_copy(update={"reporting": share, "updated": now()})
            write_whole(path / STATE, told.as_json(), sync=False)


def last_word(path: Path) -> State:
    """What the process that runs, or ran, an experiment last said of it. It may be gone since: `engine.jobs` asks."""
    return read_form(State, path / STATE) or State()


def check_new_experiment(experiments: Path, identifier: str | None) -> None:
    """See to it that an experiment of this name can be made; raises `InputError`, and makes nothing."""
    if identifier is not None:
        path = experiments / check_name(identifier, "id")
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
