"""The runs, which all experiments share: one folder for each, by its identity."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from comparator.errors import ComparatorError, InputError
from comparator.formats.names import RUNS
from comparator.formats.text import shortened
from comparator.results.experiments import experiment_names
from comparator.results.files import now, read_form, write_lines, write_whole
from comparator.results.form import as_text, of_form
from comparator.results.holder import Holder
from comparator.results.lease import Lease, claim
from comparator.results.record import Run
from comparator.results.record_file import read_records, whole_lines
from comparator.results.run_result import RunResult, Withdrawal, WithdrawnResult
from comparator.results.whole import counted_runs, lines_of
from comparator.tables.predictions import FILE, PredictedRows, Predictions, read_predicted_rows, read_predictions

NAME_OF_RUN = re.compile(r"[\w-][\w.-]*")  # a record may be damaged, and leads nowhere else
#: So many characters of a run's identity name the folder that its own lies in: of a million runs each has 3,900.
LEVEL = 2
RESULT, WITHDRAWN, WITHDRAWALS = "result.json", "withdrawn.json", "withdrawn.jsonl"
#: Trainings that took so long are on disk, whatever happens to the machine, before their result is told.
SYNCED_SECONDS = 1.0


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
                write_lines(path / WITHDRAWALS, kept)
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


def withdrawals(path: Path) -> list[Withdrawal]:
    """The runs of the experiment in `path` that were withdrawn after it had used them."""
    file = path / WITHDRAWALS
    return [of_form(Withdrawal, note, f"{file}: line {n}") for n, (note, _) in enumerate(whole_lines(file), start=1)]


def _evaluations_with(path: Path, identity: str) -> list[int]:
    """The numbers of the evaluations that rest on a run; none where the record cannot be read."""
    found, resting = [], set()
    try:
        for line in lines_of(read_records(path)):
            if any(run.run == identity for run in counted_runs(line.record)) or line.before in resting:
                resting.add(line)
            if line in resting or any(run.run == identity for run in line.record.runs):
                found.append(line.record.evaluation)
    except InputError:
        return []
    return found
