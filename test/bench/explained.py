"""How often `comparator explain` names a group that carries nothing, and finds one that does.

    python test/bench/explained.py [--experiments 400] [--blocks 8 16] [--seed 1]

Made-up predictions of two models in blocks: 15 drugs, 350 cell lines, 850 rows a block, squared errors with heavy
tails, drugs and cell lines that are hard for both models alike, some of it new in each block. The second model's errors
are 1.8 times as large: everywhere alike (`nothing`), which no group carries; or of one drug four times as large
(`a drug`), of two drugs three times (`two drugs`), of one cell line twelve times (`a cell line`). Of each: the share of
experiments in which a group is named that carries nothing, 5 % at most; in which all that were planted are named; and
the share of intervals of the difference without those that are named that hold its true value, 95 % at least.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from comparator.evidence.contributions import contributions, influences
from comparator.evidence.row_scores import Block, Measure
from comparator.objective.differences import DIFFERENCES, signed_difference
from comparator.tables.predictions import PredictedRows

DRUGS, CELL_LINES, ROWS = 15, 350, 850
TIMES = 1.8
PLANTED: Mapping[str, Mapping[str, float]] = {
    "nothing": {},
    "a drug": {"drug 3": 4.0},
    "two drugs": {"drug 3": 3.0, "drug 7": 3.0},
    "a cell line": {"line 5": 12.0},
}


def blocks_of(rng: Generator, count: int, planted: Mapping[str, float]) -> list[Block]:
    """Return the blocks of an experiment."""
    hard_drug, hard_line = rng.gamma(3, 1 / 3, DRUGS), rng.gamma(2, 1 / 2, CELL_LINES)
    blocks = []
    for number in range(count):
        drugs, lines = rng.integers(DRUGS, size=ROWS), rng.integers(CELL_LINES, size=ROWS)
        names = {"drug": [f"drug {each}" for each in drugs], "line": [f"line {each}" for each in lines]}
        of_block = rng.gamma(20, 1 / 20, DRUGS)
        variance = 0.01 * hard_drug[drugs] * of_block[drugs] * hard_line[lines]
        predicted = []
        for times in (1.0, TIMES):
            own = variance * times * rng.gamma(30, 1 / 30)
            if times > 1:
                own = own * [
                    planted.get(one, 1) * planted.get(two, 1) for one, two in zip(*names.values(), strict=True)
                ]
            error = rng.standard_t(5, ROWS) * np.sqrt(own * 3 / 5)
            true = rng.uniform(0, 1, ROWS)
            predicted.append(PredictedRows(true, true - error, names))
        blocks.append(Block(number, (predicted[0], predicted[1])))
    return blocks


def relative(first: float, second: float) -> float:
    return signed_difference(DIFFERENCES["relative"], first, second)


def true_without(planted: Mapping[str, float], named: list[str]) -> float:
    """The difference that is left, by expectation: what is named is left out, whatever it carries."""
    left = [each for each in planted if each not in named]
    return math.nan if left else 1 - 1 / TIMES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=400)
    parser.add_argument("--blocks", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print("planted       blocks  named falsely  all found  intervals without")
    for count in asked.blocks:
        for what, planted in PLANTED.items():
            false = found = held = told = 0
            for number in range(asked.experiments):
                rng = np.random.default_rng([asked.seed, count, number])
                blocks = blocks_of(rng, count, planted)
                both = [influences(column, blocks, Measure("mse", relative)) for column in ("drug", "line")]
                told_of = [each for each in both if each is not None]
                chosen = sum(len(each.chosen) for each in told_of)
                known = [contributions(each, chosen) for each in told_of]
                named = [group.name for each in known for group in each.named]
                false += any(name not in planted for name in named)
                found += bool(planted) and set(planted) <= set(named)
                for each in known:
                    truth = true_without(planted, [group.name for group in each.named])
                    if each.without is not None and not math.isnan(truth):
                        told += 1
                        held += each.without.without_interval[0] <= truth <= each.without.without_interval[1]
            share = f"{held}/{told}" if told else "-"
            print(
                f"{what:13s} {count:6d}  {false / asked.experiments:13.3f}  {found / asked.experiments:9.2f}  {share}",
                flush=True,
            )


if __name__ == "__main__":
    main()
