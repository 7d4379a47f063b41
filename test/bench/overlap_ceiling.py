"""How much of a planted region could be found at the most? An ideal reader, beside what the Comparator reads.

    python test/bench/overlap_ceiling.py [--cases box L] [--points level_set information misclassified]
        [--deviation 0.084] [--evaluations 56] [--repeats 24] [--processes 1] [--record FILE]

The ideal reader knows what no search can know: the form (a box; an L of this orientation, whose arms share a corner;
or two boxes anyhow), both heights and the noise. Beforehand all shapes of the form are alike likely to it. It names
the shape, or the set of places, whose expected overlap with the truth is greatest. It is given

    level_set      what `level_set` has evaluated, as in `planted.py`; the Comparator's own reading stands beside it
    information    points that it places itself, each where a result tells most of the shape. As the noise is the same
                   everywhere, that is where inside and outside are equally likely
    misclassified  points that it places itself, each where a result is expected to leave the least misclassified

The posterior is a sample of shapes, drawn again and moved after each result (Chopin, A sequential particle filter
method for static models, 2002); a move draws one side anew, exactly, given all others.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from planted import Trial, evaluated, reading, strategy_of
from planted_model import CASES, INSIDE, OUTSIDE, Case, difference, plane
from scipy import stats

from comparator.evidence.coordinates import dense_sample
from comparator.evidence.reading import DENSE, overlap
from comparator.space import ParameterSpace, Point

Array = np.ndarray[Any, Any]

SHAPES = 600  # of the posterior
SWEEPS = 2  # moves of every side after a result
NAMED = 150  # shapes of which one is named
LOOKED_AT = 128  # points of which the one is chosen that is expected to leave the least misclassified
OF_SHAPES, OF_PLACES = 500, 512  # of the posterior and of the space, in that choice
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Form:
    """Sides and the boxes that they make.

    A chain is an axis and how many sides it has, from the lowest to the highest; a box is the numbers of its sides:
    left, right, low, high.
    """

    chains: tuple[tuple[int, int], ...]
    boxes: tuple[tuple[int, int, int, int], ...]

    def sides(self) -> list[tuple[int, int | None, int | None]]:
        """Of each side the axis, and the numbers of the sides next below and above."""
        found: list[tuple[int, int | None, int | None]] = []
        for axis, count in self.chains:
            first = len(found)
            for side in range(first, first + count):
                found.append((axis, side - 1 if side > first else None, side + 1 if side < first + count - 1 else None))
        return found


FORMS = {
    "box": Form(((0, 2), (1, 2)), ((0, 1, 2, 3),)),
    "L": Form(((0, 3), (1, 3)), ((0, 1, 3, 5), (0, 2, 3, 4))),
    "two boxes": Form(((0, 2), (0, 2), (1, 2), (1, 2)), ((0, 1, 4, 5), (2, 3, 6, 7))),
}
#: What the reader may know of each case's form.
KNOWN = {"box": ("box",), "L": ("L", "two boxes")}


class Shapes:
    """A sample of the shapes of one form, as likely as the results make them."""

    def __init__(self, form: Form, deviation: float, seed: int) -> None:
        self._form, self._deviation, self._rng = form, deviation, np.random.default_rng(seed)
        self._sides = np.hstack([np.sort(self._rng.random((SHAPES, count)), axis=1) for _, count in form.chains])
        self._rows, self._gains = np.zeros((0, 2)), np.zeros(0)

    def learn(self, row: Array, value: float) -> None:
        """Take the result `value` at `row`, in fractions of the ranges."""
        # Of the log-likelihood, if the row lies inside.
        gain = (INSIDE - OUTSIDE) * (value - (INSIDE + OUTSIDE) / 2) / self._deviation**2
        self._draw_again(gain * self.inside(row[None])[:, 0])
        self._rows, self._gains = np.vstack([self._rows, row]), np.append(self._gains, gain)
        self._stir()

    def _draw_again(self, gains: Array) -> None:
        """Draw shapes by what their logarithms of the likelihood have gained."""
        shares = np.cumsum(np.exp(gains - gains.max()))
        places = (self._rng.random() + np.arange(SHAPES)) / SHAPES
        drawn = np.searchsorted(shares / shares[-1], places)
        self._sides = self._sides[np.minimum(drawn, SHAPES - 1)]

    def _stir(self) -> None:
        for _ in range(SWEEPS):
            for side in self._rng.permutation(self._sides.shape[1]):
                self._move(int(side))

    def inside(self, rows: Array, among: slice = slice(None)) -> Array:
        """Which rows lie in each shape, of shape (shapes, rows)."""
        return self._inside(self._sides[among], rows)

    def _inside(self, sides: Array, rows: Array) -> Array:
        found = np.zeros((len(sides), len(rows)), dtype=bool)
        x, y = rows[:, 0], rows[:, 1]
        for box in self._form.boxes:
            left, right, low, high = (sides[:, side, None] for side in box)
            found |= (left <= x) & (x <= right) & (low <= y) & (y <= high)
        return found

    def _move(self, side: int) -> None:
        """Draw a side of every shape anew: between two rows next to each other its likelihood is the same."""
        axis, below, above = self._form.sides()[side]
        lowest = self._sides[:, below] if below is not None else np.zeros(SHAPES)
        highest = self._sides[:, above] if above is not None else np.ones(SHAPES)
        order = np.argsort(self._rows[:, axis])
        rows = self._rows[order]
        at_lowest, at_highest = self._sides.copy(), self._sides.copy()
        at_lowest[:, side], at_highest[:, side] = lowest, highest
        logarithms = self._logarithms(self._inside(at_lowest, rows), self._inside(at_highest, rows), order)
        borders = np.clip([0.0, *rows[:, axis], 1.0], lowest[:, None], highest[:, None])
        masses = np.exp(logarithms - logarithms.max(axis=1, keepdims=True)) * np.diff(borders, axis=1)
        shares = np.cumsum(masses, axis=1)
        chosen = (shares > self._rng.random((SHAPES, 1)) * shares[:, -1:]).argmax(axis=1)
        shape = np.arange(SHAPES)
        width = borders[shape, chosen + 1] - borders[shape, chosen]
        self._sides[:, side] = borders[shape, chosen] + self._rng.random(SHAPES) * width

    def _logarithms(self, if_below: Array, if_above: Array, order: Array) -> Array:
        """Of the likelihood where so many of the rows in `order` are below a side, of shape (shapes, rows + 1)."""
        return passed(if_below * self._gains[order], if_above * self._gains[order])

    def named(self, rows: Array) -> Array:
        """Which rows lie in the set of greatest expected overlap: a shape, or all places likelier than some height."""
        return named(self.inside(rows))

    def most_informative(self, rows: Array) -> int:
        return int(np.argmin(np.abs(self.inside(rows).mean(axis=0) - 0.5)))

    def least_misclassified(self, rows: Array) -> int:
        """The row whose result is expected to leave the fewest rows misclassified."""
        among = slice(0, OF_SHAPES)
        held = self.inside(rows, among).astype(np.float32)
        likely = held.mean(axis=0)
        # Where the outcome is sure, or nearly so, nothing is learnt.
        open_rows = np.argsort(np.abs(likely - 0.5))[: 4 * LOOKED_AT]
        candidates = self._rng.choice(open_rows, LOOKED_AT, replace=False)
        places = held[:, :OF_PLACES]
        left = np.zeros(LOOKED_AT)
        expected = np.where(held[:, candidates] > 0, INSIDE, OUTSIDE).T
        for height, chance in ((OUTSIDE, 1 - likely[candidates]), (INSIDE, likely[candidates])):
            for node, weight in zip(NODES, WEIGHTS, strict=True):
                away = (height + node * self._deviation - expected) / self._deviation
                shares = np.exp(-0.5 * away**2)
                called = (shares / shares.sum(axis=1, keepdims=True)) @ places
                left += chance * weight * np.minimum(called, 1 - called).sum(axis=1)
        return int(candidates[int(np.argmin(left))])


def passed(if_below: Array, if_above: Array) -> Array:
    """The sum over the rows where a side is beyond none, one, ... of them, of shape (shapes, rows + 1).

    A row is as if the side were lowest as long as the side is below it.
    """
    none = np.zeros((len(if_below), 1))
    above = np.hstack([none, np.cumsum(if_above, axis=1)])
    return np.asarray(above + np.hstack([np.cumsum(if_below[:, ::-1], axis=1)[:, ::-1], none]))


def named(held: Array) -> Array:
    """The set of greatest expected overlap with those of a sample, of shape (sample, places): one of it, or all places
    likelier than some height."""
    likely = held.mean(axis=0)
    heights = [likely >= height for height in np.linspace(0.2, 0.8, 61)]
    sets = np.vstack([held[:NAMED], heights]).astype(np.float32)
    shared = sets @ held.T.astype(np.float32)
    union = sets.sum(axis=1)[:, None] + held.sum(axis=1)[None, :] - shared
    return np.asarray(sets[int(np.argmax((shared / np.maximum(union, 1)).mean(axis=1)))] > 0)


@dataclass(frozen=True)
class Reader:
    """Who reads one search of a case, and whose points."""

    case: str
    points: str
    deviation: float
    evaluations: int
    repeat: int


def rows_of(points: Sequence[Point]) -> Array:
    return np.array([plane(point) for point in points])


def ideal(reader: Reader, form: str, space: ParameterSpace) -> Array:
    """The places of the bench's sample that the ideal reader names by points of its own."""
    shapes = Shapes(FORMS[form], reader.deviation, reader.repeat)
    pool = dense_sample(space, DENSE, reader.repeat)
    rows = rows_of(pool)
    choose = shapes.most_informative if reader.points == "information" else shapes.least_misclassified
    for number in range(reader.evaluations):
        chosen = choose(rows)
        value = difference(reader.case, pool[chosen], reader.deviation, f"{reader.repeat} {number}")
        shapes.learn(rows[chosen], value)
    return shapes.named(sample_of(space))


def sample_of(space: ParameterSpace) -> Array:
    return rows_of(dense_sample(space, DENSE, 1))


def truth_of(case: Case, space: ParameterSpace) -> Array:
    return np.array([case.is_inside(point) for point in dense_sample(space, DENSE, 1)])


def carry_out(reader: Reader) -> list[dict[str, Any]]:
    case = CASES[reader.case]
    space = ParameterSpace.from_entries(case.space, reader.case)
    truth = truth_of(case, space)
    lines: list[dict[str, Any]] = []

    def add(who: str, found: float) -> None:
        lines.append({**vars(reader), "reader": who, "overlap": found})

    if reader.points != "level_set":
        for form in KNOWN[reader.case]:
            add(form, overlap(ideal(reader, form, space), truth))
        return lines
    trial = Trial("level_set", reader.case, reader.deviation, (reader.evaluations,), reader.repeat)
    done = evaluated(strategy_of(trial, space, reader.evaluations), trial, reader.evaluations)
    for form in KNOWN[reader.case]:
        shapes = Shapes(FORMS[form], reader.deviation, reader.repeat)
        for point, value in done:
            shapes.learn(np.array(plane(point)), value)
        add(form, overlap(shapes.named(sample_of(space)), truth))
    for name, found in reading(case, space, done).items():
        add({"overlap": "Comparator, boxes", "places": "Comparator, places"}[name], found)
    return lines


def results(readers: list[Reader], processes: int, record: Path | None) -> Iterator[dict[str, Any]]:
    """All lines of the readers; those that the record has first."""
    kept = [json.loads(line) for line in record.read_text().splitlines()] if record and record.exists() else []
    wanted = {astuple(reader): reader for reader in readers}
    keys = Reader.__dataclass_fields__
    known = {tuple(line[key] for key in keys) for line in kept}
    yield from (line for line in kept if tuple(line[key] for key in keys) in wanted)
    with ProcessPoolExecutor(processes) as pool:
        for lines in pool.map(carry_out, [reader for key, reader in wanted.items() if key not in known]):
            if record:
                with record.open("a") as file:
                    file.writelines(json.dumps(line) + "\n" for line in lines)
            yield from lines


def interval(values: Sequence[float]) -> str:
    """The mean with its 95 % interval (Student's t)."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}] of {len(values)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(KNOWN), choices=list(KNOWN))
    of_points = ["level_set", "information", "misclassified"]
    parser.add_argument("--points", nargs="+", default=of_points, choices=of_points)
    parser.add_argument("--deviation", type=float, default=0.084)
    parser.add_argument("--evaluations", type=int, default=56)
    parser.add_argument("--repeats", type=int, default=24)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    readers = [
        Reader(case, points, given.deviation, given.evaluations, repeat)
        for repeat, case, points in product(range(given.repeats), given.cases, given.points)
    ]
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for line in results(readers, given.processes, given.record):
        found[line["case"], line["points"], line["reader"]].append(line["overlap"])
    print("| case | points | reader | overlap |\n|---|---|---|---|")
    for (case, points, reader), values in sorted(found.items()):
        print(f"| {case} | {points} | {reader} | {interval(values)} |")


if __name__ == "__main__":
    main()
