"""Kernels over a parameter space: how much the function at one point says of it at another.

Matern 5/2 with a length of its own for each parameter (Rasmussen and Williams, Gaussian Processes for Machine Learning,
2006, equation 4.17); two values of a category are one unit apart, whichever they are.
"""

from __future__ import annotations

import numpy as np

from comparator.evidence.coordinates import Array, Coordinates

IN_CACHE = 100_000  # distances that are worked out at once: of more no cache holds what lies between


def square_distances(coordinates: Coordinates, one: Array, other: Array) -> Array:
    """Squared distances by column, of shape (columns, rows of `one`, rows of `other`): 1 between two categories."""
    apart = one.T[:, :, None] - other.T[:, None, :]
    squares = apart**2
    squares[coordinates.is_category] = apart[coordinates.is_category] != 0
    return np.asarray(squares)


def correlation(coordinates: Coordinates, rows: Array, others: Array, lengths: Array) -> Array:
    """The correlation of the function at `rows` with that at `others`; of many, some rows at a time."""
    found = np.empty((len(rows), len(others)))
    some = max(1, IN_CACHE // max(1, len(others)))
    for first in range(0, len(rows), some):
        part = slice(first, first + some)
        found[part] = matern(_scaled_squares(coordinates, rows[part], others, lengths))
    return found


def _scaled_squares(coordinates: Coordinates, rows: Array, others: Array, lengths: Array) -> Array:
    """Squared distances in units of the lengths, of shape (rows, others).

    As |a|^2 + |b|^2 - 2 a b, which one product of matrices gives: the digits that it loses are far below the jitter.
    """
    is_number = ~coordinates.is_category
    one, other = rows[:, is_number] / lengths[is_number], others[:, is_number] / lengths[is_number]
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :]
    squares -= 2 * (one @ other.T)
    np.maximum(squares, 0.0, out=squares)
    for column in np.flatnonzero(coordinates.is_category):
        squares += (rows[:, column, None] != others[None, :, column]) / lengths[column] ** 2
    return np.asarray(squares)


def matern(squares: Array) -> Array:
    distance = np.asarray(5 * squares)
    np.sqrt(distance, out=distance)
    found = distance**2 / 3
    found += 1 + distance
    found *= np.exp(np.negative(distance, out=distance), out=distance)
    return found


def main_correlation(coordinates: Coordinates, rows: Array, others: Array, lengths: Array) -> Array:
    """The correlation, of shape (rows, others), of a sum of functions of one parameter each, all of one variance."""
    found = np.zeros((len(rows), len(others)))
    for column, length in enumerate(lengths):
        one, other = rows[:, column, None], others[None, :, column]
        apart = one != other if coordinates.is_category[column] else one - other
        found += matern((apart / length) ** 2)
    return found / max(len(lengths), 1)
