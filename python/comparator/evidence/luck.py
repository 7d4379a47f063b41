"""How high a maximum luck alone would reach in a search like this one.

The largest of many noisy results is large even where every point is the same. How large, is found by doing the search
again where nothing is to be found: every result is the overall mean and noise of the measured size.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

REPLAYS = 200
FEWEST = 40  # replays that tell where 95 % of them lie
RESAMPLES = 2000
SECONDS = 8.0  # of this process, in which the replays have to be done


@dataclass(frozen=True)
class Noise:
    """What one seed gives at any point: `mean` and Gaussian noise of standard deviation `deviation`.

    `worth` turns it into what a search minimises.
    """

    mean: float
    deviation: float
    worth: Callable[[float], float]

    def draw(self, rng: random.Random) -> float:
        """One signed difference; of a single model its metric."""
        return rng.gauss(self.mean, self.deviation)


@dataclass(frozen=True)
class Luck:
    """The best value that luck alone reaches, as a search minimises it.

    Half of all searches stay above `median`, 95 % above `extreme`. `method` is `replay` where the search was done
    again `replays` times, `resampling` where that takes too long: then the search's own points were drawn anew, each
    with its own number of seeds.
    """

    median: float
    extreme: float
    replays: int
    method: str
    mean: float
    deviation: float


def luck_alone(
    noise: Noise, replay: Callable[[int], float | None] | None, seeds: Sequence[int], *, seconds: float = SECONDS
) -> Luck:
    """Measure what luck alone reaches.

    `replay(number)` does the search again on `noise` and returns its best value; it is called up to `REPLAYS` times
    within `seconds`. Where that allows fewer than `FEWEST`, or `replay` is None, the points of the search are drawn
    anew, `seeds` of them each.
    """
    best = list(_replayed(replay, seconds)) if replay is not None else []
    method = "replay"
    if len(best) < FEWEST:
        best, method = _resampled(noise, seeds), "resampling"
    best.sort()
    return Luck(
        median=statistics.median(best),
        extreme=best[int(0.05 * len(best))],
        replays=len(best),
        method=method,
        mean=noise.mean,
        deviation=noise.deviation,
    )


def _replayed(replay: Callable[[int], float | None], seconds: float) -> Iterator[float]:
    """The best values of as many replays as there is time for; the first, which may import things, hardly counts."""
    first = began = time.process_time()
    for number in range(REPLAYS):
        best = replay(number)
        if best is not None:
            yield best
        if number == 0:
            began = time.process_time()
            if began - first > seconds / 2:
                return
            continue
        each = (time.process_time() - began) / number
        if each * FEWEST > seconds or time.process_time() - first + each > seconds:
            return


def _resampled(noise: Noise, seeds: Sequence[int]) -> list[float]:
    rng = random.Random(1)

    def value(count: int) -> float:
        return statistics.fmean(noise.worth(noise.draw(rng)) for _ in range(count))

    return [min(value(count) for count in seeds) for _ in range(RESAMPLES)]
