"""What an experiment's evaluations prove: the verdict, the regions in words, and which hyperparameters matter.

Computed from the record alone, with a seed that is always the same. NumPy and what lies on it are imported when a
report is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparator.errors import InputError
from comparator.report.axes import is_number
from comparator.report.summary import Summary
from comparator.report.trust import observations_in

if TYPE_CHECKING:
    from comparator.evidence.coordinates import Coordinates
    from comparator.evidence.regions import Evidence, Region
    from comparator.report.importance import Importance
    from comparator.space import ParameterSpace

Record = Mapping[str, Any]
Observations = Sequence[tuple[Mapping[str, Any], Sequence[float]]]

SEED = 1


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


def find(experiment: Mapping[str, Any], records: Sequence[Record], summary: Summary) -> Findings:
    """Return what the records prove."""
    from comparator.report.importance import importance

    matters = importance(summary) if len(summary.axes) > 1 else None
    if summary.kind == "single":
        return Findings(None, "one model alone: there is nothing to compare it with", importance=matters)
    space, observations, reason = placed(experiment, records)
    if space is None:
        return Findings(None, reason, importance=matters)
    evidence = prove(experiment, space, observations)
    return Findings(
        evidence.verdict,
        evidence.reason,
        evidence,
        tuple(_condition(region, space) for region in evidence.regions),
        matters,
        listed=not experiment.get("space"),
    )


def prove(
    experiment: Mapping[str, Any], space: ParameterSpace, observations: Observations, *, verdict_alone: bool = False
) -> Evidence:
    """Return what the observations prove, at the level that the user asks for where there is one."""
    from comparator.evidence.regions import RESAMPLES, find_evidence

    asked = ((experiment.get("settings") or {}).get("search") or {}).get("level")
    level = float(asked) if asked is not None and is_number(asked) else None
    return find_evidence(space, observations, level=level, seed=SEED, resamples=0 if verdict_alone else RESAMPLES)


def placed(experiment: Mapping[str, Any], records: Sequence[Record]) -> tuple[ParameterSpace | None, Observations, str]:
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
                {"name": share.axis.name, "share": share.mean, "interval": [share.low, share.high]}
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


def _space(experiment: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> ParameterSpace:
    """Return the experiment's space; of listed points the smallest that holds them. Raises `InputError`."""
    from comparator.space import ParameterSpace

    given = experiment.get("space") or []
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
