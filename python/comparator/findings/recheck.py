"""What became of an experiment's claims when they were tried again: reproduced, weaker, gone, or not settled.

Of each claim that the experiment has shown the contrast with elsewhere is compared, block by block, with what it was;
of the place itself the difference. `shown` is what fresh trainings show at level `ALPHA`, all lines together; less is
what lies below what it was at that level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from comparator.errors import InputError
from comparator.evidence.confirmation import ALPHA, FEWEST, Estimate, chance_above_zero, estimate, interval_of
from comparator.findings.reliability import fresh_in
from comparator.results.experiments import read_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.results.record_file import read_records

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


def recheck(
    was: tuple[FrozenExperiment, Sequence[Evaluation]],
    now: tuple[FrozenExperiment, Sequence[Evaluation]],
    together: int = 1,
) -> list[Rechecked]:
    """Compare what two experiments with the same claims gave; one of them is of today.

    So many comparisons hold the level `together`.
    """
    before, after = _numbers(*was), _numbers(*now)
    shown = list(_shown(before))
    lines = together * len([key for key in shown if key in after])
    found = []
    for key in shown:
        both = sorted(before[key].keys() & after.get(key, {}).keys())
        if len(both) >= FEWEST:
            found.append(
                _rechecked(key, [before[key][each] for each in both], [after[key][each] for each in both], lines)
            )
    return found


def tried_by(folder: Path, experiment: FrozenExperiment) -> tuple[FrozenExperiment, list[Evaluation]] | None:
    """The experiment beside `folder` that the one in it tries again, and its record; None where it is gone."""
    path = folder.parent / (experiment.rechecks or "")
    try:
        return read_experiment(path), read_records(path / "evaluations.jsonl")
    except (InputError, OSError):
        return None


def shown_in(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> set[Key]:
    """Return what an experiment has shown on fresh blocks, all of it together at level `ALPHA`."""
    return set(_shown(_numbers(experiment, records)))


def trained_anew(now: Sequence[Evaluation]) -> tuple[int, int]:
    """Return how many trainings were done for a recheck, and how many were found in the store."""
    runs = {run.run: run.reused for line in now for run in line.runs if run.status == "ok" and run.run}
    found = sum(runs.values())
    return len(runs) - found, found


def as_json(found: Sequence[Rechecked]) -> list[dict[str, Any]]:
    """Return it for programs."""
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
