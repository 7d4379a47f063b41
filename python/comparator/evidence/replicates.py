"""The spread of replicates: what one point gives under several seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce


def pooled_deviation(groups: Iterable[Sequence[float]]) -> float | None:
    """The standard deviation within groups, pooled over all that have two members or more; None without any."""
    several = [group for group in groups if len(group) > 1]
    if not several:
        return None
    apart = [number - mean for group in several for mean in [statistics.fmean(group)] for number in group]
    exponent = exponent_of(apart)
    squares = sum(math.ldexp(each, -exponent) ** 2 for each in apart)
    return math.ldexp(math.sqrt(squares / sum(len(group) - 1 for group in several)), exponent)


def exponent_of(numbers: Iterable[float]) -> int:
    """The power of two just above the largest of these in size: divided by it, which is exact, all have squares."""
    return math.frexp(max(map(abs, numbers), default=0.0))[1]


def mean_interval(numbers: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """The two-sided t-interval of the mean of `numbers`; None for fewer than two."""
    deviation = pooled_deviation([numbers])
    return None if deviation is None else _interval(statistics.fmean(numbers), deviation, len(numbers), confidence)


@dataclass(frozen=True)
class Moments:
    """Numbers that come one by one: mean, deviation and interval of all so far, each at the cost of one number.

    The sums are exact, so that neither the order counts nor how many there are: the mean is that of `fmean`.
    """

    count: int = 0
    total: Fraction = Fraction(0)
    squares: Fraction = Fraction(0)

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Moments:
        """Those of all these."""
        return reduce(cls.plus, numbers, cls())

    def plus(self, number: float) -> Moments:
        exact = Fraction(number)
        return Moments(self.count + 1, self.total + exact, self.squares + exact * exact)

    @property
    def mean(self) -> float:
        """The mean; of no numbers there is none to ask for."""
        return float(self.total) / self.count

    @cached_property
    def deviation(self) -> float | None:
        """The standard deviation; None for fewer than two."""
        if self.count < 2:
            return None
        variance = (self.squares - self.total * self.total / self.count) / (self.count - 1)
        # What a square root is taken of may be too small for a float, or too large, where the root is not.
        exponent = (variance.numerator.bit_length() - variance.denominator.bit_length()) // 2
        return math.ldexp(math.sqrt(variance / Fraction(4) ** exponent), exponent)

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """The two-sided t-interval of the mean; None for fewer than two."""
        deviation = self.deviation
        return None if deviation is None else _interval(self.mean, deviation, self.count, confidence)


def _interval(mean: float, deviation: float, count: int, confidence: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * deviation / math.sqrt(count)
    return mean - half, mean + half
