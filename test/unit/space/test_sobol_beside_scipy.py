"""Sobol sequences against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from late import Late

from comparator.space.sobol import DIRECTIONS, sobol_sequence

qmc = Late("scipy.stats.qmc")


@pytest.mark.parametrize("dimensions", [1, 2, 3, 7, len(DIRECTIONS) + 1, len(DIRECTIONS) + 2])
@pytest.mark.parametrize("seed", [0, 20261126])
def test_the_points_are_scipys_however_many_are_drawn_at_a_time(dimensions: int, seed: int) -> None:
    ours, theirs = sobol_sequence(dimensions, seed), qmc.Sobol(dimensions, rng=seed)
    for count in (64, 1, 100, 2048):
        assert np.array_equal(ours(count), theirs.random(count))
