"""The variance of trainings of one point, split into that of splits, of seeds, and the rest."""

from __future__ import annotations

import numpy as np
import pytest

from comparator.evidence.variance import NAMES, split_variance
from comparator.strategies.blocks import FIRST_FRESH, block_of, crossed


def drawn(shares: tuple[float, float, float], splits: int, seeds: int, seed: int) -> np.ndarray:
    rng, (of_split, of_seed, rest) = np.random.default_rng(seed), np.sqrt(shares)
    effects = of_split * rng.normal(size=(splits, 1)) + of_seed * rng.normal(size=(1, seeds))
    return 2 + effects + rest * rng.normal(size=(splits, seeds))


@pytest.mark.parametrize("shares", [(0.6, 0.1, 0.3), (0.0, 0.0, 1.0), (0.1, 0.6, 0.3), (0.9, 0.02, 0.08)])
def test_intervals_hold_the_true_shares(shares: tuple[float, float, float]) -> None:
    held = np.zeros(3)
    for seed in range(100):
        found = split_variance(drawn(shares, 4, 4, seed), seed)
        assert found is not None
        held += [
            part.interval[0] - 1e-9 <= true <= part.interval[1] + 1e-9
            for part, true in zip(found.parts, shares, strict=True)
        ]
    assert held.min() >= 89  # 95 of 100; fewer than 89 have a chance of 1 in 200


def test_shares_are_parts_of_one_and_many_trainings_tell_them() -> None:
    found = split_variance(drawn((0.6, 0.1, 0.3), 60, 60, 3))
    assert found is not None and tuple(part.name for part in found.parts) == NAMES
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    assert [part.share for part in found.parts] == pytest.approx([0.6, 0.1, 0.3], abs=0.1)
    assert found.variance == pytest.approx(1, abs=0.25) and found.mean == pytest.approx(2, abs=0.3)
    assert all(part.interval[0] <= part.share <= part.interval[1] for part in found.parts)


def test_what_is_the_same_on_every_seed_is_the_splits() -> None:
    found = split_variance(np.repeat([[0.1], [0.2], [0.4]], 3, axis=1) + 1e-9 * np.arange(9).reshape(3, 3))
    assert found is not None and found.parts[0].share == pytest.approx(1)


def test_too_few_and_all_the_same_tell_nothing() -> None:
    assert split_variance(np.ones((4, 4))) is None
    assert split_variance(np.arange(8.0).reshape(2, 4)) is None


def test_each_split_meets_each_seed_and_both_are_fresh() -> None:
    blocks = [block_of({"noise": 1.0}, each, 8) for each in crossed(3, 4)]
    assert {(each.split, each.seed) for each in blocks} == {
        (FIRST_FRESH + split, FIRST_FRESH + seed) for split in range(3) for seed in range(4)
    }
    assert all(each.number == each.split for each in blocks)
    confirming = block_of({"noise": 1.0}, FIRST_FRESH + 2, 8)
    assert confirming in blocks, "what a confirmation trained is found again"
