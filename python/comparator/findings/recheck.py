"""What became of an experiment's claims when they were tried again: reproduced, weaker, gone, or not settled.

Of each claim that the experiment has shown the contrast with elsewhere is compared, block by block, with what it was;
of the place itself the difference. `shown` is what fresh trainings show at level `ALPHA`, all lines together; less is
what lies below what it was at that level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal, TypeAlias

import numpy as np

from comparator.evidence.confirmation import ALPHA, FEWEST, Estimate, chance_above_zero, estimate, interval_of
from comparator.evidence.variance import Variance, split_variance
from comparator.findings.reliability import fresh_in
from comparator.results.record import Evaluation, FrozenExperiment
from comparator.strategies.blocks import crossed

Verdict = Literal["reproduced", "weaker", "gone", "not settled"]
HELD: tuple[Verdict, ...] = ("reproduced",)
LOST: tuple[Verdict, ...] = ("weaker", "gone")


@dataclass(frozen=True)
class Rechecked:
    """A number that an experiment has shown, as it `was` and as it is `now`, with their intervals (95 %).

    `change` is by how much it is more now, over `blocks` that gave both, with an interval (95 %). Both are in the
    direction that the experiment claimed.
    """

    claim: str
    what: Literal["difference", "more than elsewhere"]
    was: float
    was_interval: tuple[float, float]
    now: float
    now_interval: tuple[float, float]
    change: float
    change_interval: tuple[float, float]
    blocks: int
    verdict: Verdict


@dataclass(frozen=True)
class Crossing:
    """What makes the trainings of a point differ."""

    point: Mapping[str, Any]
    variance: Variance


#: What came of an experiment that tries another one again: its claims, or one point of it.
Again: TypeAlias = "list[Rechecked] | Crossing"


def recheck(
    was: tuple[FrozenExperiment, Sequence[Evaluation]], now: tuple[FrozenExperiment, Sequence[Evaluation]]
) -> list[Rechecked]:
    """Compare what two experiments with the same claims gave; one of them is of today."""
    before, after = _numbers(*was), _numbers(*now)
    shown = list(_shown(before))
    found = []
    for key in shown:
        both = sorted(before[key].keys() & after.get(key, {}).keys())
        if len(both) >= FEWEST:
            found.append(
                _rechecked(key, [before[key][each] for each in both], [after[key][each] for each in both], len(shown))
            )
    return found


def variance_in(records: Sequence[Evaluation], size: tuple[int, int]) -> Variance | None:
    """Return what makes the trainings of a point differ, of which each split met each seed; None where too few did.

    A split on which a training failed is left out.
    """
    numbers = {replicate: value for line in records for replicate, value in _by_replicate(line)}
    by_split = np.array([numbers.get(each, np.nan) for each in crossed(*size)]).reshape(size)
    return split_variance(by_split[~np.isnan(by_split).any(axis=1)])


def crossing_in(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Crossing | None:
    """Return what makes the trainings of an experiment's crossed point differ; None where it cannot be told."""
    claim = experiment.crossing
    found = None if claim is None or claim.crossed is None else variance_in(records, claim.crossed)
    return None if claim is None or found is None else Crossing(claim.points[0], found)


def _by_replicate(line: Evaluation) -> Iterator[tuple[int, float]]:
    good = [run.replicate for run in line.runs if run.status == "ok"]
    both = sorted({each for each in good if good.count(each) == 2})
    if line.signed is not None and len(both) == len(line.signed):
        yield from zip(both, line.signed, strict=True)


def trained_anew(now: Sequence[Evaluation]) -> tuple[int, int]:
    """Return how many trainings were done for a recheck, and how many were found in the store."""
    runs = {run.run: run.reused for line in now for run in line.runs if run.status == "ok" and run.run}
    found = sum(runs.values())
    return len(runs) - found, found


def as_json(found: Again) -> list[dict[str, Any]] | dict[str, Any]:
    """Return it for programs."""
    if isinstance(found, Crossing):
        return {"point": dict(found.point), **asdict(found.variance)}
    return [asdict(each) for each in found]


Key = tuple[str, Literal["difference", "more than elsewhere"]]


def _numbers(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> dict[Key, Mapping[int, float]]:
    """The difference at each claim, and by how much it is more than elsewhere, by block."""
    estimates = [estimate(fresh) for fresh in fresh_in(experiment, records)]
    rest = next((each for each in estimates if each.claim.kind in ("elsewhere", "space")), None)
    found: dict[Key, Mapping[int, float]] = {}
    for each in estimates:
        if each is rest and len(estimates) > 1:
            continue
        found[each.claim.name, "difference"] = each.by_block
        if rest is not None and each is not rest:
            found[each.claim.name, "more than elsewhere"] = dict(_contrast(each, rest))
    return found


def _contrast(claim: Estimate, rest: Estimate) -> Iterator[tuple[int, float]]:
    direction = (claim.claim.direction or 1) * (rest.claim.direction or 1)
    for block, number in claim.by_block.items():
        if block in rest.by_block:
            yield block, number - direction * rest.by_block[block]


def _shown(numbers: Mapping[Key, Mapping[int, float]]) -> Iterator[Key]:
    for key, by_block in numbers.items():
        if len(by_block) >= FEWEST and _is_shown(list(by_block.values()), len(numbers)):
            yield key


def _is_shown(numbers: Sequence[float], lines: int) -> bool:
    return chance_above_zero(numbers) <= ALPHA / lines


def _rechecked(key: Key, was: Sequence[float], now: Sequence[float], lines: int) -> Rechecked:
    change = [after - before for before, after in zip(was, now, strict=True)]
    is_less = any(change) and chance_above_zero([-each for each in change]) <= ALPHA / lines
    verdict: Verdict = "weaker" if is_less else "reproduced"
    if not _is_shown(now, lines):
        verdict = "gone" if is_less else "not settled"
    return Rechecked(
        claim=key[0],
        what=key[1],
        was=fmean(was),
        was_interval=_interval(was),
        now=fmean(now),
        now_interval=_interval(now),
        change=fmean(change),
        change_interval=_interval(change),
        blocks=len(change),
        verdict=verdict,
    )


def _interval(numbers: Sequence[float]) -> tuple[float, float]:
    interval = interval_of(numbers)
    assert interval is not None
    return interval
