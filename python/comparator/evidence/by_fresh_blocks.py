"""Whether and where two models differ, by what was trained anew in fresh blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from comparator.evidence.by_search import PLACES, BySearch, beside_parts
from comparator.evidence.claims import FEWEST
from comparator.evidence.confirmation import FEWEST as FEWEST_TRIED
from comparator.evidence.confirmation import (
    Contrast,
    Estimate,
    Expected,
    Fresh,
    chance_not_zero,
    contrast,
    estimate,
    interval_of,
)
from comparator.evidence.coordinates import dense_sample
from comparator.evidence.reading import Heights, read_heights
from comparator.evidence.regions import Evidence, Reason, Region
from comparator.evidence.surrogate import MOST, fit_differences
from comparator.results.frozen import Claim
from comparator.results.record import key_of
from comparator.space import Point
from comparator.space.boxes import Box, in_none

FEWEST_KNOWN = 5  # points in a claim that tell how a training departs there


class ByFreshBlocks:
    """What fresh blocks say of what the search claims."""

    def __init__(
        self,
        search: BySearch,
        fresh: Sequence[Fresh],
        failed: Sequence[Point],
        level: float | None,
    ) -> None:
        self._search, self._alpha = search, search.alpha
        self._reading: Heights | None = None
        if len(search.paired.points) >= FEWEST:
            self._reading = read_heights(search.space, search.paired, level=level, seed=search.seed, failed=failed)
        self._everywhere = everywhere = dense_sample(search.space, PLACES, search.seed)
        # What is drawn lies where trainings go well, so that a mean is over these places too.
        works = in_none([] if self._reading is None else self._reading.failing, everywhere)
        self._places = [point for point, does in zip(everywhere, works, strict=True) if does] or everywhere
        self._boxes = {
            each.claim.name: Box.from_bounds(search.space, each.claim.bounds, each.claim.name)
            for each in fresh
            if each.claim.kind == "region"
        }
        self._departing = [] if self._reading is None else _departing(search)
        held = {name: np.array(box.contains(self._places)) for name, box in self._boxes.items()}
        outside = np.array(in_none(self._boxes.values(), self._places))
        best = {each.claim.name: key_of(each.claim.points[0]) for each in fresh if each.claim.kind == "best"}
        if best:
            keys = np.array(list(map(key_of, self._places)))
            held |= {name: outside & (keys == key) for name, key in best.items()}
            outside &= ~np.isin(keys, list(best.values()))
        self._held = {each.claim.name: held.get(each.claim.name, outside) for each in fresh}
        self._estimates = {each.claim.name: self._estimate(each) for each in fresh}

    def _estimate(self, fresh: Fresh) -> Estimate:
        held = self._held[fresh.claim.name]
        if self._reading is None or not held.any():
            return estimate(fresh)
        surrogate = self._reading.surrogate
        places = [point for point, is_held in zip(self._places, held, strict=True) if is_held]
        squares = [square for point, square in self._departing if self._is_of(fresh.claim, point)]
        if len(squares) < FEWEST_KNOWN:
            squares = [square for _, square in self._departing]
        over = float(surrogate.mean(places).mean())
        return estimate(fresh, Expected(surrogate.mean, over, float(np.mean(squares))))

    def _is_of(self, claim: Claim, point: Mapping[str, Any]) -> bool:
        """Whether a point lies in a claim."""
        if claim.name in self._boxes:
            return self._boxes[claim.name].contains([point])[0]
        return in_none(self._boxes.values(), [point])[0]

    def evidence(self) -> Evidence:
        search, alpha = self._search, self._alpha
        regions = [each for each in self._estimates.values() if each.claim.kind == "region" and each.by_block]
        rest = next((each for each in self._estimates.values() if each.claim.kind in ("elsewhere", "space")), None)
        by_block = self._over_the_space()
        overall = (float(np.mean(by_block)) if by_block else None, interval_of(by_block, self._variance()))
        p_differ = _better(search.p_differ(scans=False), self._p_differ(by_block, regions))
        contrasts = {each.claim.name: None if rest is None else contrast(each, rest) for each in regions}
        numbered = {each.claim.name: self._region(each, rest, contrasts[each.claim.name]) for each in regions}
        chances = {name: 1.0 if found is None else found.p for name, found in contrasts.items()}
        found: dict[str, Any] = {
            "p_differ": p_differ,
            "p_where": min(1.0, min(chances.values()) * len(chances)) if chances else None,
            **({} if self._reading is None else beside_parts(self._reading, search.paired)),
            "fresh_blocks": len(by_block) or max((len(each.by_block) for each in self._estimates.values()), default=0),
        }
        highs = [abs(end) for each in contrasts.values() if each is not None for end in each.interval]
        found["missed_contrast"] = max(highs, default=None)
        if p_differ is None or p_differ > alpha:
            reason = search.why_none(p_differ)
            missed = None if overall[1] is None else max(map(abs, overall[1]))
            rejected = tuple(numbered.values())
            return search.answer("none", reason, overall, missed=missed, rejected=rejected, **found)
        holds = {name for name, chance in chances.items() if chance <= alpha / len(chances)}
        # In the order of the claims, so that region 1 is the same in a report and in what tries its claims again.
        kept = tuple(region for name, region in numbered.items() if name in holds)
        rejected = tuple(region for name, region in numbered.items() if name not in holds)
        if kept:
            reason = Reason("somewhere more")
            return search.answer("regions", reason, overall, regions=kept, rejected=rejected, **found)
        reason = search.too_few() if self._reading is None else Reason("not shown anew" if regions else "none seen")
        return search.answer("everywhere", reason, overall, rejected=rejected, **found)

    def _over_the_space(self) -> list[float]:
        """The mean over the space by block, of those that gave all: of each claim by its share of the space.

        Without any where a part of the space was not trained anew.
        """
        shares: list[tuple[Estimate, float]] = []
        left = np.ones(len(self._places), dtype=bool)
        for name, each in self._estimates.items():  # regions first, what they share counts once
            held = self._held[name] & left
            left &= ~held
            shares.append((each, float(held.mean()) * (each.claim.direction or 1)))
        needed = [(each, share) for each, share in shares if share]
        if left.any() or not needed:
            return []
        blocks = set.intersection(*(set(each.by_block) for each, _ in needed))
        total = sum(abs(share) for _, share in needed)
        return [sum(share * each.by_block[block] for each, share in needed) / total for block in sorted(blocks)]

    def _variance(self) -> float | None:
        """That of the mean over the space in a block, as the search sees it, had a block the same luck everywhere."""
        deviations = [
            float(self._held[name].mean()) * math.sqrt(each.variance)
            for name, each in self._estimates.items()
            if each.variance is not None
        ]
        held = sum(bool(each.any()) for each in self._held.values())
        return sum(deviations) ** 2 if len(deviations) == held else None

    def _p_differ(self, by_block: Sequence[float], regions: Sequence[Estimate]) -> float | None:
        """The chance of what fresh blocks gave over the space, or in one of the regions, where there is none."""
        samples = [(list(by_block), self._variance())]
        samples += [(list(each.by_block.values()), each.variance) for each in regions]
        chances = [chance_not_zero(sample, variance) for sample, variance in samples if len(sample) >= FEWEST_TRIED]
        return min(1.0, len(chances) * min(chances)) if chances else None

    def _region(self, inside: Estimate, rest: Estimate | None, found: Contrast | None) -> Region:
        claim, box = inside.claim, self._boxes[inside.claim.name]
        direction = claim.direction or 1
        outside = None if rest is None or not rest.by_block else _turned(rest, direction)
        assert inside.mean is not None
        return Region(
            bounds=box.bounds,
            mean=inside.mean,
            interval=inside.interval,
            outside=None if outside is None else float(np.mean(outside)),
            outside_interval=None if outside is None else interval_of(outside),
            contrast=None if found is None else found.mean,
            contrast_interval=None if found is None else found.interval,
            p=None if found is None else found.p,
            blocks=len(inside.by_block),
            evaluations=int(sum(box.contains(self._search.paired.points))),
            larger=int(direction > 0),
            share=float(np.mean(box.contains(self._everywhere))),
            stability=claim.stability,
            number=claim.number,
        )


def _departing(search: BySearch) -> list[tuple[Mapping[str, Any], float]]:
    """Each training's point with the square of what it departs from what all others say of it.

    The others say nothing of its block: of a fresh one nothing is known.
    """
    paired = search.paired.some(MOST, search.seed)
    residuals, _ = fit_differences(search.space, paired.without_blocks, search.seed).left_out()
    return list(zip(paired.point_of_each, (residuals**2).tolist(), strict=True))


def _turned(rest: Estimate, direction: int) -> list[float]:
    """The numbers of what is compared with, in the direction of a region."""
    return [direction * (rest.claim.direction or 1) * number for number in rest.by_block.values()]


def _better(one: float | None, other: float | None) -> float | None:
    """The better of two chances, corrected for there being two."""
    both = [each for each in (one, other) if each is not None]
    return min(1.0, len(both) * min(both)) if both else None
