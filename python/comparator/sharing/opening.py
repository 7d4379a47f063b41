"""A bundle from another machine becomes an experiment of this store, and its trainings are found like any others.

What is taken of it is the record, its notes, and the runs' results, logs and predictions, each to the place that it has
in every store; the report is made anew. All is unpacked and checked beside the experiments before it is put there.
"""

from __future__ import annotations

import contextlib
import filecmp
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.names import check_new_name
from comparator.model.references import split_variant
from comparator.results.experiments import EXPERIMENT, read_experiment
from comparator.results.files import read_form, read_json, write_whole
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.results.holder import Holder
from comparator.results.notes import NOTES
from comparator.results.record_file import each_record
from comparator.results.run_result import RunResult, WithdrawnResult
from comparator.results.run_store import LEVEL, RESULT, WITHDRAWALS, WITHDRAWN, RunStore, withdrawals
from comparator.results.state import STATE, State, say
from comparator.results.store import check_new_experiment, put_in_place, unfinished_folder
from comparator.sharing.archive import Archive, check_room
from comparator.sharing.bundle import EXPERIMENTS, INPUTS, LOG, PREDICTIONS, RECORD, RUNS

#: Of the experiment what is taken; that it was read whole is seen by the first two.
NEEDED = (EXPERIMENT, RECORD)
TAKEN = (*NEEDED, WITHDRAWALS, NOTES, STATE)
#: What a run's folder may have, in the order in which it is put there: the result says that it is done.
OF_RUN = (LOG, PREDICTIONS, WITHDRAWN, RESULT)
#: Where that lies; of earlier versions all runs lie side by side.
_RUN = rf"(?:[0-9a-zA-Z_-][\w.-]{{{LEVEL - 1}}}/)?[0-9a-zA-Z_-][\w.-]{{{LEVEL},127}}"
_OF_RUN = re.compile(rf"{RUNS}/({_RUN})/({'|'.join(map(re.escape, OF_RUN))})", re.ASCII)


@dataclass(frozen=True)
class Opened:
    """The folder of the experiment, whether it is new here, and how many runs came, and how many were here already.

    `beside` are those of all of them that no evaluation counts: what was trained beside the search.
    """

    folder: Path
    is_new: bool
    came: int
    here: int
    beside: int
    remarks: tuple[str, ...]


def is_bundle(path: Path) -> bool:
    """Whether a file is to be opened as a bundle: whatever is a ZIP file, or is called one."""
    return path.suffix.lower() == ".zip" or (path.is_file() and zipfile.is_zipfile(path))


def open_bundle(
    file: Path,
    experiments: Path,
    identifier: str | None = None,
    *,
    containers: Path,
    command: str = "comparator import",
) -> Opened:
    """Make an experiment of a bundle, called as it was, or `identifier`, and put its runs into the store.

    `command` is what was typed for that. The remarks say where the files are that the experiment was made from.
    Models that are not where they were are looked for in `containers`. One that is here already, alike in everything,
    stays as it is. Raises `InputError`, and leaves nothing behind, where the file is damaged or no bundle, or another
    experiment has the name.
    """
    with Archive(file) as archive:
        check_room(archive.size, experiments)
        with _words_of_file(file, experiments), unfinished_folder(experiments) as making:
            folder, came_with = making / EXPERIMENTS, RunStore(making)
            _unpack(archive, folder, came_with.folder)
            _check(folder, came_with)
            state = (read_form(State, folder / STATE) or State()).state
            (folder / STATE).unlink(missing_ok=True)
            settled, remarks = _settled(folder, identifier, containers, command)
            if any(
                name.startswith(f"{INPUTS}/") and not name.startswith(f"{INPUTS}/frozen/") for name in archive.names
            ):
                remarks.append(f"the files that it was made from are in {file}, in {INPUTS}/")
            name = settled.id
            path = experiments / name
            is_new = not (path / EXPERIMENT).exists()
            if is_new:
                check_new_experiment(experiments, name)
            elif not _are_alike(folder, path):
                what = (
                    "another experiment" if _began_apart(folder, path) else "this very experiment at another stage, as"
                )
                raise InputError(
                    f"{file}: there is {what} '{name}' in {experiments}; '--as NAME' gives this one a name"
                )
            came, here, others = _settle_runs(came_with, RunStore(experiments))
            if is_new and not put_in_place(folder, path):
                raise InputError(f"{file}: '{name}' has come to {experiments} meanwhile; '--as NAME' gives a name")
    if is_new:
        say(path, state if state in ("finished", "failed") else "stopped", [], None, None)
    return Opened(path, is_new, came, here, _trained_beside(settled), (*remarks, *others))


def _trained_beside(experiment: FrozenExperiment) -> int:
    """How many trainings stand beside the evaluations: the settings as given, and what tells which model changes."""
    results = [*([experiment.baseline] if experiment.baseline is not None else []), *(experiment.probes or ())]
    return len({run.run for result in results for run in result.runs if run.run})


def _unpack(archive: Archive, folder: Path, runs: Path) -> None:
    """What is taken of a bundle, each file to its own place."""
    folder.mkdir()
    runs.mkdir()
    names = set(archive.names)
    for name in NEEDED:
        if f"{EXPERIMENTS}/{name}" not in names:
            raise InputError(f"{archive.path}: is no bundle of an experiment: it has no {EXPERIMENTS}/{name}")
    for name in TAKEN:
        if f"{EXPERIMENTS}/{name}" in names:
            archive.unpack(f"{EXPERIMENTS}/{name}", folder / name)
    for name in archive.names:
        of_run = _OF_RUN.fullmatch(name)
        if of_run is not None:
            place = runs / of_run[1]
            place.mkdir(parents=True, exist_ok=True)
            archive.unpack(name, place / of_run[2])


def _check(folder: Path, runs: RunStore) -> None:
    """See to it that all that was unpacked is of its form; raises `InputError`."""
    read_experiment(folder)
    for _ in each_record(folder / RECORD):
        pass
    withdrawals(folder)
    for run in runs.folders():
        for form, name in ((RunResult, RESULT), (WithdrawnResult, WITHDRAWN)):
            if (run / name).exists():
                of_form(form, read_json(run / name), str(run / name))


def _settled(
    folder: Path, identifier: str | None, containers: Path, command: str
) -> tuple[FrozenExperiment, list[str]]:
    """The experiment with its id, and its models where they are here; and a remark on each that is not.

    That a model in `containers` is the same is seen by whatever goes on with the experiment.
    """
    read = read_experiment(folder)
    name = check_new_name(read.id, "id") if identifier is None else check_new_name(identifier, "--as")
    models, remarks = [], []
    for model in read.models:
        place, variant = (model.path, None) if Path(model.path).exists() else split_variant(model.path)
        here = containers / Path(place).name
        is_missing = "/" in place and not Path(place).exists()
        if is_missing and not here.exists():
            remark = f"the model {model.path} is not here: nothing can be trained for the experiment until it is"
            remarks += [remark] if remark not in remarks else []
        path = str(here) if variant is None else f"{here}:{variant}"
        models.append(model.model_copy(update={"path": path}) if is_missing and here.exists() else model)
    provenance = read.provenance.model_copy(update={"opened": command})
    settled = read.model_copy(update={"id": name, "models": models, "provenance": provenance})
    if settled != read:
        write_whole(folder / EXPERIMENT, settled.as_json())
    return settled, remarks


def _are_alike(one: Path, other: Path) -> bool:
    same_experiment = _without_places(read_experiment(one)) == _without_places(read_experiment(other))
    return same_experiment and filecmp.cmp(one / RECORD, other / RECORD, shallow=False)


def _began_apart(one: Path, other: Path) -> bool:
    """Whether two experiments of one name are two; one that went on has what was frozen as it began."""
    first, second = (_without_places(read_experiment(each)) for each in (one, other))
    return (first.created, first.settings, first.space) != (second.created, second.settings, second.space)


def _without_places(experiment: FrozenExperiment) -> FrozenExperiment:
    """What an experiment is, wherever it was opened, and its models lie."""
    models = [model.model_copy(update={"path": ""}) for model in experiment.models]
    provenance = experiment.provenance.model_copy(update={"opened": None})
    return experiment.model_copy(update={"models": models, "provenance": provenance})


def _settle_runs(runs: RunStore, store: RunStore) -> tuple[int, int, list[str]]:
    """Put into the store what it does not have: how many came, how many were there, and what there is to say."""
    came = here = 0
    remarks = []
    for folder in sorted(runs.folders()):
        there = store.finished(folder.name) or store.withdrawn(folder.name)
        if there is None and folder.parent == runs.folder:  # as the record has it, which says where the log is
            (store.folder / folder.name).mkdir(parents=True, exist_ok=True)
        if there is None and _is_settled(folder, store):
            came += 1
            continue
        here += 1
        mine = read_form(RunResult, folder / RESULT)
        if there is not None and mine is not None and there.metrics != mine.metrics:
            remarks.append(
                f"run {folder.name[:12]} is here with other numbers, and stays as it is: see comparator verify"
            )
    return came, here, remarks


def _is_settled(folder: Path, store: RunStore) -> bool:
    """Whether a run was put into the store; it is not where it is trained there now."""
    with store.claim(folder.name, "an import", _gives_up) as held:
        if held is None:
            return False
        for name in OF_RUN:
            if (folder / name).exists():
                (folder / name).replace(held.folder / name)
    return True


def _gives_up(holder: Holder, seconds: float) -> bool:
    return False


@contextlib.contextmanager
def _words_of_file(file: Path, experiments: Path) -> Iterator[None]:
    """What is said of files that were unpacked names the bundle."""
    try:
        yield
    except InputError as error:
        words = re.sub(rf"{re.escape(str(experiments))}/\.unfinished-[^/]*/", f"{file}: ", str(error))
        raise InputError(words) from None
