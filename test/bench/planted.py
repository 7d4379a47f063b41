"""Do searches find a planted region? Overlap of the reported boxes with the truth, by strategy and evaluations.

    python test/bench/planted.py [--strategies random level_set] [--cases box ridge | held-out | chosen | all]
        [--deviations 0.042 0.084] [--evaluations 28 56 112] [--repeats 20] [--processes 2] [--record FILE]

The cases are those of `planted_model.py`. Evaluations take random times on two workers, and a strategy is told what an
experiment tells it: minus the mean size of the difference over a point's replicates. What it evaluated is read by
`read_regions`, as for a report. The overlap of the boxes with the truth is the shared part of the union (IoU) on points
spread over the space; that of the places is of the same reading place by place, before it is said in boxes. A search
succeeds where the boxes' is half or more.

For each deviation and number of evaluations the table gives, over all repeats, the mean overlap of the boxes and, in
brackets, the share that succeeds; the last columns are both over all cases, the overlap with its standard error, and
the overlap of the places. `--record` keeps each repeat as a line of JSON; what is recorded there already is not done
again.
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

from comparator.evidence.paired import Paired
from comparator.evidence.reading import overlap, read_regions
from comparator.space import ParameterSpace, Point
from comparator.strategies import STRATEGIES, Strategy, make_strategy
from comparator.strategies.level_set import points_to_scatter

WORKERS = 2
PROPOSING = [name for name in STRATEGIES if name != "eqsql"]  # the points of that one are an algorithm's elsewhere
#: Strategies whose points depend on how many evaluations are planned.
BY_BUDGET = ("grid", "level_set", "region_and_maximum")

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
    options: dict[str, Any] = {
        "grid": {"total": budget},
        "level_set": {"scattered": points_to_scatter(budget)},
        "region_and_maximum": {"total": budget},
    }
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


def reading(case: Case, space: ParameterSpace, evaluations: Evaluations) -> dict[str, float]:
    """The overlap with the truth of what is read off the evaluations, in boxes and place by place."""
    read = read_regions(space, Paired.of([(point, [value]) for point, value in evaluations]))
    sample = read.places.points
    truth = np.array([case.is_inside(point) for point in sample])
    inside = np.zeros(len(sample), dtype=bool)
    for part in read.parts:
        inside |= part.box.contains(sample)
    return {"overlap": overlap(inside, truth), "places": overlap(read.places.direction != 0, truth)}


def carry_out(trial: Trial) -> list[dict[str, Any]]:
    """Run one search, or one for each number of evaluations where the strategy plans by it."""
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


def succeeds(line: dict[str, Any]) -> bool:
    return line["overlap"] >= 0.5


def mean_overlap(lines: list[dict[str, Any]], of: str = "overlap") -> float:
    return statistics.fmean(line[of] for line in lines)


def success(lines: list[dict[str, Any]]) -> float:
    return statistics.fmean(map(succeeds, lines))


def standard_error(lines: list[dict[str, Any]], of: str = "overlap") -> float:
    """Of the mean overlap over the cases, which are given, not drawn."""
    cases: dict[str, list[float]] = {}
    for line in lines:
        cases.setdefault(line["case"], []).append(line[of])
    if min(map(len, cases.values())) < 2:
        return math.nan
    return math.sqrt(sum(statistics.variance(values) / len(values) for values in cases.values())) / len(cases)


def table(lines: list[dict[str, Any]], cases: list[str], strategies: list[str]) -> str:
    """Strategy by case, for one deviation and number of evaluations."""
    rows = ["| strategy | " + " | ".join(cases) + " | all | places |", "|---" * (len(cases) + 3) + "|"]
    for strategy in strategies:
        own = [line for line in lines if line["strategy"] == strategy]
        by_case = [[line for line in own if line["case"] == case] for case in cases]
        cells = [f"{mean_overlap(lines):.2f} ({success(lines):.0%})" for lines in by_case]
        cells.append(f"{mean_overlap(own):.3f} ± {standard_error(own):.3f} ({success(own):.0%})")
        cells.append(f"{mean_overlap(own, 'places'):.3f} ± {standard_error(own, 'places'):.3f}")
        rows.append(f"| `{strategy}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", nargs="+", default=PROPOSING, choices=PROPOSING)
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
        print(f"\nNoise {deviation}, {number} evaluations: overlap (success)\n")
        print(table(chosen, cases, arguments.strategies))


if __name__ == "__main__":
    main()
