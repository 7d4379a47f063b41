"""How small a difference a design sees, against simulated experiments."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from comparator.evidence.pilot import measure_pilot
from comparator.evidence.power import (
    CHANCE,
    LEVEL,
    MOST_BLOCKS,
    blocks_for,
    contrast_seen,
    point_seen,
    seeds_for,
    words_beforehand,
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


def test_what_is_seen_is_said_before_a_pilot_and_after_it() -> None:
    sees = "power: sees, in deviations from training to training, 1.4 between regions (on 8 fresh blocks)"
    assert words_beforehand(56, 1, 8, 0.05) == [
        f"{sees}, 3.1 at a point (among 56)",
        "smallest = 0.05 is seen where that deviation is at most 0.036 between regions, 0.016 at a point",
    ]
    assert words_beforehand(None, 1, 8, None) == [sees]
    assert words_beforehand(None, 1, None, 0.05) == []
    pilot = measure_pilot([[0.1, 0.2], [0.3, 0.4]], [6.0] * 4, 4)
    assert pilot.words(60, 1, 2, blocks=8, smallest=0.05) == (
        "pilot: deviation 0.071 from training to training, 0.14 between 2 points; so few pairs tell it badly, and 0.15"
        " is assumed; this budget sees 0.21 between regions (8 fresh blocks), 0.47 at a point (60 pairs in 3 minutes);"
        " a difference of 0.05 takes 113 blocks for regions, 89 seeds for a point"
    )
    assert "; so few trainings tell it badly" in pilot.words(60, 1, 2, trained="trainings")
    assert pilot.in_its_own_unit.words(None, 1, 2, blocks=8, smallest=0.001).endswith(
        "2.1 is assumed; this budget sees 2.9 between regions (8 fresh blocks); a difference of 0.001 takes over 10,000"
        " blocks for regions"
    )
