"""An experiment's runs as one tidy table, for pandas, R or a spreadsheet.

One row per run, in the order of `evaluations.jsonl`, made from that and `experiment.json` and nothing else. (The
report's `evaluations.csv` is the shorter table: one row an evaluation, metrics as means.) Of a point that is tried
again an evaluation has the runs that are new, though its value is the mean over all; in experiments of versions up to
0.1 it has the earlier ones once more. UTF-8; a field is empty where there is no value.

| column | meaning |
|---|---|
| evaluation | number of the proposal, from 0 |
| id | the evaluation's name in its UPF; empty elsewhere |
| stage | pilot, search, full, confirm or imported |
| epochs | of its trainings, where they were shorter than full ones |
| generation | from 0; empty in a sweep |
| point.NAME | the value of hyperparameter NAME; a list as JSON; empty for None |
| status | of the evaluation: ok, failed or timeout |
| value | what the search minimises: the mean over the replicates of the point until then; empty unless ok |
| difference | the value as people read it: with its sign turned where the objective is maximised |
| replicate | number of the replicate, from 0; both submodels of a replicate train with the same seed |
| submodel | 0 or 1; 0 for a single model |
| label | what the report calls the submodel |
| seed | the seed that the run trained with |
| run_status | of the run: ok, failed, timeout or cancelled |
| metric.NAME | metric NAME of the run |
| seconds | wall time of the run |
| reused | True where the run was found, or trained by an earlier evaluation: leave these rows out to count each once |
| device | the device that the run trained on |
| started | of the evaluation; UTC, ISO 8601 |
| worker | who did the evaluation |
| run | the run's identity, its folder in `runs/`; empty for imported results |
| log | the run's log, relative to the folder of all experiments |
| reason | why the run failed, else why the evaluation did |

An evaluation without runs, as of a repeat that trained nothing, has one row, empty from `replicate` on but for
`started`, `worker` and `reason`. The JSON form is one object: `experiment` holds `experiment.json` as it is, `runs` the
rows as objects with the same keys, null for an empty field, and the values of a point as they are.

Numbers are written in full; of pandas before version 3, `pandas.read_csv(path, float_precision="round_trip")` reads
them to the last digit.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from comparator.errors import InputError, nearest
from comparator.formats.text import file_made_whole, is_stream
from comparator.results.experiments import read_experiment
from comparator.results.form import as_text
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import as_read
from comparator.results.record import Evaluation, Run
from comparator.results.record_file import each_record

BEFORE_POINT = ("evaluation", "id", "stage", "epochs", "generation")
BEFORE_METRICS = ("status", "value", "difference", "replicate", "submodel", "label", "seed", "run_status")
AFTER_METRICS = ("seconds", "reused", "device", "started", "worker", "run", "log", "reason")


def table_cell(value: Any) -> Any:
    """A value as a CSV table can hold it: Python 3.10's writer refuses the character NUL, and no reader wants it."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


@dataclass(frozen=True)
class Columns:
    """The columns of one experiment's table: those that every table has, its hyperparameters, its metrics."""

    hyperparameters: tuple[str, ...]
    metrics: tuple[str, ...]

    @classmethod
    def of(cls, records: Iterable[Evaluation]) -> Columns:
        """The names that the records have, in the order in which they first stand there."""
        hyperparameters: dict[str, None] = {}
        metrics: dict[str, None] = {}
        for record in records:
            hyperparameters.update(dict.fromkeys(record.point))
            for run in record.runs:
                metrics.update(dict.fromkeys(run.metrics))
        return cls(tuple(hyperparameters), tuple(metrics))

    @property
    def names(self) -> list[str]:
        return [
            *BEFORE_POINT,
            *(f"point.{name}" for name in self.hyperparameters),
            *BEFORE_METRICS,
            *(f"metric.{name}" for name in self.metrics),
            *AFTER_METRICS,
        ]

    def of_all(self, experiment: FrozenExperiment, records: Iterable[Evaluation]) -> Iterator[dict[str, Any]]:
        """One row for each run of an experiment, in the order of its records."""
        for record in records:
            yield from self.rows(record, experiment.labels, experiment.objective.maximise)

    def rows(self, record: Evaluation, labels: tuple[str, ...], maximise: bool) -> Iterator[dict[str, Any]]:
        """One row for each run of an evaluation; one for an evaluation without runs."""
        difference = None if record.value is None else as_read(record.value, maximise=maximise)
        evaluation = {**dict(record), "difference": difference}
        point = {f"point.{name}": record.point.get(name) for name in self.hyperparameters}
        runs: Sequence[Run | None] = record.runs or [None]
        for run in runs:
            own: dict[str, Any] = {"reason": record.reason}
            if run is not None:
                label = labels[run.submodel] if run.submodel < len(labels) else None
                own = {**dict(run), "label": label, "run_status": run.status, "reason": run.reason or record.reason}
            metrics = run.metrics if run is not None else {}
            yield {
                **{name: evaluation.get(name) for name in BEFORE_POINT},
                **point,
                **{name: evaluation.get(name) for name in BEFORE_METRICS[:3]},
                **{name: own.get(name) for name in BEFORE_METRICS[3:]},
                **{f"metric.{name}": metrics.get(name) for name in self.metrics},
                **{name: (evaluation if name in ("started", "worker") else own).get(name) for name in AFTER_METRICS},
            }


def export(folder: Path, form: str = "csv", target: Path | None = None) -> Path:
    """Write the runs of the experiment in `folder` as `form`, csv or json, and return the path of the file.

    The file is `target`, a file in `target` where that is a folder, or `runs.csv` or `runs.json` in the experiment's
    own folder. It is written line by line and then renamed, so its length does not matter, and a reader never sees
    half of it. Raises `InputError` where the form is unknown, or there is no readable experiment or no such folder.
    """
    if form not in FORMS:
        raise InputError(f"'{form}': there is no such form of export{nearest(form, FORMS)}; forms: {', '.join(FORMS)}")
    experiment = read_experiment(folder)
    path = folder / f"runs.{form}" if target is None else target
    if path.is_dir():
        path = path / f"{folder.name}.{form}"
    elif not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    if not is_stream(path) and not os.access(path.parent, os.W_OK):
        raise InputError(f"{path.parent}: may not be written; give the table another place by --to PATH")
    evaluations = folder / "evaluations.jsonl"
    columns = Columns.of(each_record(evaluations))
    with file_made_whole(path) as temporary, _opened(temporary) as file:
        FORMS[form](file, experiment, columns, columns.of_all(experiment, each_record(evaluations)))
    return path


def _write_csv(file: TextIO, experiment: FrozenExperiment, columns: Columns, rows: Iterable[dict[str, Any]]) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(map(table_cell, columns.names))
    table.writerows([table_cell(_cell(value)) for value in row.values()] for row in rows)


def _write_json(file: TextIO, experiment: FrozenExperiment, columns: Columns, rows: Iterable[dict[str, Any]]) -> None:
    file.write(f'{{"experiment": {as_text(experiment)},\n "runs": [')
    for number, row in enumerate(rows):
        file.write(f"{',' if number else ''}\n  {json.dumps(row)}")
    file.write("\n ]}\n")


#: How a table is written, by the name of the form.
FORMS: dict[str, Callable[[TextIO, FrozenExperiment, Columns, Iterable[dict[str, Any]]], None]] = {
    "csv": _write_csv,
    "json": _write_json,
}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _opened(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors="replace", newline="")
