"""How often `comparator left-out` names a part of the training data that changes nothing, and finds one that does.

    python test/bench/left_out.py numbers [--studies 1000] [--blocks 6 8 16] [--seed 1]
    python test/bench/left_out.py learners [--studies 100] [--blocks 8] [--seed 1]

`numbers`: made-up differences of 15 drugs, as unequal in rows as those that CCLE and GDSC1 share. A block's split moves
all its differences alike; each training adds luck of its own: normal, with heavy tails (t with three degrees of
freedom), skewed (exponential), or unequal (by drugs and blocks, up to four times). Truths: nothing changes the
difference; rows do, each alike (`rows alone`); one drug by twice the deviation of the luck of a pair, or two by three
times, on top of what its rows do.

`learners`: trainings of `planted_left_out.py`, of which without anything planted the difference of both is 0 by
expectation, whatever is left out; the true changes of the planted ones are means over a thousand blocks of their own.
There the others change something too, as what is wrong weighs the more the fewer the right rows are.

Of each: the share of studies in which a drug is named that changes nothing beyond its rows, 5 % at most (of planted
learners: in which another drug is named first); in which those that were planted are named; and in which the intervals
of all changes together hold the true ones, 95 % at least. Behind stand the bounds of Clopper and Pearson (95 %).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import planted_left_out as planted
from numpy.random import Generator
from scipy.stats import beta

from comparator.evidence.omission import Omission, omissions
from comparator.objective.differences import DIFFERENCES, signed_difference

ROWS = np.array([planted.rows_of_drug(name) for name in planted.NAMES])
LARGEST = int(ROWS.argmax())
LUCK = ("normal", "heavy tails", "skewed", "unequal")
#: By how many deviations a pair's luck each planted drug changes the difference; and what the largest part's rows do.
TRUTHS: Mapping[str, tuple[Mapping[int, float], float]] = {
    "nothing": ({}, 0.0),
    "rows alone": ({}, 2.0),
    "a drug": ({2: -2.0}, 0.0),
    "two drugs, and rows": ({2: -3.0, 9: 3.0}, 1.0),
}
CONTROLS = ("largest", "each", "none")


@dataclass
class Tally:
    """Counts over studies."""

    studies: int = 0
    false: int = 0
    found: int = 0
    held: int = 0

    def add(
        self, judged: Sequence[Omission], truth: Sequence[float], matters: Sequence[int], *, first_alone: bool = False
    ) -> None:
        """Count one study; `truth` are the true changes, `matters` the drugs that change more than rows do.

        With `first_alone` a false one is a false one that is named first.
        """
        shown = [number for number, each in enumerate(judged) if each.shown]
        shown.sort(key=lambda number: -abs(judged[number].change.value))  # type: ignore[union-attr]
        self.studies += 1
        self.false += any(number not in matters for number in (shown[:1] if first_alone else shown))
        self.found += bool(matters) and set(matters) <= set(shown)
        self.held += all(_holds(each, true) for each, true in zip(judged, truth, strict=True))

    def words(self, *, has_planted: bool) -> str:
        found = f"{self.found / self.studies:9.2f}" if has_planted else f"{'-':>9s}"
        return f"{_share(self.false, self.studies)}  {found}  {_share(self.held, self.studies)}"


def _holds(judged: Omission, truth: float) -> bool:
    if judged.change is None or judged.change.interval is None:
        return True
    return judged.change.interval[0] <= truth <= judged.change.interval[1]


def _share(count: int, of: int) -> str:
    low = beta.ppf(0.025, count, of - count + 1) if count else 0.0
    high = beta.ppf(0.975, count + 1, of - count) if count < of else 1.0
    return f"{100 * count / of:5.1f} [{100 * low:.1f}, {100 * high:.1f}]".ljust(20)


def luck(rng: Generator, kind: str, blocks: int, trainings: int) -> np.ndarray:
    """The luck of each pair of trainings, [blocks, trainings], of deviation 1; unequal: up to four times that."""
    shape = (blocks, trainings)
    if kind == "heavy tails":
        return np.asarray(rng.standard_t(3, shape) / np.sqrt(3))
    if kind == "skewed":
        return np.asarray(rng.exponential(1, shape) - 1)
    if kind == "unequal":
        return np.asarray(
            rng.standard_normal(shape) * rng.uniform(0.5, 2, trainings) * rng.uniform(0.5, 2, (blocks, 1))
        )
    return rng.standard_normal(shape)


def numbers_of(rng: Generator, kind: str, blocks: int, truth: Sequence[float], by_rows: float) -> np.ndarray:
    """The differences of all rows, without each drug, and without as many random rows as each has, [blocks, 31]."""
    changes = np.concatenate([[0.0], truth, by_rows * ROWS / ROWS.max()])
    return 10 + 2 * rng.standard_normal((blocks, 1)) + changes + luck(rng, kind, blocks, len(changes))


def judged_by(differences: np.ndarray, control: str) -> list[Omission]:
    """The verdicts with one of the `CONTROLS`, of differences as in `numbers_of`."""
    columns = [dict(enumerate(column.tolist())) for column in differences.T]
    whole, parts, at_random = columns[0], columns[1 : planted.DRUGS + 1], columns[planted.DRUGS + 1 :]
    controls: list[Mapping[int, float] | None] = list(at_random)
    if control != "each":
        controls = [at_random[LARGEST] if control == "largest" else None] * planted.DRUGS
    return omissions(whole, parts, controls)


def of_numbers(asked: argparse.Namespace) -> None:
    print("truth                luck         blocks  control  named falsely, %      all found  intervals hold, %")
    for truth, kind, blocks in itertools.product(TRUTHS, LUCK, asked.blocks):
        by_drug, by_rows = TRUTHS[truth]
        changes = [by_rows * rows / ROWS.max() + by_drug.get(number, 0.0) for number, rows in enumerate(ROWS.tolist())]
        tallies = {control: Tally() for control in CONTROLS}
        for study in range(asked.studies):
            rng = np.random.default_rng([asked.seed, blocks, study, LUCK.index(kind), list(TRUTHS).index(truth)])
            differences = numbers_of(rng, kind, blocks, changes, by_rows)
            for control, tally in tallies.items():
                tally.add(judged_by(differences, control), changes, list(by_drug))
        for control, tally in tallies.items():
            words = tally.words(has_planted=bool(by_drug))
            print(f"{truth:20s} {kind:12s} {blocks:6d}  {control:7s}  {words}", flush=True)


def learned(planted_drug: str, without: str | None, seed: int, *, at_random: bool = False) -> float:
    """The signed relative difference of one pair of trainings."""
    losses = [
        planted.run(
            {
                **planted.initialize_parameters(),
                **{"side": side, "planted": planted_drug, "rng_seed": seed, "split_seed": seed},
                **{"exclude_drugs": None if without is None else [without], "exclude_at_random": at_random},
            }
        )["val_loss"]
        for side in (0, 1)
    ]
    return signed_difference(DIFFERENCES["relative"], *losses)


def study_of(planted_drug: str, seeds: Sequence[int]) -> np.ndarray:
    """The differences of a study of learners, as in `numbers_of`, but random rows as many as the largest drug has."""
    found = np.full((len(seeds), 1 + 2 * planted.DRUGS), np.nan)
    for place, seed in enumerate(seeds):
        found[place, 0] = learned(planted_drug, None, seed)
        for number, name in enumerate(planted.NAMES):
            found[place, 1 + number] = learned(planted_drug, name, seed)
        largest = planted.NAMES[LARGEST]
        found[place, 1 + planted.DRUGS + LARGEST] = learned(planted_drug, largest, seed, at_random=True)
    return found


def of_learners(asked: argparse.Namespace) -> None:
    print("planted    blocks  named falsely, %      all found  intervals hold, %")
    for drug in ("", "drug 3", "drug 9"):
        if drug:
            many = study_of(drug, range(10**6, 10**6 + asked.truth))
            truth = (many[:, 1 : planted.DRUGS + 1] - many[:, :1]).mean(axis=0)
        else:
            truth = np.zeros(planted.DRUGS)
        for blocks in asked.blocks:
            tally = Tally()
            for study in range(asked.studies):
                first = 1 + asked.seed * 10**7 + study * 100
                differences = study_of(drug, range(first, first + blocks))
                matters = [planted.NAMES.index(drug)] if drug else []
                tally.add(judged_by(differences, "largest"), truth.tolist(), matters, first_alone=bool(drug))
            print(f"{drug or 'nothing':9s}  {blocks:6d}  {tally.words(has_planted=bool(drug))}", flush=True)
        if drug:
            print("  true changes: " + ", ".join(f"{value:+.3f}" for value in truth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["numbers", "learners"])
    parser.add_argument("--studies", type=int, default=None, help="1000 of numbers, 100 of learners")
    parser.add_argument("--blocks", type=int, nargs="+", default=None, help="6 8 16 of numbers, 8 of learners")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth", type=int, default=1000, help="blocks that tell the learners' true changes")
    asked = parser.parse_args()
    is_numbers = asked.what == "numbers"
    asked.studies = asked.studies or (1000 if is_numbers else 100)
    asked.blocks = asked.blocks or ([6, 8, 16] if is_numbers else [8])
    (of_numbers if is_numbers else of_learners)(asked)


if __name__ == "__main__":
    main()
