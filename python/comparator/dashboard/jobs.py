"""What the process that makes pages is asked: everything here takes seconds, and reads the store alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comparator.findings import metric_agreement
from comparator.findings.summary import Summary, summarise
from comparator.findings.verdict import Findings, find
from comparator.report.figures.maps import Ground, ground_of
from comparator.report.material import Material
from comparator.results.record import Evaluation, FrozenExperiment
from comparator.results.store import read_experiment, read_records


@dataclass(frozen=True)
class Learnt:
    """What so many `evaluations` let expect over the space, and the regions they show; None before there is any."""

    evaluations: int
    ground: Ground | None


def learn(folder: Path, metric: str | None) -> Learnt:
    """Learn from the experiment's evaluations, read in another metric where one is given; raises `InputError`."""
    from comparator.evidence.threads import one_thread

    with one_thread():
        experiment, records = read_in(folder, metric)
        summary = summarise(experiment, records)
        if not summary.evaluations:
            return Learnt(0, None)
        findings = find(experiment, records, summary)
        return Learnt(len(records), ground_of(Material(summary, findings)))


def write_page(folder: Path, metric: str | None, output: Path, address: str) -> int:
    """Write the experiment's report into `output`; returns how many evaluations it has.

    `address` leads from its page to the folder of all experiments.
    """
    from comparator.report import write_report

    count = len(read_records(folder / "evaluations.jsonl"))
    write_report(folder, metric, output, address=address)
    return count


def read_in(folder: Path, metric: str | None) -> tuple[FrozenExperiment, list[Evaluation]]:
    """An experiment and its evaluations, read in another metric where one is given."""
    experiment = read_experiment(folder)
    records = metric_agreement.with_signed(experiment, read_records(folder / "evaluations.jsonl"))
    if metric is None or metric == experiment.metric:
        return experiment, list(records)
    experiment, records = metric_agreement.read_in(experiment, records, metric)
    return experiment, list(records)


def understood(folder: Path, metric: str | None) -> tuple[FrozenExperiment, Summary, Findings]:
    """An experiment, what it says, and what that shows."""
    experiment, records = read_in(folder, metric)
    summary = summarise(experiment, records)
    return experiment, summary, find(experiment, records, summary)
