"""The report of an experiment: one page, figures, a table and a file for programs.

Made from `experiment.json` and `evaluations.jsonl` in the experiment's folder, and, where they are there, from
the histories of its runs and a grid over the same space beside it; it can be made while the experiment runs,
and again later. Each file is written whole, then renamed.

`evaluations.csv` has one row an evaluation, in the order in which they finished, UTF-8, empty where there is
no value:

| column | meaning |
|---|---|
| evaluation | number of the proposal, from 0 |
| stage | pilot, search or confirm |
| generation | from 0; empty in a sweep |
| point.NAME | the value of hyperparameter NAME; a list or None as JSON |
| status | ok, failed or timeout |
| value | what the search minimises |
| difference | the value as people read it: with its sign turned where the objective is maximised |
| replicates | seeds that value is the mean of |
| signed | mean of the signed differences, one a seed (of a single model: of its metric) |
| deviation | their standard deviation; empty for one seed |
| low, high | the 95 % t-interval of their mean; empty for one seed |
| metrics.S.NAME | metric NAME of submodel S (0, 1): the mean over the replicates that succeeded |
| seconds | wall time of the evaluation, of its seeds together |
| reused | of the runs that this evaluation asked for, those that were found in the store and not trained |
| started | UTC, ISO 8601 |
| worker | who did it |
| log.S | submodel S's logs of replicates that the point did not have before, with blanks between |
| reason | why it failed |
"""

from __future__ import annotations

import csv
import gc
import io
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from comparator.engine.jobs import state_of
from comparator.findings import metric_agreement
from comparator.findings.controls import is_control
from comparator.findings.like_for_like import LikeForLike, like_for_like
from comparator.findings.recheck import Rechecked, tried_by
from comparator.findings.recheck import as_json as rechecked_json
from comparator.findings.recheck import recheck as compare_with
from comparator.findings.summary import EvaluationSummary, Summary, as_json, summarise
from comparator.findings.verdict import Findings, find
from comparator.findings.verdict import as_json as findings_json
from comparator.findings.yardstick import InMetric, in_all_metrics
from comparator.formats.names import check_name
from comparator.report.answer import Answer, answer_of
from comparator.report.material import Files, Material, gather_material
from comparator.report.next_step import Step
from comparator.report.notices import notices
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore, withdrawals
from comparator.results.table import table_cell
from comparator.results.tally import doubled_in

if TYPE_CHECKING:
    from comparator.findings.controls import Controls
    from comparator.findings.explanation import Explanation
    from comparator.findings.metric_agreement import MetricReading
    from comparator.findings.variance import TrainingVariance
    from comparator.report.page import Gallery

__all__ = ["write_report"]


def write_report(
    folder: Path,
    metric: str | None = None,
    output: Path | None = None,
    *,
    png: bool = False,
    told: Callable[[float], None] = lambda share: None,
) -> Path:
    """Write the report of the experiment in `folder` and return the path of its page.

    Writes `report.html` (self-contained; it gives each of its figures as PNG and SVG), `report.json` and
    `evaluations.csv` into `output`, `folder` if not given; with `png` each figure into `figures/` too, as PNG and SVG,
    which takes longer than all the rest. With another `metric` than the
    experiment's own, the experiment is read again in it, and `report-METRIC.html` and so on are written beside these.
    `told` is called with the share that is done, as it grows.
    Raises InputError where `folder` holds no readable experiment, or where no run reports `metric`.
    """
    from comparator.evidence.threads import one_thread

    with one_thread(loads_scipy=True), _without_collecting():
        return _write_report(folder, metric, output or folder, png=png, told=told)


#: The shares of a report, by the time they take, that are done once a part is.
READ, FOUND, COMPARED, DRAWN = 0.05, 0.45, 0.7, 0.9


def _write_report(folder: Path, metric: str | None, output: Path, *, png: bool, told: Callable[[float], None]) -> Path:
    from comparator.report.explanation import SHOWN

    told(0.0)
    read = read_in(folder, metric)
    records, summary = read.records, read.summary
    told(READ)
    findings = read.findings
    told(FOUND)
    compared = read.compared
    told(COMPARED)
    suffix = "" if metric in (None, read.own_metric) else f"-{check_name(summary.metric, '--metric')}"
    figures = output / f"figures{suffix}"
    gallery = gallery_of(read.material)
    if png:
        _write_figures(figures, gallery)
    else:
        _remove_figures(figures)
    told(DRAWN)
    table = output / f"evaluations{suffix}.csv"
    _write(table, evaluations_csv(summary, records).encode("utf-8", "replace"))
    content = {
        "id": summary.id,
        "title": summary.title,
        "metric": summary.metric,
        **read.answer.as_json(),
        **findings_json(findings),
        **as_json(summary),
        "yardsticks": [asdict(each) for each in compared],
        "claims_in_metrics": [asdict(each) for each in read.in_metrics],
        "like_for_like": None
        if read.likeness is None
        else {**asdict(read.likeness), "is_alike": read.likeness.is_alike},
        "controls": read.controls and read.controls.as_json(),
        "rechecked": None if read.rechecked is None else rechecked_json(read.rechecked),
        "explained": read.explanation.as_json(most=SHOWN),
        "withdrawn": [note.as_json() for note in withdrawals(folder)],
        "doubled": doubled_in(records),
    }
    _write(output / f"report{suffix}.json", json.dumps(content, indent=2, allow_nan=False).encode())

    page = output / f"report{suffix}.html"
    experiments = quote(os.path.relpath(folder.parent, output).encode("utf-8", "replace"))
    files = Files(figures.name if png else "", table.name, experiments)
    _write(page, page_of(read, gallery, files).encode("utf-8", "replace"))
    return page


@dataclass(frozen=True, eq=False)
class Reading:
    """An experiment read in one metric. What a report says of it is worked out when it is asked for, and kept.

    `own` is the experiment in its own metric, with its records.
    """

    folder: Path
    experiment: FrozenExperiment
    records: list[Evaluation]
    own: tuple[FrozenExperiment, list[Evaluation]]

    @property
    def own_metric(self) -> str:
        """The metric that the experiment was asked for."""
        return self.own[0].metric

    @cached_property
    def summary(self) -> Summary:
        """What was evaluated, and the best of it."""
        return summarise(self.experiment, self.records)

    @cached_property
    def findings(self) -> Findings:
        """The verdict, which takes seconds."""
        from comparator.evidence.threads import one_thread

        with one_thread():
            return find(self.experiment, self.records, self.summary)

    @cached_property
    def compared(self) -> Sequence[MetricReading]:
        """What its own metric and the standard ones say, which takes seconds."""
        return metric_agreement.compare(*self.own, {self.summary.metric: self.findings.evidence}, self._read)

    @cached_property
    def in_metrics(self) -> Sequence[InMetric]:
        """What it claims, in its own metric and the standard ones."""
        return in_all_metrics(*self.own, self._read)

    @cached_property
    def _read(self) -> metric_agreement.Read:
        """What it is in a metric, worked out once."""
        return cache(partial(metric_agreement.read_in, *self.own))

    @cached_property
    def likeness(self) -> LikeForLike | None:
        """Whether both models were trained and judged alike; None where one is searched by itself."""
        if self.experiment.kind == "single":
            return None
        return like_for_like(self.experiment, self.records, RunStore(self.folder.parent).predictions)

    @cached_property
    def explanation(self) -> Explanation:
        """Who carries the difference, where fresh trainings tell."""
        from comparator.evidence.threads import one_thread
        from comparator.findings.explanation import explain

        with one_thread():
            return explain(self.experiment, self.records, RunStore(self.folder.parent).predicted_rows)

    @cached_property
    def variance(self) -> TrainingVariance | None:
        """What makes trainings of one point differ, where that was looked at."""
        if self.experiment.crossing is None:
            return None
        from comparator.findings.variance import variance_in

        return variance_in(self.experiment, self.records)

    @cached_property
    def controls(self) -> Controls | None:
        """Whether it is the study or only its size, by what lies beside the experiment now."""
        from comparator.findings.controls import controls_beside, controls_by

        if self.experiment.rechecks is not None:
            return controls_by(self.folder, self.experiment, self.records)
        return controls_beside(self.folder, self.experiment, self.records)

    @cached_property
    def tried(self) -> tuple[FrozenExperiment, list[Evaluation]] | None:
        """The experiment that it tries again, and its record; None where it tries none, or that is gone."""
        return None if self.experiment.rechecks is None else tried_by(self.folder, self.experiment)

    @cached_property
    def rechecked(self) -> list[Rechecked] | None:
        """What became of the claims that it tries again; None where it tries none so, or their experiment is gone."""
        if self.experiment.command != "recheck" or any(map(is_control, self.experiment.claims or ())):
            return None
        return None if self.tried is None else compare_with(self.tried, (self.experiment, self.records))

    @cached_property
    def answer(self) -> Answer:
        """What the page begins with."""
        return answer_of(self.experiment, self.summary, self.findings, self.state, *self._of_again())

    def _of_again(self) -> tuple[list[str], Step | None]:
        """What became of what it tries again, in sentences, and the next step; none where nothing came of it."""
        from comparator.objective.amounts import measure_of
        from comparator.report import controls, next_step, recheck, variance

        if self.tried is None:
            return [], None
        was, _ = self.tried
        if self.variance is not None:
            said = variance.sentences(self.variance, self.experiment)
            return said, next_step.after_variance(was, self.variance)
        if self.rechecked:
            lines = recheck.sentences(self.rechecked, self.experiment, self.records)
            said = [f"{line[:1].upper()}{line[1:]}." for line in lines]
            return said, next_step.after_recheck(self.experiment, was, self.rechecked)
        if self.controls is not None and self.controls.found:
            said = controls.sentences(self.controls, measure_of(self.experiment))
            return said, next_step.after_controls(self.experiment)
        return [], None

    @property
    def material(self) -> Material:
        """All that the figures are drawn from, with what lies beside the experiment now."""
        own = self.folder, self.experiment, self.summary, self.findings
        return gather_material(*own, self.explanation, self.variance, self.controls)

    @property
    def notices(self) -> list[str]:
        """What a reader has to know of how it was run."""
        runs = (run for one in self.summary.evaluations for run in one.runs)
        return notices(self.experiment, runs, self.folder, self.records)

    @property
    def state(self) -> str:
        """What the experiment is doing."""
        return state_of(self.folder).state


def read_in(folder: Path, metric: str | None = None) -> Reading:
    """Read the experiment in `folder` in `metric`, its own if not given.

    Raises InputError where `folder` holds no readable experiment, or where no run reports `metric`.
    """
    experiment = read_experiment(folder)
    if metric is not None and metric != experiment.metric:
        check_name(metric, "--metric")
    return reading_of(folder, experiment, read_records(folder / "evaluations.jsonl"), metric)


def reading_of(
    folder: Path, experiment: FrozenExperiment, records: list[Evaluation], metric: str | None = None
) -> Reading:
    """As `read_in`, of the experiment and the records that were read of the folder already."""
    own = experiment, metric_agreement.with_signed(experiment, records)
    if metric is None or metric == experiment.metric:
        return Reading(folder, *own, own)
    return Reading(folder, *metric_agreement.read_in(*own, metric), own)


def page_of(read: Reading, gallery: Gallery, files: Files) -> str:
    """Return the report's page as HTML."""
    from comparator.report.page import render  # jinja2, only where a page is made

    shown = read.experiment, read.summary, read.findings, read.compared, gallery, files, read.answer, read.notices
    return render(*shown, read.likeness, read.explanation, read.in_metrics, read.controls)


def evaluation_rows(summary: Summary, records: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return the table of evaluations, a row each by the names of its columns; None where there is no value."""
    columns = _columns(summary)
    return [
        {name: cell(one, record) for name, cell in columns}
        for one, record in zip(summary.evaluations, records, strict=True)
    ]


def evaluations_csv(summary: Summary, records: Sequence[Evaluation]) -> str:
    """Return the table of evaluations as CSV; the module's docstring has its columns."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(table_cell(name) for name, _ in _columns(summary))
    for row in evaluation_rows(summary, records):
        table.writerow(map(table_cell, row.values()))
    return text.getvalue()


def _columns(summary: Summary) -> list[tuple[str, Callable[[EvaluationSummary, Evaluation], Any]]]:
    """Return the name of each column, and what gives its cell from an evaluation and its record."""
    submodels = range(len(summary.models))
    points = dict.fromkeys(name for one in summary.evaluations for name in one.point)
    metrics = [
        (submodel, name)
        for submodel in submodels
        for name in dict.fromkeys(name for one in summary.evaluations for name in one.metrics[submodel])
    ]
    return [
        ("evaluation", lambda one, _: one.number),
        ("stage", lambda one, _: one.stage),
        ("generation", lambda one, _: one.generation),
        *((f"point.{name}", partial(_point_cell, name)) for name in points),
        ("status", lambda one, _: one.status),
        ("value", lambda one, _: one.value),
        ("difference", lambda one, _: one.difference),
        ("replicates", lambda one, _: one.replicates),
        ("signed", lambda one, _: one.mean),
        ("deviation", lambda one, _: one.deviation),
        ("low", lambda one, _: one.interval and one.interval[0]),
        ("high", lambda one, _: one.interval and one.interval[1]),
        *((f"metrics.{submodel}.{name}", partial(_metric_cell, submodel, name)) for submodel, name in metrics),
        ("seconds", lambda one, _: one.seconds),
        ("reused", lambda one, _: one.reused),
        ("started", lambda _, record: record.started),
        ("worker", lambda _, record: record.worker),
        *((f"log.{submodel}", partial(_log_cell, submodel)) for submodel in submodels),
        ("reason", lambda one, _: one.reason),
    ]


def _point_cell(name: str, one: EvaluationSummary, _: object) -> Any:
    value = one.point.get(name)
    return value if isinstance(value, (str, int, float)) or name not in one.point else json.dumps(value)


def _metric_cell(submodel: int, name: str, one: EvaluationSummary, _: object) -> Any:
    return one.metrics[submodel].get(name)


def _log_cell(submodel: int, one: EvaluationSummary, _: object) -> str:
    return " ".join(run.log or "" for run in one.runs if run.submodel == submodel)


def gallery_of(material: Material) -> Gallery:
    """Return the figures of a page."""
    from comparator.report import figures, page

    drawn = figures.draw(material)
    return page.Gallery.of(drawn, figures.left_out(material, drawn))


def _write_figures(folder: Path, gallery: Gallery) -> None:
    """Write each figure as PNG and SVG; those of an earlier report go."""
    from comparator.report.figures.files import figure_file

    folder.mkdir(exist_ok=True)
    files = {f"{one.name}.{form}": (one, form) for one in gallery.figures for form in ("png", "svg")}
    for name, (one, form) in files.items():
        _write(folder / name, figure_file(one, form))
    _remove_figures(folder, but=files)


def _remove_figures(folder: Path, but: Collection[str] = ()) -> None:
    """Remove the figures of an earlier report, and their folder where it is empty then."""
    for path in [*folder.glob("*.svg"), *folder.glob("*.png")]:
        if path.name not in but:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Leave cycles of garbage for later: looking through all that is imported again and again takes a third more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write(path: Path, content: bytes) -> None:
    """Write the whole file beside `path`, then rename it: a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
