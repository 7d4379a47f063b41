"""Is it the yardstick? What an experiment claims, in the other metrics that the same fresh trainings reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from comparator.evidence.confirmation import ALPHA, contrast, estimate
from comparator.findings.metric_agreement import (
    STANDARD,
    Read,
    kind_of,
    read_in,
    reported_metrics,
    suited_difference,
)
from comparator.findings.reliability import fresh_in
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import CONFIRM, Evaluation

Interval = tuple[float, float]


@dataclass(frozen=True)
class InMetric:
    """A claim in one metric: the difference there, and by how much it is `more` than elsewhere.

    Both are in the direction that the search saw in this metric. Intervals are 95 %, over blocks. `is_shown` says that
    it is more than elsewhere, at level `ALPHA` of all claims in this metric; `better` is the submodel that is ahead.
    """

    claim: str
    metric: str
    difference: str
    mean: float
    interval: Interval
    more: float
    more_interval: Interval
    is_shown: bool
    better: int


def in_all_metrics(
    experiment: FrozenExperiment, records: Sequence[Evaluation], read: Read | None = None
) -> list[InMetric]:
    """Return each region and best point in the experiment's own metric, then in each standard one that all runs report.

    `read` gives `read_in` of a metric. Empty where nothing was trained anew beside something that it is compared with.
    """
    anew = [line for line in records if line.stage == CONFIRM]
    if experiment.kind == "single" or not anew or not experiment.claims:
        return []
    everywhere = reported_metrics(anew, by_all=True)
    metrics = [name for name in dict.fromkeys([experiment.metric, *STANDARD]) if name in everywhere]
    read = read or partial(read_in, experiment, records)
    return [each for metric in metrics for each in _in(experiment, records, metric, read)]


def shown_in(found: Sequence[InMetric]) -> list[tuple[InMetric, list[InMetric], list[InMetric]]]:
    """Return each claim that is shown in the experiment's own metric: the others in which it is, and in which not.

    It is the same finding where the same model is ahead too.
    """
    own = found[0].metric if found else ""
    claims = [each for each in found if each.metric == own and each.is_shown]
    told = []
    for claim in claims:
        others = [each for each in found if each.claim == claim.claim and each is not claim]
        held = [each for each in others if each.is_shown and each.better == claim.better]
        told.append((claim, held, [each for each in others if each not in held]))
    return told


def _in(experiment: FrozenExperiment, records: Sequence[Evaluation], metric: str, read: Read) -> list[InMetric]:
    asked, again = (experiment, list(records)) if metric == experiment.metric else read(metric)
    is_score = kind_of(experiment, metric) == "score"
    fresh = [each for each in fresh_in(asked, again) if each.signed]
    rest = next((estimate(each) for each in fresh if each.claim.kind in ("elsewhere", "space")), None)
    claims = [estimate(each) for each in fresh if each.claim.kind in ("region", "best")]
    found = []
    for each in claims:
        beside, interval = None if rest is None else contrast(each, rest), each.interval
        if beside is None or interval is None or each.mean is None:
            continue
        found.append(
            InMetric(
                claim=each.claim.name,
                metric=metric,
                difference=suited_difference(experiment, records, metric),
                mean=each.mean,
                interval=interval,
                more=beside.mean,
                more_interval=beside.interval,
                is_shown=beside.p <= ALPHA / len(claims),
                better=int(((each.claim.direction or 1) * each.mean > 0) == is_score),
            )
        )
    return found
