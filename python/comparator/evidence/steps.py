"""A difference of two heights: one in few boxes, another everywhere else, as a sample of what it may be.

A Gaussian process takes a function for smooth, and sees neither that a region ends at a side nor that far points inside
one box support each other. Here each of `PARTICLES` is a union of up to `BOXES` boxes of a lattice's cells, and all
are a sample of the posterior: two heights of normal priors and normal noise, which are integrated out, so that only how
many observations lie inside, and their sum, matter. Observations are taken little by little: the particles are drawn
again by how well each foretold the new ones, and then moved (Chopin, A sequential particle filter method for static
models, 2002). A move draws one side of one box, or that there is no such box, from what is likely given all the rest.

`share` says how far this is to be believed beside a Gaussian process: by how each foretells what it has not seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import expit

from comparator.evidence.coordinates import Array, Coordinates
from comparator.evidence.cover import Lattice
from comparator.evidence.surrogate import Surrogate

PARTICLES = 96
BOXES = 6
IS_THERE = 0.5  # prior probability of each box
CLOSED = 2.0  # sides that a box has on average, if so many parameters vary
LEAST_OPEN = 0.1  # prior probability that a side is open, at the least
CONTRAST = 10.0  # prior variance of the difference of the heights, in variances of the noise
NOISE_SHAPE, NOISE_SCALE = 3.0, 1.0  # prior of the noise's variance (inverse gamma), in variances of the values
FEWEST, LONELY = 2, 10.0  # observations on either side, and what fewer cost, in logarithms of the likelihood
OPTIONS = 150  # sides that a move chooses of, about
SUBSETS = 512  # of the values of a category, about, that a side can be
FIRST, GROWTH = 8, 1.25  # observations taken first, and by how much they grow at a time
SWEEPS = 3  # moves of each side of each box after observations are taken
SETTLING, MANY = 20, 200  # moves by which a sample settles; of more than `MANY` observations fewer, in proportion
LEAST = 1e-12  # density of an observation, in units of the deviation of all
DRAWS = 400  # of how much each observation counts

Points = Sequence[Mapping[str, Any]]


class Steps:
    """A sample of two-step functions over the space of `coordinates`; `learn` what was observed, then ask."""

    def __init__(self, coordinates: Coordinates, seed: int = 0) -> None:
        self._coordinates, self._rng = coordinates, np.random.default_rng(seed)
        is_open = max(LEAST_OPEN, 1 - CLOSED / max(len(coordinates.parameters), 1))
        self._sides = [
            _sides_of(size, bool(is_category), is_open)
            for size, is_category in zip(Lattice(coordinates, []).sizes, coordinates.is_category, strict=True)
        ]
        self._is_there = self._rng.random((PARTICLES, BOXES)) < IS_THERE
        #: The number of each box's side among those that it can be, of shape (columns, boxes, particles).
        self._chosen = np.array([sides.drawn((BOXES, PARTICLES), self._rng) for sides in self._sides], dtype=int)
        self._chosen = self._chosen.reshape(-1, BOXES, PARTICLES)
        self._take(np.zeros((0, len(self._sides)), dtype=int), np.zeros(0))

    def learn(self, points: Points, values: Array, sweeps: int = SWEEPS) -> None:
        """Take all observations, of which the first are those that were taken before.

        After they are taken each side of each box is moved `sweeps` times.
        """
        cells = Lattice(self._coordinates, points).cells
        known = len(self._values)
        while known < len(points):
            now = min(max(FIRST, int(known * GROWTH) + 1), len(points))
            before = self._likelihoods()
            self._take(cells[:now], values[:now])
            if known:
                self._draw_again(self._likelihoods() - before)
            self.move(sweeps)
            known = now

    def exchange(self, points: Points, values: Array) -> None:
        """Take other observations in the place of those that were taken."""
        if not len(self._values):
            self.learn(points, values)
            return
        self._take(Lattice(self._coordinates, points).cells, values)
        self.move(SWEEPS)

    def settle(self) -> None:
        """Move the sample further, all observations being taken: it then depends less on what the first made likely."""
        self.move(round(SETTLING * min(1.0, MANY / max(len(self._values), 1))))

    def move(self, sweeps: int) -> None:
        """Move each side of each box `sweeps` times."""
        for _ in range(sweeps):
            self._sweep()

    def heights(self, points: Points) -> tuple[Array, Array]:
        """Mean and deviation of each particle's function at each point, both of shape (particles, points)."""
        inside = self._inside(self._boxes_at(Lattice(self._coordinates, points).cells)).astype(int)
        means, weights, noise = self._steps()
        deviations = noise[:, None] / np.sqrt(weights)
        return np.take_along_axis(means, inside, axis=1), np.take_along_axis(deviations, inside, axis=1)

    @property
    def middles(self) -> Array:
        """What lies halfway between each particle's two heights."""
        return np.asarray(self._steps()[0].mean(axis=1))

    @property
    def noise(self) -> float:
        """The deviation of one observation."""
        return float(np.median(self._steps()[2]))

    def left_out(self) -> Array:
        """The logarithm of the density that all other observations give to each.

        (Importance sampling: Gelfand, Dey and Chang, Model determination using predictive distributions, 1992.)
        """
        inside = self._union().astype(int)
        means, weights, noise = self._steps()
        share = 1 / np.take_along_axis(weights, inside, axis=1)  # of its own height that an observation makes up
        away = self._values - (np.take_along_axis(means, inside, axis=1) - self._centre) / self._scale
        spread = noise[:, None] / self._scale * np.sqrt(1 + share)
        density = np.exp(-0.5 * (away / np.maximum(1 - share, 0.1) / spread) ** 2) / spread / math.sqrt(2 * math.pi)
        return np.asarray(-np.log(np.mean(1 / np.maximum(density, LEAST), axis=0)) - math.log(self._scale))

    def _take(self, cells: Array, values: Array) -> None:
        self._cells = cells
        self._centre = float(values.mean()) if len(values) else 0.0
        self._scale = float(values.std()) or 1.0 if len(values) else 1.0
        self._values = ((values - self._centre) / self._scale).astype(np.float32)
        self._held = self._boxes_at(cells)

    def _boxes_at(self, cells: Array) -> Array:
        """Which cells each box holds, of shape (boxes, particles, cells)."""
        held = np.ones((BOXES, PARTICLES, len(cells)), dtype=bool)
        for column, sides in enumerate(self._sides):
            held &= sides.held[self._chosen[column]][:, :, cells[:, column]]
        return held

    def _inside(self, held: Array) -> Array:
        """What lies in a box that is there, of what each box holds."""
        return np.asarray((held & self._is_there.T[:, :, None]).any(axis=0))

    def _union(self) -> Array:
        """Which observations lie inside, of shape (particles, observations)."""
        return self._inside(self._held)

    def _draw_again(self, weights: Array) -> None:
        """Draw particles by the logarithms of their weights."""
        shares = np.cumsum(np.exp(weights - weights.max()))
        places = (self._rng.random() + np.arange(PARTICLES)) / PARTICLES
        drawn = np.minimum(np.searchsorted(shares / shares[-1], places), PARTICLES - 1)
        self._is_there, self._chosen = self._is_there[drawn], self._chosen[:, :, drawn]
        self._held = self._held[:, drawn]

    def _sweep(self) -> None:
        for box in self._rng.permutation(BOXES):
            absent = np.flatnonzero(~self._is_there[:, box])
            for column, sides in enumerate(self._sides):
                self._chosen[column, box, absent] = sides.drawn(len(absent), self._rng)
            others = np.zeros((PARTICLES, len(self._cells)), dtype=bool)
            for other in range(BOXES):
                if other != box:
                    others |= self._held[other] & self._is_there[:, other, None]
            within = [self._held_by(box, column) for column in range(len(self._sides))]
            for column in self._rng.permutation(len(self._sides)):
                free = ~others
                for other, held in enumerate(within):
                    if other != column:
                        free &= held
                self._choose(box, column, others.astype(np.float32), free.astype(np.float32))
                within[column] = self._held_by(box, column)
            self._held[box] = np.logical_and.reduce(within) if within else True

    def _held_by(self, box: int, column: int) -> Array:
        """Which observations lie within one side of a box, of shape (particles, observations)."""
        return np.asarray(self._sides[column].held[self._chosen[column, box]][:, self._cells[:, column]])

    def _choose(self, box: int, column: int, others: Array, free: Array) -> None:
        """Draw a side of a box anew, or that there is no such box.

        `others` are the observations that other boxes hold, `free` those that this one would hold if the side were
        open. Of many sides some are looked at, and the present one.
        """
        sides, own = self._sides[column], self._chosen[column, box]
        looked_at = self._rng.random(len(sides.held)) < OPTIONS / len(sides.held)
        looked_at[sides.whole] = True
        among = np.flatnonzero(looked_at)
        in_cell = (self._cells[:, column, None] == np.arange(sides.held.shape[1])).astype(np.float32)
        masks, present = sides.masks[among].T, sides.masks[own]

        def inside(each: Array) -> Array:
            by_cell = each @ in_cell
            kept = (by_cell * present).sum(axis=1)
            return np.column_stack([by_cell @ masks, kept, np.zeros_like(kept)])

        counts = others.sum(axis=1)[:, None] + inside(free)
        sums = (others @ self._values)[:, None] + inside(free * self._values)
        kept = np.where(looked_at[own], -np.inf, sides.prior[own])
        logarithms = self._likelihood(counts, sums)
        logarithms[:, :-2] += sides.prior[among] + math.log(IS_THERE)
        logarithms[:, -2] += kept + math.log(IS_THERE)
        logarithms[:, -1] += np.log(np.exp(sides.prior[among]).sum() + np.exp(kept)) + math.log(1 - IS_THERE)
        shares = np.cumsum(np.exp(logarithms - logarithms.max(axis=1, keepdims=True)), axis=1)
        drawn = (shares >= self._rng.random((PARTICLES, 1)) * shares[:, -1:]).argmax(axis=1)
        self._is_there[:, box] = drawn <= len(among)
        # The side of a box that is not there is as likely as beforehand.
        masses = np.cumsum(np.exp(sides.prior[among]))
        beforehand = np.searchsorted(masses, self._rng.random(PARTICLES) * (masses[-1] + np.exp(kept)))
        drawn = np.where(drawn > len(among), beforehand, drawn)
        self._chosen[column, box] = np.where(drawn < len(among), among[np.minimum(drawn, len(among) - 1)], own)

    def _likelihoods(self) -> Array:
        return self._likelihood(*self._counts_and_sums())

    def _likelihood(self, counts: Array, sums: Array) -> Array:
        """The logarithm of the likelihood where so many observations lie inside and have this sum."""
        between, left = self._between(counts, sums)
        lonely = np.minimum(counts, len(self._values) - counts) < FEWEST
        return -0.5 * np.log(between) - np.float32(self._shape) * np.log(left) - np.float32(LONELY) * lonely

    def _between(self, counts: Array, sums: Array) -> tuple[Array, Array]:
        """How well a contrast can be told, and the scale of the noise that it leaves, in squares of the values."""
        total = len(self._values)
        between = counts * (total - counts) / np.float32(max(total, 1)) + np.float32(1 / CONTRAST)
        left = np.float32(NOISE_SCALE + total / 2) - np.float32(0.5) * sums**2 / between
        return between, np.maximum(left, np.float32(NOISE_SCALE))  # of values alike but for rounding it would be less

    @property
    def _shape(self) -> float:
        return NOISE_SHAPE + (len(self._values) - 1) / 2

    def _counts_and_sums(self) -> tuple[Array, Array]:
        """Of the observations that lie inside, by particle."""
        inside = self._union().astype(np.float32)
        return inside.sum(axis=1), inside @ self._values

    def _steps(self) -> tuple[Array, Array, Array]:
        """Of each particle's height outside and inside the mean and the weight of observations, (particles, 2) both.

        Last the deviation of its noise.
        """
        counts, sums = self._counts_and_sums()
        between, left = self._between(counts, sums)
        contrast = sums / between
        outside = -contrast * counts / max(len(self._values), 1)
        means = np.column_stack([outside, outside + contrast]) * self._scale + self._centre
        weights = np.column_stack([len(self._values) - counts, counts]) + 1 / CONTRAST
        return means, weights, np.sqrt(left / self._shape) * self._scale


class _Sides:
    """What a side of a box can be: the cells of a column that it holds, and how likely that is beforehand."""

    def __init__(self, held: Array, chances: Array) -> None:
        self.held, self.masks = held, held.astype(np.float32)
        self.prior = np.log(chances / chances.sum())
        self.whole = int(np.flatnonzero(held.all(axis=1))[0])
        self._cumulative = np.cumsum(chances / chances.sum())

    def drawn(self, shape: int | tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.minimum(np.searchsorted(self._cumulative, rng.random(shape)), len(self.prior) - 1)


@lru_cache(maxsize=64)
def _sides_of(size: int, is_category: bool, is_open: float) -> _Sides:
    """The neighbouring cells of a number, as likely bordering on an end of the range as not; subsets of a category."""
    if is_category:
        held = _subsets(size)
        ends = np.zeros(len(held), dtype=int)
    else:
        first, last = np.triu_indices(size)
        held = (np.arange(size) >= first[:, None]) & (np.arange(size) <= last[:, None])
        ends = (first == 0).astype(int) + (last == size - 1)
    whole = held.all(axis=1)
    chances = np.where(whole, is_open, 0.0)
    kinds = [kind for kind in (~whole & (ends == 0), ~whole & (ends > 0)) if kind.any()]
    for kind in kinds:
        chances[kind] = (1 - is_open) / len(kinds) / kind.sum()
    return _Sides(held, chances)


def _subsets(size: int) -> Array:
    """Subsets of a category's values: all but the empty one, or of many values the smallest and what they leave."""
    found = {tuple(range(size))}
    for count in range(1, size // 2 + 1):
        if count > 1 and len(found) + 2 * math.comb(size, count) > SUBSETS:
            break
        for chosen in combinations(range(size), count):
            found |= {chosen, tuple(sorted(set(range(size)) - set(chosen)))}
    return np.array([[value in subset for value in range(size)] for subset in sorted(found)], dtype=bool)


def share(surrogate: Surrogate, steps: Steps) -> float:
    """How far steps are to be believed, 0 to 1, where the rest belongs to the surrogate of the same observations.

    That of the one that foretells each observation better from all others, less sure where few tell (pseudo-BMA+: Yao
    and others, Using stacking to average Bayesian predictive distributions, 2018).
    """
    departure, deviation = surrogate.left_out()
    smooth = -0.5 * (departure / deviation) ** 2 - np.log(deviation * math.sqrt(2 * math.pi))
    gains = steps.left_out() - smooth
    drawn = np.random.default_rng(0).dirichlet(np.ones(len(gains)), DRAWS) * len(gains)
    return float(expit(drawn @ gains).mean())
