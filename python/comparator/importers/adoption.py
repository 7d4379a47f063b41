"""What becomes of past work: a finished experiment, or results that a new search is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from comparator.errors import InputError
from comparator.formats.spelling import spelling
from comparator.importers.records import PastRecords, PastResult, read_past
from comparator.results.frozen import (
    FORMAT,
    Budget,
    FrozenExperiment,
    Imported,
    MetricDescription,
    ObjectiveWords,
    Provenance,
    Submodel,
)
from comparator.results.record import Evaluation, Run, key_of
from comparator.results.store import ExperimentFolder
from comparator.space import Number, ParameterSpace, Point
from comparator.space.parameters import Parameter

STAGE = "imported"


def import_experiment(
    path: Path,
    experiments: Path,
    identifier: str | None = None,
    space: Path | None = None,
    metric: str | None = None,
) -> tuple[Path, list[str]]:
    """Make a finished experiment of a file of past work; returns its folder and what there is to say of the file.

    Nothing is written unless the whole file could be read; raises `InputError`.
    """
    past = read_past(path, space, metric)
    stem = f"imported-{past.path.stem}"
    folder = ExperimentFolder.create(experiments, stem, identifier, _frozen(past), records_of(past))
    folder.say("finished", [])
    folder.close()
    return folder.path, list(past.findings)


def records_of(past: PastRecords) -> list[Evaluation]:
    """Past results as lines of `evaluations.jsonl`.

    A repeat of a point is its next replicate, and the value of its line the mean of all so far, as in every experiment.
    Where the file lacks a hyperparameter that varied, each point says so by its own number, and none is a repeat.
    """
    replicates: dict[str, int] = {}
    earlier: dict[str, list[Run]] = {}
    records = []
    for number, one in enumerate(past.results):
        point = {**one.point, **dict.fromkeys(past.missing, f"not recorded (evaluation {number})")}
        key = key_of(point)
        replicates[key] = replicates.get(key, -1) + 1
        run = _run(one, replicates[key])
        runs = [run]
        if one.result is not None:
            runs = [*(each.model_copy(update={"reused": True}) for each in earlier.get(key, [])), run]
            earlier.setdefault(key, []).append(run)
        records.append(
            Evaluation(
                evaluation=number,
                stage=STAGE,
                generation=one.iteration,
                point=point,
                status="ok" if one.result is not None else "failed",
                value=_mean_value(past, runs) if one.result is not None else None,
                started=None,
                seconds=one.seconds,
                worker=None,
                runs=runs,
                reason=one.reason,
            )
        )
    return records


def as_told(past: PastRecords, space: ParameterSpace) -> list[tuple[Point, float | None]]:
    """Past results as a search over `space` may be told them (`Strategy.inform`): each point once, with its mean value.

    A point whose evaluations all failed has None. A point that does not fit `space` is left out, and so is everything
    where a hyperparameter that varied is missing; names are matched whatever their case. The caller sees to it that the
    metric is the search's own.
    """
    constants = space.constants
    constants |= {name: value for name, value in _spelt_by(space, past.constants).items() if name in space.names}
    points: dict[str, Point] = {}
    values: dict[str, list[float]] = {}
    for one in past.results if not past.missing else ():
        whole = {**constants, **_spelt_by(space, one.point)}
        try:
            space.check(whole)
        except InputError:
            continue
        point = {name: whole[name] for name in space.names}
        key = json.dumps(point)
        points[key] = point
        value = past.value(one)
        values.setdefault(key, []).extend([] if value is None else [value])
    return [(points[key], fmean(each) if each else None) for key, each in values.items()]


def _spelt_by(space: ParameterSpace, point: Point) -> Point:
    return {spelling(name, space.names): value for name, value in point.items()}


def _run(one: PastResult, replicate: int) -> Run:
    """A run that is none of the store."""
    return Run(
        submodel=0,
        replicate=replicate,
        seed=None,
        run=None,
        status="failed" if one.result is None else "ok",
        metrics=dict(one.metrics),
        seconds=one.seconds,
        reused=False,
        device=None,
        log=None,
        reason=one.reason,
    )


def _mean_value(past: PastRecords, runs: Sequence[Run]) -> float:
    mean = fmean(value for run in runs if (value := run.metrics[past.metric]) is not None)
    return -mean if past.maximise else mean


def _frozen(past: PastRecords) -> FrozenExperiment:
    """`experiment.json`, as far as a file of past work tells it."""
    file = past.path.resolve()
    place = "/".join(file.parts[-4:]).lstrip("/")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    model = Submodel(submodel=0, name="model", label="the imported model", hyperparameters=past.constants)
    return FrozenExperiment(
        id="",
        format=FORMAT,
        title=f"Imported: {place}",
        kind="single",
        imported=Imported(file=str(file), form=past.form, sha256=sha256, missing=list(past.missing)),
        file=str(file),
        settings={},
        space=[_covering(one, past).entry() for one in past.space.parameters],
        hyperparameters=past.constants,
        models=[model],
        metric=past.metric,
        metrics={past.metric: MetricDescription(kind="score" if past.maximise else "error", description="")},
        objective=ObjectiveWords(name=past.metric, symbol=past.metric, maximise=past.maximise),
        budget=Budget(evaluations=len(past.results), generations=None),
        provenance=Provenance(),
        notices=[f"imported from {place}: nothing of it was trained here", *past.findings],
    )


def _covering(parameter: Parameter, past: PastRecords) -> Parameter:
    """`parameter` with bounds that hold every value there is, so that figures show them where they are."""
    if not isinstance(parameter, Number):
        return parameter
    values = [one.point[parameter.name] for one in past.results]
    return replace(parameter, lower=min(parameter.lower, *values), upper=max(parameter.upper, *values))
