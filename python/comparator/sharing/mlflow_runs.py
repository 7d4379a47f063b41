"""An experiment as one of MLflow: each evaluation is a run with its hyperparameters, metrics of both models, and times.

MLflow is an extra (`pip install 'comparator[mlflow]'`) and imported here alone.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from comparator.errors import ComparatorError, InputError
from comparator.formats.text import message
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.sharing.trials import Trial, trials_of, without_password

#: The tags by which a run, and an experiment of MLflow, are known to be of an evaluation, and of an experiment.
EVALUATION, EXPERIMENT, CREATED = "comparator.evaluation", "comparator.experiment", "comparator.created"
#: What MLflow takes at a time, and in one value.
MOST_AT_ONCE, LONGEST_NAME, LONGEST_PARAM, LONGEST_TAG = 100, 240, 500, 5_000
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]", re.ASCII)

Item = TypeVar("Item")


def export_to_mlflow(folder: Path, uri: str | None) -> tuple[int, int]:
    """Write the experiment in `folder` to MLflow, where `uri` says, else where MLflow does: new runs, and those there.

    What was written before is left as it is. Raises `InputError` where MLflow is not installed, or has another
    experiment of this name, `ComparatorError` where it cannot be written.
    """
    try:
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise InputError("--to mlflow needs MLflow: pip install 'comparator[mlflow]'") from None
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    try:
        return _export(folder, uri)
    except (MlflowException, ImportError, OSError) as error:
        where = "mlflow" if uri is None else f"--uri {without_password(uri)}"
        raise ComparatorError(f"{where}: {message(str(error))}") from None


def _export(folder: Path, uri: str | None) -> tuple[int, int]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = read_experiment(folder)
    place = _experiment(client, experiment)
    known = _evaluations(client, place)
    new = there = 0
    for trial in trials_of(experiment, folder):
        if trial.number in known:
            there += 1
        else:
            _write(client, place, experiment, trial)
            new += 1
    return new, there


def _experiment(client: Any, experiment: FrozenExperiment) -> str:
    """MLflow's number of the experiment, which is made where there is none."""
    found = client.get_experiment_by_name(experiment.id)
    own = {EXPERIMENT: experiment.id, CREATED: experiment.created}
    if found is None:
        return str(client.create_experiment(experiment.id, tags={**own, "mlflow.note.content": experiment.title}))
    if found.lifecycle_stage == "deleted":
        raise InputError(f"mlflow: experiment '{experiment.id}' was deleted there; restore it, or remove it for good")
    if {name: found.tags.get(name) for name in own} != own:
        raise InputError(f"mlflow: there is another experiment '{experiment.id}'; give another place by --uri URI")
    return str(found.experiment_id)


def _evaluations(client: Any, place: str) -> set[int]:
    """The evaluations that are there; a run that was not written to its end is removed."""
    known: set[int] = set()
    token = None
    while True:
        page = client.search_runs([place], max_results=1000, page_token=token)
        for run in page:
            number = run.data.tags.get(EVALUATION)
            if number is None:
                continue
            if run.info.status == "RUNNING":
                client.delete_run(run.info.run_id)
            else:
                known.add(int(number))
        token = page.token
        if not token:
            return known


def _write(client: Any, place: str, experiment: FrozenExperiment, trial: Trial) -> None:
    from mlflow.entities import Metric, Param, RunTag

    started, ended = _milliseconds(trial.started), _milliseconds(trial.ended)
    tags = {EVALUATION: str(trial.number), **{name: _text(value) for name, value in trial.facts.items()}}
    run = client.create_run(
        place, start_time=started, tags={EVALUATION: str(trial.number)}, run_name=f"{experiment.id} {trial.number}"
    )
    metrics = dict(trial.metrics)
    if trial.value is not None:
        metrics[experiment.objective.name or experiment.metric or "value"] = trial.value
    for name in ("deviation", "low", "high"):
        if name in trial.facts:
            metrics[name] = trial.facts[name]
    identifier = run.info.run_id
    called = _names(trial.point)
    params = [Param(called[name], _text(value)[:LONGEST_PARAM]) for name, value in trial.point.items()]
    called = _names(metrics)
    numbers = [
        Metric(called[name], value, ended or 0, trial.facts.get("epochs", 0))
        for name, value in metrics.items()
        if math.isfinite(value)
    ]
    called = _names(tags)
    told = [RunTag(called[name], _text(text)[:LONGEST_TAG]) for name, text in tags.items()]
    for some in _parts(params):
        client.log_batch(identifier, params=some)
    for some in _parts(numbers):
        client.log_batch(identifier, metrics=some)
    client.log_batch(identifier, tags=told)
    client.set_terminated(identifier, "FAILED" if trial.value is None else "FINISHED", ended)


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + MOST_AT_ONCE] for start in range(0, len(items), MOST_AT_ONCE))


def _names(names: Iterable[str]) -> dict[str, str]:
    """What MLflow calls them: each in letters that it takes, as no path to elsewhere, and no two alike."""
    called: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        parts = _NOT_IN_NAMES.sub("_", name).split("/")
        own = "/".join("_" if part in ("", ".", "..") else part for part in parts)[:LONGEST_NAME].rstrip("/")
        forms = (own, *(f"{own} {number}" for number in range(2, len(called) + 3)))
        called[name] = next(form for form in forms if form not in taken)
        taken.add(called[name])
    return called


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)
