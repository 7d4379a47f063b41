"""An experiment read again in another metric, without training: its records hold every metric of every run.

What is read so is what the same runs say by another metric. The search did not look for it: it went where the
experiment's own metric led, so the best point by another is the best of those that it happened to visit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from comparator.errors import InputError, nearest
from comparator.evidence.replicates import mean_interval, pooled_deviation
from comparator.formats.text import shortened
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES, NoValue, asked_difference, objective_words
from comparator.results.points import final_values_of, key_of, observations_in, observations_of
from comparator.results.record import PILOT, Claim, Evaluation, FrozenExperiment, ObjectiveWords, Run
from comparator.space import ParameterSpace
from comparator.space.boxes import Box

Runs = Sequence[Run]


def in_metric(
    experiment: FrozenExperiment, records: Sequence[Evaluation], metric: str
) -> tuple[FrozenExperiment, list[Evaluation]]:
    """Return the experiment and its records as they would be, had `metric` counted.

    Values, signed differences, deviations and intervals are those of `metric`; an evaluation whose runs have none is
    one that failed, with the reason. Pilot and baseline, which were measured in the experiment's own metric, are
    left out.
    Raises `InputError` where no run reports `metric`, and where the difference is the user's own function, which a
    report does not run.
    """
    reported = sorted({name for record in records for run in record.runs for name in run.metrics})
    if metric not in reported:
        known = f"they report {', '.join(reported)}" if reported else "there is no result yet"
        raise InputError(
            f"--metric {shortened(metric)}: no run of '{experiment.id}' reports it{nearest(metric, reported)}; {known}"
        )
    objective, words = _objective(experiment, metric)
    left_out = dict.fromkeys(("pilot", "baseline"))
    again = experiment.model_copy(update={**left_out, "metric": metric, "objective": words})
    unit = unit_of(records, objective)
    read = [worked_out(record, objective, unit) for record in records]
    claims = None if again.claims is None else [_turned(claim, again, read) for claim in again.claims]
    return again.model_copy(update={"claims": claims}), read


def _turned(claim: Claim, experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Claim:
    """A claim in the direction that another metric saw in the search: a score is the larger where an error is not."""
    seen = {key_of(point): (point, fmean(signed)) for point, signed, _ in observations_in(records)}
    means = [mean for _, mean in seen.values()]
    if claim.kind == "best":
        final = observations_of(final_values_of(records))
        means = [fmean(signed) for point, signed, _ in final if key_of(point) == key_of(claim.points[0])]
    elif claim.kind == "region":
        box = Box.from_bounds(ParameterSpace.from_entries(experiment.space, "experiment"), claim.bounds, claim.name)
        held = box.contains([point for point, _ in seen.values()])
        means = [mean for mean, is_held in zip(means, held, strict=True) if is_held]
    if not means or not claim.direction:
        return claim
    return claim.model_copy(update={"direction": 1 if fmean(means) >= 0 else -1})


def unit_of(records: Sequence[Evaluation], objective: Objective) -> float | None:
    """What the pilot found for a difference that needs a unit; None without one, and for other differences."""
    if not objective.needs_unit:
        return None
    pilot = [record for record in records if record.stage == PILOT]
    return pooled_deviation([list(_by_replicate(record.runs, objective.signed).values()) for record in pilot])


def _objective(experiment: FrozenExperiment, metric: str) -> tuple[Objective, ObjectiveWords]:
    name = asked_difference(experiment)
    if name is None:
        maximise = metric in experiment.metrics and experiment.metrics[metric].kind == "score"
        return Objective(metric, None, maximise=maximise, ask=""), objective_words(None, metric, maximise)
    if name not in DIFFERENCES:
        raise InputError(
            f"--metric {shortened(metric)}: the difference of '{experiment.id}' is a function of its own, '{name}'"
        )
    return Objective(metric, DIFFERENCES[name], ask=""), objective_words(DIFFERENCES[name], metric)


def worked_out(record: Evaluation, objective: Objective, unit: float | None) -> Evaluation:
    """A record with value, signed differences, deviation and interval as its runs give them.

    `unit` is what the pilot found for a difference that needs a unit; None: that of the record's own replicates.
    """
    none: dict[str, Any] = {"value": None, "signed": [], "blocks": [], "deviation": None, "interval": None}
    if record.status != "ok":
        return record.model_copy(update=none)
    values = _by_replicate(record.runs, objective)
    by_replicate = _by_replicate(record.runs, objective.signed)
    block = {run.replicate: run.block for run in record.runs}
    signed = list(by_replicate.values())
    divisor = (unit or pooled_deviation([signed])) if objective.needs_unit else 1.0
    if not values or not divisor:
        reason = "no deviation from seed to seed is known" if values else _why_not(record.runs, objective)
        return record.model_copy(update={**none, "status": "failed", "reason": reason})
    signed = [number / divisor for number in signed]
    interval = mean_interval(signed)
    return record.model_copy(
        update={
            "value": fmean(values.values()) / divisor,
            "signed": signed,
            "blocks": [block[replicate] for replicate in by_replicate],
            "deviation": pooled_deviation([signed]),
            "interval": None if interval is None else list(interval),
        }
    )


def _by_replicate(runs: Runs, worth: Callable[[Runs], float]) -> dict[int, float]:
    """What each replicate is worth, in their order; those that have no such number are left out."""
    values = {}
    for replicate in sorted({run.replicate for run in runs}):
        try:
            values[replicate] = worth([run for run in runs if run.replicate == replicate])
        except NoValue:
            continue
    return values


def _why_not(runs: Runs, objective: Objective) -> str:
    try:
        objective([run for run in runs if run.replicate == runs[0].replicate])
    except NoValue as failure:
        return str(failure)
    return "no replicate has a value"
