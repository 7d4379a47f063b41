"""Is what a report states true? Whole searches on simulated trainings: false findings, coverage of intervals, power.

    .venv/bin/python test/bench/false_findings.py [--experiments 500] [--strategies sobol level_set steady_state ...]
        [--noises all | chosen | held-out | NAME ...] [--truths none constant corner] [--evaluations 56]
        [--blocks 8] [--points 1] [--spaces plane six] [--seed 1] [--processes 2] [--record FILE]

An experiment is carried out as the product does it, confirmation on fresh blocks included, on numbers in the place of
trainings, and then judged as its report judges it. Three truths: `none`, the models are the same, and any verdict but
"none" is false; `constant`, they differ by 0.3 at every point, and "regions" is false; `corner`, they differ by 0.45
in a corner and 0.20 elsewhere. With `--points 1` the best point is tried too, and confirmed where it has no more than
its surroundings is false. The intervals of all regions that were tried, whatever the verdict said of them, their
contrasts, and the mean over the space, are held against the truth.

The noise of a training has the deviation 0.084 of real Uno's; each noise of `NOISES` says how it hangs together. Those
that are held out were not looked at while settings were chosen.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from planted_model import CASES, INSIDE, MIXED, OUTSIDE, PLANE
from scipy import stats

from comparator.evidence.claims import Asked, find_claims
from comparator.evidence.confirmation import Fresh, confirm
from comparator.evidence.coordinates import Coordinates, dense_sample
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.regions import Evidence
from comparator.evidence.verdict import find_evidence
from comparator.experiment.controller import Controller
from comparator.experiment.controller.confirmation import ToConfirm
from comparator.experiment.simulation import MemoryRecord, SignedNumber, carry_out
from comparator.results.points import observations_in, points_without_value, values_of
from comparator.results.record import Evaluation
from comparator.results.requests import Request
from comparator.space import ParameterSpace, Point
from comparator.space.boxes import Box
from comparator.strategies import make_strategy
from comparator.strategies.level_set import points_to_scatter

DEVIATION = 0.084
CONSTANT = 0.3
SPACES = {name: ParameterSpace.from_entries(entries, name) for name, entries in (("plane", PLANE), ("six", MIXED))}
SCATTERING = ("sobol", "random")  # strategies whose points lie evenly


@dataclass(frozen=True)
class Noise:
    """Shares of the variance that a block shares: by all its points, and smoothly by neighbours.

    `tail` is the law of the rest, each training's own; `grows`: its deviation grows five times over a parameter.
    """

    level: float = 0.0
    smooth: float = 0.0
    tail: str = "normal"
    grows: bool = False
    held_out: bool = False


NOISES = {
    "independent": Noise(),
    "by block": Noise(level=0.5),
    "nearly all by block": Noise(level=0.7, smooth=0.2),
    "smooth, a quarter": Noise(smooth=0.25),
    "smooth, half": Noise(smooth=0.5),
    "heavy tails": Noise(tail="t3"),
    "skewed": Noise(tail="skewed"),
    "unequal": Noise(grows=True),
    "smooth and heavy": Noise(level=0.2, smooth=0.4, tail="t3", held_out=True),
    "smooth and unequal": Noise(smooth=0.4, grows=True, held_out=True),
    "smooth and skewed": Noise(level=0.1, smooth=0.3, tail="skewed", held_out=True),
}

Truth = Callable[[Point], float]
TRUTHS: dict[str, Truth] = {
    "none": lambda point: 0.0,
    "constant": lambda point: CONSTANT,
    "corner": lambda point: INSIDE if CASES["corner"].is_inside(point) else OUTSIDE,
}


class Trainings:
    """What trainings give: the truth and one noise, with the luck of one experiment."""

    def __init__(self, space: ParameterSpace, truth: Truth, noise: Noise, seed: int) -> None:
        self._coordinates, self._truth, self._noise, self._seed = Coordinates(space), truth, noise, seed

    def __call__(self, asked: Request) -> float:
        row = self._coordinates.of([asked.point])[0]
        rng = np.random.default_rng([self._seed, 1, _number(asked.point), asked.replicate])
        shared = np.random.default_rng([self._seed, 2, asked.block])
        noise = self._noise
        own = math.sqrt(1 - noise.level - noise.smooth) * _standard(noise.tail, rng)
        level = math.sqrt(noise.level) * shared.normal()
        smooth = math.sqrt(noise.smooth) * _smooth(row, self._coordinates.is_category, shared)
        scale = DEVIATION * ((0.36 + 1.43 * row[0]) if noise.grows else 1.0)
        return self._truth(asked.point) + DEVIATION * (level + smooth) + scale * own


def _number(point: Point) -> int:
    return random.Random(json.dumps(point, sort_keys=True)).getrandbits(32)


def _standard(tail: str, rng: np.random.Generator) -> float:
    """A number of mean 0 and variance 1."""
    if tail == "t3":
        return float(rng.standard_t(3) / math.sqrt(3))
    if tail == "skewed":
        return float(rng.exponential() - 1)
    return float(rng.normal())


def _smooth(row: np.ndarray[Any, Any], is_category: np.ndarray[Any, Any], rng: np.random.Generator) -> float:
    """A smooth random function of variance 1 at `row`, its length 0.4 of a range; `rng` says which."""
    waves = 64
    frequencies = rng.normal(0, 1 / 0.4, (waves, len(row)))
    phases = rng.uniform(0, 2 * math.pi, waves)
    return float(math.sqrt(2 / waves) * np.cos(frequencies @ np.where(is_category, 0.8 * row, row) + phases).sum())


@dataclass(frozen=True)
class Trial:
    """One simulated experiment."""

    truth: str
    noise: str
    space: str
    strategy: str
    evaluations: int
    blocks: int
    seed: int
    points: int = 0


def carry_out_trial(trial: Trial) -> dict[str, Any]:
    """The verdict of one experiment, and which of its intervals hold the truth."""
    space, truth = SPACES[trial.space], TRUTHS[trial.truth]
    options: dict[str, dict[str, Any]] = {
        "level_set": {"scattered": points_to_scatter(trial.evaluations)},
        "region_and_maximum": {"total": trial.evaluations},
    }

    def claims(records: list[Evaluation]) -> Any:
        best = [(line.point, line.value or 0.0) for line in values_of(records).values()]
        asked = Asked(points=trial.points, blocks=8, regions=True, elsewhere=True, seed=trial.seed)
        return find_claims(space, _paired(records), best, asked, points_without_value(records))

    record = MemoryRecord()
    controller = Controller(
        record,
        make_strategy(trial.strategy, space, seed=trial.seed, in_flight=2, options=options.get(trial.strategy, {})),
        SignedNumber(lambda number: -abs(number)),
        budget=trial.evaluations,
        space_size=space.size(),
        blocks=trial.blocks,
        to_confirm=ToConfirm(claims, None, True),
        space=space,
    )
    carry_out(controller, Trainings(space, truth, NOISES[trial.noise], trial.seed))
    fresh = [
        Fresh(
            claim,
            [line.point for line in lines if line.signed],
            [n for line in lines for n in line.signed or ()],
            [n for line in lines for n in line.blocks or ()],
        )
        for claim in controller.claims or []
        if (lines := [line for line in record.records if line.claim == claim.name])
    ]
    observed = [Observation(*each) for each in observations_in(record.records)]
    evidence = find_evidence(space, observed, fresh=fresh, seed=1, resamples=0, is_spread=trial.strategy in SCATTERING)
    return {
        **vars(trial),
        "verdict": evidence.verdict,
        "best": best_verdict(fresh),
        **coverage(space, truth, evidence),
        "pairs": len(record.records),
    }


def best_verdict(fresh: list[Fresh]) -> str | None:
    """What becomes of the best point on fresh blocks; None where none was tried."""
    tried = {each.claim.kind: each for each in fresh}
    if "best" not in tried:
        return None
    rest = tried.get("elsewhere") or tried.get("space")
    return confirm(tried["best"], rest, 0.0, points=1, given_this_split=False, larger_is_better=True).verdict


def _paired(records: list[Evaluation]) -> Paired:
    return Paired.of([Observation(*each) for each in observations_in(records)])


def coverage(space: ParameterSpace, truth: Truth, evidence: Evidence) -> dict[str, list[bool]]:
    """Whether intervals hold the truth: of regions, of what lies outside them, of contrasts, of the whole space."""
    sample = dense_sample(space, 4096, seed=99)
    heights = np.array([truth(point) for point in sample])
    found: dict[str, list[bool]] = defaultdict(list)
    regions = [*evidence.regions, *evidence.rejected]
    inside = [np.array(Box.from_bounds(space, each.bounds, "region").contains(sample)) for each in regions]
    outside = ~np.any([np.zeros(len(sample), dtype=bool), *inside], axis=0)

    def holds(name: str, interval: tuple[float, float] | None, value: float) -> None:
        if interval is not None:
            found[name].append(bool(interval[0] <= value <= interval[1]))

    for region, held in zip(regions, inside, strict=True):
        sign = 1 if region.larger else -1
        if held.any() and outside.any():
            mean, rest = sign * float(heights[held].mean()), sign * float(heights[outside].mean())
            holds("region", region.interval, mean)
            holds("contrast", region.contrast_interval, mean - rest)
    holds("overall", evidence.overall_interval, float(heights.mean()))
    return dict(found)


def rate(found: Iterable[bool]) -> str:
    """A share with its 95 % interval (Clopper and Pearson)."""
    found = list(found)
    if not found:
        return "-"
    interval = stats.binomtest(sum(found), len(found)).proportion_ci()
    return f"{fmean(found):.1%} [{interval.low:.1%}, {interval.high:.1%}] of {len(found)}"


def results(trials: list[Trial], processes: int, record: Path | None) -> list[dict[str, Any]]:
    """All lines of the trials; what the record has already is not done again."""
    kept = [json.loads(line) for line in record.read_text().splitlines()] if record and record.exists() else []
    known = {json.dumps({key: line.get(key, 0) for key in Trial.__dataclass_fields__}): line for line in kept}
    missing = [trial for trial in trials if json.dumps(vars(trial)) not in known]
    lines = [known[key] for trial in trials if (key := json.dumps(vars(trial))) in known]
    with ProcessPoolExecutor(processes) as pool:
        for line in pool.map(carry_out_trial, missing, chunksize=2):
            lines.append(line)
            if record:
                with record.open("a") as file:
                    file.write(json.dumps(line) + "\n")
    return lines


def report(lines: list[Mapping[str, Any]]) -> None:
    """Print a table for each truth, by noise and by strategy."""
    false = {
        "none": ("false differences", lambda v: v != "none"),
        "constant": ("false regions", lambda v: v == "regions"),
        "corner": ("regions found", lambda v: v == "regions"),
    }
    for truth, (words, is_counted) in false.items():
        own = [line for line in lines if line["truth"] == truth]
        if not own:
            continue
        print(f"\n{truth}\n| | {words} | region's interval | contrast's | the space's | best confirmed |")
        print("|---|---|---|---|---|---|")
        groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        varied = [key for key in ("noise", "strategy", "space") if len({line[key] for line in own}) > 1]
        for line in own:
            for key in ("all", *(line[key] for key in varied)):
                groups[key].append(line)
        for key, group in groups.items():
            held = {
                name: [each for line in group for each in line.get(name, [])]
                for name in ("region", "contrast", "overall")
            }
            verdicts = rate(is_counted(line["verdict"]) for line in group)
            best = rate(line["best"] == "confirmed" for line in group if line.get("best"))
            print(f"| {key} | {verdicts} | {' | '.join(rate(each) for each in held.values())} | {best} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=500, help="for each truth, noise and strategy")
    parser.add_argument("--strategies", nargs="+", default=["sobol", "level_set", "steady_state"])
    parser.add_argument("--noises", nargs="+", default=["chosen"])
    parser.add_argument("--truths", nargs="+", default=list(TRUTHS), choices=list(TRUTHS))
    parser.add_argument("--spaces", nargs="+", default=["plane"], choices=list(SPACES))
    parser.add_argument("--evaluations", type=int, default=56)
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--points", type=int, default=0, choices=(0, 1), help="best points that are tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    groups = {
        "all": list(NOISES),
        "chosen": [name for name, noise in NOISES.items() if not noise.held_out],
        "held-out": [name for name, noise in NOISES.items() if noise.held_out],
    }
    noises = [name for each in given.noises for name in groups.get(each, [each])]
    trials = [
        Trial(truth, noise, space, strategy, given.evaluations, given.blocks, given.seed + number, given.points)
        for number, truth, noise, space, strategy in product(
            range(given.experiments), given.truths, noises, given.spaces, given.strategies
        )
    ]
    report(results(trials, given.processes, given.record))


if __name__ == "__main__":
    main()
