"""The trainings of an experiment that are being carried out, a small file each, wherever their workers run.

    EXPERIMENTS/ID/running/00017-0-1.json     evaluation 17, replicate 0, submodel 1; gone when the training has ended

They are advice, never truth: a worker that dies leaves its file. Whether its training goes on is told by the lease of
the run's folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from comparator.results.lease import holder_of
from comparator.results.record import InFlight, as_text
from comparator.results.store import RunStore, read_form

RUNNING = "running"


def purpose_of(experiment: str) -> str:
    """What the lease of a run's folder says that it is held for, as long as it is trained."""
    return f"experiment {experiment}"


@contextlib.contextmanager
def in_flight(experiment: Path, training: InFlight) -> Iterator[None]:
    """Note a training in the folder of its experiment while the context lasts; that it cannot be is of no matter."""
    name = f"{training.evaluation:05d}-{training.replicate}-{training.submodel}.json"
    file = experiment / RUNNING / name
    with contextlib.suppress(OSError):
        _write(file, as_text(training))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()


def _write(file: Path, text: str) -> None:
    """Write a note, which is none for who reads half of it."""
    try:
        file.write_text(text, encoding="utf-8")
    except FileNotFoundError:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def trainings_in_flight(experiment: Path) -> list[InFlight]:
    """The trainings of an experiment that go on now, in the order of their evaluations."""
    noted = [read_form(InFlight, file) for file in sorted((experiment / RUNNING).glob("*.json"))]
    return [training for training in noted if training is not None and _goes_on(experiment, training)]


def _goes_on(experiment: Path, training: InFlight) -> bool:
    folder = RunStore(experiment.parent).folder_of(training.run)
    holder = None if folder is None else holder_of(folder)
    return holder is not None and holder.purpose in (purpose_of(experiment.name), "")
