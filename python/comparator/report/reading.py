"""An experiment that is read: its records, and what they say, from which pages, tables and files are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from comparator.engine.jobs import state_of
from comparator.findings import metric_agreement
from comparator.findings.controls import is_control
from comparator.findings.like_for_like import LikeForLike, like_for_like
from comparator.findings.recheck import Rechecked, tried_by
from comparator.findings.recheck import recheck as compare_with
from comparator.findings.summary import Summary, summarise
from comparator.findings.verdict import Findings, find
from comparator.findings.yardstick import InMetric, in_all_metrics
from comparator.formats.names import check_name
from comparator.report.answer import Answer, answer_of
from comparator.report.material import Material, gather_material
from comparator.report.next_step import Step
from comparator.report.notices import notices
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore

if TYPE_CHECKING:
    from comparator.findings.controls import Controls
    from comparator.findings.explanation import Explanation
    from comparator.findings.metric_agreement import MetricReading
    from comparator.findings.variance import TrainingVariance


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
