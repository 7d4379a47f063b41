"""What the comparisons of all pairs of several models say together: verdicts, corrected for how many pairs there are.

Whether two differ at all, and whether they do so more under some conditions, are two questions, each asked of every
pair; the chances of each are corrected over all pairs (Holm). A condition is told only of two that differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparator.evidence.chance import differ, net, vary
from comparator.evidence.coordinates import Coordinates
from comparator.evidence.many import holm
from comparator.evidence.paired import Paired
from comparator.evidence.replicates import mean_interval
from comparator.objective.amounts import Measure
from comparator.space import ParameterSpace, Point

ALPHA = 0.05
RESAMPLES = 9999  # so that a chance is still one after it is corrected for many pairs
SEED = 1
REGIONS, EVERYWHERE, NONE = "regions", "everywhere", "none"


@dataclass(frozen=True)
class Place:
    """A region of a pair's report: its words, and the mean signed difference there and outside all regions."""

    condition: str
    bounds: Mapping[str, Any]
    mean: float
    outside: float | None


@dataclass(frozen=True)
class Compared:
    """A pair as its own experiment has it: differences are those of the second label's metric less the first's.

    `p_differ` and `p_where` are the chances of what was seen where there is no difference, or the same everywhere; None
    where it was not asked. `places` are the regions of its report, the largest difference first; `reason` says why
    there is nothing to say, empty where there is something.
    """

    identifier: str
    labels: tuple[str, str]
    paired: Paired
    failed: Sequence[Point]
    p_differ: float | None
    p_where: float | None
    places: Sequence[Place]
    reason: str = ""

    @property
    def mean(self) -> float | None:
        """The mean over the points."""
        return float(self.paired.means.mean()) if len(self.paired.points) else None

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """That of the mean, over blocks where there are several."""
        units = self.paired.block_means if self.paired.block_count > 1 else self.paired.means
        return mean_interval(units.tolist(), confidence)


def chances(space: ParameterSpace, paired: Paired) -> tuple[float, float]:
    """How likely the differences are were there none, and were they the same everywhere.

    A hash of the point chooses its block, so that under a difference that is the same everywhere each point could as
    well have had what another has, block included: differences are dealt out to the points anew. With about one point
    in a block this is exact where flipping the signs of blocks is not: it takes several points in each. Signs are
    flipped for the first question, to which both tests are an answer; the better one counts, twice.
    """
    coordinates = Coordinates(space)
    rows = coordinates.of(paired.points)
    boxes = net(coordinates, rows)
    rng = np.random.default_rng(SEED)
    where = vary(paired.without_blocks, coordinates, rows, boxes, rng, RESAMPLES)
    flipped = differ(paired, boxes, rng, number=RESAMPLES)
    in_place = 1.0 if where is None else where
    return min(1.0, 2 * min(in_place, 1.0 if flipped is None else flipped)), in_place


def smallest_chance(blocks: int) -> float:
    """That which a difference of the same sign at every point can have, in so many blocks."""
    flipped = 2 / 2**blocks
    return 2 * (flipped if 2**blocks <= RESAMPLES else flipped + 1 / (RESAMPLES + 1))


@dataclass(frozen=True)
class Judged:
    """A pair with its verdict among all pairs.

    `verdict` is `regions`, `everywhere` or `none`; the chances are corrected for all pairs, and `interval` holds for
    the means of all pairs at once with 95 %.
    """

    pair: Compared
    verdict: str
    chance_differ: float
    chance_where: float
    interval: tuple[float, float] | None

    @property
    def place(self) -> Place | None:
        """Where the two differ most; None where no place is shown."""
        return self.pair.places[0] if self.verdict == REGIONS else None

    @property
    def largest(self) -> float:
        """The signed difference by which pairs are ranked: in the region where there is one, else the mean."""
        return self.place.mean if self.place is not None else self.pair.mean or 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values of `report.json`."""
        return {
            "id": self.pair.identifier,
            "models": list(self.pair.labels),
            "verdict": None if self.pair.reason else self.verdict,
            "reason": self.pair.reason,
            "points": len(self.pair.paired.points),
            "failed": len(self.pair.failed),
            "mean": self.pair.mean,
            "interval": self.interval,
            "p_differ": self.pair.p_differ,
            "p_where": self.pair.p_where,
            "corrected_differ": self.chance_differ,
            "corrected_where": self.chance_where,
            "regions": [
                {"condition": each.condition, "bounds": each.bounds, "mean": each.mean, "outside": each.outside}
                for each in (self.pair.places if self.verdict == REGIONS else ())
            ],
        }


def judge(pairs: Sequence[Compared], alpha: float = ALPHA) -> list[Judged]:
    """Each pair with its verdict, in their order.

    Two models without a difference are called different in a share `alpha` of all experiments at the most, over all
    pairs together; a pair without results counts among them, as it was to be looked at.
    """
    differ = holm([1.0 if each.p_differ is None else each.p_differ for each in pairs])
    where = holm([1.0 if each.p_where is None else each.p_where for each in pairs])
    confidence = 1 - alpha / max(1, len(pairs))
    judged = []
    for pair, chance, chance_where in zip(pairs, differ, where, strict=True):
        verdict = NONE
        if chance <= alpha:
            verdict = REGIONS if chance_where <= alpha and pair.places else EVERYWHERE
        judged.append(Judged(pair, verdict, chance, chance_where, pair.interval(confidence)))
    return judged


def most_different(judged: Sequence[Judged]) -> Judged | None:
    """The pair with the largest difference of those that differ; None where none is shown to."""
    different = [each for each in judged if each.verdict != NONE]
    return max(different, key=lambda each: abs(each.largest), default=None)


def answer(judged: Sequence[Judged], metric: str, measure: Measure) -> list[str]:
    """The sentence that the study is made for, and what stands behind it; `unit` is the difference's."""
    count = len(judged)
    different = [each for each in judged if each.verdict != NONE]
    pairs = f"{count} pairs" if count > 1 else "1 pair"
    corrected = f"Chances are corrected for {pairs}."
    unknown = [each for each in judged if each.pair.reason]
    told = [f"Of {_listed(unknown)} nothing can be said: no evaluation has a difference."] if unknown else []
    most = most_different(judged)
    if most is None:
        return [f"No two of them are shown to differ in {metric} beyond what seeds and splits give.", corrected, *told]
    lead = _most_words(most, metric, measure)
    many = f"{len(different)} of {pairs} {'differs' if len(different) == 1 else 'differ'}"
    places = sum(each.verdict == REGIONS for each in different)
    return [lead, f"{many}, {places or 'none'} of them more under some conditions than elsewhere. {corrected}", *told]


def _most_words(most: Judged, metric: str, measure: Measure) -> str:
    """Which two differ most, under which condition, by how much there and elsewhere."""
    first, second = most.pair.labels
    lower, higher = (first, second) if most.largest > 0 else (second, first)
    is_so = f"the {metric} of {lower} is on average {measure.amount(abs(most.largest), 2)} below that of {higher}"
    place = most.place
    if place is None:
        words = f"{first} and {second} differ most: {is_so}"
        return f"{words}, and no condition is shown under which it is more."
    words = f"{first} and {second} differ most with {place.condition}: there {is_so}"
    if place.outside is None:
        return f"{words}."
    is_same = place.outside * place.mean >= 0
    elsewhere = "elsewhere" if is_same else "elsewhere the other way round by"
    return f"{words}; {elsewhere} {measure.amount(abs(place.outside), 2)}."


def _listed(judged: Sequence[Judged]) -> str:
    return ", ".join(" and ".join(each.pair.labels) for each in judged)
