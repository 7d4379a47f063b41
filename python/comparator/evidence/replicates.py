"""The spread of replicates: what one point gives under several seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence


def pooled_deviation(groups: Iterable[Sequence[float]]) -> float | None:
    """The standard deviation within groups, pooled over all that have two members or more; None without any."""
    several = [group for group in groups if len(group) > 1]
    if not several:
        return None
    squares = sum((number - mean) ** 2 for group in several for mean in [statistics.fmean(group)] for number in group)
    return math.sqrt(squares / sum(len(group) - 1 for group in several))


def mean_interval(numbers: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """The two-sided t-interval of the mean of `numbers`; None for fewer than two."""
    deviation = pooled_deviation([numbers])
    if deviation is None:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(len(numbers) - 1, (1 + confidence) / 2)) * deviation / math.sqrt(len(numbers))
    mean = statistics.fmean(numbers)
    return mean - half, mean + half
