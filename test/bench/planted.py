"""Do searches find a planted region? Overlap of the reported boxes with the truth, by strategy and evaluations.

    python test/bench/planted.py [--strategies random level_set] [--cases box ridge | held-out | chosen | all]
        [--deviations 0.042 0.084] [--evaluations 28 56 112] [--repeats 20] [--processes 2] [--record FILE]

The cases are those of `planted_model.py`. Evaluations take random times on two workers, and a strategy is told what an
experiment tells it: minus the mean size of the difference over a point's replicates. Boxes are read off what it
evaluated by `find_evidence`, as for a report. Their overlap with the truth is the shared part of the union (IoU) on
points spread over the space; a region is found where it is half or more. Whether the verdict is `regions`, at 5 %, is
a question of its own: boxes count for the overlap without it.

For each deviation and number of evaluations the table gives, over all repeats, the mean overlap, the share that found
the region, and the share whose verdict is `regions`; the last column is the mean overlap over the cases and its
standard error. `--record` keeps each repeat as a line of JSON, and what is recorded there already is not done again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from planted_model import CASES, Case, difference
from simulated import search

from comparator.evidence import regions
from comparator.evidence.boxes import Box
from comparator.evidence.coordinates import dense_sample
from comparator.search import STRATEGIES, Strategy, make_strategy, points_to_scatter
from comparator.space import ParameterSpace, Point

WORKERS = 2
SAMPLE = 4096
ALPHA = 0.05
#: Strategies whose points depend on how many evaluations are planned.
BY_BUDGET = ("grid", "level_set")

Evaluations = list[tuple[Point, float]]


@dataclass(frozen=True)
class Trial:
    """One search, read after each number of evaluations."""

    strategy: str
    case: str
    deviation: float
    evaluations: tuple[int, ...]
    repeat: int


def strategy_of(trial: Trial, space: ParameterSpace, budget: int) -> Strategy:
    options: dict[str, Any] = {"grid": {"total": budget}, "level_set": {"scattered": points_to_scatter(budget)}}
    return make_strategy(
        trial.strategy, space, seed=trial.repeat, in_flight=WORKERS, options=options.get(trial.strategy, {})
    )


def evaluated(strategy: Strategy, trial: Trial, budget: int) -> Evaluations:
    """Points and signed differences in the order in which they finish."""
    replicates: dict[str, list[float]] = {}
    done: Evaluations = []

    def evaluate(number: int, point: Point) -> float:
        known = replicates.setdefault(json.dumps(point), [])
        known.append(difference(trial.case, point, trial.deviation, f"{trial.repeat} {len(known)}"))
        done.append((point, known[-1]))
        return -statistics.fmean(map(abs, known))

    search(strategy, evaluate, budget, WORKERS, random.Random(f"{trial.repeat} times"))
    return done


def reading(case: Case, space: ParameterSpace, evaluations: Evaluations) -> dict[str, Any]:
    """The overlap with the truth of the boxes that are read off the evaluations, and the verdict."""
    # At a level of 1 no test keeps the boxes back.
    evidence = regions.find_evidence(space, [(point, [value]) for point, value in evaluations], alpha=1.0)
    chances = [evidence.p_differ, evidence.p_where]
    sample = dense_sample(space, SAMPLE, seed=1)
    inside = np.zeros(SAMPLE, dtype=bool)
    for region in evidence.regions:
        inside |= Box.from_bounds(space, region.bounds, "region").contains(sample)
    return {
        "overlap": regions.overlap(inside, np.array([case.is_inside(point) for point in sample])),
        "regions": bool(evidence.regions) and all(chance is not None and chance <= ALPHA for chance in chances),
    }


def carry_out(trial: Trial) -> list[dict[str, Any]]:
    """Run one search, or one for each number of evaluations where the strategy plans by it."""
    # A box's stability and interval are not asked for here, and cost most of the time.
    regions.RESAMPLES = 1
    case = CASES[trial.case]
    space = ParameterSpace.from_entries(case.space, trial.case)
    by_budget = trial.strategy in BY_BUDGET
    runs = {
        budget: evaluated(strategy_of(trial, space, budget), trial, budget)
        for budget in (trial.evaluations if by_budget else [max(trial.evaluations)])
    }
    return [
        {
            "strategy": trial.strategy,
            "case": trial.case,
            "deviation": trial.deviation,
            "evaluations": number,
            "repeat": trial.repeat,
            **reading(case, space, runs[number if by_budget else max(trial.evaluations)][:number]),
        }
        for number in trial.evaluations
    ]


def chosen_cases(names: Iterable[str]) -> list[str]:
    groups = {
        "all": list(CASES),
        "chosen": [name for name, case in CASES.items() if not case.held_out],
        "held-out": [name for name, case in CASES.items() if case.held_out],
    }
    return [name for given in names for name in groups.get(given, [given])]


def results(trials: list[Trial], processes: int, record: Path | None) -> Iterator[dict[str, Any]]:
    """All lines of the trials; those that the record has first."""
    kept = [json.loads(line) for line in record.read_text().splitlines()] if record and record.exists() else []
    wanted = {(*astuple(trial)[:3], number, trial.repeat): trial for trial in trials for number in trial.evaluations}
    known = {tuple(line[key] for key in ("strategy", "case", "deviation", "evaluations", "repeat")) for line in kept}
    yield from (line for line in kept if (*list(line.values())[:5],) in wanted)
    missing = list(dict.fromkeys(trial for key, trial in wanted.items() if key not in known))
    with ProcessPoolExecutor(processes) as pool:
        for lines in pool.map(carry_out, missing):
            if record:
                with record.open("a") as file:
                    file.writelines(json.dumps(line) + "\n" for line in lines)
            yield from lines


def table(lines: list[dict[str, Any]], cases: list[str], strategies: list[str]) -> str:
    """Strategy by case, for one deviation and number of evaluations."""
    rows = ["| strategy | " + " | ".join(cases) + " | mean |", "|---" * (len(cases) + 2) + "|"]
    for strategy in strategies:
        cells, means, errors = [], [], []
        for case in cases:
            here = [line for line in lines if (line["strategy"], line["case"]) == (strategy, case)]
            values = [line["overlap"] for line in here]
            found = statistics.fmean(value >= 0.5 for value in values)
            verdict = statistics.fmean(line["regions"] for line in here)
            means.append(statistics.fmean(values))
            errors.append(statistics.variance(values) / len(values) if len(values) > 1 else math.nan)
            cells.append(f"{means[-1]:.2f}, {found:.0%}, {verdict:.0%}")
        error = math.sqrt(sum(errors)) / len(cases)
        rows.append(f"| `{strategy}` | " + " | ".join(cells) + f" | {statistics.fmean(means):.3f} ± {error:.3f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=list(STRATEGIES))
    parser.add_argument("--cases", nargs="+", default=["all"], choices=["all", "chosen", "held-out", *CASES])
    parser.add_argument("--deviations", nargs="+", type=float, default=[0.042, 0.084])
    parser.add_argument("--evaluations", nargs="+", type=int, default=[28, 56, 112])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()

    cases = chosen_cases(arguments.cases)
    numbers = tuple(sorted(arguments.evaluations))
    trials = [
        Trial(strategy, case, deviation, numbers, repeat)
        for deviation, repeat, case, strategy in product(
            arguments.deviations, range(arguments.repeats), cases, arguments.strategies
        )
    ]
    lines = list(results(trials, arguments.processes, arguments.record))
    for deviation, number in product(arguments.deviations, numbers):
        chosen = [line for line in lines if (line["deviation"], line["evaluations"]) == (deviation, number)]
        print(f"\nNoise {deviation}, {number} evaluations: overlap, found, verdict\n")
        print(table(chosen, cases, arguments.strategies))


if __name__ == "__main__":
    main()
