"""Whether the intervals of `comparator predict` hold the truth, and how wide they are.

    .venv/bin/python test/bench/predictions.py [--experiments 40] [--first 500] [--only luck]

Simulated experiments of Sobol points dealt to blocks. Of 25 places each: in how many the interval of the mean holds it,
and in how many that of one new pair of trainings does, on a new block; and half their widths in units of 1.96 true
deviations of one such pair (which is what an interval of one would have, were all known), the median of experiments.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from comparator.evidence.coordinates import Array, dense_sample
from comparator.evidence.paired import Observation
from comparator.evidence.prediction import Predictor
from comparator.space import ParameterSpace

Function = Callable[[Array], Array]
Rng = np.random.Generator
PLACES = 25


def waves(rng: Rng, columns: int, deviation: float) -> Function:
    heights, phases = rng.normal(0, deviation / math.sqrt(2), 4), rng.uniform(0, 2 * math.pi, 4)
    lengths = math.pi * rng.uniform(0.3, 1.5, (4, columns))
    return lambda rows: np.sin(rows @ lengths.T + phases) @ heights


def wavy(rng: Rng, columns: int) -> Function:
    function = waves(rng, columns, 0.14)
    return lambda rows: 0.3 + function(rows)


def box(rng: Rng, columns: int) -> Function:
    low = rng.uniform(0, 0.5, columns)
    return lambda rows: np.where(((rows > low) & (rows < low + 0.45)).all(axis=1), 0.45, 0.2)


TRUTHS: dict[str, Callable[[Rng, int], Function]] = {
    "alike": lambda rng, columns: lambda rows: np.full(len(rows), 0.3),
    "waves": wavy,
    "slope": lambda rng, columns: lambda rows: 0.1 + 0.6 * rows[:, 0],
    "steep": lambda rng, columns: lambda rows: 0.05 + 0.6 * rows[:, 0] ** 3,
    "box": box,
}
#: Noise of unit variance, on average over the space.
NOISES: dict[str, Callable[[Rng, Array], Array]] = {
    "normal": lambda rng, rows: rng.normal(0, 1, len(rows)),
    "heavy": lambda rng, rows: rng.standard_t(3, len(rows)) / math.sqrt(3),
    "skewed": lambda rng, rows: rng.exponential(1, len(rows)) - 1,
    "unequal": lambda rng, rows: rng.normal(0, 1, len(rows)) * unequal(rows),
}


def unequal(rows: Array) -> Array:
    """Five times as large at one end as at the other."""
    return np.asarray((1 + 4 * rows[:, 0]) / math.sqrt(31 / 3))


@dataclass(frozen=True)
class Case:
    """A truth, its points and blocks, and deviations: of a training's own noise, and of a block's luck.

    The luck is a `level`, a smooth `field`, and what multiplies the difference: a number `times`, or a smooth field
    (`field_times`).
    """

    truth: str
    own: float = 0.0
    noise: str = "normal"
    level: float = 0.0
    field: float = 0.0
    times: float = 0.0
    field_times: float = 0.0
    points: int = 56
    blocks: int = 8
    columns: int = 2

    def luck(self, rng: Rng, function: Function) -> Function:
        """Of one block."""
        level, times = rng.normal(0, 1, 2) * (self.level, self.times)
        field, field_times = (waves(rng, self.columns, each) for each in (self.field, self.field_times))
        return lambda rows: level + field(rows) + function(rows) * (times + field_times(rows))

    def deviation(self, rows: Array, function: Function) -> Array:
        """That of one pair of trainings."""
        luck = self.level**2 + self.field**2 + function(rows) ** 2 * (self.times**2 + self.field_times**2)
        own = self.own * (unequal(rows) if self.noise == "unequal" else 1)
        return np.asarray(np.sqrt(luck + own**2))


CASES = {
    "independent noise, waves": Case("waves", 0.06),
    "independent noise, nothing in place": Case("alike", 0.06),
    "independent noise, 24 points": Case("waves", 0.06, points=24),
    "half by block": Case("waves", 0.042, level=0.042),
    "half by block, 24 points": Case("waves", 0.042, level=0.042, points=24),
    "half by block, 4 blocks": Case("waves", 0.042, level=0.042, blocks=4),
    "all by block, nothing in place": Case("alike", level=0.06),
    "half smooth by block": Case("waves", 0.042, field=0.042),
    "half smooth by block, 112 points": Case("waves", 0.042, field=0.042, points=112),
    "half smooth by block, 28 blocks": Case("waves", 0.042, field=0.042, blocks=28),
    "half smooth by block, 4 dimensions": Case("waves", 0.042, field=0.042, columns=4),
    "heavy tails": Case("waves", 0.06, "heavy"),
    "heavy tails, half smooth": Case("waves", 0.042, "heavy", field=0.042),
    "skewed": Case("waves", 0.06, "skewed"),
    "skewed, half by block": Case("alike", 0.042, "skewed", level=0.042),
    "unequal": Case("waves", 0.06, "unequal"),
    "unequal, half smooth": Case("waves", 0.042, "unequal", field=0.042),
    "luck times the difference, a line": Case("slope", times=0.1, points=40, columns=1),
    "luck times the difference": Case("slope", times=0.1),
    "luck times the difference, and noise": Case("slope", 0.02, times=0.1),
    "luck times the difference, steep": Case("steep", times=0.1, points=40, columns=1),
    "luck times the difference, waves": Case("waves", times=0.2),
    "smooth luck times the difference": Case("slope", 0.02, field_times=0.15),
    "luck times the difference, a box": Case("box", 0.02, times=0.1),
}


def experiment(case: Case, seed: int) -> tuple[float, float, float, float]:
    """How often the intervals of the mean and of one hold, and half their widths."""
    rng = np.random.default_rng(seed)
    names = [f"x{number}" for number in range(case.columns)]
    space = ParameterSpace.from_entries([{"name": name, "type": "float", "lower": 0, "upper": 1} for name in names], "")
    function = TRUTHS[case.truth](rng, case.columns)
    points = dense_sample(space, case.points, seed)
    rows = np.array([[point[name] for name in names] for point in points])
    blocks = rng.permutation(np.arange(case.points) % case.blocks)
    luck = np.array([case.luck(rng, function)(rows) for _ in range(case.blocks)])[blocks, np.arange(case.points)]
    values = function(rows) + luck + case.own * NOISES[case.noise](rng, rows)
    observed = [
        Observation(point, [value], [block]) for point, value, block in zip(points, values, blocks, strict=True)
    ]
    predictor = Predictor.fit(space, observed)
    assert predictor is not None
    places = rng.uniform(0, 1, (PLACES, case.columns))
    mean = function(places)
    new = mean + case.own * NOISES[case.noise](rng, places)
    new += np.concatenate([case.luck(rng, function)(place[None]) for place in places])
    said = [predictor.at(dict(zip(names, place, strict=True))) for place in places.tolist()]
    found = []
    for truth, ends in ((mean, [each.interval for each in said]), (new, [each.of_one for each in said])):
        low, high = np.array(ends).T
        half = (high - low) / 2 / (1.96 * case.deviation(places, function))
        found.append((float(np.mean((low <= truth) & (truth <= high))), float(np.median(half))))
    (mean_held, mean_width), (one_held, one_width) = found
    return mean_held, one_held, mean_width, one_width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=40)
    parser.add_argument("--first", type=int, default=500, help="the first seed")
    parser.add_argument("--only", default="", help="cases whose names hold this")
    asked = parser.parse_args()
    print("| case | the mean, held | one pair, held | half widths: mean, one |\n|---|---|---|---|")
    for name, case in CASES.items():
        if asked.only in name:
            found = np.array([experiment(case, asked.first + number) for number in range(asked.experiments)])
            held, errors = 100 * found[:, :2].mean(axis=0), 100 * found[:, :2].std(axis=0) / math.sqrt(len(found))
            widths = np.median(found[:, 2:], axis=0)
            cells = [f"{one:.1f} ± {error:.1f} %" for one, error in zip(held, errors, strict=True)]
            print(f"| {name} | {cells[0]} | {cells[1]} | {widths[0]:.2f}, {widths[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
