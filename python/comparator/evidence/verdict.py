"""Whether two models differ, and under which conditions more than elsewhere: a verdict with its numbers.

1. Do they differ at all? By the search: signs are flipped (`chance.differ`), those of a block together. By fresh
   blocks: t-tests of the mean over the space and over each region. The better of both, corrected for there being two.
   If not, `none`.
2. Do they differ more in a region than elsewhere? By fresh blocks: the contrast (`confirmation`). A region whose
   contrast does not hold is none; if none holds, `everywhere`.

Where nothing was trained anew the search itself is asked for 2: contrasts of boxes, corrected for having been chosen
(`chance.vary`); the regions are those that are read off it (`reading`), and their means have no interval, because the
same trainings have chosen them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from comparator.evidence.by_fresh_blocks import ByFreshBlocks
from comparator.evidence.by_search import PLACES, BySearch
from comparator.evidence.confirmation import Fresh
from comparator.evidence.coordinates import dense_sample
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.reading import RESAMPLES
from comparator.evidence.regions import Evidence
from comparator.results.record import key_of
from comparator.space import ParameterSpace, Point


def find_evidence(
    space: ParameterSpace,
    observations: Sequence[Observation | tuple[Mapping[str, Any], Sequence[float]]],
    *,
    fresh: Sequence[Fresh] = (),
    failed: Sequence[Point] = (),
    level: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    noise: float | None = None,
    resamples: int = RESAMPLES,
    is_spread: bool = True,
) -> Evidence:
    """Say whether and where two models differ, from each point's signed differences, one for each replicate.

    `fresh` is what fresh blocks gave for what the search claims. `level` is the size of the difference that counts, by
    default the cut whose two sides differ most. `alpha` is the chance of finding a difference where there is none, and
    of finding regions where the difference is the same all over. `noise` is the deviation within a point where it is
    known from elsewhere; 0 says that the models do not depend on their seed, as do replicates that are all equal.
    `failed` are points where trainings failed. Without `resamples` no `stability` is known. `is_spread` says that the
    points lie evenly over the space, so that their mean is its mean.
    """
    paired = Paired.of(observations)
    noise = paired.deviation if noise is None else noise
    search = BySearch(space, paired, noise, alpha, seed)
    tried = _of_the_space(space, fresh, seed)
    if any(each.signed for each in tried):
        found = ByFreshBlocks(search, tried, failed, level).evidence()
    else:
        found = search.evidence(level, resamples, failed, is_spread=is_spread)
    some_failed = bool(failed) or any(len(each.signed) < len(each.claim.points) for each in tried)
    return replace(found, some_failed=some_failed)


def _of_the_space(space: ParameterSpace, fresh: Sequence[Fresh], seed: int) -> list[Fresh]:
    """Those that tell of a part of the space: regions, what lies outside, and in a space of few points the best ones.

    What is outside leaves out the best points, which are no part of the space unless it has few.
    """
    best = {key_of(each.claim.points[0]): each for each in fresh if each.claim.kind == "best"}
    wide = [each for each in fresh if each.claim.kind != "best"]
    has_few = (size := space.size()) is not None and size <= PLACES
    places = set(map(key_of, dense_sample(space, PLACES, seed))) if best and has_few else set()
    if not wide and not places <= best.keys():
        return []  # the best points alone tell of the space where there are no others
    return wide + [each for key, each in best.items() if key in places]
