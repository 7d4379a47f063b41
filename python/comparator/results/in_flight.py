"""The trainings of an experiment that are being carried out, noted by their workers, wherever these run.

    EXPERIMENTS/ID/running/node3-2.0.json     what a worker trains in one of its slots; empty between two trainings
                           node3-2.0.1.json   a second training that it carries out there together with the first

They are advice, never truth: a worker that dies leaves its file. Whether its training goes on is told by the lease of
the run's folder. Earlier versions had a file for each training.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from comparator.formats.names import as_file_name
from comparator.results.files import read_form
from comparator.results.form import Count, Form, Point, as_text
from comparator.results.lease import holder_of
from comparator.results.requests import Numbered
from comparator.results.run_store import RunStore

RUNNING = "running"


class InFlight(Form):
    """A training that is being carried out, for people: one submodel's of one replicate of an evaluation.

    `run` is its name in the store; `epochs` is how many it is given, None where it takes no such number.
    """

    evaluation: Numbered
    replicate: Count
    submodel: Count
    run: str
    point: Point = {}
    started: str
    epochs: int | None = None


def purpose_of(experiment: str) -> str:
    """What the lease of a run's folder says that it is held for, as long as it is trained."""
    return f"experiment {experiment}"


def running_file(experiment: Path, name: str) -> Path:
    """Where a worker of an experiment keeps what concerns what it trains."""
    return experiment / RUNNING / as_file_name(name)


class SlotNotes:
    """The files in which one worker notes the trainings that it carries out in a slot, as many as go on at once there.

    `name` is what they are called after.
    """

    def __init__(self, experiment: Path, name: str) -> None:
        self._experiment, self._name = experiment, name
        self._made: list[_Note] = []
        self._idle: list[_Note] = []

    @contextlib.contextmanager
    def of(self, training: InFlight) -> Iterator[None]:
        """Note a training while the context lasts."""
        note = self._idle.pop() if self._idle else self._further()
        note.write(training)
        try:
            yield
        finally:
            note.empty()
            self._idle.append(note)

    def close(self) -> None:
        """Remove the files."""
        for note in self._made:
            note.close()

    def _further(self) -> _Note:
        number = f".{len(self._made)}" if self._made else ""
        self._made.append(_Note(running_file(self._experiment, f"{self._name}{number}.json")))
        return self._made[-1]


class _Note:
    """The file of one training at a time; that it cannot be written is of no matter.

    It stays open, and is written over: to make one for each training would cost more than some trainings.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def write(self, training: InFlight) -> None:
        with contextlib.suppress(OSError):
            os.pwrite(self._open(), as_text(training).encode(), 0)

    def empty(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._open(), 0)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._file.unlink(missing_ok=True)

    def _open(self) -> int:
        if self._descriptor is None:
            self._file.parent.mkdir(exist_ok=True)
            self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        return self._descriptor


def clear(experiment: Path) -> None:
    """Remove what workers have left of an experiment that is over."""
    with contextlib.suppress(OSError):
        for file in (experiment / RUNNING).iterdir():
            file.unlink(missing_ok=True)


def trainings_in_flight(experiment: Path) -> list[InFlight]:
    """The trainings of an experiment that go on now, in the order of their evaluations."""
    noted = [read_form(InFlight, file) for file in (experiment / RUNNING).glob("*.json")]
    going_on = [training for training in noted if training is not None and _goes_on(experiment, training)]
    return sorted(going_on, key=lambda training: (training.evaluation, training.replicate, training.submodel))


def _goes_on(experiment: Path, training: InFlight) -> bool:
    folder = RunStore(experiment.parent).folder_of(training.run)
    holder = None if folder is None else holder_of(folder)
    return holder is not None and holder.purpose in (purpose_of(experiment.name), "")
