"""An experiment read in other metrics than the one it was asked for, from what its runs reported: no training.

The difference stays the experiment's own where it suits the metric. A score may be negative, where a relative
difference means nothing: it is read in its absolute difference, and so is any metric that has a number of 0 or less.
In its own metric an experiment is read as it was asked, by earlier versions too.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from comparator.evidence.replicates import mean_interval
from comparator.findings.mean_predictor import LOSS, SCALED_LOSS, SKILL
from comparator.findings.other_metric import in_metric
from comparator.findings.verdict import NONE, evidence_of
from comparator.objective.differences import DIFFERENCES, asked_difference, serving_difference
from comparator.objective.metrics import kind_by_name
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import observations_in
from comparator.results.record import Evaluation

if TYPE_CHECKING:
    from comparator.evidence.regions import Evidence

CORRELATION = "val_corr"
STANDARD = (LOSS, SCALED_LOSS, SKILL, CORRELATION)

#: An experiment and its records as if it had been asked for the metric of this name.
Read = Callable[[str], tuple[FrozenExperiment, list[Evaluation]]]


@dataclass(frozen=True)
class MetricReading:
    """What a comparison says in one metric.

    `difference` is the name of the one taken. `verdict` is that of the evidence in this metric, and `mean`, of the
    signed difference, V1 - V0, with its 95 % `interval` is what the same evidence gives; without any they are over
    distinct points, the interval None for fewer than two. `better_at` counts the points at which submodel 0 and
    submodel 1 is the better one; `better` is the submodel that is better on the whole, None where the interval holds 0
    and where no difference is shown.
    """

    metric: str
    kind: str
    difference: str
    mean: float
    interval: tuple[float, float] | None
    better_at: tuple[int, int]
    better: int | None
    verdict: str | None


def read_in(
    experiment: FrozenExperiment, records: Sequence[Evaluation], metric: str
) -> tuple[FrozenExperiment, list[Evaluation]]:
    """Return the experiment and its records as if it had been asked for `metric`, in the difference that suits it.

    Raises InputError as `reread.in_metric` does.
    """
    if experiment.kind == "single":
        return in_metric(experiment, records, metric)
    name, settings = suited_difference(experiment, records, metric), experiment.settings
    suited = {**settings, "cmp": {**(settings.get("cmp") or {}), "difference": name}}
    return in_metric(experiment.model_copy(update={"settings": suited}), records, metric)


def with_signed(experiment: FrozenExperiment, records: list[Evaluation]) -> list[Evaluation]:
    """Return the records with the signed differences that those of earlier versions lack, where the runs tell them."""
    metric = experiment.metric or LOSS
    if (
        not _lacks_signed(records)
        or metric not in reported_metrics(records)
        or asked_difference(experiment) not in (None, *DIFFERENCES)
    ):
        return records
    again = read_in(experiment, records, metric)[1]
    keys = ("after", "replicates", "signed", "blocks", "deviation", "interval")
    return [
        record.model_copy(update={key: getattr(new, key) for key in keys})
        for record, new in zip(records, again, strict=True)
    ]


def _lacks_signed(records: Sequence[Evaluation]) -> bool:
    return any(record.status == "ok" and record.signed is None for record in records)


def compare(
    experiment: FrozenExperiment,
    records: Sequence[Evaluation],
    known: Mapping[str, Evidence | None],
    read: Read | None = None,
) -> list[MetricReading]:
    """Return what a comparison says in its own metric and in each standard one that all its runs report.

    `known` has the evidence that was found already, by metric; `read` gives `read_in` of a metric. A single model
    compares nothing.
    """
    if experiment.kind == "single":
        return []
    everywhere = reported_metrics(records, by_all=True)
    own = experiment.metric
    metrics = [metric for metric in dict.fromkeys([own, *STANDARD]) if metric in everywhere]
    read = read or partial(read_in, experiment, records)
    return [each for metric in metrics for each in _reading(experiment, records, metric, known, read)]


def reported_metrics(records: Iterable[Evaluation], *, by_all: bool = False) -> list[str]:
    """Return the names of the numbers that runs reported, sorted; `by_all`: those that every run did."""
    runs = [run for record in records for run in record.runs if run.status == "ok"]
    each = [{name for name, value in run.metrics.items() if value is not None} for run in runs]
    if not each:
        return []
    return sorted(set.intersection(*each) if by_all else set.union(*each))


def kind_of(experiment: FrozenExperiment, metric: str) -> str:
    """Return whether a metric is an `error`, a `score` or a `fact`.

    One that nobody describes is known by its name, and an error where that does not tell.
    """
    described = experiment.metrics.get(metric)
    return (described.kind if described is not None else None) or kind_by_name(metric) or "error"


def suited_difference(experiment: FrozenExperiment, records: Sequence[Evaluation], metric: str) -> str:
    """Return the name of the difference to read `metric` in; a function of the user's own is not called by a report."""
    own = asked_difference(experiment)
    if metric == experiment.metric and own in DIFFERENCES:
        return own
    numbers = [run.metrics.get(metric) for record in records for run in record.runs]
    is_positive = all(number > 0 for number in numbers if number is not None)
    may_be_negative = not is_positive or kind_of(experiment, metric) == "score"
    return serving_difference(own, may_be_negative=may_be_negative)


def _reading(
    experiment: FrozenExperiment,
    records: Sequence[Evaluation],
    metric: str,
    known: Mapping[str, Evidence | None],
    read: Read,
) -> Iterable[MetricReading]:
    """Give the reading; nothing where no point has a difference in this metric."""
    own = metric == experiment.metric and not _lacks_signed(records)
    asked, again = (experiment, records) if own else read(metric)
    means = [statistics.fmean(signed) for _, signed, _ in observations_in(again)]
    if not means:
        return
    kind = kind_of(experiment, metric)
    smaller = sum(mean > 0 for mean in means), sum(mean < 0 for mean in means)  # where V0 is, where V1 is
    mean, interval = statistics.fmean(means), mean_interval(means)
    evidence = known[metric] if metric in known else evidence_of(asked, again)
    if evidence is not None and evidence.overall is not None and evidence.fresh_blocks:
        mean, interval = evidence.overall, evidence.overall_interval
    is_shown = interval is not None and interval[0] * interval[1] > 0 and (evidence is None or evidence.verdict != NONE)
    ahead = int(mean > 0) if kind == "score" else int(mean < 0)
    yield MetricReading(
        metric=metric,
        kind=kind,
        difference=asked_difference(asked) or "",
        mean=mean,
        interval=interval,
        better_at=smaller if kind != "score" else (smaller[1], smaller[0]),
        better=ahead if is_shown and kind != "fact" else None,
        verdict=None if evidence is None else evidence.verdict,
    )
