"""Which hyperparameters matter, as a function of rows and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from comparator.evidence.importance import MOST, importance

NAMES = ["noise", "size", "rate"]


def test_only_what_matters_is_shown_alone_or_together_with_another() -> None:
    rng = np.random.default_rng(1)
    rows = rng.random((120, 3))
    found = importance(NAMES, rows, (rows[:, 0] > 0.5) * 1.0 + (rows[:, 0] > 0.5) * (rows[:, 1] > 0.5) * 1.0)
    assert found is not None and found.predicted > 0.7
    assert [share.name for share in found.shares] == NAMES
    assert [share.shown for share in found.shares] == [True, True, False]
    assert all(share.low <= share.mean <= share.high for share in found.shares)


def test_noise_is_not_called_important() -> None:
    rng = np.random.default_rng(2)
    found = importance(NAMES, rng.random((40, 3)), rng.normal(size=40))
    assert found is not None and found.predicted <= 0 and not any(share.shown for share in found.shares)


def test_too_few_points_or_one_value_tell_nothing_and_of_many_some_are_taken() -> None:
    rng = np.random.default_rng(3)
    assert importance(NAMES, rng.random((11, 3)), rng.random(11)) is None
    assert importance(NAMES, rng.random((20, 3)), np.ones(20)) is None
    assert importance(NAMES, np.zeros((0, 3)), np.zeros(0)) is None
    many = importance(NAMES, rng.random((MOST + 50, 3)), rng.random(MOST + 50))
    assert many is not None and many.points == MOST


@pytest.mark.long
@pytest.mark.parametrize(("points", "columns"), [(24, 2), (56, 6)])
def test_what_does_nothing_is_seldom_called_important(points: int, columns: int) -> None:
    """Beside nothing that matters, and beside one that does; 5 of 100 experiments would be too many."""
    beside_nothing, beside_one, experiments = 0, 0, 40
    names = [str(column) for column in range(columns)]
    for seed in range(500, 500 + experiments):
        rng = np.random.default_rng(seed)
        rows, noise = rng.random((points, columns)), rng.normal(size=points)
        alone, beside = importance(names, rows, noise), importance(names, rows, noise + 3 * (rows[:, 0] > 0.5))
        assert alone is not None and beside is not None
        beside_nothing += any(share.shown for share in alone.shares)
        beside_one += any(share.shown for share in beside.shares if share.name != "0")
    assert beside_nothing + beside_one <= 0.05 * experiments
