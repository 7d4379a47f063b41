"""Learning curves: a model is trained on more and more rows of each study, once a split.

    [learning_curve]
    studies = ["CCLE", "GDSC1", "GDSC2"]
    splits = [1, 2, 3]                     # values of split_seed
    sizes = [128, 512, 2048]               # rows; or:
    smallest = 128                         # `count` sizes on a log scale, from here
    largest = 16384                        # to here (left out: to the rows of the largest study)
    count = 8
    # source = "train_sources", split = "split_seed", size = "row_limit": what the model calls them

The rows of a size are the first ones of a shuffle of the study's training rows, so that a smaller training has a
part of what a larger one has; the held-out rows, which the scores are of, are the same at every size. All studies
have the same sizes, and each those that it has the rows for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pandas as pd
from pydantic import Field, field_validator

from comparator.errors import ComparatorError, InputError
from comparator.experiment.host import Host
from comparator.model.reported import IMPROVE_SCORES, SCORES_FILE, read_scores
from comparator.objective.comparison import failure_words
from comparator.results.form import of_form
from comparator.results.record import Evaluation
from comparator.results.run_store import RunStore
from comparator.results.whole import whole_evaluations
from comparator.studies import figures, page, sweep, tables
from comparator.studies.next_step import on_more_splits
from comparator.studies.study import Planned, Study, begin, reopen
from comparator.studies.sweep import Point, StudiesSession, StudiesTable, words

NAME = "learning_curve"
SHOWN_FIRST = "r2"


class LearningCurveTable(StudiesTable):
    """`[learning_curve]` of an experiment file."""

    size: str = "row_limit"
    names: ClassVar[tuple[str, ...]] = (*StudiesTable.names, "size")
    sizes: list[int] | None = Field(default=None, min_length=1)
    smallest: int = Field(default=128, ge=1)
    largest: int | None = Field(default=None, ge=1)
    count: int = Field(default=10, ge=2)

    @field_validator("sizes")
    @classmethod
    def _rising(cls, given: list[int] | None) -> list[int] | None:
        if given is not None and (given != sorted(set(given)) or given[0] < 1):
            raise ValueError("must rise, from 1 or more")
        return given


def _plan(host: Host, path: Path, overrides: Sequence[str], command: str) -> Planned:
    """Check everything, and choose each study's sizes; raises `InputError`."""
    file, table = sweep.read_file(path, overrides, NAME, LearningCurveTable, command)
    point = {table.source: table.studies[:1], table.split: table.splits[0]}
    plan = sweep.plan_sweep(host, file, {**point, table.size: (table.sizes or [table.smallest])[0]})
    table = sweep.spelt_by(plan.models[0], table)
    whole = [{table.source: [study], table.split: split} for study in table.studies for split in table.splits]
    counts = iter(sweep.count_rows(host, plan, whole, f"{path}: [{NAME}] studies", limit=table.size))
    rows = {study: _fewest([next(counts) for _ in table.splits]) for study in table.studies}
    sizes = choose_sizes(table, rows, f"{path}: [{NAME}]")
    points = points_of(table, sizes)
    words_of_sizes = [f"{study}: {', '.join(map(str, each))} rows" for study, each in sizes.items()]
    said = [*words_of_sizes, f"{len(points)} trainings; those in the store are not done again"]
    return Planned(sweep.with_points(plan, file, NAME, table, points), said)


def _fewest(counts: Sequence[int | None]) -> int | None:
    """The rows that every split has, None where the model cannot tell."""
    known = [count for count in counts if count is not None]
    return min(known) if len(known) == len(counts) else None


def choose_sizes(table: LearningCurveTable, rows: Mapping[str, int | None], where: str) -> dict[str, list[int]]:
    """Each study's sizes; `rows` says how many each has. Raises `InputError` where a study has too few."""
    if table.sizes is not None:
        for study, there in rows.items():
            if there is not None and table.sizes[-1] > there:
                raise InputError(
                    f"{where}: sizes: {table.sizes[-1]}: {study} has only {there} training rows in a split"
                )
        return {study: list(table.sizes) for study in rows}
    known = [there for there in rows.values() if there is not None]
    largest = table.largest or max(known, default=0)
    if largest == 0:
        raise InputError(f"{where}: the model does not tell how many rows there are; give sizes or largest")
    if known and largest > max(known):
        raise InputError(f"{where}: largest = {largest}: no study has more than {max(known)} training rows in a split")
    if largest <= table.smallest:
        raise InputError(f"{where}: smallest = {table.smallest}: must be below {largest}, the largest size")
    ladder = log_scale(table.smallest, largest, table.count)
    sizes = {study: [size for size in ladder if there is None or size <= there] for study, there in rows.items()}
    for study, each in sizes.items():
        if not each:
            raise InputError(f"{where}: smallest = {table.smallest}: {study} has only {rows[study]} training rows")
    return sizes


def log_scale(smallest: int, largest: int, count: int) -> list[int]:
    """`count` whole numbers in equal steps of their logarithm, both ends included."""
    step = math.log(largest / smallest) / (count - 1)
    return sorted({round(smallest * math.exp(step * number)) for number in range(count)})


def points_of(table: LearningCurveTable, sizes: Mapping[str, Sequence[int]]) -> dict[str, Point]:
    """The trainings by their ids, the large ones first, so that no worker is left with one at the end."""
    points = [
        (size, point_id(study, split, size), {table.source: [study], table.split: split, table.size: size})
        for study, each in sizes.items()
        for size in each
        for split in table.splits
    ]
    points.sort(key=lambda point: -point[0])
    return {identifier: point for _, identifier, point in points}


def point_id(study: str, split: int, size: int) -> str:
    return f"{study}-split_{split}-sz_{size}"


def _finish(host: Host, opened: StudiesSession) -> Path:
    table = of_form(LearningCurveTable, opened.frozen.table(NAME), f"experiment.json of '{opened.frozen.id}': {NAME}")
    records = opened.train()
    trained = _collect(host, records, table)
    if not trained:
        raise ComparatorError(f"no training ended well; the last one: {failure_words(records[-1], host.experiments)}")
    scores = tables.learning_curve_scores(trained, opened.model.name)
    if scores.empty:
        raise ComparatorError(f"no training reported a score that is finite; see {opened.folder / 'evaluations.jsonl'}")
    written = tables.write_learning_curve(opened.folder / "tables", scores, trained, table.studies)
    _show(host, scores)
    return _report(host, opened, table, scores, written)


def _collect(host: Host, records: Sequence[Evaluation], table: LearningCurveTable) -> list[tables.Trained]:
    """The trainings that ended well, by study, split and size."""
    runs = RunStore(host.experiments)
    found = []
    for record in whole_evaluations(records):
        if record.status != "ok":
            continue
        run, point = record.runs[-1], record.point
        study = point[table.source][0]
        scores = held_out_scores(runs.folder_of(run.run or ""), run.metrics)
        found.append(tables.Trained(study, point[table.split], point[table.size], scores, run.seconds or 0.0))
    place = {study: number for number, study in enumerate(table.studies)}
    return sorted(found, key=lambda one: (place[one.study], one.split, one.size))


def held_out_scores(folder: Path | None, metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """A run's scores on its held-out rows under IMPROVE's names: its `val_scores.json`, then its metrics."""
    scores, _ = (None if folder is None else read_scores(folder / SCORES_FILE)) or ({}, {})
    for name, ours in IMPROVE_SCORES.items():
        if ours in metrics:
            scores.setdefault(name, metrics[ours])
    return scores


def metrics_in_order(scores: pd.DataFrame) -> list[str]:
    """The metrics there are, the one that is shown first in front."""
    return sorted(dict.fromkeys(scores.metric), key=lambda metric: metric != SHOWN_FIRST)


def _show(host: Host, scores: pd.DataFrame) -> None:
    metric = metrics_in_order(scores)[0]
    host.say(f"{metric} on the held-out rows, by training rows:")
    for study, means in _by_size(tables.curves(scores), metric).items():
        host.say(f"  {study}  " + "  ".join(f"{size}: {means[size]:.3f}" for size in sorted(means)))


def _report(
    host: Host, opened: StudiesSession, table: LearningCurveTable, scores: pd.DataFrame, files: Sequence[str]
) -> Path:
    curves = tables.curves(scores)
    metrics = metrics_in_order(scores)
    with host.console.status("writing the report"):
        first, *others = (figures.learning_curve(curves, metric, table.studies) for metric in metrics)
        drawn = [first, *(replace(each, caption="Read like the first figure.") for each in others)]
        pictures = figures.write(opened.folder / "figures", drawn)
        sections = [_numbers(curves, metric, table.studies) for metric in metrics]
        said, short = answer(curves, metrics[0], table.studies), in_short(curves, metrics[0])
        words = "To make the curves surer, train on more splits; what is trained already is found"
        step = on_more_splits(opened.frozen, NAME, table.splits, words)
        page.write(opened.folder, opened.frozen, said, short, pictures, sections, files, step)
    return sweep.conclude(host, opened.folder, files)


def answer(curves: pd.DataFrame, metric: str, studies: Sequence[str]) -> list[str]:
    """What the curves of `metric` say: where each study's ends, and at the last size that all studies have."""
    means, said = _by_size(curves, metric), _in_words(curves, metric)
    name = figures.NAMES.get(metric, metric)
    ends = [f"{study} {said[study][max(means[study])]} with {max(means[study]):,} rows" for study in means]
    common = sorted(set.intersection(*(set(means[study]) for study in means)))
    sentences = [f"{name} on held-out rows ends at {', '.join(ends)}."]
    if common and any(max(each) > common[-1] for each in means.values()):
        sizes = ", ".join(f"{study} {said[study][common[-1]]}" for study in studies if study in means)
        sentences.append(f"With {common[-1]:,} rows, the largest size that all have: {sizes}.")
    return sentences


def in_short(curves: pd.DataFrame, metric: str) -> str:
    """The same in a few words: where each study's curve ends."""
    ends = [f"{study} {said[max(said)]}" for study, said in _in_words(curves, metric).items()]
    return f"{figures.NAMES.get(metric, metric)} at the end: {', '.join(ends)}"


def _numbers(curves: pd.DataFrame, metric: str, studies: Sequence[str]) -> page.Section:
    chosen = curves[curves.metric == metric]
    sizes = sorted(set(chosen.shard))
    said = _in_words(curves, metric)
    rows = [[study, *(said.get(study, {}).get(size, "") for size in sizes)] for study in studies]
    return page.Section(
        figures.NAMES.get(metric, metric), "By training rows.", ["", *(f"{size:,}" for size in sizes)], rows
    )


def _in_words(curves: pd.DataFrame, metric: str) -> dict[str, dict[int, str]]:
    """The means of `metric` with their deviations, by study and size, all with as many digits."""
    chosen = curves[curves.metric == metric]
    digits = figures.decimals_of(list(zip(chosen["mean"], chosen["std"], strict=True)))
    said: dict[str, dict[int, str]] = {}
    for row in tables.rows_of(chosen):
        said.setdefault(row["dataset"], {})[row["shard"]] = words(row["mean"], row["std"], digits)
    return said


def _by_size(curves: pd.DataFrame, metric: str) -> dict[str, dict[int, float]]:
    means: dict[str, dict[int, float]] = {}
    for row in tables.rows_of(curves[curves.metric == metric]):
        means.setdefault(row["dataset"], {})[row["shard"]] = row["mean"]
    return means


STUDY = Study(NAME, LearningCurveTable, _plan, begin, reopen, _finish)
