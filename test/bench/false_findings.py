"""How often chance alone is taken for a finding, over simulated experiments.

    .venv/bin/python test/bench/false_findings.py [EXPERIMENTS] [SEED] [PROCESSES]

`none`: the models are the same (A/A), and any verdict but "none" is false. `constant`: the models differ by 0.3 at
every point, and "regions" is false. Each experiment has 56 evaluations; it takes its space, the way in which its points
are chosen (`steady_state` is the real search, told sizes only, as always), its noise and its replicates in turn, so
that all combinations come up alike. The rate is given with its 95 % interval (Clopper and Pearson), in all and by
setting. A core does some ten experiments a second.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from planted_model import MIXED, PLANE
from scipy import stats

from comparator.evidence.coordinates import dense_sample
from comparator.evidence.paired import Observation
from comparator.evidence.regions import find_evidence
from comparator.search import make_strategy, points_to_scatter
from comparator.search.sampling import random_points
from comparator.space import ParameterSpace, Point

EVALUATIONS = 56
CONSTANT = 0.3
SPACES = {name: ParameterSpace.from_entries(entries, name) for name, entries in (("plane", PLANE), ("six", MIXED))}
#: The deviation of a replicate at a point; unequal noise grows five times over a range, as label noise makes it.
NOISES: dict[str, Callable[[Point], float]] = {
    "equal": lambda point: 0.084,
    "unequal": lambda point: 0.03 + 0.12 * point["noise"] / 50,
}
REPLICATES = {"1": (1, 1), "2 to 4": (2, 4)}
SEARCHES: dict[str, dict[str, Any]] = {
    "steady_state": {},
    "level_set": {"scattered": points_to_scatter(EVALUATIONS)},
}
DESIGNS = ("sobol", "random", *SEARCHES)

Draw = Callable[[Point], list[float]]


def observe(design: str, space: ParameterSpace, draw: Draw, seed: int) -> list[Observation]:
    """The points of a design with their differences."""
    if design == "sobol":
        return [(point, draw(point)) for point in dense_sample(space, EVALUATIONS, seed)]
    if design == "random":
        return [(point, draw(point)) for point in itertools.islice(random_points(space, seed), EVALUATIONS)]
    return list(searched(design, space, draw, seed))


def searched(design: str, space: ParameterSpace, draw: Draw, seed: int) -> Iterator[Observation]:
    """The points of a real search, two in flight; a point that is proposed again is told the mean of all it has."""
    strategy = make_strategy(design, space, seed=seed, in_flight=2, options=SEARCHES[design])
    known: dict[str, list[float]] = defaultdict(list)
    waiting = strategy.start()
    for _ in range(EVALUATIONS):
        if not waiting:
            break
        proposal = waiting.pop(0)
        differences = draw(proposal.point)
        yield proposal.point, differences
        mine = known[json.dumps(proposal.point)]
        mine += differences
        waiting += strategy.tell(proposal.number, -fmean(map(abs, mine)))


def verdict(truth: str, setting: tuple[str, str, str, str], seed: int) -> str:
    """The verdict of one simulated experiment."""
    space_name, design, noise, replicates = setting
    space, (fewest, most) = SPACES[space_name], REPLICATES[replicates]
    rng = np.random.default_rng([seed, truth == "constant"])
    mean = CONSTANT if truth == "constant" else 0.0

    def draw(point: Point) -> list[float]:
        count = int(rng.integers(fewest, most + 1))
        return [float(each) for each in rng.normal(mean, NOISES[noise](point), count)]

    return find_evidence(space, observe(design, space, draw, seed), seed=seed, resamples=0).verdict


def rate(found: int, of: int) -> str:
    interval = stats.binomtest(found, of).proportion_ci()
    return f"{found:4d} of {of:5d} = {found / of:6.2%} [{interval.low:.2%}, {interval.high:.2%}]"


def main(experiments: int, first_seed: int, processes: int) -> None:
    settings = list(
        itertools.islice(itertools.cycle(itertools.product(SPACES, DESIGNS, NOISES, REPLICATES)), experiments)
    )
    seeds = range(first_seed, first_seed + experiments)
    for truth in ("none", "constant"):
        false: dict[str, list[bool]] = defaultdict(list)
        with ProcessPoolExecutor(processes) as pool:
            verdicts = pool.map(verdict, itertools.repeat(truth), settings, seeds, chunksize=8)
            for setting, found in zip(settings, verdicts, strict=True):
                is_false = found != "none" if truth == "none" else found == "regions"
                for key in ("all", *setting):
                    false[key].append(is_false)
        print(truth)
        for key, values in false.items():
            print(f"  {key:14s} {rate(sum(values), len(values))}", flush=True)


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*[*given, *(3200, 1, 2)[len(given) :]])
