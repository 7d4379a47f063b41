"""How far an experiment's findings can be trusted, read from its records: by stage, and on fresh blocks."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from comparator.evidence.confirmation import Confirmation, Fresh, confirm, interval_of
from comparator.objective.differences import asked_difference, keeps_sign
from comparator.results.frozen import Claim, FrozenExperiment, PilotFound
from comparator.results.points import as_read, final_values_of, is_settled_by
from comparator.results.record import CONFIRM, Evaluation, key_of
from comparator.results.tally import pairs_in
from comparator.strategies.blocks import FIRST_FRESH, block_of


@dataclass(frozen=True)
class Reliability:
    """What a reader may know beside the findings.

    `pairs` counts the pairs (single runs for a single model) of each stage that an experiment has asked for and heard
    of; `confirmations` has the best points that were trained anew, the best one first; `pilot` is what the pilot
    measured (`comparator.evidence.pilot.Pilot`) with its `words`. `holds` is of experiments that trained nothing but
    their best points anew, as earlier versions did: whether the models differ on these fresh seeds, over all such
    points together, in the directions that the search saw; None where that was not asked. `given_this_split` says that
    whatever was trained anew had the search's own data split.
    """

    pairs: dict[str, int]
    confirmations: tuple[Confirmation, ...]
    pilot: PilotFound | None
    holds: bool | None
    given_this_split: bool

    def confirmation_of(self, point: Mapping[str, Any]) -> Confirmation | None:
        """What became of `point`; None where it was not trained anew."""
        return next((each for each in self.confirmations if key_of(each.point) == key_of(point)), None)


def reliability_in(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Reliability:
    """Return what the experiment and its records say of their own findings."""
    stages = dict.fromkeys(record.stage for record in records)
    pairs = {stage: pairs_in(record for record in records if record.stage == stage) for stage in stages}
    fresh = fresh_in(experiment, records)
    given_this_split = not any(run.split is not None for line in records if line.stage == CONFIRM for run in line.runs)
    confirmations = _confirmations(experiment, records, fresh, given_this_split=given_this_split)
    return Reliability(
        pairs=pairs,
        confirmations=tuple(confirmations),
        pilot=experiment.pilot,
        holds=_holds(fresh) if all(each.claim.kind == "best" for each in fresh) else None,
        given_this_split=given_this_split,
    )


def fresh_in(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> list[Fresh]:
    """Return what fresh blocks gave for each claim, in the order of the claims."""
    anew = sorted((record for record in records if record.stage == CONFIRM), key=lambda record: record.evaluation)
    if experiment.claims is not None:
        return [_fresh(claim, [each for each in anew if tries(each, claim)]) for claim in experiment.claims]
    searched = final_values_of(records)
    return [_fresh(_claim_of(each, searched.get(each.point_key), experiment), [each]) for each in anew]


def as_json(reliability: Reliability) -> dict[str, Any]:
    """Return the keys of report.json that say it."""
    return {
        "pairs": reliability.pairs,
        "pilot": reliability.pilot and reliability.pilot.as_json(),
        "confirmed": [asdict(each) for each in reliability.confirmations],
    }


def tries(line: Evaluation, claim: Claim) -> bool:
    """Whether a line tries a claim; those of earlier versions name none, and tried best points alone."""
    if line.claim is None:
        return claim.kind == "best" and line.point_key == key_of(claim.points[0])
    return line.claim == claim.name


def _fresh(claim: Claim, lines: Sequence[Evaluation]) -> Fresh:
    pairs = [(line.point, number) for line in lines for number in line.signed or ()]
    points, signed = [point for point, _ in pairs], [number for _, number in pairs]
    if signed and any(is_settled_by(line, claim) for line in lines):
        count = len(claim.points)
        every_block = range(FIRST_FRESH, FIRST_FRESH + count)
        return Fresh(claim, claim.points, signed[:1] * count, every_block, is_exact=True)
    return Fresh(claim, points, signed, [block for line in lines for block in _blocks_of(line)])


def _blocks_of(line: Evaluation) -> Sequence[int]:
    """The blocks of a line's differences; records of earlier versions have one for each seed, and do not say so."""
    if line.blocks is not None:
        return line.blocks
    replicates = sorted({run.replicate for run in line.runs if run.status == "ok"})
    return [block_of(line.point, each, 1).number for each in replicates[: len(line.signed or ())]]


def _claim_of(record: Evaluation, searched: Evaluation | None, experiment: FrozenExperiment) -> Claim:
    """The claim of an experiment of an earlier version: a best point."""
    return Claim(name="best", kind="best", direction=_direction(searched, experiment), points=[dict(record.point)])


def _direction(searched: Evaluation | None, experiment: FrozenExperiment) -> Any:
    """Which submodel's metric the search saw the larger; 0 for a single model."""
    if asked_difference(experiment) is None:
        return 0
    if keeps_sign(experiment) or searched is None:
        return 1
    return 1 if statistics.fmean(searched.signed or [0.0]) >= 0 else -1


def _confirmations(
    experiment: FrozenExperiment, records: Sequence[Evaluation], fresh: Sequence[Fresh], *, given_this_split: bool
) -> list[Confirmation]:
    searched, maximise = final_values_of(records), experiment.objective.maximise
    best = [each for each in fresh if each.claim.kind == "best"]
    rest = next((each for each in fresh if each.claim.kind in ("elsewhere", "space")), None)
    found = []
    for each in best:
        seen = searched.get(key_of(each.claim.points[0]))
        value = 0.0 if seen is None else seen.value or 0.0
        found.append(
            confirm(
                each,
                rest,
                as_read(value, maximise=maximise),
                points=len(best),
                given_this_split=given_this_split,
                larger_is_better=maximise,
            )
        )
    return found


def _holds(fresh: Sequence[Fresh]) -> bool | None:
    """Whether the mean over all points lies above 0, the seeds its units: each gives one number, the mean over points.

    Points that lack a seed are left out.
    """
    compared = [each for each in fresh if each.claim.direction]
    most = max((len(each.signed) for each in compared), default=0)
    whole = [[number * each.claim.direction for number in each.signed] for each in compared if len(each.signed) == most]
    interval = interval_of([statistics.fmean(of_seed) for of_seed in zip(*whole, strict=True)])
    return None if interval is None else interval[0] > 0
