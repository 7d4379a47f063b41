"""Compare the search strategies by regret, on functions with noise.

    python test/bench/strategies.py [--functions planted] [--strategies steady_state optuna:cmaes] [--seeds 20]
        [--evaluations 56 200] [--noise 0 0.1] [--workers 2] [--json]

A search sees values with normal noise, whose deviation is given in deviations of the function over its space. A point
that is proposed again is told with the mean of its results, and what is reported is the point of the best mean. The
regret is the *true* value there less the function's least one, so that a search gains nothing by a lucky draw, in units
of the mean regret of random points: 0 is the optimum, 1 no better than one point drawn at random. The table has its
mean over all seeds after so many evaluations, the standard error behind it. Evaluations take random times on the
workers, and results are told as they come.

The `planted` functions are those on which the defaults of strategies were chosen; the `held_out` ones, for reporting,
were not used for that.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from planted_model import MIXED, PLANE
from simulated import search

from comparator.evidence.coordinates import dense_sample
from comparator.space import ParameterSpace, Point
from comparator.strategies import STRATEGIES, Strategy, make_strategy
from comparator.strategies.level_set import points_to_scatter

Function = Callable[[Point], float]

PROPOSING = [name for name in STRATEGIES if name != "eqsql"]  # the points of that one are an algorithm's elsewhere


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


#: Differences between two models as they are found: -0.20 or so far from the least, which is -0.45.
PROBLEMS: dict[str, tuple[list[dict[str, Any]], Function]] = {
    "bump": (PLANE, bump),
    "corner": (PLANE, corner),
    "two hills": (PLANE, two_hills),
    "mixed": (MIXED, mixed),
}


def floats(count: int, lower: float, upper: float) -> list[dict[str, Any]]:
    return [{"name": f"x{each}", "type": "float", "lower": lower, "upper": upper} for each in range(1, count + 1)]


def places(point: Point) -> Any:
    return np.array(list(point.values()), dtype=float)


def branin(point: Point) -> float:
    x, y = places(point)
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887)


HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_SLOPES = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
HARTMANN_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(point: Point) -> float:
    apart = (HARTMANN_SLOPES * (places(point) - HARTMANN_CENTRES) ** 2).sum(axis=1)
    return 3.32237 - float(HARTMANN_WEIGHTS @ np.exp(-apart))


TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(5, 5)))[0]


def ellipsoid(point: Point) -> float:
    """Rotated; its axes differ by a factor of up to 30."""
    along = TURN @ (places(point) - 0.7)
    return float((10 ** (np.arange(5) * 3 / 4) * along**2).sum())


def rastrigin(point: Point) -> float:
    x = places(point)
    return float((x**2 - 10 * np.cos(2 * math.pi * x) + 10).sum())


def rosenbrock(point: Point) -> float:
    x = places(point)
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


NETWORK: list[dict[str, Any]] = [
    {"name": "learning_rate", "type": "float", "lower": 1e-5, "upper": 1e-1, "use_log_scale": True},
    {"name": "batch_size", "type": "ordered", "element_type": "int", "values": [16, 32, 64, 128, 256]},
    {"name": "layers", "type": "int", "lower": 1, "upper": 8},
    {"name": "units", "type": "int", "lower": 8, "upper": 1024, "use_log_scale": True},
    {"name": "dropout", "type": "float", "lower": 0, "upper": 0.9},
    {"name": "activation", "type": "categorical", "element_type": "string", "values": ["elu", "relu", "tanh", "selu"]},
    {"name": "residual", "type": "logical"},
]


def network(point: Point) -> float:
    """A loss that is steep where trainings diverge: larger batches want larger rates, deep ones residual layers."""
    rate = math.log10(point["learning_rate"]) + 3.5 - 0.3 * math.log2(point["batch_size"] / 16)
    depth = abs(point["layers"] - 5) / 4 + (0 if point["residual"] else 0.15 * point["layers"])
    width = (math.log2(point["units"]) - 8) ** 2 / 10
    drop = (point["dropout"] - 0.2 - 0.02 * (point["layers"] - 5)) ** 2 * 2
    kind = {"elu": 0.1, "relu": 0.0, "tanh": 0.5, "selu": 0.25}[point["activation"]]
    batch = 0.1 * math.log2(point["batch_size"] / 16)
    return math.expm1(0.6 * rate**2 + 0.5 * depth + width + drop + kind + batch)


TREES: list[dict[str, Any]] = [
    {"name": "learning_rate", "type": "float", "lower": 1e-3, "upper": 1, "use_log_scale": True},
    {"name": "leaves", "type": "int", "lower": 2, "upper": 512, "use_log_scale": True},
    {"name": "depth", "type": "int", "lower": 1, "upper": 16},
    {"name": "share_of_rows", "type": "float", "lower": 0.1, "upper": 1},
    {"name": "share_of_columns", "type": "float", "lower": 0.1, "upper": 1},
    {"name": "booster", "type": "categorical", "element_type": "string", "values": ["gbdt", "dart", "goss", "rf"]},
    {"name": "linear", "type": "logical"},
]


def trees(point: Point) -> float:
    """A loss of many small dents, whose best rate and size depend on the booster."""
    place = ["gbdt", "dart", "goss", "rf"].index(point["booster"])
    apart = [
        (math.log10(point["learning_rate"]) + 1.2 - 0.25 * place) / 3,
        (math.log2(point["leaves"]) - 5 + place) / 8,
        (point["depth"] - 9) / 15,
        point["share_of_rows"] - 0.63,
        point["share_of_columns"] - 0.41,
    ]
    dents = sum(1 - math.cos(16 * each) for each in apart)
    return sum(each**2 for each in apart) + 0.02 * dents + [0.05, 0.0, 0.1, 0.2][place] + 0.08 * point["linear"]


#: Functions of which the least value is 0.
HELD_OUT: dict[str, tuple[list[dict[str, Any]], Function]] = {
    "Branin": (
        [
            {"name": "x1", "type": "float", "lower": -5, "upper": 10},
            {"name": "x2", "type": "float", "lower": 0, "upper": 15},
        ],
        branin,
    ),
    "Hartmann 6": (floats(6, 0, 1), hartmann),
    "ellipsoid": (floats(5, -5, 5), ellipsoid),
    "Rastrigin": (floats(4, -5.12, 5.12), rastrigin),
    "Rosenbrock": (floats(4, -2, 2), rosenbrock),
    "network": (NETWORK, network),
    "trees": (TREES, trees),
}
FUNCTIONS = {"planted": (PROBLEMS, -0.45), "held_out": (HELD_OUT, 0.0)}


@cache
def typical(functions: str, name: str) -> tuple[float, float]:
    """The mean and the deviation of a function over its space."""
    entries, function = FUNCTIONS[functions][0][name]
    values = [function(point) for point in dense_sample(ParameterSpace.from_entries(entries, "bench"), 2**13)]
    return statistics.fmean(values), statistics.stdev(values)


def reported(
    strategy: Strategy, function: Function, noise: float, budgets: Sequence[int], workers: int, seed: int
) -> list[Point]:
    """Run one search on simulated workers; the points that it would report after so many evaluations each."""
    rng = random.Random(f"{seed} noise")
    results: dict[str, list[float]] = {}
    best: list[Point] = []

    def evaluate(_: int, point: Point) -> float:
        own = results.setdefault(json.dumps(point), [])
        own.append(function(point) + rng.gauss(0, noise))
        if sum(map(len, results.values())) in budgets:
            best.append(best_mean())
        return statistics.fmean(own)

    def best_mean() -> Point:
        return json.loads(min(results, key=lambda key: statistics.fmean(results[key])))  # type: ignore[no-any-return]

    search(strategy, evaluate, max(budgets), workers, rng)
    # One that ends of itself reports the same from then on.
    return best + [best_mean()] * (len(budgets) - len(best))


def made(name: str, space: ParameterSpace, seed: int, workers: int, budget: int) -> Strategy:
    """A strategy of its name, or `optuna:SAMPLER`."""
    strategy, _, sampler = name.partition(":")
    options: dict[str, object] = {"sampler": sampler} if sampler else {}
    if strategy in ("grid", "region_and_maximum"):
        options["total"] = budget
    if strategy == "level_set":
        options["scattered"] = points_to_scatter(budget)
    return make_strategy(strategy, space, seed=seed, in_flight=workers, options=options)


def regret(
    functions: str, name: str, strategy: str, noise: float, budgets: list[int], workers: int, seed: int
) -> list[float]:
    """The regret of one search after each budget."""
    problems, least = FUNCTIONS[functions]
    entries, function = problems[name]
    mean, deviation = typical(functions, name)
    search_for = made(strategy, ParameterSpace.from_entries(entries, "bench"), seed, workers, max(budgets))
    best = reported(search_for, function, noise * deviation, budgets, workers, seed)
    return [(function(point) - least) / (mean - least) for point in best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", default="held_out", choices=list(FUNCTIONS))
    parser.add_argument("--strategies", nargs="+", default=PROPOSING, help="names, or optuna:SAMPLER")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", type=int, nargs="+", default=[56, 200])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.1], help="in deviations of the function")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print the regrets of all seeds as JSON too")
    arguments = parser.parse_args()

    problems, _ = FUNCTIONS[arguments.functions]
    budgets = sorted(arguments.evaluations)
    everything: dict[str, list[list[list[float]]]] = {}
    print(f"{'strategy':16}{'noise':>6}{'after':>6}" + "".join(f"{name:>15}" for name in [*problems, "all"]))
    with ProcessPoolExecutor(arguments.processes) as pool:
        for strategy, noise in product(arguments.strategies, arguments.noise):
            asked = [
                (arguments.functions, name, strategy, noise, budgets, arguments.workers, seed)
                for name in problems
                for seed in range(arguments.seeds)
            ]
            found = list(pool.map(regret, *zip(*asked, strict=True)))
            regrets = [found[first : first + arguments.seeds] for first in range(0, len(found), arguments.seeds)]
            everything[f"{strategy}, noise {noise:g}"] = regrets
            table = np.array(regrets)
            means = table.mean(axis=1)
            errors = table.std(axis=1, ddof=1) / math.sqrt(arguments.seeds)
            for place, budget in enumerate(budgets):
                cells = [*zip(means[:, place], errors[:, place], strict=True)]
                cells.append((means[:, place].mean(), math.sqrt((errors[:, place] ** 2).sum()) / len(problems)))
                row = "".join(f"{f'{mean:.3f} ±{error:.3f}':>15}" for mean, error in cells)
                print(f"{strategy:16}{noise:6g}{budget:6}{row}", flush=True)
    if arguments.json:
        print(json.dumps(everything))


if __name__ == "__main__":
    main()
