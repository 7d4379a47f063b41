"""The variance of trainings of one point, split into that of splits, of seeds, of what a seed decides, and the rest."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from comparator.evidence.variance import BETWEEN, REST, Variance, split_variance
from comparator.strategies.blocks import (
    FACTORS,
    FIRST_FRESH,
    INITIALISATION,
    ORDER,
    PARTS,
    SEED,
    SPLIT,
    block_of,
    crossed,
    levels_in,
    square,
)

SQUARE = levels_in(square(FACTORS, 5), FACTORS)


def crossing(splits: int, seeds: int) -> dict[str, list[int]]:
    met = list(itertools.product(range(splits), range(seeds)))
    return {SPLIT: [split for split, _ in met], SEED: [seed for _, seed in met]}


def drawn(levels: dict[str, list[int]], shares: dict[str, float], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    numbers = 2 + np.sqrt(shares[REST]) * rng.normal(size=len(next(iter(levels.values()))))
    for name, of in levels.items():
        numbers += np.sqrt(shares[name]) * rng.normal(size=max(of) + 1)[of]
    return numbers


def held(found: Variance | None, shares: dict[str, float]) -> list[bool]:
    assert found is not None
    return [part.interval[0] - 1e-9 <= shares[part.name] <= part.interval[1] + 1e-9 for part in found.parts]


@pytest.mark.parametrize("shares", [(0.6, 0.1, 0.3), (0.0, 0.0, 1.0), (0.1, 0.6, 0.3), (0.9, 0.02, 0.08)])
def test_intervals_of_split_and_seed_hold_the_true_shares(shares: tuple[float, float, float]) -> None:
    true, levels = dict(zip((SPLIT, SEED, REST), shares, strict=True)), crossing(4, 4)
    counted = np.sum(
        [held(split_variance(drawn(levels, true, seed), levels, seed), true) for seed in range(100)], axis=0
    )
    assert counted.min() >= 89  # 95 of 100; fewer than 89 have a chance of 1 in 200


@pytest.mark.parametrize("shares", [(0.6, 0.1, 0.1, 0.0, 0.2), (0.0, 0.0, 0.0, 0.0, 1.0), (0.0, 0.7, 0.1, 0.0, 0.2)])
def test_so_do_those_of_what_a_seed_decides(shares: tuple[float, ...]) -> None:
    true = dict(zip((*FACTORS, REST), shares, strict=True))
    counted = np.sum(
        [held(split_variance(drawn(SQUARE, true, seed), SQUARE, seed), true) for seed in range(100)], axis=0
    )
    assert counted.min() >= 89


@pytest.mark.parametrize("study", [0.0, 0.3, 0.9])
def test_and_that_of_which_of_two_studies_it_is(study: float) -> None:
    within = {SPLIT: 0.4, INITIALISATION: 0.2, ORDER: 0.0, SEED: 0.0, REST: 0.4}
    true = {BETWEEN: study, **{name: (1 - study) * share for name, share in within.items()}}
    counted = np.zeros(6)
    for seed in range(100):
        common, *own = (drawn(SQUARE, within, 3 * seed + each) for each in range(3))
        both = np.sqrt((1 - study) / 2) * np.array([common + each for each in own])
        counted += held(split_variance(both + 2 * np.sqrt(study) * np.array([[0.0], [1.0]]), SQUARE, seed), true)
    assert counted.min() >= 89


def test_shares_are_parts_of_one_and_many_trainings_tell_them() -> None:
    true = {SPLIT: 0.6, SEED: 0.1, REST: 0.3}
    found = split_variance(drawn(crossing(60, 60), true, 3), crossing(60, 60))
    assert found is not None and [part.name for part in found.parts] == [SPLIT, SEED, REST]
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    assert [part.share for part in found.parts] == pytest.approx([0.6, 0.1, 0.3], abs=0.1)
    assert found.variance == pytest.approx(1, abs=0.25) and found.mean == pytest.approx(2, abs=0.3)
    assert all(part.interval[0] <= part.share <= part.interval[1] for part in found.parts)


def test_what_is_the_same_on_every_seed_is_the_splits() -> None:
    values = np.repeat([0.1, 0.2, 0.4], 3) + 1e-9 * np.arange(9)
    found = split_variance(values, crossing(3, 3))
    assert found is not None and found.parts[0].share == pytest.approx(1)


def test_components_are_those_of_the_table_of_an_analysis_of_variance() -> None:
    """By hand: sums of squares of row means, column means, and what is left."""
    values = np.random.default_rng(2).normal(size=(5, 4))
    of_split, of_seed = values.mean(axis=1) - values.mean(), values.mean(axis=0) - values.mean()
    left = values - values.mean() - of_split[:, None] - of_seed[None, :]
    rest = (left**2).sum() / 12
    by_hand = [max(4 * (of_split**2).sum() / 4 - rest, 0) / 4, max(5 * (of_seed**2).sum() / 3 - rest, 0) / 5, rest]
    found = split_variance(values.ravel(), crossing(5, 4))
    assert found is not None and [part.variance for part in found.parts] == pytest.approx(by_hand)


def test_where_trainings_failed_the_others_still_tell() -> None:
    true = {SPLIT: 0.7, INITIALISATION: 0.0, ORDER: 0.0, SEED: 0.0, REST: 0.3}
    means = []
    for seed in range(60):
        keep = np.random.default_rng(seed).permutation(25)[:21]
        levels = {name: [of[each] for each in sorted(keep)] for name, of in SQUARE.items()}
        found = split_variance(drawn(SQUARE, true, seed)[sorted(keep)], levels)
        assert found is not None
        means.append([part.variance for part in found.parts])
    assert np.mean(means, axis=0)[[0, -1]] == pytest.approx([0.7, 0.3], abs=0.2)


def test_too_few_and_all_the_same_tell_nothing() -> None:
    assert split_variance(np.ones(16), crossing(4, 4)) is None
    assert split_variance(np.arange(8.0), crossing(2, 4)) is None
    small = levels_in(square(FACTORS, 3), FACTORS)
    assert split_variance(np.arange(9.0) ** 2, small) is None, "four factors of three levels leave no rest"


def test_an_interval_of_nothing_has_no_sign() -> None:
    levels = crossing(4, 4)
    numbers = np.array(levels[SEED]) + np.where(np.array(levels[SPLIT]) % 2, 1e-6, -1e-6) * (-1.0) ** np.arange(16)
    found = split_variance(numbers, levels)
    assert found is not None
    ends = [end for part in found.parts for end in part.interval if end == 0]
    assert ends and not np.signbit(ends).any()


@pytest.mark.parametrize("levels", [5, 7, 9])
def test_in_a_square_every_two_factors_meet_in_all_their_levels_once(levels: int) -> None:
    met = levels_in(square(FACTORS, levels), FACTORS)
    for one, other in itertools.combinations(FACTORS, 2):
        assert len(set(zip(met[one], met[other], strict=True))) == levels**2


def test_of_three_factors_the_fourth_stays_and_any_number_of_levels_will_do() -> None:
    met = levels_in(square((SPLIT, ORDER, SEED), 4), FACTORS)
    assert set(met[INITIALISATION]) == {0}
    assert len(set(zip(met[ORDER], met[SEED], strict=True))) == 16


def test_each_split_meets_each_seed_and_both_are_fresh() -> None:
    blocks = [block_of({"noise": 1.0}, each, 8) for each in crossed(3, 4)]
    assert {(each.split, each.seed) for each in blocks} == {
        (FIRST_FRESH + split, FIRST_FRESH + seed) for split in range(3) for seed in range(4)
    }
    assert all(each.number == each.split and each.seeds is None for each in blocks)
    confirming = block_of({"noise": 1.0}, FIRST_FRESH + 2, 8)
    assert confirming in blocks, "what a confirmation trained is found again"


def test_a_training_of_a_square_has_a_fresh_seed_for_each_part() -> None:
    replicates = square(FACTORS, 5)
    met = levels_in(replicates, FACTORS)
    for place, replicate in enumerate(replicates):
        block = block_of({}, replicate, 8)
        own = {SPLIT: block.split, SEED: block.seed, **(block.seeds or {})}
        assert own == {name: FIRST_FRESH + of[place] for name, of in met.items()}
        assert set(block.seeds or {}) == set(PARTS)
