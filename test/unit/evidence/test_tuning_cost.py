"""What settings cost that were tuned elsewhere: pairs, ratios, and intervals that hold all at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from comparator.evidence.replicates import mean_interval
from comparator.evidence.tuning_cost import costs, paired_costs


def test_costs_are_paired_by_split_and_a_split_that_lacks_one_is_left_out() -> None:
    used, best = [1.1, None, 3.0, 4.0], [1.0, 2.0, None, 4.0]
    assert paired_costs(used, best, relative=False) == pytest.approx([0.1, 0.0])
    assert paired_costs(used, best, relative=True) == pytest.approx([math.log(1.1), 0.0])
    # A ratio and its inverse are as far from zero.
    assert paired_costs([2.0], [1.0], relative=True) == [-paired_costs([1.0], [2.0], relative=True)[0]]


def test_intervals_hold_for_what_is_looked_at_and_for_nothing_else() -> None:
    sample = [0.1, 0.2, 0.4]
    alone = costs({"a": sample})["a"]
    assert alone.interval == mean_interval(sample) and alone.pairs == 3 and not alone.is_shown
    both = costs({"a": sample, "b": [0.0, 0.1], "same": None, "one split": [5.0], "none": []})
    assert both["a"].interval == mean_interval(sample, 0.975)
    assert both["same"].same and both["same"].mean == 0.0 and both["same"].interval is None
    assert both["one split"].mean == 5.0 and both["one split"].interval is None and not both["one split"].is_shown
    assert both["none"].mean is None


@pytest.mark.parametrize("truth", [(0.0, 0.0, 0.0), (0.0, 0.05, -0.05)])
def test_all_intervals_hold_at_once_in_95_of_100_studies(truth: tuple[float, ...]) -> None:
    """Three places that share the settings they are compared with, which makes their errors alike."""
    rng = np.random.default_rng(7)
    studies, splits = 1500, 5
    held = 0
    for _ in range(studies):
        split, best = rng.normal(0, 0.2, splits), rng.normal(0, 0.02, splits)
        samples = {
            place: paired_costs(
                list(np.exp(split + true + rng.normal(0, 0.02, splits))), list(np.exp(split + best)), relative=True
            )
            for place, true in enumerate(truth)
        }
        found = costs(samples)
        assert all((found[place].mean or 0.0) * true >= 0 for place, true in enumerate(truth) if abs(true) > 0.04)
        ends = {place: cost.interval or (0.0, 0.0) for place, cost in found.items()}
        held += all(ends[place][0] <= true <= ends[place][1] for place, true in enumerate(truth))
    # Three standard errors below 95 %.
    assert held / studies >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / studies)
