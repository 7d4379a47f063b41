"""Compare the search strategies on planted functions with noise, at the paper's budget of 56 evaluations.

    python test/bench/strategies.py [--strategies steady_state optuna] [--seeds 400] [--evaluations 56] [--workers 2]
        [--noise 0.04]

Each function has its least value, -0.45, somewhere in the space, and -0.20 or so far from it: the size of
differences between two models. A search sees values with normal noise. It reports the point with the least value
that it saw; the table gives the mean *true* value there over all seeds (standard error behind it), so that a
search gains nothing by a lucky draw. Evaluations take random times on the workers, and results are told as they
come. Lower is better.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
from collections.abc import Callable
from typing import Any

from planted_model import MIXED, PLANE
from simulated import search

from comparator.search import STRATEGIES, Strategy, make_strategy
from comparator.space import ParameterSpace, Point

Function = Callable[[Point], float]


def unit(point: Point) -> tuple[float, float]:
    return point["noise"] / 50, (point["layer_force"] - 25) / 175


def bump(point: Point) -> float:
    """One round hill inside the plane."""
    x, y = unit(point)
    return -0.20 - 0.25 * math.exp(-((x - 0.3) ** 2 + (y - 0.7) ** 2) / 0.08)


def corner(point: Point) -> float:
    """A slope towards one corner, as measured between real studies."""
    x, y = unit(point)
    return -0.20 - 0.25 * (1 - x) * y


def two_hills(point: Point) -> float:
    """A high narrow hill, and a low broad one that misleads."""
    x, y = unit(point)
    high = math.exp(-((x - 0.8) ** 2 + (y - 0.2) ** 2) / 0.02)
    low = math.exp(-((x - 0.2) ** 2 + (y - 0.7) ** 2) / 0.15)
    return -0.20 - max(0.25 * high, 0.17 * low)


def mixed(point: Point) -> float:
    """Six parameters of all types, each with something to win."""
    x, y = unit(point)
    rate = math.exp(-((math.log10(point["learning_rate"]) + 2.5) ** 2) / 1.0)
    batch = {16: 0.6, 32: 1.0, 64: 0.8, 128: 0.3, 256: 0.0}[point["batch_size"]]
    kind = {"elu": 0.3, "relu": 1.0, "tanh": 0.0}[point["activation"]]
    return -0.20 - 0.25 * (0.25 * (1 - x) * y + 0.3 * rate + 0.2 * batch + 0.15 * kind + 0.1 * point["residual"])


PROBLEMS: dict[str, tuple[list[dict[str, Any]], Function]] = {
    "bump": (PLANE, bump),
    "corner": (PLANE, corner),
    "two hills": (PLANE, two_hills),
    "mixed": (MIXED, mixed),
}


def reported(strategy: Strategy, function: Function, noise: float, budget: int, workers: int, seed: int) -> Point:
    """Run one search on simulated workers; the point that it would report."""
    rng = random.Random(f"{seed} noise")
    seen: list[tuple[float, int, Point]] = []

    def evaluate(number: int, point: Point) -> float:
        value = function(point) + rng.gauss(0, noise)
        seen.append((value, number, point))
        return value

    search(strategy, evaluate, budget, workers, rng)
    return min(seen, key=lambda each: each[:2])[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=list(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--evaluations", type=int, default=56)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--noise", type=float, default=0.04, help="standard deviation of one evaluation")
    parser.add_argument("--json", action="store_true", help="print the means as JSON too")
    arguments = parser.parse_args()

    print(f"{'strategy':16}" + "".join(f"{name:>20}" for name in PROBLEMS) + f"{'mean':>9}")
    means: dict[str, list[float]] = {}
    for strategy in arguments.strategies:
        cells = []
        means[strategy] = []
        for entries, function in PROBLEMS.values():
            space = ParameterSpace.from_entries(entries, "bench")
            options = {"total": arguments.evaluations} if strategy == "grid" else {}
            values = []
            for seed in range(arguments.seeds):
                made = make_strategy(strategy, space, seed=seed, in_flight=arguments.workers, options=options)
                point = reported(made, function, arguments.noise, arguments.evaluations, arguments.workers, seed)
                values.append(function(point))
            error = statistics.stdev(values) / math.sqrt(len(values))
            means[strategy].append(statistics.fmean(values))
            cells.append(f"{statistics.fmean(values):11.4f} ±{error:.4f}")
        print(f"{strategy:16}" + "".join(f"{cell:>20}" for cell in cells) + f"{statistics.fmean(means[strategy]):9.4f}")
    if arguments.json:
        print(json.dumps(means))


if __name__ == "__main__":
    main()
