"""An experiment read again in another metric, without training: its records hold every metric of every run.

What is read so is what the same runs say by another yardstick. The search did not look for it: it went where the
experiment's own metric led, so the best point by another is the best of those that it happened to visit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from comparator.cmp import Objective
from comparator.difference import DIFFERENCES, NoValue, asked_difference, objective_words
from comparator.errors import InputError, nearest
from comparator.evidence.replicates import mean_interval, pooled_deviation
from comparator.text import shortened

Record = dict[str, Any]
Runs = Sequence[Mapping[str, Any]]


def in_metric(
    experiment: Mapping[str, Any], records: Sequence[Mapping[str, Any]], metric: str
) -> tuple[dict[str, Any], list[Record]]:
    """Return the experiment (the content of experiment.json) and its records as they would be, had `metric` counted.

    Values, signed differences, deviations and intervals are those of `metric`; an evaluation whose runs have none is
    one that failed, with the reason. Pilot, luck and baseline, which were measured in the experiment's own metric, are
    left out.
    Raises `InputError` where no run reports `metric`, and where the difference is the user's own function, which a
    report does not run.
    """
    reported = sorted({name for record in records for run in record["runs"] for name in run.get("metrics") or ()})
    if metric not in reported:
        known = f"they report {', '.join(reported)}" if reported else "there is no result yet"
        raise InputError(
            f"--metric {shortened(metric)}: no run of '{experiment.get('id')}' reports"
            f" it{nearest(metric, reported)}; {known}"
        )
    objective, words = _objective(experiment, metric)
    again = {key: value for key, value in experiment.items() if key not in ("pilot", "luck", "baseline")}
    again |= {"metric": metric, "objective": words}
    unit = unit_of(records, objective)
    return again, [worked_out(record, objective, unit) for record in records]


def unit_of(records: Sequence[Mapping[str, Any]], objective: Objective) -> float | None:
    """What the pilot found for a difference in deviations; None without one, and for other differences."""
    if not objective.in_deviations:
        return None
    pilot = [record for record in records if record.get("stage") == "pilot"]
    return pooled_deviation([list(_by_replicate(record["runs"], objective.signed).values()) for record in pilot])


def _objective(experiment: Mapping[str, Any], metric: str) -> tuple[Objective, dict[str, Any]]:
    name = asked_difference(experiment)
    if name is None:
        described = (experiment.get("metrics") or {}).get(metric) or {}
        maximise = described.get("kind") == "score"
        return Objective(metric, None, maximise=maximise, ask=""), objective_words(None, metric, maximise)
    if name not in DIFFERENCES:
        raise InputError(
            f"--metric {shortened(metric)}: the difference of '{experiment.get('id')}' is a function of its"
            f" own, '{name}'"
        )
    return Objective(metric, DIFFERENCES[name], ask=""), objective_words(name, metric)


def worked_out(record: Mapping[str, Any], objective: Objective, unit: float | None) -> Record:
    """A record with value, signed differences, deviation and interval as its runs give them.

    `unit` is what the pilot found for a difference in deviations; None: that of the record's own replicates.
    """
    again: Record = {**record, "value": None, "signed": [], "deviation": None, "interval": None}
    if record["status"] != "ok":
        return again
    values = _by_replicate(record["runs"], objective)
    signed = list(_by_replicate(record["runs"], objective.signed).values())
    divisor = (unit or pooled_deviation([signed])) if objective.in_deviations else 1.0
    if not values or not divisor:
        reason = "no deviation from seed to seed is known" if values else _why_not(record["runs"], objective)
        return {**again, "status": "failed", "reason": reason}
    signed = [number / divisor for number in signed]
    interval = mean_interval(signed)
    return {
        **again,
        "value": fmean(values.values()) / divisor,
        "signed": signed,
        "deviation": pooled_deviation([signed]),
        "interval": None if interval is None else list(interval),
    }


def _by_replicate(runs: Runs, worth: Callable[[list[dict[str, Any]]], float]) -> dict[int, float]:
    """What each replicate is worth, in their order; those that have no such number are left out."""
    values = {}
    for replicate in sorted({run["replicate"] for run in runs}):
        try:
            values[replicate] = worth([dict(run) for run in runs if run["replicate"] == replicate])
        except NoValue:
            continue
    return values


def _why_not(runs: Runs, objective: Objective) -> str:
    try:
        objective([run for run in runs if run["replicate"] == runs[0]["replicate"]])
    except NoValue as failure:
        return str(failure)
    return "no replicate has a value"
