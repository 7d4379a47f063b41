"""An experiment read again in another metric, without training: its records hold every metric of every run.

What is read so is what the same runs say by another metric. The search did not look for it: it went where the
experiment's own metric led, so the best point by another is the best of those that it happened to visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

from comparator.errors import InputError, nearest
from comparator.evidence.replicates import Moments, pooled_deviation
from comparator.formats.text import shortened
from comparator.objective.comparison import Objective
from comparator.objective.differences import DIFFERENCES, NoValue, asked_difference, objective_words
from comparator.results.frozen import Claim, FrozenExperiment, ObjectiveWords
from comparator.results.points import final_values_of, observations_in, observations_of
from comparator.results.record import PILOT, Evaluation, Run, key_of
from comparator.results.whole import by_replicate, lines_of
from comparator.space import ParameterSpace, Point
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
    read = list(worked_out(records, objective, unit))
    if again.claims:
        seen = [(point, fmean(signed)) for point, signed, _ in observations_in(read)]
        again = again.model_copy(update={"claims": [_turned(claim, again, read, seen) for claim in again.claims]})
    return again, read


def _turned(
    claim: Claim, experiment: FrozenExperiment, records: Sequence[Evaluation], seen: Sequence[tuple[Point, float]]
) -> Claim:
    """A claim in the direction that another metric saw in the search: a score is the larger where an error is not.

    `seen` has each point of the search with its mean.
    """
    means = [mean for _, mean in seen]
    if claim.kind == "best":
        final = observations_of(final_values_of(records))
        means = [fmean(signed) for point, signed, _ in final if key_of(point) == key_of(claim.points[0])]
    elif claim.kind == "region":
        box = Box.from_bounds(ParameterSpace.from_entries(experiment.space, "experiment"), claim.bounds, claim.name)
        held = box.contains([point for point, _ in seen])
        means = [mean for mean, is_held in zip(means, held, strict=True) if is_held]
    if not means or not claim.direction:
        return claim
    return claim.model_copy(update={"direction": 1 if fmean(means) >= 0 else -1})


def unit_of(records: Sequence[Evaluation], objective: Objective) -> float | None:
    """What the pilot found for a difference that needs a unit; None without one, and for other differences."""
    if not objective.needs_unit:
        return None
    points: dict[str, dict[int, float]] = {}
    for record in records:
        if record.stage == PILOT:
            points.setdefault(record.point_key, {}).update(_worth_of_each(record.runs, objective.signed))
    return pooled_deviation([list(signed.values()) for signed in points.values()])


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


class _Known:
    """What the lines of a point give so far."""

    def __init__(self, runs: Runs) -> None:
        self.values, self.signed = Moments(), Moments()
        self.replicates: set[int] = set()
        self.unread: dict[int, tuple[float, Sequence[Run]]] = {}  # those that no line has, as long as there is no unit
        self.latest: int | None = None  # the evaluation of the latest line that gave any
        self.runs = runs  # of the first line

    def learn(self, runs: Runs, objective: Objective) -> None:
        """Take what the replicates of a line give that were not there before."""
        values, signed, of = _worth_of_each(runs, objective), _worth_of_each(runs, objective.signed), by_replicate(runs)
        for each in signed:
            if each in values and each not in self.replicates:
                self.values, self.signed = self.values.plus(values[each]), self.signed.plus(signed[each])
                self.replicates.add(each)
                self.unread[each] = signed[each], of[each]


def worked_out(records: Iterable[Evaluation], objective: Objective, unit: float | None) -> Iterator[Evaluation]:
    """The lines of a record with value, signed differences, deviation and interval as all their runs give them.

    `unit` is what the pilot found for a difference that needs a unit; None: that of the replicates of each point, which
    each further one changes.
    """
    divisor = (unit or None) if objective.needs_unit else 1.0
    known: dict[int, _Known] = {}
    for line in lines_of(records):
        record, before = line.record, line.before
        of_point = _Known(record.runs) if before is None else known[before.record.evaluation]
        known[record.evaluation] = of_point
        yield _worked_out(record, of_point, objective, divisor)


def _worked_out(record: Evaluation, known: _Known, objective: Objective, unit: float | None) -> Evaluation:
    """A line that follows on what is known of its point, which takes up what it adds; without `unit` in their own."""
    none: dict[str, Any] = dict.fromkeys(("value", "after", "deviation", "interval"))
    none |= {"replicates": [], "signed": [], "blocks": []}
    if record.status != "ok":
        return record.model_copy(update=none)
    known.learn(record.runs, objective)
    deviation, interval = known.signed.deviation, known.signed.interval()
    divisor = deviation if unit is None else unit
    if not known.replicates or not divisor:
        reason = "no deviation from seed to seed is known" if known.replicates else _why_not(known.runs, objective)
        return record.model_copy(update={**none, "status": "failed", "reason": reason})
    after, new = known.latest, sorted(known.unread)
    known.latest = record.evaluation if new else after
    signed, runs = zip(*(known.unread.pop(each) for each in new), strict=True) if new else ((), ())
    own_unit, own = divisor if unit is None else None, {run.replicate for run in record.runs}
    earlier = [run for each in runs if each[0].replicate not in own for run in each]
    return record.model_copy(
        update={
            "value": known.values.mean / divisor,
            "after": after,
            "replicates": new,
            "signed": [each / divisor for each in signed],
            "blocks": [each[0].block for each in runs],
            **({"unit": own_unit} if own_unit != record.unit else {}),
            "deviation": None if deviation is None else deviation / divisor,
            "interval": None if interval is None else [end / divisor for end in interval],
            "runs": [run.model_copy(update={"reused": True}) for run in earlier] + record.runs,
        }
    )


def _worth_of_each(runs: Runs, worth: Callable[[Runs], float]) -> dict[int, float]:
    """What each replicate is worth, in their order; those that have no such number are left out."""
    values = {}
    for replicate, own in sorted(by_replicate(runs).items()):
        try:
            values[replicate] = worth(own)
        except NoValue:
            continue
    return values


def _why_not(runs: Runs, objective: Objective) -> str:
    try:
        objective([run for run in runs if run.replicate == runs[0].replicate])
    except NoValue as failure:
        return str(failure)
    return "no replicate has a value"
