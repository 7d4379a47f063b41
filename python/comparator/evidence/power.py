"""How small a difference a design sees, before it is carried out, and what one of a given size takes.

A contrast, of a region with what lies outside it, is judged on fresh blocks: in each a pair of trainings inside and one
outside, and two t-tests over the blocks, one-sided at 5 %, that it is above the other and above the other with its sign
turned. It is seen where both find it in 80 of 100 experiments; the power of each is that of the noncentral t
distribution. Where there is no difference outside neither implies the other; where there is one, one of them nearly
always holds, and it is found in 89. All this of one region: of several each is held to a stricter level. What the
difference changes from place to place within a region comes on top, as far as the surrogate does not tell it. A point
is seen where it stands out from the luck of all points together, in 95 of 100.

All is in units of `deviation`, that of the signed difference (of a single model: the metric) from training to training.
"""

from __future__ import annotations

import bisect
import math
from statistics import NormalDist

LEVEL, CHANCE = 0.05, 0.8
BELIEVED = 0.95
MOST_BLOCKS = 10_000


def contrast_seen(deviation: float, blocks: int) -> float:
    """The contrast of two means over `blocks` blocks, two or more, that is seen."""
    from scipy.special import nctdtrinc, stdtrit

    freedom = blocks - 1
    shift = float(nctdtrinc(freedom, 1 - math.sqrt(CHANCE), stdtrit(freedom, 1 - LEVEL)))
    return shift * deviation * math.sqrt(2 / blocks)


def blocks_for(smallest: float, deviation: float) -> int | None:
    """How many blocks a contrast of `smallest` takes to be seen; None for more than `MOST_BLOCKS`."""
    numbers = range(2, MOST_BLOCKS + 1)
    place = bisect.bisect_left(numbers, -smallest, key=lambda blocks: -contrast_seen(deviation, blocks))
    return numbers[place] if place < len(numbers) else None


def point_seen(deviation: float, points: int, seeds: int = 1) -> float:
    """The difference that one of `points` points, of `seeds` seeds each, shows above the luck of all of them.

    That is the height that the largest of so many Gaussian means stays under with 95 % chance.
    """
    return deviation / math.sqrt(seeds) * NormalDist().inv_cdf(BELIEVED ** (1 / max(points, 1)))


def seeds_for(smallest: float, deviation: float, points: int) -> int:
    """How many seeds a point takes, so that a difference of `smallest` at one of `points` points is seen."""
    return max(1, math.ceil((point_seen(deviation, points) / smallest) ** 2))
