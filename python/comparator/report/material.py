"""What lies beside an experiment and belongs into its report: a grid over the same space, and its runs' histories.

Read with care: other experiments may be unfinished, of another version, or damaged; then they are passed over.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparator.errors import InputError
from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary, is_grid, search_settings, summarise
from comparator.findings.verdict import Findings
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore
from comparator.results.state import last_word

if TYPE_CHECKING:
    from comparator.findings.controls import Controls
    from comparator.findings.explanation import Explanation
    from comparator.findings.variance import TrainingVariance

FINISHED = ("finished", "new")  # without a word of its own, the record alone tells
DAMAGED = (InputError, OSError, TypeError, KeyError, ValueError, AttributeError)
CURVES = 3  # best points whose learning curves are shown
RUN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
UNIMPORTANT = ("sigma", "comment", "description")  # of an entry of the space: they say how to search, not where


@dataclass(frozen=True)
class GridBest:
    """The best of a finished grid over the same space, with the same models, metric and objective."""

    id: str
    points: int
    best: float


@dataclass(frozen=True)
class Curves:
    """One point's learning: for each submodel the history of its first replicate, metrics by name."""

    evaluation: EvaluationSummary
    histories: tuple[Mapping[str, Sequence[float | None]] | None, ...]


@dataclass(frozen=True)
class Files:
    """What a page leads to, as addresses relative to it: the table of its evaluations, all experiments, its figures.

    `figures` is empty where they were not written.
    """

    figures: str = ""
    table: str = "evaluations.csv"
    experiments: str = ".."


@dataclass(frozen=True)
class Material:
    """All that the figures are drawn from."""

    summary: Summary
    findings: Findings
    grid: GridBest | None = None
    curves: tuple[Curves, ...] = ()
    explanation: Explanation | None = None
    variance: TrainingVariance | None = None
    controls: Controls | None = None


def gather_material(
    folder: Path,
    experiment: FrozenExperiment,
    summary: Summary,
    findings: Findings,
    explanation: Explanation | None = None,
    variance: TrainingVariance | None = None,
    controls: Controls | None = None,
) -> Material:
    """Return summary and findings of the experiment in `folder` with what lies beside it."""
    apart = summary.lattice or summary.first is not None  # short trainings are not compared with full ones
    grid = None if apart else find_grid(folder, experiment, summary.axes)
    curves = tuple(read_curves(RunStore(folder.parent), summary))
    return Material(summary, findings, grid, curves, explanation, variance, controls)


def find_grid(folder: Path, experiment: FrozenExperiment, axes: Sequence[Axis]) -> GridBest | None:
    """Return the best of the largest finished grid among the experiments beside `folder`, or None."""
    found: list[GridBest] = []
    for file in sorted(folder.parent.glob("*/experiment.json")):
        if file.parent != folder:
            try:
                found += _read_grid(file.parent, experiment, axes)
            except DAMAGED:
                continue
    return max(found, key=lambda grid: grid.points, default=None)


def _read_grid(folder: Path, experiment: FrozenExperiment, axes: Sequence[Axis]) -> Iterable[GridBest]:
    """Give the best of the experiment in `folder` where it is a finished grid that asks what `experiment` asks."""
    other = read_experiment(folder)
    if search_settings(other) and not is_grid(other):
        return  # its thousands of evaluations would be read for nothing
    if not _comparable(experiment, other) or last_word(folder).state not in FINISHED:
        return
    grid = summarise(other, read_records(folder / "evaluations.jsonl"))
    points = _points_of_grid(grid, axes)
    if points and grid.best is not None and grid.best.difference is not None:
        yield GridBest(folder.name, points, grid.best.difference)


def _comparable(one: FrozenExperiment, other: FrozenExperiment) -> bool:
    """Whether two experiments ask the same of the same models; a sweep over listed points has no space."""
    spaces = _space(one), _space(other)
    return _asked(one) == _asked(other) and (not spaces[1] or spaces[0] == spaces[1])


def _asked(experiment: FrozenExperiment) -> list[Any]:
    objective = experiment.objective
    models = [[model.identity, model.data, model.config, model.hyperparameters] for model in experiment.models]
    return [experiment.kind, experiment.metric, objective.name, objective.maximise, models]


def _space(experiment: FrozenExperiment) -> list[dict[str, Any]]:
    entries = [{key: value for key, value in entry.items() if key not in UNIMPORTANT} for entry in experiment.space]
    return sorted(entries, key=lambda entry: str(entry.get("name")))


def _points_of_grid(grid: Summary, axes: Sequence[Axis]) -> int:
    """Return how many points `grid` has: 0 where it is unfinished, or does not lie within `axes`."""
    within = {axis.name: axis for axis in axes}
    if not grid.lattice or set(within) != {axis.name for axis in grid.axes}:
        return 0
    points = {tuple(axis.bin(one.point.get(axis.name)) for axis in grid.axes) for one in grid.searched}
    finished = len(points) == math.prod(len(axis.at or axis.values) for axis in grid.axes)
    values = itertools.chain.from_iterable(
        ((within[axis.name], value) for value in axis.at or axis.values) for axis in grid.axes
    )
    return len(points) if finished and all(_is_within(axis, value) for axis, value in values) else 0


def _is_within(axis: Axis, value: Any) -> bool:
    place = axis.coordinate(value)
    return place is not None and axis.edges[0] <= place <= axis.edges[-1]


def read_curves(runs: RunStore, summary: Summary) -> Iterable[Curves]:
    """Give the learning curves of the best points, as far as the runs kept a history."""
    for one in summary.best_points[:CURVES]:
        histories = tuple(_history(runs, one, submodel) for submodel in range(len(summary.models)))
        if any(histories):
            yield Curves(one, histories)


def _history(runs: RunStore, one: EvaluationSummary, submodel: int) -> Mapping[str, Sequence[float | None]] | None:
    """Return the history of a submodel's first replicate, non-finite numbers as None; None without one."""
    mine = [run for run in one.runs if run.submodel == submodel and run.status == "ok"]
    first = min(mine, key=lambda run: run.replicate, default=None)
    result = None if first is None or first.run is None else runs.result(first.run)
    history = {} if result is None else result.history
    curves = {name: values for name, values in history.items() if any(value is not None for value in values)}
    return curves or None
