"""Extremely randomised trees, grown together by sums over numpy's arrays.

They are scikit-learn's (a test compares the two), whose import takes longer than a whole report without it.
"""

from __future__ import annotations

import numpy as np

from comparator.evidence.coordinates import Array

SAME = 1e-9  # of the gain of a split: by less two of them differ through rounding alone


def extra_trees(rows: Array, values: Array, asked: Array, trees: int, leaf: int, rng: np.random.Generator) -> Array:
    """Return what extremely randomised trees, grown on `rows` and `values`, say at the rows `asked`: (asked,).

    A node's threshold is drawn evenly between the least and the largest of its values, one for each column, and the
    column is taken whose threshold leaves the smallest squared error, of several that do any; a leaf holds `leaf` rows
    at least (Geurts, Ernst and Wehenkel 2006, all columns tried, each tree on all rows). All trees are grown together,
    a level at a time, and the rows asked for are led down as they grow.
    """
    count = len(rows)
    known, targets = np.tile(rows, (trees, 1)), np.tile(values, trees)
    nodes = np.repeat(np.arange(trees), count)
    places, walkers = np.tile(np.arange(len(asked)), trees), np.repeat(np.arange(trees), len(asked))
    answers = np.zeros(len(asked))
    while len(walkers):
        splits, columns, thresholds, means = _splits(known, targets, nodes, leaf, rng)
        ended = ~splits[walkers]
        np.add.at(answers, places[ended], means[walkers[ended]])
        kept, stay = splits[nodes], ~ended
        known, targets, nodes = known[kept], targets[kept], nodes[kept]
        places, walkers = places[stay], walkers[stay]
        numbers = 2 * (np.cumsum(splits) - 1)  # of the left child; the right one is the next
        nodes = numbers[nodes] + (known[np.arange(len(known)), columns[nodes]] > thresholds[nodes])
        walkers = numbers[walkers] + (asked[places, columns[walkers]] > thresholds[walkers])
    return answers / trees


def _splits(
    rows: Array, targets: Array, nodes: Array, leaf: int, rng: np.random.Generator
) -> tuple[Array, Array, Array, Array]:
    """Return of each node whether it is split, by which column, at which threshold, and its mean."""
    order = np.argsort(nodes, kind="stable")
    rows, targets, nodes = rows[order], targets[order], nodes[order]
    counts = np.bincount(nodes)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(targets, starts)
    low, high = np.minimum.reduceat(rows, starts), np.maximum.reduceat(rows, starts)
    thresholds = low + (high - low) * rng.random(low.shape)
    left = rows <= thresholds[nodes]
    left_counts = np.add.reduceat(left, starts, dtype=float)
    left_sums = np.add.reduceat(left * targets[:, None], starts)
    right_counts, right_sums = counts[:, None] - left_counts, sums[:, None] - left_sums
    may = (left_counts >= leaf) & (right_counts >= leaf) & (high > low)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = left_sums / left_counts - right_sums / right_counts
        gains = np.where(may, apart**2 * left_counts * right_counts, -np.inf)
    # Of few rows two columns often make the same two sides; neither rounding nor the columns' order is to choose.
    is_best = gains >= gains.max(axis=1, keepdims=True) * (1 - SAME)
    columns = np.where(is_best, rng.random(gains.shape), -1.0).argmax(axis=1)
    return np.any(may, axis=1), columns, thresholds[np.arange(len(columns)), columns], sums / counts
