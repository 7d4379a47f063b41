"""The boxes that are read, beside those of EMA workbench's PRIM: overlap with a planted truth, on the same points.

    python test/bench/prim.py [--cases corner L | held-out | chosen | all] [--deviation 0.084] [--evaluations 56 112]
        [--repeats 16] [--processes 2] [--record FILE]

It takes `pip install ema_workbench`, which the Comparator does not need. The cases are those of `planted_model.py`;
the points fill the space evenly (`sobol`), which PRIM supposes. PRIM is told which evaluations lie above the middle of
the two planted differences, a level that the Comparator has to find. Its last box is PRIM's own choice by the
workbench's defaults; its best one, of Friedman and Fisher's trajectory, shares most with the evaluations above the
level. In the last row PRIM covers what the Comparator's surrogate has above the level, on the same dense points that
the Comparator's own boxes cover.

The overlap is the shared part of the union (IoU) on points spread over the space, in brackets how often it is at least
a half; standard errors are those of the mean over the cases, which are given, not drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.append(str(Path(__file__).parents[1] / "unit"))

from concurrent.futures import ProcessPoolExecutor

import numpy as np
from planted import Trial, chosen_cases, evaluated, mean_overlap, standard_error, strategy_of
from planted_model import CASES, INSIDE, OUTSIDE
from prim_boxes import inside_prim

from comparator.evidence.paired import Paired
from comparator.evidence.reading import overlap, read_regions
from comparator.space import ParameterSpace

LEVEL = (INSIDE + OUTSIDE) / 2
WAYS = {
    "ours": "boxes that are read",
    "last": "PRIM, its last box",
    "best": "PRIM, its best box",
    "covering": "PRIM on the surrogate",
}


def carry_out(trial: Trial) -> dict[str, Any]:
    """The overlaps of one search's boxes, by way of reading them."""
    case = CASES[trial.case]
    space = ParameterSpace.from_entries(case.space, trial.case)
    (budget,) = trial.evaluations
    done = evaluated(strategy_of(trial, space, budget), trial, budget)
    points = [point for point, _ in done]
    is_beyond = np.array([value > LEVEL for _, value in done])
    read = read_regions(space, Paired.of([(point, [value]) for point, value in done]))
    sample, coordinates = read.places.points, read.surrogate.coordinates
    is_high = read.surrogate.predict(sample)[0] > read.level
    ours = np.any([part.box.contains(sample) for part in read.parts] or [np.zeros(len(sample), dtype=bool)], axis=0)
    found = {
        "ours": ours,
        "last": inside_prim(coordinates, points, is_beyond, sample),
        "best": inside_prim(coordinates, points, is_beyond, sample, chosen=True),
        "covering": inside_prim(coordinates, sample, is_high, sample, chosen=True),
    }
    truth = np.array([case.is_inside(point) for point in sample])
    overlaps = {way: overlap(inside, truth) for way, inside in found.items()}
    return {"case": trial.case, "evaluations": budget, "repeat": trial.repeat, **overlaps}


def table(lines: list[dict[str, Any]], cases: list[str], names: Mapping[str, str]) -> str:
    rows = ["| | " + " | ".join([*cases, "all"]) + " |", "|---" * (len(cases) + 2) + "|"]
    for way, name in names.items():
        by_case = [[line for line in lines if line["case"] == case] for case in cases]
        cells = [
            f"{mean_overlap(own, way):.2f} ± {standard_error(own, way):.2f}"
            f" ({np.mean([line[way] >= 0.5 for line in own]):.0%})"
            for own in by_case
        ]
        rows.append(
            f"| {name} | {' | '.join(cells)} | {mean_overlap(lines, way):.3f} ± {standard_error(lines, way):.3f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=["held-out"], choices=["all", "chosen", "held-out", *CASES])
    parser.add_argument("--deviation", type=float, default=0.084)
    parser.add_argument("--evaluations", nargs="+", type=int, default=[56, 112])
    parser.add_argument("--repeats", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", type=Path, help="keep each repeat as a line of JSON")
    arguments = parser.parse_args()
    cases = chosen_cases(arguments.cases)
    trials = [
        Trial("sobol", case, arguments.deviation, (number,), repeat)
        for number, repeat, case in product(arguments.evaluations, range(arguments.repeats), cases)
    ]
    lines = []
    with ProcessPoolExecutor(arguments.processes) as pool:
        for line in pool.map(carry_out, trials):
            lines.append(line)
            if arguments.record:
                with arguments.record.open("a") as file:
                    file.write(json.dumps(line) + "\n")
    for number in arguments.evaluations:
        print(f"\nNoise {arguments.deviation}, {number} evaluations: overlap (success)\n")
        print(table([line for line in lines if line["evaluations"] == number], cases, WAYS))


if __name__ == "__main__":
    main()
