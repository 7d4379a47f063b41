"""Paired signed differences: one number per replicate, both submodels of which were trained with the same seed.

The sign is that of V1 - V0: `(V1 - V0) / max(V1, V0)` for the relative difference. Where a model is compared with
itself under other seeds, the two submodels could as well change places, so that each difference is as likely with
the other sign. A search that is told sizes alone would have gone the same way: flipping the signs is an exact test,
however the points were chosen (Fisher's randomisation test; Good, Permutation, Parametric and Bootstrap Tests of
Hypotheses, 2005).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from comparator.evidence.coordinates import Array
from comparator.evidence.replicates import pooled_deviation
from comparator.results.record import key_of


class Observation(NamedTuple):
    """A point, the signed differences of its replicates, and the block of each; without blocks all are of one."""

    point: Mapping[str, Any]
    differences: Sequence[float]
    blocks: Sequence[int] = ()


FLIPS = 999
SMALLEST = 1e-100  # in size: of smaller differences squares are lost


@dataclass(frozen=True)
class Paired:
    """Signed differences by distinct point: those of point i are `differences[starts[i]:starts[i] + counts[i]]`."""

    points: tuple[Mapping[str, Any], ...]
    differences: Array  # (replicates of all points,)
    counts: Array  # (points,)
    blocks: Array  # (replicates of all points,)

    @classmethod
    def of(cls, observations: Sequence[Observation | tuple[Mapping[str, Any], Sequence[float]]]) -> Paired:
        """Gather observations, those of one point together; one without a difference is left out.

        A difference below `SMALLEST` is taken for 0.
        """
        gathered: dict[str, tuple[Mapping[str, Any], list[tuple[float, int]]]] = {}
        for given in observations:
            point, differences, blocks = Observation(*given)
            if len(differences):
                pairs = zip(map(float, differences), blocks or [0] * len(differences), strict=True)
                gathered.setdefault(key_of(dict(point)), (point, []))[1].extend(pairs)
        every = [pair for _, pairs in gathered.values() for pair in pairs]
        signed = np.array([difference for difference, _ in every], dtype=float)
        return cls(
            tuple(point for point, _ in gathered.values()),
            np.where(np.abs(signed) < SMALLEST, 0.0, signed),
            np.array([len(pairs) for _, pairs in gathered.values()], dtype=int),
            np.array([block for _, block in every], dtype=int),
        )

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """All but the points."""
        return self.differences, self.counts, self.blocks

    @property
    def without_blocks(self) -> Paired:
        """The same as if all were of one block."""
        return replace(self, blocks=np.zeros_like(self.blocks))

    def some(self, most: int, seed: int) -> Paired:
        """The same; of more than `most` differences those of points drawn evenly at random, `most` or fewer."""
        if len(self.differences) <= most:
            return self
        kept = self.places_of_some(most, seed)
        of_each = np.isin(np.repeat(np.arange(len(self.points)), self.counts), kept)
        points = tuple(self.points[place] for place in kept)
        return Paired(points, self.differences[of_each], self.counts[kept], self.blocks[of_each])

    def places_of_some(self, most: int, seed: int) -> Array:
        """The places, among all points, of those that `some` keeps; in their order."""
        if len(self.differences) <= most:
            return np.arange(len(self.points))
        drawn = np.random.default_rng(seed).permutation(len(self.points))
        return np.sort(drawn[np.cumsum(self.counts[drawn]) <= most])

    @property
    def starts(self) -> Array:
        return np.asarray(np.cumsum(self.counts) - self.counts)

    @property
    def means(self) -> Array:
        """The mean of each point."""
        return self.sums(self.differences) / self.counts

    def sums(self, differences: Array) -> Array:
        """The sums by point of numbers laid out like `differences`, along the last axis."""
        return np.asarray(np.add.reduceat(differences, self.starts, axis=-1))

    @property
    def point_of_each(self) -> list[Mapping[str, Any]]:
        """The point of each difference."""
        return [point for point, count in zip(self.points, self.counts, strict=True) for _ in range(count)]

    @property
    def block_count(self) -> int:
        """How many blocks there are."""
        return len(np.unique(self.blocks))

    @property
    def block_means(self) -> Array:
        """The mean of each block's differences, in the order of their numbers."""
        return np.array([self.differences[self.blocks == block].mean() for block in np.unique(self.blocks)])

    @property
    def deviation(self) -> float | None:
        """The deviation of a replicate from its point's mean, pooled over points; None where no point has two."""
        if not len(self.points):
            return None
        return pooled_deviation([group.tolist() for group in np.split(self.differences, self.starts[1:])])


def flips(count: int, rng: np.random.Generator, number: int = FLIPS) -> Array:
    """Rows of `count` signs, the first all positive: `number` random ones, or all there are where they are fewer."""
    if 2**count <= number:
        return np.array(list(itertools.product((1.0, -1.0), repeat=count)))
    drawn = rng.integers(0, 2, (number, count), dtype=np.int8) * 2.0 - 1.0
    return np.vstack([np.ones(count), drawn])
