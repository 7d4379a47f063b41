"""How small a difference a design sees, against simulated experiments."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from comparator.evidence.power import (
    CHANCE,
    LEVEL,
    MOST_BLOCKS,
    blocks_for,
    contrast_seen,
    point_seen,
    seeds_for,
)

EXPERIMENTS = 20_000
#: Of a share that is found in so many simulated experiments: four standard errors.
SLACK = 4 * math.sqrt(0.25 / EXPERIMENTS)


def found(contrast: float, deviation: float, blocks: int, seed: int = 1) -> float:
    """The share of experiments whose t-test over blocks finds a contrast of two means."""
    rng = np.random.default_rng(seed)
    inside, outside = rng.normal(0, deviation, (2, EXPERIMENTS, blocks))
    differences = contrast + inside - outside
    statistic = differences.mean(axis=1) / (differences.std(axis=1, ddof=1) / math.sqrt(blocks))
    return float((statistic > stdtrit(blocks - 1, 1 - LEVEL)).mean())


@pytest.mark.parametrize("blocks", [2, 3, 8, 30])
@pytest.mark.parametrize("deviation", [0.02, 3.0])
def test_a_contrast_that_is_seen_is_found_in_eighty_of_a_hundred_experiments(blocks: int, deviation: float) -> None:
    assert found(contrast_seen(deviation, blocks), deviation, blocks) == pytest.approx(CHANCE, abs=SLACK)
    assert found(0.0, deviation, blocks) == pytest.approx(LEVEL, abs=SLACK)


@pytest.mark.parametrize("smallest", [0.02, 0.05, 0.3])
def test_so_many_blocks_see_it_and_one_fewer_do_not(smallest: float) -> None:
    blocks = blocks_for(smallest, 0.05)
    assert blocks is not None and contrast_seen(0.05, blocks) <= smallest
    assert blocks == 2 or contrast_seen(0.05, blocks - 1) > smallest
    assert blocks_for(1e-6, 0.05) is None and contrast_seen(0.05, MOST_BLOCKS) > 1e-6


def test_a_point_that_is_seen_stands_out_from_the_luck_of_all() -> None:
    luck = np.random.default_rng(1).normal(0, 0.05, (EXPERIMENTS, 56)).max(axis=1)
    assert (luck < point_seen(0.05, 56)).mean() == pytest.approx(0.95, abs=SLACK)
    seeds = seeds_for(0.04, 0.05, 56)
    assert point_seen(0.05, 56, seeds) <= 0.04 < point_seen(0.05, 56, seeds - 1)
    assert seeds_for(10, 0.05, 56) == 1
