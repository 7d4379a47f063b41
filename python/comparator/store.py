"""What is kept: experiments (settings and one line an evaluation) and the runs that all of them share.

EXPERIMENTS/ID/experiment.json      frozen settings and provenance
EXPERIMENTS/ID/evaluations.jsonl    one line per finished evaluation, appended and synced: the truth
EXPERIMENTS/ID/state.json           what the running process last said of itself; advice, never truth
EXPERIMENTS/ID/lock                 held (flock) by the process that runs the experiment
EXPERIMENTS/ID/withdrawn.jsonl      one line for each of its runs that was withdrawn since
EXPERIMENTS/runs/IDENTITY/          model.log, result.json and whatever the model writes; withdrawn.json in the place
                                    of a result that did not come out again
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from io import RawIOBase
from pathlib import Path
from typing import Any

from comparator.errors import ComparatorError, InputError, nearest
from comparator.names import RUNS, check_name
from comparator.record import FORMAT, Evaluation, FrozenExperiment, Result, check, fault_of
from comparator.text import shortened

NAME_OF_RUN = re.compile(r"[\w-][\w.-]*")  # a record may be damaged, and leads nowhere else
RESULT, WITHDRAWN, WITHDRAWALS = "result.json", "withdrawn.json", "withdrawn.jsonl"


def now() -> str:
    """The time in UTC, to the millisecond, as records have it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_whole(path: Path, content: object, *, sync: bool = True) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it; `sync`: even after a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")
        if sync:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)


def read_json(path: Path) -> Any | None:
    """Read a JSON file; None where there is none or it is not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of `evaluations.jsonl`, in file order; a torn last line is left out.

    Raises `InputError` where a line before the last is not a record: then the file was changed by hand.
    """
    return list(each_record(path))


def each_record(path: Path) -> Iterator[dict[str, Any]]:
    """The same, one after another, so that memory holds one."""
    for record, _ in _checked_lines(path):
        yield record


def _checked_lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """The records, each of its form, and where in the file, in bytes, each ends."""
    for number, (record, end) in enumerate(_whole_lines(path), start=1):
        check(Evaluation, record, f"{path}: line {number}")
        yield record, end


def _whole_lines(path: Path) -> Iterator[tuple[Any, int]]:
    """What the whole lines of a file of JSON hold, and where in the file, in bytes, each ends."""
    if not path.exists():
        return
    with path.open("rb") as file:
        end = 0
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                content = json.loads(line)
            except ValueError:
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


def pairs_in(records: Iterable[Mapping[str, Any]]) -> int:
    """How many pairs (single runs for a single model) of its budget an experiment has asked for and heard of.

    A line that repeats what the experiment has already adds none, and what confirms stands beside the budget
    (design decision 7).
    """
    budgeted = [record for record in records if record.get("stage") != "confirm"]
    # Records of earlier versions, and of other programs, do not say what they asked for.
    without = {
        (json.dumps(record["point"], sort_keys=True), run["replicate"])
        for record in budgeted
        if "asked" not in record
        for run in record["runs"]
    }
    return len(without) + sum(len(record.get("asked", ())) for record in budgeted)


def in_metric(result: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """A run's result for somebody who asks for `metric`: a number without a name is that of whatever is asked for."""
    unnamed, metrics = result.get("unnamed"), result["metrics"]
    if unnamed is None or metric in metrics:
        return dict(result)
    return {**result, "metrics": {metric if name == unnamed else name: value for name, value in metrics.items()}}


class RunStore:
    """The runs, by identity. One training at a time for each identity, over threads and processes."""

    def __init__(self, experiments: Path) -> None:
        self.folder = experiments / RUNS

    def finished(self, identity: str) -> dict[str, Any] | None:
        """The result of a run that ended well, else None: failed, cancelled and damaged ones are never reused."""
        result = read_json(self.folder / identity / RESULT) if NAME_OF_RUN.fullmatch(identity) else None
        if result is None or fault_of(Result, result) is not None:
            return None
        return dict(result) if result["status"] == "ok" else None

    @contextlib.contextmanager
    def claim(self, identity: str, cancelled: Any) -> Iterator[Path | None]:
        """Hold the run's folder while it is trained; waits for another holder unless `cancelled.is_set()`.

        Yields the folder, or None where the wait was cancelled. Raises `OSError` where the folder of all experiments
        is gone, or may not be written.
        """
        folder = self.folder / identity
        self.folder.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            while not _try_lock(lock.fileno()):
                if cancelled.wait(0.05):
                    yield None
                    return
            yield folder

    def save(self, identity: str, result: Mapping[str, Any]) -> None:
        write_whole(self.folder / identity / RESULT, dict(result))

    def withdraw(self, identity: str, reason: str) -> list[str]:
        """Take a result from use, and note it in every experiment that has used it; returns the ids of these."""
        folder = self.folder / identity
        result = read_json(folder / RESULT) or {}
        write_whole(folder / WITHDRAWN, {"withdrawn": now(), "reason": reason, "result": result})
        (folder / RESULT).unlink(missing_ok=True)
        users = []
        for name in experiment_names(self.folder.parent):
            path = self.folder.parent / name
            evaluations = _evaluations_with(path / "evaluations.jsonl", identity)
            if evaluations:
                users.append(name)
                note = {"run": identity, "evaluations": evaluations, "withdrawn": now(), "reason": reason}
                with (path / WITHDRAWALS).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(note) + "\n")
        return users

    def withdrawn(self, identity: str) -> dict[str, Any] | None:
        """The result that was withdrawn; None where none was, or it has been trained again since."""
        if self.finished(identity) is not None or not NAME_OF_RUN.fullmatch(identity):
            return None
        noted = read_json(self.folder / identity / WITHDRAWN)
        return noted["result"] if isinstance(noted, dict) and isinstance(noted.get("result"), dict) else None

    def restore(self, identity: str) -> None:
        """Take a withdrawn result into use again, and forget of it in every experiment that has used it."""
        result = self.withdrawn(identity)
        if result is not None:
            self.save(identity, result)
        (self.folder / identity / WITHDRAWN).unlink(missing_ok=True)
        for name in experiment_names(self.folder.parent):
            path = self.folder.parent / name / WITHDRAWALS
            kept = [note for note, _ in _whole_lines(path) if note["run"] != identity]
            if kept:
                _write_lines(path, kept)
            else:
                path.unlink(missing_ok=True)


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    temporary.replace(path)


def withdrawals(path: Path) -> list[dict[str, Any]]:
    """The runs of the experiment in `path` that were withdrawn after it had used them."""
    return [note for note, _ in _whole_lines(path / WITHDRAWALS)]


def _evaluations_with(path: Path, identity: str) -> list[int]:
    """The numbers of the evaluations that a run is part of; none where the record cannot be read."""
    try:
        return [
            line["evaluation"] for line in read_records(path) if any(r.get("run") == identity for r in line["runs"])
        ]
    except (InputError, LookupError, TypeError, AttributeError):
        return []


class ExperimentFolder:
    """One experiment on disk, opened for writing by the one process that runs it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identifier = path.name
        self.evaluations = path / "evaluations.jsonl"
        self._lock = (path / "lock").open("w")
        if not _lock_soon(self._lock.fileno()):
            self._lock.close()
            raise InputError(f"experiment '{path.name}' is being run by another process; watch it instead")
        self.launch: str | None = None  # the folder of the Swift/T launch that runs it, in this one
        lines = list(_checked_lines(self.evaluations))
        self.records = [record for record, _ in lines]
        self._file = self.evaluations.open("ab", buffering=0)
        self._file.truncate(lines[-1][1] if lines else 0)

    @classmethod
    def create(cls, experiments: Path, stem: str, identifier: str | None) -> ExperimentFolder:
        """Make the folder of a new experiment: `identifier`, or `stem-N` with the first free N."""
        check_new_experiment(experiments, identifier)
        _make_writable(experiments)
        if identifier is not None:
            path = experiments / identifier
            path.mkdir()
            return cls(path)
        number = 1
        while True:
            path = experiments / f"{stem}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            return cls(path)

    def freeze(self, experiment: Mapping[str, Any]) -> None:
        write_whole(self.path / "experiment.json", dict(experiment))

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one finished evaluation, on disk when this returns.

        Raises `ComparatorError` on a full disk, or where the file is no longer in its place.
        """
        line = json.dumps(record, allow_nan=False, separators=(", ", ": ")).encode() + b"\n"
        position = self._file.tell()
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(position)
            raise ComparatorError(f"{self.evaluations}: cannot be written: {error.strerror}") from None
        if not _is_in_place(self._file, self.evaluations):
            raise ComparatorError(f"{self.evaluations}: was removed or moved while the experiment ran, which ends here")
        self.records.append(dict(record))

    def say(self, state: str, running: list[dict[str, Any]], reason: str | None = None) -> None:
        """Note for watchers what this process is doing; a failure to write it is of no consequence."""
        say(self.path, state, running, reason, self.launch)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._lock.close()


def _is_in_place(file: RawIOBase, path: Path) -> bool:
    """Whether an open file is still what lies at its path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def experiment_path(experiments: Path, identifier: str) -> Path:
    """The folder of an existing experiment; raises `InputError` with the nearest name."""
    path = experiments / check_name(identifier, "id")
    if not (path / "experiment.json").is_file():
        known = experiment_names(experiments)
        there = f"; there are: {', '.join(known[-8:])}" if known else "; there is none yet"
        raise InputError(f"no experiment '{shortened(identifier)}' in {experiments}{nearest(identifier, known)}{there}")
    return path


def read_experiment(path: Path) -> dict[str, Any]:
    """The frozen experiment in the folder `path`.

    Raises `InputError` where there is none, or it is damaged, or of a later version.
    """
    file = path / "experiment.json"
    experiment = read_json(file)
    if experiment is None:
        raise InputError(f"{file}: {'is not a whole experiment' if file.exists() else 'no such file'}")
    check(FrozenExperiment, experiment, str(file))
    if experiment.get("format", FORMAT) > FORMAT:
        raise InputError(f"{file}: its format is {experiment['format']}, of a later version; this one reads {FORMAT}")
    return dict(experiment)


def experiment_names(experiments: Path) -> list[str]:
    """The ids of all experiments, oldest first."""
    found = [entry.parent for entry in experiments.glob("*/experiment.json")]
    return [path.name for path in sorted(found, key=lambda path: (path / "experiment.json").stat().st_mtime)]


def say(path: Path, state: str, running: list[dict[str, Any]], reason: str | None, launch: str | None) -> None:
    """Note for watchers what an experiment is doing; a failure to write it is of no consequence."""
    who = {"pid": os.getpid(), "host": os.uname().nodename, "launch": launch, "updated": now()}
    with contextlib.suppress(OSError):
        write_whole(path / "state.json", {"state": state, **who, "running": running, "reason": reason}, sync=False)


def last_word(path: Path) -> dict[str, Any]:
    """What the process that runs, or ran, an experiment last said of it. It may be gone since: `engine.jobs` asks."""
    said = read_json(path / "state.json")
    return {"state": "new", "running": [], "reason": None, "launch": None, **(said or {})}


def is_locked(path: Path) -> bool:
    """Whether a process on this machine holds the experiment."""
    try:
        with (path / "lock").open("r") as lock:
            return not _try_lock(lock.fileno(), fcntl.LOCK_SH)
    except OSError:
        return False


def _try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # A shared file system without locks: there a scheduler sees to it that one job runs an experiment.
        if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
            raise
    return True


def _lock_soon(descriptor: int) -> bool:
    """Take a lock, again for a moment: a watcher that looks whether it is held holds it for an instant itself."""
    for _ in range(5):
        if _try_lock(descriptor):
            return True
        time.sleep(0.05)
    return False


def check_new_experiment(experiments: Path, identifier: str | None) -> None:
    """See to it that an experiment of this name can be made; raises `InputError`, and makes nothing."""
    if identifier is not None and (experiments / check_name(identifier, "id")).exists():
        raise InputError(
            f"id '{identifier}': there is already an experiment of this name in {experiments};"
            f" '--resume {identifier}' goes on with it"
        )
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
