"""An experiment read in other metrics than the one it was asked for, from what its runs reported: no training.

The difference stays the experiment's own where it suits the metric. A score may be negative, where a relative
difference means nothing: it is read in its absolute difference, and so is any metric that has a number of 0 or less.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.difference import DIFFERENCES, asked_difference
from comparator.evidence.replicates import mean_interval
from comparator.report.axes import is_number
from comparator.report.findings import verdict_of
from comparator.report.reread import in_metric
from comparator.report.summary import LOSS, SCALED_LOSS, SKILL
from comparator.report.trust import Record, observations_in

CORRELATION = "val_corr"
STANDARD = {LOSS: "error", SCALED_LOSS: "error", SKILL: "score", CORRELATION: "score"}
NEEDS_POSITIVE = ("relative", "signed", "log_ratio")


@dataclass(frozen=True)
class Yardstick:
    """What a comparison says in one metric.

    `difference` is the name of the one taken. `mean` is that of the signed difference, V1 - V0, over distinct points,
    with its 95 % `interval`, None for fewer than two points. `better_at` counts the points at which submodel 0 and
    submodel 1 is the better one; `better` is the submodel that is better on the whole, None where the interval holds 0.
    `verdict` is that of the evidence in this metric.
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
    experiment: Mapping[str, Any], records: Sequence[Record], metric: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the experiment and its records as if it had been asked for `metric`, in the difference that suits it.

    Raises InputError as `reread.in_metric` does.
    """
    if experiment.get("kind") == "single":
        return in_metric(experiment, records, metric)
    name, settings = suited_difference(experiment, records, metric), experiment.get("settings") or {}
    suited = {**experiment, "settings": {**settings, "cmp": {**(settings.get("cmp") or {}), "difference": name}}}
    return in_metric(suited, records, metric)


def with_signed(experiment: Mapping[str, Any], records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records with the signed differences that those of earlier versions lack, where the runs tell them."""
    metric = str(experiment.get("metric") or LOSS)
    if (
        not _lacks_signed(records)
        or metric not in reported_metrics(records)
        or asked_difference(experiment) not in (None, *DIFFERENCES)
    ):
        return records
    again = read_in(experiment, records, metric)[1]
    keys = ("signed", "deviation", "interval")
    return [{**record, **{key: new.get(key) for key in keys}} for record, new in zip(records, again, strict=True)]


def _lacks_signed(records: Sequence[Record]) -> bool:
    return any(record.get("status") == "ok" and "signed" not in record for record in records)


def compare(
    experiment: Mapping[str, Any], records: Sequence[Record], known: Mapping[str, str | None]
) -> list[Yardstick]:
    """Return what a comparison says in its own metric and in each standard one that all its runs report.

    `known` has the verdicts that were found already, by metric. A single model compares nothing.
    """
    if experiment.get("kind") == "single":
        return []
    everywhere = reported_metrics(records, by_all=True)
    own = str(experiment.get("metric"))
    metrics = [metric for metric in dict.fromkeys([own, *STANDARD]) if metric in everywhere]
    return [each for metric in metrics for each in _yardstick(experiment, records, metric, known)]


def reported_metrics(records: Iterable[Record], *, by_all: bool = False) -> list[str]:
    """Return the names of the numbers that runs reported, sorted; `by_all`: those that every run did."""
    runs = [run for record in records for run in record.get("runs") or () if run.get("status") == "ok"]
    each = [{name for name, value in (run.get("metrics") or {}).items() if is_number(value)} for run in runs]
    if not each:
        return []
    return sorted(set.intersection(*each) if by_all else set.union(*each))


def kind_of(experiment: Mapping[str, Any], metric: str) -> str:
    """Return whether a metric is an `error`, a `score` or a `fact`; one that nobody describes is an error."""
    described = (experiment.get("metrics") or {}).get(metric) or {}
    return str(described.get("kind") or STANDARD.get(metric, "error"))


def suited_difference(experiment: Mapping[str, Any], records: Sequence[Record], metric: str) -> str:
    """Return the name of the difference to read `metric` in; a function of the user's own is not called by a report."""
    own = asked_difference(experiment) or "relative"
    if metric == experiment.get("metric") and own in DIFFERENCES:
        return own
    name = own if own in DIFFERENCES else "relative"
    numbers = [
        run["metrics"].get(metric) for record in records for run in record.get("runs") or () if run.get("metrics")
    ]
    is_positive = all(number > 0 for number in numbers if is_number(number))
    suits = name not in NEEDS_POSITIVE or (is_positive and kind_of(experiment, metric) != "score")
    return name if suits else "absolute"


def _yardstick(
    experiment: Mapping[str, Any], records: Sequence[Record], metric: str, known: Mapping[str, str | None]
) -> Iterable[Yardstick]:
    """Give the yardstick; nothing where no point has a difference in this metric."""
    own = metric == experiment.get("metric") and not _lacks_signed(records)
    asked, again = (experiment, records) if own else read_in(experiment, records, metric)
    means = [statistics.fmean(signed) for _, signed in observations_in(again)]
    if not means:
        return
    kind = kind_of(experiment, metric)
    smaller = sum(mean > 0 for mean in means), sum(mean < 0 for mean in means)  # where V0 is, where V1 is
    interval = mean_interval(means)
    mean = statistics.fmean(means)
    ahead = int(mean > 0) if kind == "score" else int(mean < 0)
    yield Yardstick(
        metric=metric,
        kind=kind,
        difference=asked_difference(asked) or "",
        mean=mean,
        interval=interval,
        better_at=smaller if kind != "score" else (smaller[1], smaller[0]),
        better=ahead if interval is not None and interval[0] * interval[1] > 0 and kind != "fact" else None,
        verdict=known[metric] if metric in known else verdict_of(asked, again),
    )
