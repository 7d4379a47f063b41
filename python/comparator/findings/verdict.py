"""What an experiment has found: whether two models differ, under which conditions, and which hyperparameters matter.

The evidence is that of `comparator.evidence.verdict`: fresh blocks decide where there are any. Experiments of earlier
versions trained their best points alone anew: a difference that these do not show is none.

All of it is computed from the record, with a seed that is always the same. NumPy and what lies on it are imported where
a report is made.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from comparator.errors import InputError
from comparator.findings.reasons import reason_words
from comparator.findings.reliability import fresh_in, reliability_in
from comparator.findings.summary import Summary, is_spread, search_settings
from comparator.formats.numbers import is_number
from comparator.objective.amounts import Measure
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.points import observations_in, points_without_value
from comparator.results.record import Evaluation
from comparator.space.boxes import Box

if TYPE_CHECKING:
    from comparator.evidence.coordinates import Coordinates
    from comparator.evidence.importance import Importance
    from comparator.evidence.paired import Observation
    from comparator.evidence.prediction import Predictor, Promise
    from comparator.evidence.regions import Evidence, Region
    from comparator.space import ParameterSpace

Observations = Sequence["Observation"]

SEED = 1
WITHOUT_A_MODEL = ("steady_state", "simple", "mu_plus_lambda", "particle_swarm")  # strategies that climb
NONE: Literal["none"] = "none"


@dataclass(frozen=True)
class Condition:
    """A region of the evidence: its `condition` ("noise above 34"), and all of it in `words`.

    `metrics` are the means of each submodel's metrics over the fresh trainings inside, `outside` those elsewhere; empty
    where nothing was trained anew.
    """

    region: Region
    condition: str
    words: str
    metrics: tuple[Mapping[str, float], ...] = ()
    outside: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True)
class Findings:
    """What a report says of all its evaluations together.

    `verdict` is `regions`, `everywhere` or `none`; None where the question cannot be asked, for the `reason`. The
    `regions` are numbered from 1, the largest difference first; `rejected` are those that the search saw and fresh
    blocks did not show; `failing` are conditions under which trainings fail. `promise` is where a model of these
    evaluations expects the most, of a search that climbs without one; `predictor` is that model, None where there are
    too few evaluations. `listed` says that the experiment has no space, so that its bounds are those of the points that
    it lists.
    """

    verdict: str | None
    reason: str
    evidence: Evidence | None = None
    regions: tuple[Condition, ...] = ()
    rejected: tuple[Condition, ...] = ()
    failing: tuple[str, ...] = ()
    importance: Importance | None = None
    promise: Promise | None = None
    predictor: Predictor | None = None
    listed: bool = False


def find(experiment: FrozenExperiment, records: Sequence[Evaluation], summary: Summary) -> Findings:
    """Return what the records prove."""
    matters = importance_of(summary) if len(summary.axes) > 1 else None
    space, observations, reason = placed(experiment, records)
    predictor = None if space is None else _predictor(space, observations)
    promise = _promise(summary, predictor)
    if summary.kind == "single":
        reason = "one model alone: there is nothing to compare it with"
        return Findings(None, reason, importance=matters, promise=promise, predictor=predictor)
    if space is None:
        return Findings(None, reason, importance=matters)
    evidence = _prove(experiment, space, records, observations, summary.reliability.holds)
    tried = Tried(experiment, summary)
    return Findings(
        evidence.verdict,
        reason_words(evidence.reason, summary.measure),
        evidence,
        tuple(_condition(region, space, tried, summary.measure) for region in evidence.regions),
        tuple(_condition(region, space, tried, summary.measure) for region in evidence.rejected),
        tuple(Box.from_bounds(space, bounds, "failing").words() for bounds in evidence.failing),
        matters,
        promise,
        predictor,
        listed=not experiment.space,
    )


def _predictor(space: ParameterSpace, observations: Observations) -> Predictor | None:
    from comparator.evidence.prediction import Predictor

    return Predictor.fit(space, observations, SEED)


def _promise(summary: Summary, predictor: Predictor | None) -> Promise | None:
    """Return where a model of the evaluations expects the most; None for a search that has one, or does not climb."""
    if summary.strategy not in WITHOUT_A_MODEL or predictor is None:
        return None
    import numpy as np

    from comparator.evidence.prediction import most_expected

    if summary.kind == "single":
        return most_expected(predictor, lambda means: -means if summary.maximise else means)
    return most_expected(predictor, lambda means: -np.abs(means))


def evidence_of(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Evidence | None:
    """Return the evidence without `stability`, which is sooner found; None where the question cannot be asked."""
    space, observations, _ = placed(experiment, records)
    if space is None:
        return None
    holds = reliability_in(experiment, records).holds
    return _prove(experiment, space, records, observations, holds, resamples=0)


def importance_of(summary: Summary) -> Importance | None:
    """Return which hyperparameters the objective depends on; None where there are too few distinct points."""
    import numpy as np

    from comparator.evidence.importance import importance

    in_rows = [([axis.position(one.point.get(axis.name)) for axis in summary.axes], one) for one in summary.points]
    known = [(row, one.difference) for row, one in in_rows if None not in row]
    rows = np.array([row for row, _ in known], dtype=float)
    return importance([axis.name for axis in summary.axes], rows, np.array([each for _, each in known], dtype=float))


def _prove(
    experiment: FrozenExperiment,
    space: ParameterSpace,
    records: Sequence[Evaluation],
    observations: Observations,
    holds: bool | None,
    resamples: int | None = None,
) -> Evidence:
    """Return what the observations prove, at the level that the user asks for where there is one.

    `holds` is what fresh seeds say (`Reliability.holds`).
    """
    from comparator.evidence.coordinates import Coordinates
    from comparator.evidence.reading import RESAMPLES
    from comparator.evidence.regions import Reason
    from comparator.evidence.verdict import find_evidence

    asked = search_settings(experiment).get("level")
    level = float(asked) if asked is not None and is_number(asked) else None
    drawn = RESAMPLES if resamples is None else resamples
    # Where no region was to be tried, fresh blocks tell of the best points alone.
    confirm = experiment.stages.confirm
    decides = experiment.claims is not None and (confirm is None or confirm.regions or not experiment.space)
    evidence = find_evidence(
        space,
        observations,
        fresh=fresh_in(experiment, records) if decides else [],
        failed=[point for point in points_without_value(records) if _have_places(Coordinates(space), [point])],
        level=level,
        seed=SEED,
        resamples=drawn,
        is_spread=is_spread(experiment),
    )
    if evidence.verdict != NONE and holds is False:
        return replace(evidence, verdict=NONE, reason=Reason("not confirmed"), regions=())
    return evidence


def placed(
    experiment: FrozenExperiment, records: Sequence[Evaluation]
) -> tuple[ParameterSpace | None, Observations, str]:
    """Return the space, and each point that lies in it with its signed differences; without a space, why."""
    from comparator.evidence.coordinates import Coordinates
    from comparator.evidence.paired import Observation

    observations = [Observation(*each) for each in observations_in(records)]
    if not observations:
        return None, [], "no evaluation has a difference"
    try:
        space = _space(experiment, [each.point for each in observations])
    except InputError as error:
        return None, [], f"the points have no space: {error}"
    coordinates = Coordinates(space)
    if _have_places(coordinates, [each.point for each in observations]):  # one by one takes ten times as long
        return space, observations, ""
    held = [each for each in observations if _have_places(coordinates, [each.point])]
    return (space, held, "") if held else (None, [], "no point has a value for every hyperparameter that varies")


def as_json(findings: Findings) -> dict[str, Any]:
    """Return the keys of report.json that say it."""
    content = findings.evidence.to_json() if findings.evidence else {}
    regions, rejected = (
        [{**region, "words": each.words} for region, each in zip(content.pop(key, ()), conditions, strict=True)]
        for key, conditions in (("regions", findings.regions), ("rejected", findings.rejected))
    )
    for said in ("verdict", "reason"):
        content.pop(said, None)
    matters = findings.importance
    return {
        "verdict": findings.verdict,
        "reason": findings.reason,
        "regions": regions,
        "rejected": rejected,
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


def _condition(region: Region, space: ParameterSpace, tried: Tried, measure: Measure) -> Condition:
    condition = Box.from_bounds(space, region.bounds, "region").words()
    words = region_words(region, space, measure)
    return Condition(region, condition, words, tried.inside(region.bounds), tried.outside())


def region_words(region: Region, space: ParameterSpace, measure: Measure) -> str:
    """Return a region in words; open sides are left unsaid.

    "noise above 34 and layer_force above 860: mean difference 61 % [52 %, 70 %], elsewhere 18 % [10 %, 25 %]"
    """
    there = measure.amounts(region.mean, region.interval)
    words = f"{Box.from_bounds(space, region.bounds, 'region').words()}: mean difference {there}"
    if region.outside is None:
        return words
    return f"{words}, elsewhere {measure.amounts(region.outside, region.outside_interval)}"


class Tried:
    """The metrics of fresh trainings, by claim."""

    def __init__(self, experiment: FrozenExperiment, summary: Summary) -> None:
        self._claims, self._summary = experiment.claims or [], summary

    def inside(self, bounds: Mapping[str, Any]) -> tuple[Mapping[str, float], ...]:
        """Those of a region."""
        return self._means([claim for claim in self._claims if claim.kind == "region" and claim.bounds == bounds])

    def outside(self) -> tuple[Mapping[str, float], ...]:
        """Those outside all regions."""
        return self._means([claim for claim in self._claims if claim.kind == "elsewhere"])

    def _means(self, claims: Sequence[Claim]) -> tuple[Mapping[str, float], ...]:
        names = {claim.name for claim in claims}
        lines = [one for one in self._summary.evaluations if one.claim in names and one.difference is not None]
        if not lines:
            return ()
        metric = self._summary.metric
        return tuple(
            {metric: statistics.fmean(one.metrics[number][metric] for one in lines)}
            for number in range(len(self._summary.models))
        )


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


def _have_places(coordinates: Coordinates, points: Sequence[Mapping[str, Any]]) -> bool:
    try:
        coordinates.of(points)
    except (KeyError, TypeError, ValueError):
        return False
    return True
