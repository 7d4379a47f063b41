"""A part of a space as few boxes: where a weight that is given over a dense sample is positive.

Boxes are read off a decision tree, and each is then moved side by side to the ends that gain most
weight, a side staying open where closing it gains next to nothing. Another box is added while it gains enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from comparator.evidence.coordinates import Array, Coordinates
from comparator.space import Choice, Number, Ordered, Parameter
from comparator.space.boxes import Box

CELLS = 100  # of a number's range: a side lies on one of their borders
LEAVES = 20  # of the tree: a diagonal ridge takes a box or two for each turn
SIDE = 0.02  # of all positive weight: what a closed side has to gain
ADDED = 0.07  # of all positive weight: what a further box has to gain
MOST = 6  # boxes
ROUNDS = 10  # of moving the sides of a box

#: The cells that a box holds, for each column.
Cells: TypeAlias = "tuple[Array, ...]"


class Lattice:
    """Points as cells: for each column the number of the cell that a value lies in."""

    def __init__(self, coordinates: Coordinates, points: Sequence[Mapping[str, Any]]) -> None:
        self.coordinates = coordinates
        self.sizes = [_size(parameter) for parameter in coordinates.parameters]
        rows = coordinates.of(points)
        self.cells = np.zeros(rows.shape, dtype=int)
        for column, parameter in enumerate(coordinates.parameters):
            self.cells[:, column] = _cells(parameter, rows[:, column])
        self._columns = list(np.ascontiguousarray(self.cells.T))

    def inside(self, box: Cells) -> Array:
        """Which points lie in the box."""
        found = np.ones(len(self.cells), dtype=bool)
        for held, cells in zip(box, self._columns, strict=True):
            if not held.all():
                found &= held[cells]
        return found

    def box(self, box: Cells) -> Box:
        """The box in the space's own units."""
        coordinates = self.coordinates
        return Box(
            coordinates.space,
            {
                parameter.name: _side(parameter, held)
                for parameter, held in zip(coordinates.parameters, box, strict=True)
            },
        )

    def cover(self, weights: Array) -> list[Cells]:
        """Boxes, the one that gains most first, whose union gains as much of `weights` (points,) as it can."""
        gainful = float(weights[weights > 0].sum())
        if gainful <= 0:
            return []
        starts = self._leaves(weights)
        boxes: list[Cells] = []
        left = weights.copy()
        while len(boxes) < MOST:
            # What is covered already is no place to start from.
            starts = [start for number, start in enumerate(starts) if not number or left[self.inside(start)].sum() > 0]
            moved = [self._moved(start, left, gainful) for start in starts]
            best = max(moved, key=lambda box: self._worth(box, left, gainful))
            if left[self.inside(best)].sum() < ADDED * gainful:
                break
            boxes.append(best)
            left[self.inside(best)] = 0.0
        return self._settled(boxes, weights, gainful)

    def _settled(self, boxes: list[Cells], weights: Array, gainful: float) -> list[Cells]:
        """Move each box once more, the others being there; one that is not needed any more goes."""
        for place in reversed(range(len(boxes))):
            left = weights.copy()
            for other in boxes[:place] + boxes[place + 1 :]:
                left[self.inside(other)] = 0.0
            boxes[place] = self._moved(boxes[place], left, gainful)
            if len(boxes) > 1 and left[self.inside(boxes[place])].sum() < ADDED * gainful:
                del boxes[place]
        return boxes

    def _worth(self, box: Cells, weights: Array, gainful: float) -> float:
        sides = sum(_closed_sides(held, is_category) for held, is_category in self._by_column(box))
        return float(weights[self.inside(box)].sum()) - SIDE * gainful * sides

    def _by_column(self, box: Cells) -> list[tuple[Array, bool]]:
        return list(zip(box, self.coordinates.is_category.tolist(), strict=True))

    def _moved(self, box: Cells, weights: Array, gainful: float) -> Cells:
        sides = list(box)
        outside = [~held[cells] for held, cells in zip(sides, self._columns, strict=True)]
        misses = np.sum(outside, axis=0, dtype=np.int16)  # of each point: the columns that put it outside
        for _ in range(ROUNDS):
            has_moved = False
            for column, is_category in enumerate(self.coordinates.is_category):
                there = np.flatnonzero(misses == outside[column])
                gains = np.bincount(self._columns[column][there], weights[there], self.sizes[column])
                held = _values_that_gain(gains, SIDE * gainful) if is_category else _range(gains, SIDE * gainful)
                if not np.array_equal(held, sides[column]):
                    has_moved = True
                    sides[column] = held
                    now_outside = ~held[self._columns[column]]
                    misses += now_outside.astype(np.int16) - outside[column]
                    outside[column] = now_outside
            if not has_moved:
                break
        return tuple(sides)

    def _leaves(self, weights: Array) -> list[Cells]:
        """The whole space, and the leaves of a tree that hold more positive weight than negative.

        The leaf is split next whose split takes away most impurity (Gini's, by weight), as in CART (Breiman and
        others 1984); a split takes one value out of a category, or one end of a range off.
        """
        whole: Cells = tuple(np.ones(size, dtype=bool) for size in self.sizes)
        found = [self._leaf(whole, np.arange(len(weights)), weights)]
        while len(found) < LEAVES:
            best = max(range(len(found)), key=lambda number: found[number].gain)
            leaf = found[best]
            if leaf.gain <= 0:
                break
            is_low = leaf.low[self._columns[leaf.column][leaf.points]]
            found[best : best + 1] = [
                self._leaf(_cut(leaf.box, leaf.column, low), leaf.points[held], weights)
                for low, held in ((leaf.low, is_low), (~leaf.low, ~is_low))
            ]
        return [whole, *(leaf.box for leaf in found if weights[leaf.points].sum() > 0)]

    def _leaf(self, box: Cells, points: Array, weights: Array) -> _Leaf:
        """A leaf of these points, with its best split."""
        best = _Leaf(box, points)
        gaining = np.maximum(weights[points], 0.0)
        losing = np.maximum(-weights[points], 0.0)
        impurity = _impurity(gaining.sum(), losing.sum())
        for column, (size, is_category) in enumerate(zip(self.sizes, self.coordinates.is_category, strict=True)):
            cells = self._columns[column][points]
            ins, outs = (np.bincount(cells, each, size) for each in (gaining, losing))
            if not is_category:
                ins, outs = np.cumsum(ins), np.cumsum(outs)
            left = _impurity(ins, outs) + _impurity(gaining.sum() - ins, losing.sum() - outs)
            cell = int(np.argmin(left))
            if impurity - left[cell] > best.gain + 1e-9 * impurity:
                numbers = np.arange(size)
                low = numbers != cell if is_category else numbers <= cell
                best = _Leaf(box, points, float(impurity - left[cell]), column, low)
        return best


@dataclass(frozen=True)
class _Leaf:
    """A leaf of a tree, and the split of it that gains most: `low` are the cells of one side."""

    box: Cells
    points: Array
    gain: float = 0.0
    column: int = 0
    low: Array = field(default_factory=lambda: np.ones(0, dtype=bool))


def _impurity(gaining: Array, losing: Array) -> Array:
    """Gini's impurity times the weight that it is of."""
    weight = gaining + losing
    return np.divide(gaining * losing, weight, out=np.zeros_like(weight), where=weight > 0)


def _cut(box: Cells, column: int, held: Array) -> Cells:
    return (*box[:column], box[column] & held, *box[column + 1 :])


def _closed_sides(held: Array, is_category: bool) -> int:
    return int(not held.all()) if is_category else int(not held[0]) + int(not held[-1])


def _values_that_gain(gains: Array, side: float) -> Array:
    held = gains > 0
    if not held.any() or gains.sum() >= gains[held].sum() - side:
        return np.ones(len(gains), dtype=bool)
    return np.asarray(held)


def _range(gains: Array, side: float) -> Array:
    """The neighbouring cells with the largest sum, less `side` for each end that is not the range's."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    starts = -sums[:-1] - side * (np.arange(len(gains)) > 0)
    ends = sums[1:] - side * (np.arange(len(gains)) < len(gains) - 1)
    best = np.maximum.accumulate(starts)
    end = int(np.argmax(ends + best))
    start = int(np.argmax(starts[: end + 1]))
    held = np.zeros(len(gains), dtype=bool)
    held[start : end + 1] = True
    return held


def _size(parameter: Parameter) -> int:
    if isinstance(parameter, Number):
        return min(parameter.count or CELLS, CELLS)
    return parameter.count or 0


def _cells(parameter: Parameter, column: Array) -> Array:
    size = _size(parameter)
    if isinstance(parameter, Number) and not _is_listed(parameter):
        return np.clip((column * size).astype(int), 0, size - 1)
    if isinstance(parameter, Choice) and not isinstance(parameter, Ordered):
        return column.astype(int)
    return np.rint(column * (size - 1)).astype(int)


def _is_listed(parameter: Number) -> bool:
    """Whether each value has a cell of its own."""
    return parameter.count is not None and parameter.count <= CELLS and not parameter.use_log_scale


def _side(parameter: Parameter, held: Array) -> tuple[Any, ...]:
    if isinstance(parameter, Choice):
        return tuple(value for value, is_held in zip(parameter.values, held.tolist(), strict=True) if is_held)
    assert isinstance(parameter, Number)
    first, last = int(np.flatnonzero(held)[0]), int(np.flatnonzero(held)[-1])
    if _is_listed(parameter):
        return int(parameter.lower) + first, int(parameter.lower) + last
    low = parameter.lower if first == 0 else _border(parameter, first)
    high = parameter.upper if last == len(held) - 1 else _border(parameter, last + 1)
    if not parameter.whole:
        return float(low), float(high)
    # The border between two boxes belongs to the upper one.
    below = math.ceil(high) - 1 if last < len(held) - 1 else int(high)
    return math.ceil(low), max(below, math.ceil(low))


def _border(parameter: Number, cell: int) -> float:
    """Where a cell begins, in the space's units, without the digits that only arithmetic has given it."""
    size = _size(parameter)
    if parameter.use_log_scale:
        low, high = math.log10(parameter.lower), math.log10(parameter.upper)
        return float(f"{10 ** (low + (high - low) * cell / size):.3g}")
    return float(f"{parameter.lower + (parameter.upper - parameter.lower) * cell / size:.10g}")
