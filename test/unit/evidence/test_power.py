"""How small a difference a design sees, against simulated experiments."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from comparator.evidence.confirmation import Estimate, contrast
from comparator.evidence.power import (
    CHANCE,
    LEVEL,
    MOST_BLOCKS,
    blocks_for,
    contrast_seen,
    point_seen,
    seeds_for,
)
from comparator.results.frozen import Claim

EXPERIMENTS = 20_000
#: Of a share that is found in so many simulated experiments: four standard errors.
SLACK = 4 * math.sqrt(0.25 / EXPERIMENTS)


def found(contrast: float, deviation: float, blocks: int, outside: float = 0.0, seed: int = 1) -> float:
    """The share of experiments in which both t-tests over blocks find a contrast with a difference `outside`."""
    rng = np.random.default_rng(seed)
    within, without = rng.normal(outside, deviation, (2, EXPERIMENTS, blocks))
    within += contrast
    bound = stdtrit(blocks - 1, 1 - LEVEL)
    above = [
        each.mean(axis=1) / (each.std(axis=1, ddof=1) / math.sqrt(blocks)) > bound
        for each in (within - without, within + without)
    ]
    return float(np.logical_and(*above).mean())


@pytest.mark.parametrize("blocks", [2, 3, 8, 30])
@pytest.mark.parametrize("deviation", [0.02, 3.0])
def test_a_contrast_that_is_seen_is_found_in_eighty_of_a_hundred_experiments(blocks: int, deviation: float) -> None:
    """Where there is nothing outside; beside a difference there it is found more often."""
    seen, far = contrast_seen(deviation, blocks), 1000 * deviation
    assert found(seen, deviation, blocks) == pytest.approx(CHANCE, abs=SLACK)
    assert found(seen, deviation, blocks, far) == pytest.approx(math.sqrt(CHANCE), abs=SLACK)
    assert found(0.0, deviation, blocks, far) == pytest.approx(LEVEL, abs=SLACK)


def test_of_what_is_seen_the_verdict_finds_as_much() -> None:
    """By the tests that judge claims, on 8 blocks of which half of the luck is shared by all trainings of a block."""
    rng, blocks, experiments = np.random.default_rng(500), 8, 600
    region = Claim(name="region 1", kind="region", direction=1, points=[])
    rest = Claim(name="elsewhere", kind="elsewhere", points=[])
    is_found = []
    for _ in range(experiments):
        shared, within, without = rng.normal(0, math.sqrt(0.5), (3, blocks))
        inside = dict(enumerate(contrast_seen(1, blocks) + shared + within))
        judged = contrast(Estimate(region, inside), Estimate(rest, dict(enumerate(shared + without))))
        is_found.append(judged is not None and judged.p <= LEVEL)
    assert np.mean(is_found) == pytest.approx(0.76, abs=4 * math.sqrt(0.25 / experiments))


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
