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

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from comparator.evidence.chance import FEWEST_BLOCKS, differ, net, vary
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
from comparator.evidence.coordinates import Array, Coordinates, dense_sample
from comparator.evidence.paired import Observation, Paired
from comparator.evidence.reading import FEWEST_INSIDE, RESAMPLES, Heights, Reading, read_heights, read_regions
from comparator.evidence.replicates import mean_interval
from comparator.evidence.surrogate import MOST, Components, fit_differences
from comparator.objective.amounts import PLAIN, Measure
from comparator.results.frozen import Claim
from comparator.results.points import key_of
from comparator.space import ParameterSpace, Point
from comparator.space.boxes import Box, in_none

PLACES = 4096  # over which means of a region are taken
FEWEST_KNOWN = 5  # points in a claim that tell how a training departs there

Verdict = Literal["regions", "everywhere", "none"]


@dataclass(frozen=True)
class Region:
    """A box in which the models differ more than elsewhere.

    `mean` is the mean signed difference over the box, each part counting alike, in its own direction, so that it is
    a size; `larger` is the submodel whose metric is the larger there. `outside` is the mean outside all regions in the
    same direction. `contrast` is the one less the other. With `interval`, `outside_interval` and `contrast_interval`,
    95 % over splits and seeds that were not looked at; None where nothing was trained anew, and the means are then
    those of the evaluated points. `p` is the chance of such a contrast where there is none, `blocks` counts the fresh
    blocks, `evaluations` the distinct points of the search inside, `share` is that of the space, and `stability` that
    of resamples in which a box that overlaps by more than half was found. `number` is that of its claim, whatever
    became of the others; of regions that nothing tried anew their place.
    """

    bounds: Mapping[str, Any]
    mean: float
    interval: tuple[float, float] | None
    outside: float | None
    outside_interval: tuple[float, float] | None
    contrast: float | None
    contrast_interval: tuple[float, float] | None
    p: float | None
    blocks: int
    evaluations: int
    larger: int
    share: float
    stability: float
    number: int = 1


@dataclass(frozen=True)
class Evidence:
    """What the evaluations prove.

    `reason` is a sentence for people. `p_differ` and `p_where` are the chances of what was seen where there is no
    difference, or none in place (None: not asked), `level` the size of the difference beyond which a point counts as
    in a region, `overall` and `overall_interval` (95 %) the mean signed difference over the space; `noise` the
    deviation of a replicate from its point's mean, None where no point has two. `blocks` counts those of the search,
    `fresh_blocks` those trained anew, over which `overall` is. `missed` is the largest mean difference that cannot be
    excluded where the verdict is `none`, and `missed_contrast` the largest difference between a place that was looked
    at and the rest.
    `components` says what makes trainings differ; None where the search had one block or too few points. `rejected` are
    regions that the search saw and fresh blocks did not show. `failing` are boxes in which trainings fail.
    `some_failed` says that trainings failed somewhere, so that a mean over the space is where both gave a result.
    """

    verdict: Verdict
    reason: str
    p_differ: float | None
    p_where: float | None
    level: float | None
    regions: tuple[Region, ...]
    overall: float | None
    overall_interval: tuple[float, float] | None
    noise: float | None
    points: int
    blocks: int = 1
    fresh_blocks: int = 0
    missed: float | None = None
    missed_contrast: float | None = None
    components: Components | None = None
    rejected: tuple[Region, ...] = ()
    failing: tuple[Mapping[str, Any], ...] = ()
    some_failed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON text."""
        return _plain(asdict(self))


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
    measure: Measure = PLAIN,
) -> Evidence:
    """Say whether and where two models differ, from each point's signed differences, one for each replicate.

    `fresh` is what fresh blocks gave for what the search claims. `level` is the size of the difference that counts, by
    default the cut whose two sides differ most. `alpha` is the chance of finding a difference where there is none, and
    of finding regions where the difference is the same all over. `noise` is the deviation within a point where it is
    known from elsewhere; 0 says that the models do not depend on their seed, as do replicates that are all equal.
    `failed` are points where trainings failed. Without `resamples` no `stability` is known. `is_spread` says that the
    points lie evenly over the space, so that their mean is its mean. `measure` puts differences into words.
    """
    paired = Paired.of(observations)
    noise = paired.deviation if noise is None else noise
    search = _Search(space, paired, noise, alpha, seed)
    tried = _of_the_space(space, fresh, seed)
    if any(each.signed for each in tried):
        found = _Anew(search, tried, failed, level).evidence()
    else:
        found = search.evidence(level, resamples, failed, is_spread=is_spread, measure=measure)
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


class _Search:
    """What the search's own evaluations say."""

    def __init__(self, space: ParameterSpace, paired: Paired, noise: float | None, alpha: float, seed: int) -> None:
        self.space, self.paired, self.noise, self.alpha, self.seed = space, paired, noise, alpha, seed
        self._rng = np.random.default_rng(seed)
        self._coordinates = Coordinates(space)
        # A scan of all boxes takes time by evaluations times boxes, that of neighbours by their square.
        self._places = paired.places_of_some(MOST, seed)
        self._scanned = paired.some(MOST, seed)
        self._rows = self._coordinates.of(self._scanned.points)

    @cached_property
    def _net(self) -> Array:
        return net(self._coordinates, self._rows)

    @property
    def is_exact(self) -> bool:
        return self.noise == 0

    def p_differ(self, *, scans: bool = True) -> float | None:
        """Of the mean, and where it `scans` of each box of the net: skewed noise makes small ones stand out."""
        if not len(self.paired.points):
            return None
        if self.is_exact:
            return 0.0 if np.any(self.paired.differences != 0) else 1.0
        boxes = self._net if scans else np.zeros((0, len(self._rows)))
        return differ(self.paired, boxes, self._rng, self._places)

    def p_where(self, *, is_spread: bool) -> float | None:
        if self.is_exact:
            return 0.0 if np.ptp(self.paired.means) > 1e-9 * np.abs(self.paired.means).max() else 1.0
        return vary(self._scanned, self._coordinates, self._rows, self._net, self._rng, is_spread=is_spread)

    def evidence(
        self, level: float | None, resamples: int, failed: Sequence[Point], *, is_spread: bool, measure: Measure
    ) -> Evidence:
        """The verdict where nothing was trained anew."""
        p_differ = self.p_differ()
        overall = self._overall(is_spread=is_spread)
        if p_differ is None or p_differ > self.alpha:
            return self.answer("none", self.why_none(p_differ), overall, p_differ=p_differ)
        if len(self.paired.points) < FEWEST:
            return self.answer("everywhere", self.too_few(), overall, p_differ=p_differ)
        p_where = self.p_where(is_spread=is_spread)
        tests = {"p_differ": p_differ, "p_where": p_where}
        if p_where is None or p_where > self.alpha:
            reason = "they differ, and the search's own trainings show no place where they differ more"
            return self.answer("everywhere", reason, overall, **tests)
        reading = read_regions(self.space, self.paired, level=level, seed=self.seed, resamples=resamples, failed=failed)
        found = {**tests, **_read(reading, self.paired)}
        regions = self._regions(reading) if reading.parts else ()
        if not regions:
            reason = (
                f"the difference varies, but no condition holds {FEWEST_INSIDE} evaluations where it exceeds"
                f" {measure.amount(reading.level)}, and others where it does not"
            )
            return self.answer("everywhere", reason, overall, **found)
        return self.answer("regions", "they differ more under some conditions", overall, regions=regions, **found)

    def too_few(self) -> str:
        points = f"{len(self.paired.points)} point{' is' if len(self.paired.points) == 1 else 's are'}"
        return f"they differ; {points} too few to say where, which takes {FEWEST}"

    def why_none(self, p_differ: float | None) -> str:
        if not len(self.paired.points):
            return "no evaluation has a difference"
        if not np.any(self.paired.differences):
            return "both models give the same everywhere"
        if p_differ is None:
            return (
                f"a difference cannot be tested on {self.paired.block_count} blocks of seeds: it takes {FEWEST_BLOCKS}"
                " or more, or all trainings in a single block ([search] blocks = 1)"
            )
        count = len(self.paired.differences)
        if 2 / 2**count > 0.05:
            return f"{count} {'pair' if count == 1 else 'pairs'} of trainings cannot show a difference"
        return "no difference is shown beyond what seeds alone give"

    def answer(
        self,
        verdict: Verdict,
        reason: str,
        overall: tuple[float | None, tuple[float, float] | None],
        **found: Any,
    ) -> Evidence:
        whole: dict[str, Any] = {"p_differ": None, "p_where": None, "level": None, "regions": (), **found}
        return Evidence(
            verdict=verdict,
            reason=reason,
            overall=overall[0],
            overall_interval=overall[1],
            noise=self.noise,
            points=len(self.paired.points),
            blocks=self.paired.block_count,
            **whole,
        )

    def _overall(self, *, is_spread: bool) -> tuple[float | None, tuple[float, float] | None]:
        """The mean over the points; its interval where they lie evenly: over blocks, else over the points of one."""
        means = self.paired.means if len(self.paired.points) else np.zeros(0)
        if not len(means):
            return None, None
        if not is_spread:
            return float(means.mean()), None
        units = self.paired.block_means if self.paired.block_count > 1 else means
        return float(means.mean()), mean_interval(units.tolist())

    def _regions(self, reading: Reading) -> tuple[Region, ...]:
        """The parts of a reading with the means of their points, the largest first."""
        means = self.paired.means
        inside = [np.array(part.box.contains(self.paired.points)) for part in reading.parts]
        elsewhere = ~np.any(inside, axis=0)
        dense = dense_sample(self.space, PLACES, self.seed)
        regions = []
        for part, held in zip(reading.parts, inside, strict=True):
            if held.all():  # a place is one beside others
                continue
            mean = part.direction * float(means[held].mean())
            outside = part.direction * float(means[elsewhere].mean()) if elsewhere.any() else None
            regions.append(
                Region(
                    bounds=part.box.bounds,
                    mean=mean,
                    interval=None,
                    outside=outside,
                    outside_interval=None,
                    contrast=None if outside is None else mean - outside,
                    contrast_interval=None,
                    p=None,
                    blocks=0,
                    evaluations=int(held.sum()),
                    larger=int(part.direction > 0),
                    share=float(np.mean(part.box.contains(dense))),
                    stability=part.stability,
                )
            )
        regions.sort(key=lambda region: -region.mean)
        return tuple(replace(region, number=number) for number, region in enumerate(regions, start=1))


class _Anew:
    """What fresh blocks say of what the search claims."""

    def __init__(
        self,
        search: _Search,
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
            **({} if self._reading is None else _read(self._reading, search.paired)),
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
            reason = "they differ more under some conditions"
            return search.answer("regions", reason, overall, regions=kept, rejected=rejected, **found)
        if self._reading is None:
            reason = search.too_few()
        elif regions:
            reason = "they differ; that they differ more under some conditions is not shown by fresh trainings"
        else:
            reason = "they differ, and the search saw no condition under which they differ more"
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
            number=int(number) if (number := claim.name.rpartition(" ")[2]).isdecimal() else 1,
        )


def _read(reading: Heights, paired: Paired) -> dict[str, Any]:
    """What a reading says beside its parts."""
    return {
        "level": reading.level,
        "failing": tuple(box.bounds for box in reading.failing),
        "components": reading.surrogate.components() if paired.block_count > 1 else None,
    }


def _departing(search: _Search) -> list[tuple[Mapping[str, Any], float]]:
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


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
