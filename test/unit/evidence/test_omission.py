"""What it changes to leave a part out: shown beyond chance and beyond its size, or not."""

from __future__ import annotations

import numpy as np
import pytest

from comparator.evidence.omission import Omission, omissions


def blocks(values: np.ndarray) -> dict[int, float]:
    return dict(enumerate(values.tolist()))


def judged(changes: list[float], by_rows: float, seed: int = 1, count: int = 10) -> list[Omission]:
    """Parts that change a quantity by so much, on top of what as many random rows do."""
    rng = np.random.default_rng(seed)
    split = 10 * rng.standard_normal(count)

    def of(change: float) -> dict[int, float]:
        return blocks(split + change + 0.1 * rng.standard_normal(count))

    return omissions(of(0), [of(each) for each in changes], [of(by_rows)] * len(changes))


def test_a_part_that_matters_is_shown_whatever_blocks_have_in_common() -> None:
    first, second, third = judged([0.0, -1.0, 0.0], by_rows=0.0)
    assert second.shown and not first.shown and not third.shown
    assert second.change is not None and second.beyond is not None and second.change.interval is not None
    assert second.change.value == pytest.approx(-1, abs=0.15)
    low, high = second.change.interval
    assert low < -1 < high and second.change.blocks == 10
    narrow = second.beyond.interval
    assert narrow is not None and narrow[1] - narrow[0] < high - low  # that of all parts at once is the wider one


def test_a_change_that_any_rows_would_make_is_not_shown() -> None:
    assert not any(each.shown for each in judged([1.0, 0.5, 0.1], by_rows=1.0))
    assert [each.shown for each in judged([2.0, 0.5, -0.5], by_rows=1.0)] == [True, False, True]
    assert judged([1.0], by_rows=1.0)[0].chance > 0.05


def test_blocks_that_failed_are_left_out_and_too_few_say_nothing() -> None:
    whole = {0: 1.0, 1: 1.1, 2: 0.9, 3: 1.0}
    found = omissions(whole, [{}, {0: 2.0}, {0: 2.0, 2: 1.95, 7: 5.0}], [None, None, None])
    assert found[0].change is None and found[0].chance == 1
    assert found[1].change is not None and found[1].change.interval is None and not found[1].shown
    assert found[2].change is not None and found[2].change.blocks == 2


def test_equal_numbers_are_no_change() -> None:
    whole = dict.fromkeys(range(6), 0.5)
    same, other = omissions(whole, [whole, dict.fromkeys(range(6), 0.7)], [None, None])
    assert not same.shown and same.change is not None and same.change.interval == (0.0, 0.0)
    assert other.shown and other.chance == 0


@pytest.mark.long
def test_where_nothing_matters_a_part_is_seldom_named() -> None:
    """5 % of studies at the most; with 300, 8 % would be chance in 1 of 100."""
    named = [any(each.shown for each in judged([0.0] * 15, 0.0, seed, count=8)) for seed in range(300)]
    assert np.mean(named) <= 0.08
