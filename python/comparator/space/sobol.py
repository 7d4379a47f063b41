"""Scrambled Sobol sequences: points that fill the unit cube evenly (Sobol 1967), scrambled by matrices and a shift.

The numbers are those of scipy's `qmc.Sobol` for the same seed (a test compares the two), whose import takes longer than
a whole report or the start of a search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

BITS = 30
#: Of each dimension from the second: the primitive polynomial, and the first direction numbers.
#: Source: Joe and Kuo 2008, criterion D(6), new-joe-kuo-6.21201.
DIRECTIONS: Sequence[Sequence[int]] = (
    (3, 1),
    (7, 1, 3),
    (11, 1, 3, 1),
    (13, 1, 1, 1),
    (19, 1, 1, 3, 3),
    (25, 1, 3, 5, 13),
    (37, 1, 1, 5, 5, 17),
    (41, 1, 1, 5, 5, 5),
    (47, 1, 1, 7, 11, 19),
    (55, 1, 1, 5, 1, 1),
    (59, 1, 1, 1, 3, 11),
    (61, 1, 3, 5, 5, 31),
    (67, 1, 3, 3, 9, 7, 49),
    (91, 1, 1, 1, 15, 21, 21),
    (97, 1, 3, 1, 13, 27, 49),
    (103, 1, 1, 1, 15, 7, 5),
    (109, 1, 3, 1, 15, 13, 25),
    (115, 1, 1, 5, 5, 19, 61),
    (131, 1, 3, 7, 11, 23, 15, 103),
    (137, 1, 3, 7, 13, 13, 15, 69),
    (143, 1, 1, 3, 13, 7, 35, 63),
    (145, 1, 3, 5, 9, 1, 25, 53),
    (157, 1, 3, 1, 13, 9, 35, 107),
    (167, 1, 3, 1, 5, 27, 61, 31),
    (171, 1, 1, 5, 11, 19, 41, 61),
    (185, 1, 3, 5, 3, 3, 13, 69),
    (191, 1, 1, 7, 13, 1, 19, 1),
    (193, 1, 3, 7, 5, 13, 19, 59),
    (203, 1, 1, 3, 9, 25, 29, 41),
    (211, 1, 3, 5, 13, 23, 1, 55),
    (213, 1, 3, 7, 3, 13, 59, 17),
    (229, 1, 3, 1, 3, 5, 53, 69),
    (239, 1, 1, 5, 5, 23, 33, 13),
    (241, 1, 1, 7, 7, 1, 61, 123),
    (247, 1, 1, 7, 9, 13, 61, 49),
    (253, 1, 3, 3, 5, 3, 55, 33),
    (285, 1, 3, 1, 15, 31, 13, 49, 245),
    (299, 1, 3, 5, 15, 31, 59, 63, 97),
    (301, 1, 3, 1, 11, 11, 11, 77, 249),
)


def sobol_sequence(dimensions: int, seed: int) -> Callable[[int], NDArray[np.float64]]:
    """Return what draws the next `count` points, (count, dimensions), each number from 0 to below 1."""
    if dimensions <= len(DIRECTIONS) + 1:
        return _Sobol(dimensions, seed).draw
    from scipy.stats import qmc

    draw: Callable[[int], NDArray[np.float64]] = qmc.Sobol(dimensions, rng=seed).random
    return draw


class _Sobol:
    def __init__(self, dimensions: int, seed: int) -> None:
        self._drawn = 0
        rng = np.random.default_rng(seed).spawn(1)[0]  # as scipy takes it
        powers = 2 ** np.arange(BITS, dtype=np.uint32)
        self._shift = rng.integers(2, size=(dimensions, BITS), dtype=np.uint32) @ powers
        matrices = np.tril(rng.integers(2, size=(dimensions, BITS, BITS), dtype=np.uint32))
        matrices[:, range(BITS), range(BITS)] = 1
        self._directions = np.array([_scrambled(_directions(number), matrix) for number, matrix in enumerate(matrices)])

    def draw(self, count: int) -> NDArray[np.float64]:
        """Return the next points, (count, dimensions)."""
        numbers = np.arange(self._drawn, self._drawn + count)
        self._drawn += count
        gray = numbers ^ (numbers >> 1)
        points = np.tile(self._shift, (count, 1))
        for bit in range(int(self._drawn).bit_length()):
            points ^= np.where((gray >> bit & 1)[:, None], self._directions[:, bit], 0).astype(np.uint32)
        return points / 2**BITS


def _directions(dimension: int) -> list[int]:
    """Return the direction numbers, the first of them with the highest bit."""
    if dimension == 0:
        return [1 << (BITS - 1 - place) for place in range(BITS)]
    polynomial, *numbers = DIRECTIONS[dimension - 1]
    degree = len(numbers)
    for place in range(degree, BITS):
        number = numbers[place - degree] ^ (numbers[place - degree] << degree)
        for step in range(1, degree):
            if polynomial >> (degree - step) & 1:
                number ^= numbers[place - step] << step
        numbers.append(number)
    return [number << (BITS - 1 - place) for place, number in enumerate(numbers)]


def _scrambled(directions: Sequence[int], matrix: NDArray[np.uint32]) -> list[int]:
    """Return the direction numbers with their bits, the highest first, multiplied by the matrix, modulo 2."""
    powers = 2 ** np.arange(BITS - 1, -1, -1)
    bits = (np.array(directions)[:, None] // powers) % 2
    return [int(number) for number in (bits @ matrix.T % 2) @ powers]
