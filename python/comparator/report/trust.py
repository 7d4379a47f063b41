"""How far an experiment's findings can be trusted, read from its records: by stage, confirmed, against luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from comparator.difference import asked_difference
from comparator.evidence.confirmation import Confirmation, Retest, confirm, interval_over_seeds
from comparator.points import as_read, best_of, key_of, pairs_in, values_of
from comparator.record import CONFIRM, Evaluation, FrozenExperiment, PilotFound


@dataclass(frozen=True)
class Luck:
    """How high a maximum luck alone would reach in a search of this size, beside what was found.

    All are differences as people read them. Half of all searches where nothing is to be found reach `median`, one in
    twenty `extreme`. `found` is the search's own best. `replays` and `method` say how it was measured
    (`comparator.evidence.luck`), `mean` and `deviation` on what noise.
    """

    found: float
    median: float
    extreme: float
    replays: int
    method: str
    mean: float
    deviation: float

    @property
    def is_beaten(self) -> bool:
        """Whether the search found more than luck alone does in 95 of 100."""
        return self.found > self.extreme if self.extreme >= self.median else self.found < self.extreme


@dataclass(frozen=True)
class Trust:
    """What a reader may know beside the findings.

    `pairs` counts the pairs (single runs for a single model) of each stage that an experiment has asked for and heard
    of; `confirmations` has the points that were trained anew, the best one first; `pilot` is what the pilot measured
    (`comparator.evidence.pilot.Pilot`) with its `words`. `holds` says whether the models differ on fresh seeds, over
    all points that were trained anew together, in the directions that the search saw (two-sided at 5 %); None where
    nothing was trained anew, and for a single model.
    """

    pairs: dict[str, int]
    confirmations: tuple[Confirmation, ...]
    luck: Luck | None
    pilot: PilotFound | None
    holds: bool | None

    def confirmation_of(self, point: Mapping[str, Any]) -> Confirmation | None:
        """What became of `point`; None where it was not trained anew."""
        return next((each for each in self.confirmations if key_of(each.point) == key_of(point)), None)


def trust_in(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Trust:
    """Return what the experiment and its records say of their own findings."""
    stages = dict.fromkeys(record.stage for record in records)
    pairs = {stage: pairs_in(record for record in records if record.stage == stage) for stage in stages}
    maximise = experiment.objective.maximise
    retests = _retests(experiment, records, maximise)
    together = interval_over_seeds([each for each in retests if each.direction])
    return Trust(
        pairs=pairs,
        confirmations=tuple(confirm(retests, larger_is_better=maximise)),
        luck=_luck(experiment, records),
        pilot=experiment.pilot,
        holds=None if together is None else together[0] > 0,
    )


def observations_in(records: Sequence[Evaluation]) -> list[tuple[dict[str, Any], list[float]]]:
    """Return each point of pilot and search with its signed differences, one a replicate."""
    return [(dict(record.point), list(record.signed)) for record in values_of(records).values() if record.signed]


def as_json(trust: Trust) -> dict[str, Any]:
    """Return the keys of report.json that say it."""
    return {
        "pairs": trust.pairs,
        "pilot": trust.pilot and trust.pilot.as_json(),
        "confirmed": [asdict(each) for each in trust.confirmations],
        "luck": trust.luck and asdict(trust.luck),
    }


def words(trust: Trust) -> list[str]:
    """Return what the closing words say of it, a line each."""
    lines = []
    for number, each in enumerate(trust.confirmations, start=1):
        if each.confirmed is None:
            lines.append(f"  point {number}: could not be trained anew")
            continue
        if each.interval is None:
            lines.append(f"  point {number}: {each.confirmed:.3g} on one fresh seed, which tells nothing by itself")
            continue
        low, high = each.interval
        verdict = "" if each.verdict is None else f"{each.verdict}: "
        split = ", given this split" if each.given_this_split else ""
        lines.append(
            f"  point {number}: {verdict}{each.confirmed:.3g} [{low:.3g}, {high:.3g}]"
            f" on {each.seeds} fresh seeds{split}; the search said {each.searched:.3g}"
        )
    if lines:
        lines.insert(0, "trained anew, on seeds that the search never used:")
    if trust.luck is not None:
        lines.append(
            f"luck alone would reach {trust.luck.median:.3g} in half of such searches,"
            f" {trust.luck.extreme:.3g} in one of twenty; found: {trust.luck.found:.3g}"
        )
    return lines


def _retests(experiment: FrozenExperiment, records: Sequence[Evaluation], maximise: bool) -> list[Retest]:
    searched = values_of(records)
    anew = [record for record in records if record.stage == CONFIRM]
    anew.sort(key=lambda record: record.evaluation)
    return [_retest(record, searched.get(key_of(record.point)), experiment, maximise) for record in anew]


def _retest(record: Evaluation, searched: Evaluation | None, experiment: FrozenExperiment, maximise: bool) -> Retest:
    value = 0.0 if searched is None else searched.value or 0.0
    splits = {run.split for run in record.runs if run.status == "ok" and run.split is not None}
    return Retest(
        point=record.point,
        searched=as_read(value, maximise=maximise),
        direction=_direction(searched, experiment),
        signed=record.signed or (),
        splits=len(splits),
    )


def _direction(searched: Evaluation | None, experiment: FrozenExperiment) -> int:
    """Which submodel's metric the search saw the larger; 0 for a single model."""
    difference = asked_difference(experiment)
    if difference is None:
        return 0
    if difference == "signed" or searched is None:
        return 1
    return 1 if fmean(searched.signed or [0.0]) >= 0 else -1


def _luck(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Luck | None:
    measured, best = experiment.luck, next(iter(best_of(records)), None)
    if measured is None or best is None:
        return None
    maximise = experiment.objective.maximise
    return Luck(
        found=as_read(best.value or 0.0, maximise=maximise),
        median=as_read(measured.median, maximise=maximise),
        extreme=as_read(measured.extreme, maximise=maximise),
        replays=measured.replays,
        method=measured.method,
        mean=measured.mean,
        deviation=measured.deviation,
    )
