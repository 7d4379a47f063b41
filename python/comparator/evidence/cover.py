"""A part of a space as few boxes: where a weight that is given over a dense sample is positive.

Boxes are read off a decision tree (scikit-learn's), and each is then moved side by side to the ends that gain most
weight, a side staying open where closing it gains next to nothing. Another box is added while it gains enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from comparator.evidence.coordinates import Array, Coordinates
from comparator.site.surroundings import variables_kept
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
        """The whole space, and the leaves of a tree that hold more positive weight than negative."""
        with variables_kept():
            from sklearn.tree import DecisionTreeClassifier  # seconds, only where there is something to cover

        features, columns = self._features()
        tree = DecisionTreeClassifier(max_leaf_nodes=LEAVES, random_state=0)
        tree.fit(features, weights > 0, sample_weight=np.abs(weights) + 1e-12)
        grown = tree.tree_
        found: list[Cells] = [tuple(np.ones(size, dtype=bool) for size in self.sizes)]

        def descend(node: int, box: Cells) -> None:
            if grown.children_left[node] < 0:
                if weights[self.inside(box)].sum() > 0:
                    found.append(box)
                return
            column, value = columns[grown.feature[node]]
            numbers = np.arange(self.sizes[column])
            low = numbers <= grown.threshold[node] if value is None else numbers != value
            for child, side in ((grown.children_left[node], low), (grown.children_right[node], ~low)):
                descend(child, (*box[:column], box[column] & side, *box[column + 1 :]))

        descend(0, found[0])
        return found

    def _features(self) -> tuple[Array, list[tuple[int, int | None]]]:
        """Columns for the tree, a category's values each with one, and what each is."""
        features, columns = [], []
        for column, is_category in enumerate(self.coordinates.is_category):
            cells = self.cells[:, column]
            for value in range(self.sizes[column]) if is_category else (None,):
                features.append(cells if value is None else cells == value)
                columns.append((column, value))
        return np.column_stack(features).astype(np.float32), columns


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
