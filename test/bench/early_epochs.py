"""Whether trainings of fewer epochs rank points as full trainings do.

    comparator unroll --space cfg/noise-layer.json --design sobol --points 24 --grid epochs=15,8,5,3 --output cmp.txt
    comparator sweep cmp.txt --model cmp --hyperparameters cfg/cmp-uno.txt --workers 1 --id block-1 \\
        --set hyperparameters.rng_seed=1 --set hyperparameters.split_seed=1       # and the same of 2, 3, ...
    python test/bench/early_epochs.py EXPERIMENTS block-1 block-2 ...

EXPERIMENTS is the folder of all experiments. Each of those named has the same points at several `epochs`, a single
model's too, and one seed, which tells its block: a data split and a stream of seeds. The most epochs are the full
training. The value of a point is what a search would make small: the negative relative difference of `val_loss`, or a
single model's `val_loss`.

For each number of epochs there are two rows: trainings of so many epochs, whose learning rate decays within them, and
full trainings as they stood after so many. Columns: rank correlation (Spearman's, Kendall's) and how many of the best
quarter of full trainings are in the best quarter, and in the best half, of the row's; the first with the full training
of the same block, the others with the mean over the full trainings of all other blocks, which is how well a full
training itself does in the last row; by how much the row's Spearman's is below that; its time against a full one's.
Brackets are 95 % intervals from resampled points, the same points for all rows and blocks.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from comparator.objective.differences import relative
from comparator.results.experiments import experiment_path
from comparator.results.record import Evaluation, key_of
from comparator.results.record_file import read_records
from comparator.results.run_store import RunStore

METRIC, RESAMPLES = "val_loss", 1000
Values = NDArray[np.float64]
Places = NDArray[np.int64]
Pairs = list[tuple[Values, Values]]


class Length(NamedTuple):
    """`seen` epochs of a training of `trained`."""

    trained: int
    seen: int

    def __str__(self) -> str:
        return f"trained for {self.trained}" if self.trained == self.seen else f"after {self.seen} of {self.trained}"


def curve(record: Evaluation, runs: RunStore) -> list[float]:
    """The value of an evaluation after each of its epochs."""
    results = [runs.finished(run.run or "") for run in record.runs]
    histories = [[value or 0.0 for value in result.history[METRIC]] for result in results if result is not None]
    return histories[0] if len(record.runs) == 1 else [-relative(*pair) for pair in zip(*histories, strict=True)]


class Sweeps:
    """What the sweeps say of the points that have a value everywhere: by block and length their values."""

    def __init__(self, records: Sequence[Evaluation], runs: RunStore) -> None:
        lengths = sorted({record.point["epochs"] for record in records})
        found: dict[int | None, dict[Length, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        seconds: dict[int, list[float]] = defaultdict(list)
        for record in records:
            trained, values = record.point["epochs"], curve(record, runs)
            place = key_of({name: value for name, value in record.point.items() if name != "epochs"})
            for seen in lengths if trained == lengths[-1] else [trained]:
                found[record.runs[0].seed][Length(trained, seen)][place] = values[seen - 1]
            seconds[trained] += [run.seconds or 0.0 for run in record.runs]
        common = sorted(set.intersection(*(set(places) for by in found.values() for places in by.values())))
        self.points = len(common)
        self.full = Length(lengths[-1], lengths[-1])
        self.seconds = {length: fmean(times) for length, times in seconds.items()}
        self.blocks = [
            {length: np.array([places[place] for place in common]) for length, places in by.items()}
            for by in found.values()
        ]

    def same(self, length: Length) -> Pairs:
        """A length's values beside the full training's, for each block that has the length."""
        return [(by[length], by[self.full]) for by in self.blocks if length in by]

    def others(self, length: Length, where: Length) -> Pairs:
        """A length's values beside the mean of the full trainings of all other blocks, for each block with `where`."""
        return [
            (by[length], np.mean([other[self.full] for other in self.blocks if other is not by], axis=0))
            for by in self.blocks
            if where in by
        ]


Measure = Callable[[Values, Values], float]


def kept(share: float) -> Measure:
    """How many of the best quarter by the second are among the best `share` of the first."""

    def measure(ranked: Values, full: Values) -> float:
        best = np.argsort(full, kind="stable")[: max(1, round(len(full) / 4))]
        chosen = np.argsort(ranked, kind="stable")[: max(1, round(share * len(full)))]
        return len(set(best) & set(chosen)) / len(best)

    return measure


def spearman(ranked: Values, full: Values) -> float:
    return float(np.corrcoef(rankdata(ranked), rankdata(full))[0, 1])


def kendall(ranked: Values, full: Values) -> float:
    """Kendall's tau-b; a thousand resamples want it faster than SciPy's, which gives a significance too."""
    orders = [np.sign(values[:, None] - values).ravel() for values in (ranked, full)]
    return float(orders[0] @ orders[1] / np.linalg.norm(orders[0]) / np.linalg.norm(orders[1]))


def over_blocks(measure: Measure, pairs: Pairs, chosen: Places) -> float:
    return fmean(measure(ranked[chosen], full[chosen]) for ranked, full in pairs)


def interval(drawn: Sequence[float]) -> str:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"[{low:.2f}, {high:.2f}]"


def row(sweeps: Sweeps, length: Length, resamples: Sequence[Places]) -> list[str]:
    """What the table says of a length."""
    same, others = sweeps.same(length), sweeps.others(length, length)
    full = sweeps.others(sweeps.full, length)  # through the same luck: in the blocks that have this length
    everything = np.arange(sweeps.points)

    def cell(statistic: Callable[[Places], float]) -> str:
        return f"{statistic(everything):.2f} {interval([statistic(chosen) for chosen in resamples])}"

    return [
        str(length),
        cell(partial(over_blocks, spearman, same)),
        *(cell(partial(over_blocks, measure, others)) for measure in (spearman, kendall, kept(0.25), kept(0.5))),
        cell(lambda chosen: over_blocks(spearman, full, chosen) - over_blocks(spearman, others, chosen)),
        f"{sweeps.seconds[length.seen] / sweeps.seconds[sweeps.full.seen]:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", type=Path)
    parser.add_argument("ids", nargs="+", metavar="ID")
    arguments = parser.parse_args()
    read = (experiment_path(arguments.experiments, name) / "evaluations.jsonl" for name in arguments.ids)
    records = [record for path in read for record in read_records(path) if record.status == "ok"]
    sweeps = Sweeps(records, RunStore(arguments.experiments))
    if len(sweeps.blocks) < 2:
        parser.error("a full training is ranked by those of other blocks: give sweeps of two blocks or more")
    generator = np.random.default_rng(1)
    resamples = [generator.integers(0, sweeps.points, sweeps.points) for _ in range(RESAMPLES)]
    full = sweeps.seconds[sweeps.full.seen]
    print(f"{sweeps.points} points, {len(sweeps.blocks)} blocks, {full:.1f} s a full training")
    heads = ["", "same block", "other blocks", "Kendall's", "quarter", "half", "below full", "time"]
    print("".join(f"{head:20}" for head in heads))
    for length in sorted({length for by in sweeps.blocks for length in by}, key=lambda each: each[::-1]):
        print("".join(f"{cell:20}" for cell in row(sweeps, length, resamples)), flush=True)


if __name__ == "__main__":
    main()
