"""Where the overlap with a planted region is lost between an ideal asker and `level_set`, step by step.

    python test/bench/overlap_bridge.py [--steps ideal heights noise ...] [--cases box L] [--repeats 12] [--first 2000]
        [--record FILE]

56 evaluations, noise 0.084; the first 28 are scattered as `level_set` does, those of all steps alike. Each asker then
knows less than the one before:

    ideal       the form (a box, or two boxes anyhow), both heights and the noise (`overlap_ceiling.py`)
    heights     the form and the noise; heights have the prior of the Comparator's step functions
    noise       the form alone
    functions   nothing: 600 step functions, moved three times as often as the Comparator's
    fewer       nothing: step functions as the Comparator's
    wrong       the same, which asks where the fewest places are expected to be wrong, of the Comparator's candidates
    level_set   the search as it is, the Gaussian process beside the step functions, two evaluations in flight

All but the last two ask where a result tells most of the shape. Cases are those of `planted_model.py`, and `any box`
and `any L`, which each repeat has one of its own of. Of each search there are three overlaps with the truth: what
the asker itself reads (the set of greatest expected overlap), what the Comparator reads in boxes, and what the ideal
reader does. A line of each search is kept by `--record`; what is recorded is not done again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from overlap_ceiling import FORMS, SHAPES, Array, Shapes, interval, named, passed, rows_of
from planted import Evaluations, Trial, evaluated, reading, strategy_of
from planted_model import CASES, INSIDE, OUTSIDE, PLANE, Case, box, difference, either, plane

from comparator.evidence import steps as step_functions
from comparator.evidence.coordinates import Coordinates, dense_sample
from comparator.evidence.reading import DENSE, overlap
from comparator.evidence.steps import CONTRAST, NOISE_SCALE, NOISE_SHAPE, Steps
from comparator.space import ParameterSpace, Point
from comparator.strategies.level_set import CANDIDATES, PLACES, POOL, expected_gain_of_steps
from comparator.strategies.sampling import sobol_points

DEVIATION, EVALUATIONS, SCATTERED = 0.084, 56, 28
ASKED_OF = 512  # points, drawn anew of `DENSE`, of which one is asked for
RESULTS = 48  # that a point may have, in what it tells
FEW = step_functions.PARTICLES
MANY, FURTHER = 600, 6  # step functions, and moves beside the Comparator's own after each result
STEPS = ["ideal", "heights", "noise", "functions", "fewer", "wrong", "level_set"]


def case_of(name: str, repeat: int) -> Case:
    """A case by its name; of `any box` and `any L` one that the repeat draws."""
    if not name.startswith("any "):
        return CASES[name]
    rng = random.Random(f"{name} {repeat}")
    ends = (0.3, 0.4, 0.04) if name == "any box" else (0.6, 0.8, 0.05)
    width, height = (round(rng.uniform(*ends[:2]), 2) for _ in range(2))
    left, low = (round(rng.uniform(ends[2], 1 - ends[2] - size), 2) for size in (width, height))
    if name == "any box":
        return Case(PLANE, box(left, left + width, low, low + height))
    upright = left if rng.random() < 0.5 else left + width - 0.25
    lying = low if rng.random() < 0.5 else low + height - 0.25
    arms = (box(upright, upright + 0.25, low, low + height), box(left, left + width, lying, lying + 0.25))
    return Case(PLANE, either(*arms))


class Known(Shapes):
    """Shapes of which both heights and the noise are known."""

    def foretold(self, rows: Array) -> tuple[Array, Array]:
        """Mean and deviation of a result at each row, by shape, both of shape (shapes, rows)."""
        inside = self.inside(rows)
        return np.where(inside, INSIDE, OUTSIDE), np.full(inside.shape, DEVIATION)


class Unknown(Shapes):
    """Shapes whose heights are integrated out, and the noise where it is not known, by the priors of `Steps`."""

    def __init__(self, *given: Any, knows_noise: bool) -> None:
        super().__init__(*given)
        self._knows_noise, self._results = knows_noise, np.zeros(0)

    def learn(self, row: Array, value: float) -> None:
        before = self._likelihood(*self._counts_and_sums()) if len(self._results) else np.zeros(SHAPES)
        self._rows, self._results = np.vstack([self._rows, row]), np.append(self._results, value)
        self._draw_again(self._likelihood(*self._counts_and_sums()) - before)
        self._stir()

    @property
    def _scale(self) -> float:
        return self._deviation if self._knows_noise else float(self._results.std()) or 1.0

    @property
    def _values(self) -> Array:
        return np.asarray((self._results - self._results.mean()) / self._scale)

    def _counts_and_sums(self) -> tuple[Array, Array]:
        inside = self.inside(self._rows)
        return inside.sum(axis=1), inside @ self._values

    def _between(self, counts: Array, sums: Array) -> tuple[Array, Array]:
        total = len(self._results)
        between = counts * (total - counts) / total + 1 / CONTRAST
        return between, np.maximum(NOISE_SCALE + total / 2 - 0.5 * sums**2 / between, NOISE_SCALE)

    @property
    def _shape(self) -> float:
        return NOISE_SHAPE + (len(self._results) - 1) / 2

    def _likelihood(self, counts: Array, sums: Array) -> Array:
        between, left = self._between(counts, sums)
        fit = 0.5 * sums**2 / between if self._knows_noise else -self._shape * np.log(left)
        return np.asarray(fit - 0.5 * np.log(between))

    def _logarithms(self, if_below: Array, if_above: Array, order: Array) -> Array:
        values = self._values[order]
        counts, sums = (passed(if_below * by, if_above * by) for by in (np.ones_like(values), values))
        return self._likelihood(counts, sums)

    def foretold(self, rows: Array) -> tuple[Array, Array]:
        """As `Known.foretold`, by what the results say of heights and noise."""
        counts, sums = self._counts_and_sums()
        between, left = self._between(counts, sums)
        outside = -sums / between * counts / len(self._results)
        noise = np.ones(SHAPES) if self._knows_noise else np.sqrt(left / self._shape)
        means = np.column_stack([outside, outside + sums / between])
        weights = np.column_stack([len(self._results) - counts, counts]) + 1 / CONTRAST
        inside = self.inside(rows).astype(int)
        spread = noise[:, None] * np.sqrt(1 + 1 / np.take_along_axis(weights, inside, axis=1))
        mean = np.take_along_axis(means, inside, axis=1) * self._scale + self._results.mean()
        return mean, spread * self._scale


class Functions:
    """The Comparator's step functions, `further` moves beside its own after each result."""

    def __init__(self, space: ParameterSpace, seed: int, further: int) -> None:
        self.steps = Steps(Coordinates(space), seed)
        self._further = further
        self._done: Evaluations = []

    def learn(self, point: Point, value: float) -> None:
        self._done.append((point, value))
        self.steps.learn([each for each, _ in self._done], np.array([value for _, value in self._done]))
        if self._further and len(self._done) >= SCATTERED:
            self.steps.move(self._further)

    def inside(self, points: Sequence[Point]) -> Array:
        """Which points each function has higher than what is halfway between its two heights."""
        return np.asarray(self.steps.heights(points)[0] > self.steps.middles[:, None])

    def foretold(self, points: Sequence[Point]) -> tuple[Array, Array]:
        mean, deviation = self.steps.heights(points)
        return mean, np.hypot(deviation, self.steps.noise)


def told(mean: Array, deviation: Array) -> Array:
    """What a result at each candidate tells of which of the sample it is, in nats; both are (sample, candidates)."""
    results = np.linspace((mean - 3 * deviation).min(), (mean + 3 * deviation).max(), RESULTS)
    density = np.array([(np.exp(-0.5 * ((at - mean) / deviation) ** 2) / deviation).mean(axis=0) for at in results])
    density /= math.sqrt(2 * math.pi)
    mixed = -(density * np.log(density + 1e-30)).sum(axis=0) * (results[1] - results[0])
    return np.asarray(mixed - np.log(deviation).mean(axis=0) - 0.5 * math.log(2 * math.pi * math.e))


def asked(
    case: str, space: ParameterSpace, repeat: int, learn: Callable[[Point, float], None], ask: Callable[[], Point]
) -> Evaluations:
    """The evaluations of a search that asks for the points after the scattered ones itself."""
    scattered = sobol_points(space, repeat)
    done: Evaluations = []
    for number in range(EVALUATIONS):
        point = next(scattered) if number < SCATTERED else ask()
        done.append((point, difference(case, point, DEVIATION, f"{repeat} {number}")))
        learn(*done[-1])
    return done


def by_shapes(step: str, form: str, case: str, space: ParameterSpace, repeat: int) -> tuple[Evaluations, Array]:
    """The evaluations of an asker that knows the form, and what it reads at the places of the bench's sample."""
    given = FORMS[form], DEVIATION, repeat
    shapes = Known(*given) if step == "ideal" else Unknown(*given, knows_noise=step == "heights")
    pool, rng = dense_sample(space, DENSE, repeat + 77), np.random.default_rng(repeat)

    def learn(point: Point, value: float) -> None:
        shapes.learn(np.array(plane(point)), value)

    def ask() -> Point:
        candidates = [pool[place] for place in rng.choice(DENSE, ASKED_OF, replace=False)]
        return candidates[int(np.argmax(told(*shapes.foretold(rows_of(candidates)))))]

    done = asked(case, space, repeat, learn, ask)
    return done, named(shapes.inside(rows_of(dense_sample(space, DENSE, 1))))


def by_functions(step: str, case: str, space: ParameterSpace, repeat: int) -> tuple[Evaluations, Array]:
    """As `by_shapes`, by step functions, which know nothing of the form."""
    step_functions.PARTICLES = MANY if step == "functions" else FEW
    functions = Functions(space, repeat, FURTHER if step == "functions" else 0)
    size, count = (POOL, CANDIDATES) if step == "wrong" else (DENSE, ASKED_OF)
    pool, rng = dense_sample(space, size, repeat + 77), np.random.default_rng(repeat)

    def ask() -> Point:
        candidates = [pool[place] for place in rng.choice(size, count, replace=False)]
        if step != "wrong":
            return candidates[int(np.argmax(told(*functions.foretold(candidates))))]
        steps = functions.steps
        gain = expected_gain_of_steps(steps, steps.middles, candidates, pool[:PLACES], np.ones(PLACES))
        return candidates[int(np.argmax(gain))]

    done = asked(case, space, repeat, functions.learn, ask)
    if step != "functions":
        functions.steps.settle()
    held = functions.inside(dense_sample(space, DENSE, 1))
    step_functions.PARTICLES = FEW
    return done, named(held)


def carry_out(step: str, name: str, repeat: int) -> dict[str, Any]:
    case = case_of(name, repeat)
    key = name if name in CASES else f"{name} {repeat}"
    CASES[key] = case
    space = ParameterSpace.from_entries(case.space, key)
    form = "box" if "box" in name else "two boxes"
    sample = dense_sample(space, DENSE, 1)
    truth = np.array([case.is_inside(point) for point in sample])
    line: dict[str, Any] = {"step": step, "case": name, "repeat": repeat}
    if step == "level_set":
        trial = Trial(step, key, DEVIATION, (EVALUATIONS,), repeat)
        done = evaluated(strategy_of(trial, space, EVALUATIONS), trial, EVALUATIONS)
    else:
        by = by_shapes(step, form, key, space, repeat) if step in STEPS[:3] else by_functions(step, key, space, repeat)
        done, own = by
        line["own"] = overlap(own, truth)
    shapes = Shapes(FORMS[form], DEVIATION, repeat)
    for point, value in done:
        shapes.learn(np.array(plane(point)), value)
    line["ideal reader"] = overlap(shapes.named(rows_of(sample)), truth)
    return {**line, "Comparator": reading(case, space, done)["overlap"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", nargs="+", default=STEPS, choices=STEPS)
    names = ["box", "L", "any box", "any L"]
    parser.add_argument("--cases", nargs="+", default=names, choices=names)
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--first", type=int, default=2000)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    kept = (
        [json.loads(line) for line in given.record.read_text().splitlines()]
        if given.record and given.record.exists()
        else []
    )
    known = {(line["step"], line["case"], line["repeat"]): line for line in kept}
    lines = []
    for key in product(given.steps, given.cases, range(given.first, given.first + given.repeats)):
        line = known.get(key) or carry_out(*key)
        lines.append(line)
        if given.record and key not in known:
            with given.record.open("a") as file:
                file.write(json.dumps(line) + "\n")
    print("| step | case | own | ideal reader | Comparator |\n|---|---|---|---|---|")
    for step, name in product(given.steps, given.cases):
        of = [line for line in lines if (line["step"], line["case"]) == (step, name)]
        readers = ("own", "ideal reader", "Comparator")
        cells = [interval([line[who] for line in of]) if who in of[0] else "" for who in readers]
        print(f"| {step} | {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
