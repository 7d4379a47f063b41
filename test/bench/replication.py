"""Compare numbers of seeds a point on planted functions with noise, at the same budget of pairs.

    python test/bench/replication.py [--seeds 100] [--evaluations 56 112] [--noise 0.04 0.084] [--strategy steady_state]

The functions are those of strategies.py. Each search has the budget in pairs, a pilot of three points on two seeds
among them, and reports the point of its best mean. The table has the mean *true* difference there over all seeds and
functions (its standard error behind it; higher is better) and how much higher the search believed it to be.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics

from strategies import PROBLEMS

from comparator.experiment.controller import Controller
from comparator.experiment.simulation import MemoryRecord, SignedNumber, carry_out
from comparator.results.points import best_of
from comparator.space import ParameterSpace
from comparator.strategies import make_strategy
from comparator.strategies.replication import MOST, Replication

WAYS = {"1": Replication(), "2": Replication(2, 2), "4": Replication(4, 4), "adaptive": Replication(1, MOST)}


def reported(problem: str, way: Replication, pairs: int, noise: float, strategy: str, seed: int) -> tuple[float, float]:
    """The true and the believed difference at the point that a search reports."""
    entries, function = PROBLEMS[problem]
    space = ParameterSpace.from_entries(entries, "bench")
    rng = random.Random(f"{seed} noise")
    record = MemoryRecord()
    made = make_strategy(strategy, space, seed=seed, in_flight=2, options={})
    controller = Controller(
        record, made, SignedNumber(lambda signed: -abs(signed)), budget=pairs, replication=way, pilot=space.spread(3)
    )
    carry_out(controller, lambda point: function(point) + rng.gauss(0, noise))
    best = best_of(record.records)[0]
    return -function(best.point), -(best.value or 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--evaluations", type=int, nargs="+", default=[56, 112])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.04, 0.084], help="deviation from seed to seed")
    parser.add_argument("--strategy", default="steady_state")
    arguments = parser.parse_args()
    print(f"{'pairs':>6}{'noise':>7}  " + "".join(f"{name:>26}" for name in WAYS))
    for pairs in arguments.evaluations:
        for noise in arguments.noise:
            cells = []
            for way in WAYS.values():
                found = [
                    reported(problem, way, pairs, noise, arguments.strategy, seed)
                    for problem in PROBLEMS
                    for seed in range(arguments.seeds)
                ]
                true = [each[0] for each in found]
                error = statistics.stdev(true) / math.sqrt(len(true))
                believed = statistics.fmean(each[1] for each in found)
                cells.append(f"{statistics.fmean(true):.4f} ±{error:.4f} (+{believed - statistics.fmean(true):.3f})")
            print(f"{pairs:6}{noise:7.3f}  " + "".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
