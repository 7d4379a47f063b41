"""What an experiment has found: whether two models differ, under which conditions, and which hyperparameters matter.

The evidence of the search comes first (`comparator.evidence.regions`). It takes the points for independent, which they
are not wholly: the first replicates of all points share a seed, so that what a seed does to every point alike looks
like a difference. The runs that confirm have seeds of their own, and they decide: a difference that is not there
on fresh seeds, taken together over all points that were trained anew, is none.

All of it is computed from the record, with a seed that is always the same. NumPy and what lies on it are imported where
a report is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from comparator.errors import InputError
from comparator.record import Evaluation, FrozenExperiment
from comparator.report.axes import is_number
from comparator.report.summary import Summary, search_settings
from comparator.report.trust import observations_in, trust_in

if TYPE_CHECKING:
    from comparator.evidence.coordinates import Coordinates
    from comparator.evidence.importance import Importance
    from comparator.evidence.regions import Evidence, Region
    from comparator.space import ParameterSpace

Observations = Sequence[tuple[Mapping[str, Any], Sequence[float]]]

SEED = 1
NONE: Literal["none"] = "none"
NOT_CONFIRMED = "the search saw a difference, but it is not there on fresh seeds"


@dataclass(frozen=True)
class Condition:
    """A region of the evidence: its `condition` ("noise above 34"), and all of it in `words`."""

    region: Region
    condition: str
    words: str


@dataclass(frozen=True)
class Findings:
    """What a report says of all its evaluations together.

    `verdict` is `regions`, `everywhere` or `none`; None where the question cannot be asked, for the `reason`. The
    `regions` are numbered from 1, the largest difference first. `listed` says that the experiment has no space, so
    that its bounds are those of the points that it lists.
    """

    verdict: str | None
    reason: str
    evidence: Evidence | None = None
    regions: tuple[Condition, ...] = ()
    importance: Importance | None = None
    listed: bool = False


def find(experiment: FrozenExperiment, records: Sequence[Evaluation], summary: Summary) -> Findings:
    """Return what the records prove."""
    matters = importance_of(summary) if len(summary.axes) > 1 else None
    if summary.kind == "single":
        return Findings(None, "one model alone: there is nothing to compare it with", importance=matters)
    space, observations, reason = _placed(experiment, records)
    if space is None:
        return Findings(None, reason, importance=matters)
    evidence = _prove(experiment, space, observations, summary.trust.holds)
    return Findings(
        evidence.verdict,
        evidence.reason,
        evidence,
        tuple(_condition(region, space) for region in evidence.regions),
        matters,
        listed=not experiment.space,
    )


def verdict_of(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> str | None:
    """Return the verdict alone, which is sooner found; None where the question cannot be asked."""
    space, observations, _ = _placed(experiment, records)
    if space is None:
        return None
    return _prove(experiment, space, observations, trust_in(experiment, records).holds, resamples=0).verdict


def importance_of(summary: Summary) -> Importance | None:
    """Return which hyperparameters the objective depends on; None where there are too few distinct points."""
    import numpy as np

    from comparator.evidence.importance import importance  # and with it scikit-learn, only where it is needed

    placed = [([axis.position(one.point.get(axis.name)) for axis in summary.axes], one) for one in summary.points]
    known = [(row, one.difference) for row, one in placed if None not in row]
    rows = np.array([row for row, _ in known], dtype=float)
    return importance([axis.name for axis in summary.axes], rows, np.array([each for _, each in known], dtype=float))


def _prove(
    experiment: FrozenExperiment,
    space: ParameterSpace,
    observations: Observations,
    holds: bool | None,
    resamples: int | None = None,
) -> Evidence:
    """Return what the observations prove, at the level that the user asks for where there is one.

    `holds` is what fresh seeds say (`Trust.holds`).
    """
    from comparator.evidence.reading import RESAMPLES
    from comparator.evidence.regions import find_evidence

    asked = search_settings(experiment).get("level")
    level = float(asked) if asked is not None and is_number(asked) else None
    drawn = RESAMPLES if resamples is None else resamples
    evidence = find_evidence(space, observations, level=level, seed=SEED, resamples=drawn)
    if evidence.verdict != NONE and holds is False:
        return replace(evidence, verdict=NONE, reason=NOT_CONFIRMED, regions=())
    return evidence


def _placed(
    experiment: FrozenExperiment, records: Sequence[Evaluation]
) -> tuple[ParameterSpace | None, Observations, str]:
    """Return the space, and each point that lies in it with its signed differences; without a space, why."""
    from comparator.evidence.coordinates import Coordinates

    observations = observations_in(records)
    if not observations:
        return None, [], "no evaluation has a difference"
    try:
        space = _space(experiment, [point for point, _ in observations])
    except InputError as error:
        return None, [], f"the points have no space: {error}"
    coordinates = Coordinates(space)
    held = [each for each in observations if _has_place(coordinates, each[0])]
    return (space, held, "") if held else (None, [], "no point has a value for every hyperparameter that varies")


def as_json(findings: Findings) -> dict[str, Any]:
    """Return the keys of report.json that say it."""
    content = findings.evidence.to_json() if findings.evidence else {}
    regions = [
        {**region, "words": condition.words}
        for region, condition in zip(content.pop("regions", ()), findings.regions, strict=True)
    ]
    for said in ("verdict", "reason"):
        content.pop(said, None)
    matters = findings.importance
    return {
        "verdict": findings.verdict,
        "reason": findings.reason,
        "regions": regions,
        "evidence": content or None,
        "importance": matters
        and {
            "hyperparameters": [
                {"name": share.name, "share": share.mean, "interval": [share.low, share.high]}
                for share in matters.shares
            ],
            "predicted": matters.predicted,
            "points": matters.points,
        },
    }


def _condition(region: Region, space: ParameterSpace) -> Condition:
    from comparator.evidence.boxes import Box
    from comparator.evidence.regions import words

    return Condition(region, Box.from_bounds(space, region.bounds, "region").words(), words(region, space))


def _space(experiment: FrozenExperiment, points: Sequence[Mapping[str, Any]]) -> ParameterSpace:
    """Return the experiment's space; of listed points the smallest that holds them. Raises `InputError`."""
    from comparator.space import ParameterSpace

    given = experiment.space
    names = dict.fromkeys(name for point in points for name in point)
    entries = list(given) or [_entry(name, [point.get(name) for point in points]) for name in names]
    return ParameterSpace.from_entries(entries, "the experiment")


def _entry(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return the entry of a hyperparameter that takes these values: a range of numbers, else a list."""
    if all(map(is_number, values)) and len(set(values)) > 1:
        whole = all(isinstance(value, int) for value in values)
        return {"name": name, "type": "int" if whole else "float", "lower": min(values), "upper": max(values)}
    distinct = [value for place, value in enumerate(values) if value not in values[:place]]
    if len(distinct) == 1:
        return {"name": name, "type": "constant", "value": distinct[0]}
    if all(isinstance(value, bool) for value in distinct):
        return {"name": name, "type": "logical"}
    return {"name": name, "type": "categorical", "element_type": "string", "values": distinct}


def _has_place(coordinates: Coordinates, point: Mapping[str, Any]) -> bool:
    try:
        coordinates.of([point])
    except (KeyError, TypeError, ValueError):
        return False
    return True
