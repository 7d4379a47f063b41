"""An experiment in one file, for another machine, a colleague, an archive.

| in the file | is |
|---|---|
| `ro-crate-metadata.json` | what is in it, as an RO-Crate 1.1 |
| `experiment/` | the record, the report with its figures, notes; `state.json` says whether it had ended |
| `runs/AB/IDENTITY/` | of every training that the record names: its result, history, log; predictions if asked |
| `inputs/` | the files that were given, where they are unchanged; in `frozen/` what was read of them |
| `environment.json` | versions of packages and Python, platform, site, command |

Not in it are the models, their data, and what else trainings have written.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from comparator.engine.jobs import state_of
from comparator.errors import InputError, named_as_typed
from comparator.formats.text import file_made_whole, shortened
from comparator.report import write_report
from comparator.results.experiments import EXPERIMENT, read_experiment
from comparator.results.files import now, time_of
from comparator.results.frozen import FrozenExperiment
from comparator.results.lease import LEASE, LOCK
from comparator.results.record import Evaluation, Run
from comparator.results.record_file import each_record, left_over
from comparator.results.reported import is_current
from comparator.results.run_store import NAME_OF_RUN, RESULT, WITHDRAWN, RunStore
from comparator.results.state import STATE, State
from comparator.sharing.crate import Crate, Entity, identifier_of, is_safe
from comparator.studies import study_of
from comparator.tables.predictions import FILE as PREDICTIONS

RECORD, LOG, ENVIRONMENT = "evaluations.jsonl", "model.log", "environment.json"
#: The folders of a bundle.
EXPERIMENTS, RUNS, INPUTS = "experiment", "runs", "inputs"
#: Of an experiment's folder what is about the process that runs it.
OF_PROCESSES = (LOCK, LEASE, STATE)
LOG_BYTES = 1 << 20
#: That the crate says of a search which program made what, as this profile has it.
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCES = "https://spdx.org/licenses/"
STATUS = {
    "finished": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
}
UNDER_WAY = "http://schema.org/ActiveActionStatus"


@dataclass
class Contents:
    """What a record holds, gathered while it is read once."""

    evaluations: int = 0
    runs: dict[str, None] = field(default_factory=dict)
    ended: datetime | None = None

    @classmethod
    def of(cls, experiment: FrozenExperiment, record: Path) -> Contents:
        found = cls()
        beside = [*([experiment.baseline] if experiment.baseline is not None else []), *(experiment.probes or ())]
        for result in beside:
            found._take(result.runs)
        for evaluation in each_record(record):
            found.evaluations += 1
            found._take(evaluation.runs)
            ended = _end_of(evaluation)
            found.ended = max(filter(None, (ended, found.ended)), default=None)
        return found

    def _take(self, runs: Iterable[Run]) -> None:
        self.runs.update((run.run, None) for run in runs if run.run and NAME_OF_RUN.fullmatch(run.run))


@dataclass(frozen=True)
class Written:
    """A bundle's path; how many trainings have kept predictions, in how many bytes, and of how many in the bundle."""

    path: Path
    predicted: int
    predicted_bytes: int
    packed_bytes: int


def write_bundle(
    folder: Path,
    target: Path | None = None,
    *,
    licence: str | None = None,
    log_bytes: int = LOG_BYTES,
    predictions: bool = False,
    replace: bool = True,
) -> Written:
    """Write the experiment in `folder` into one file.

    The file is `target`, `ID.zip` in `target` where that is a folder, else `ID.zip` in the current one. It appears when
    it is complete; without `replace` one that is there stays, unless `target` names it. `licence` is the address of
    one, or its SPDX name; of a log the last `log_bytes` are taken, none for 0. With `predictions` those come along
    that trainings have kept of their validation rows. An experiment that runs is taken as it is. Raises `InputError`
    where there is no readable experiment, or the file cannot be put there.
    """
    path = file_for(target, f"{folder.name}.zip", replace=replace)
    state = state_of(folder).state
    with tempfile.TemporaryDirectory() as made:
        stage = Path(made)
        record = _whole_lines_of(folder / RECORD, stage)
        experiment = read_experiment(folder)
        with named_as_typed(record, str(folder / RECORD)):
            contents = Contents.of(experiment, record)
        pages = _report_of(folder, stage)
        with file_made_whole(path) as temporary, zipfile.ZipFile(temporary, "w") as archive, Crate(archive) as crate:
            _add_experiment(crate, folder, record, pages, State(state=state))
            _add_inputs(crate, experiment)
            _add_json(crate, ENVIRONMENT, experiment.provenance.as_json())
            store = RunStore(folder.parent)
            kept = []
            for run in contents.runs:
                if (place := store.folder_of(run)) is not None:
                    name = place.relative_to(store.folder).as_posix()
                    _add_run(crate, place, name, log_bytes)
                    if (table := place / PREDICTIONS).is_file():
                        kept.append(table.stat().st_size)
                        if predictions:
                            _add_file(crate, f"{RUNS}/{name}/{PREDICTIONS}", table)
            crate.describe(
                _root(experiment, contents, licence), _entities(experiment, contents, state, licence, crate.names)
            )
            packed = sum(each.compress_size for each in archive.infolist() if each.filename.endswith(f"/{PREDICTIONS}"))
    return Written(path, len(kept), sum(kept), packed)


def file_for(target: Path | None, name: str, *, replace: bool = True) -> Path:
    """Where a file goes that is called `name` unless it is said otherwise; raises `InputError` where it cannot.

    Without `replace` one that is there stays, unless `target` names it.
    """
    path = Path(name) if target is None else target / name if target.is_dir() else target
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path.parent}: may not be written; give another place by --output PATH")
    if path.exists() and not replace and path != target:
        raise InputError(f"{path}: is there already; --output {path} or --force writes over it")
    return path


def _whole_lines_of(record: Path, stage: Path) -> Path:
    """A copy of a record without what is no whole line, as it may be added to meanwhile."""
    copy = stage / RECORD
    if record.exists():
        shutil.copy2(record, copy)
        os.truncate(copy, copy.stat().st_size - left_over(copy))
    else:
        copy.touch()
    return copy


def _report_of(folder: Path, stage: Path) -> Path:
    """The folder that has the report of the record as it is; it is made where there is none."""
    if study_of(folder) is not None or is_current(folder, folder / "report.html"):
        return folder
    output = folder if os.access(folder, os.W_OK) else stage / "report"
    output.mkdir(exist_ok=True)
    write_report(folder, output=output)
    return output


def _add_experiment(crate: Crate, folder: Path, record: Path, pages: Path, state: State) -> None:
    _add_file(crate, f"{EXPERIMENTS}/{EXPERIMENT}", folder / EXPERIMENT)
    _add_file(crate, f"{EXPERIMENTS}/{RECORD}", record)
    _add_json(crate, f"{EXPERIMENTS}/{STATE}", state.as_json())
    others = {name: path for place in dict.fromkeys((folder, pages)) for name, path in _files_in(place)}
    for name, path in others.items():
        if name not in (EXPERIMENT, RECORD):
            _add_file(crate, f"{EXPERIMENTS}/{name}", path)


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of an experiment's folder that are about the experiment, by their names from there."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "launch-")))
        for name in sorted(names):
            path = Path(place, name)
            called = path.relative_to(folder).as_posix()
            is_own = name not in OF_PROCESSES and not name.startswith(".") and is_safe(called)
            if is_own and path.is_file() and not path.is_symlink():
                yield called, path


def _add_inputs(crate: Crate, experiment: FrozenExperiment) -> None:
    frozen = {
        "space.json": experiment.space,
        "unrolled.json": experiment.upf,
        "settings.json": experiment.settings,
        "hyperparameters.json": experiment.hyperparameters,
    }
    for name, content in frozen.items():
        if content:
            _add_json(crate, f"{INPUTS}/frozen/{name}", content)
    taken: set[str] = set()
    for number, path in enumerate(_unchanged_inputs(experiment)):
        name = path.name if path.name not in taken else f"{number}-{path.name}"
        taken.add(name)
        _add_file(crate, f"{INPUTS}/{name}", path)


def _unchanged_inputs(experiment: FrozenExperiment) -> Iterator[Path]:
    """The experiment file and those that it names, as far as they are as they were when it was read."""
    file, began = Path(experiment.file), time_of(experiment.created)
    settings = experiment.settings
    of_models = ((experiment.cross_hpo or experiment.all_pairs or {}).get("models") or {}).values()
    named = [each.get(key) for each in (settings, *of_models) for key in ("space", "upf", "hyperparameters")]
    texts = [text for each in named for text in (each if isinstance(each, list) else [each]) if isinstance(text, str)]
    for path in dict.fromkeys([file, *(file.parent / text for text in texts)]):
        try:
            is_as_it_was = began is not None and path.stat().st_mtime <= began.timestamp()
        except (OSError, ValueError):
            continue
        if is_as_it_was and path.is_file() and is_safe(path.name):
            yield path


def _add_run(crate: Crate, folder: Path, place: str, log_bytes: int) -> None:
    """Add a run to the place that it has among all, where the record looks for its log."""
    for name in (RESULT, WITHDRAWN):
        if (folder / name).is_file():
            _add_file(crate, f"{RUNS}/{place}/{name}", folder / name)
    log = folder / LOG
    if not log_bytes or not log.is_file():
        return
    with log.open("rb") as file:
        left_out = max(0, log.stat().st_size - log_bytes)
        more: dict[str, Any] = {}
        if left_out:
            file.seek(left_out)
            more["description"] = f"its last {log_bytes} bytes; {left_out} before them are left out"
        crate.add(f"{RUNS}/{place}/{LOG}", file, log.stat().st_mtime, **more)


def _add_file(crate: Crate, name: str, path: Path) -> None:
    with path.open("rb") as file:
        crate.add(name, file, path.stat().st_mtime)


def _add_json(crate: Crate, name: str, content: Any) -> None:
    crate.add(name, io.BytesIO(f"{json.dumps(content, indent=1)}\n".encode()))


def _root(experiment: FrozenExperiment, contents: Contents, licence: str | None) -> Entity:
    models = " and ".join(experiment.labels)
    metric = experiment.metric or "one metric"
    counted = f"{contents.evaluations} evaluations, {len(contents.runs)} trainings"
    root: dict[str, Any] = {
        "name": experiment.title or experiment.id,
        "identifier": experiment.id,
        "description": f"An experiment of the Comparator over {models}, in {metric}: {counted}",
        "datePublished": now(),
        "conformsTo": {"@id": PROFILE},
        "mentions": {"@id": "#search"},
    }
    if licence is not None:
        root["license"] = {"@id": _address(licence)}
    return root


def _entities(
    experiment: FrozenExperiment, contents: Contents, state: str, licence: str | None, names: Iterable[str]
) -> Iterator[Entity]:
    """The search as an action, the programs in it, and what else the root names."""
    names = list(names)
    yield {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    version = experiment.provenance.packages.get("comparator")
    yield {
        "@id": "#comparator",
        "@type": "SoftwareApplication",
        "name": "Comparator",
        **({"softwareVersion": version} if version else {}),
    }
    for number, model in enumerate(experiment.models):
        yield {
            "@id": f"#model-{number}",
            "@type": "SoftwareApplication",
            "name": experiment.labels[number],
            **({"identifier": f"sha256:{model.identity}"} if model.identity else {}),
        }
    inputs = [{"@id": identifier_of(name)} for name in names if name.startswith(f"{INPUTS}/")]
    models = [{"@id": f"#model-{number}"} for number in range(len(experiment.models))]
    search: dict[str, Any] = {
        "@id": "#search",
        "@type": "CreateAction",
        "name": experiment.title or experiment.id,
        "instrument": {"@id": "#comparator"},
        "object": [*models, *inputs],
        "result": [{"@id": identifier_of(name)} for name in names if name.startswith(f"{EXPERIMENTS}/")],
        "actionStatus": {"@id": STATUS.get(state, UNDER_WAY)},
    }
    if experiment.provenance.command:
        search["description"] = experiment.provenance.command
    if experiment.created:
        search["startTime"] = experiment.created
    if contents.ended is not None and state == "finished":
        search["endTime"] = contents.ended.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield search
    if licence is not None:
        yield {"@id": _address(licence), "@type": "CreativeWork", "name": licence}


def _address(licence: str) -> str:
    if any(character.isspace() for character in licence) or not licence:
        raise InputError(f"--licence '{shortened(licence)}': give its SPDX name, as CC-BY-4.0, or its address")
    return licence if ":" in licence else LICENCES + licence


def _end_of(evaluation: Evaluation) -> datetime | None:
    began = time_of(evaluation.started)
    return None if began is None else began + timedelta(seconds=evaluation.seconds or 0)
