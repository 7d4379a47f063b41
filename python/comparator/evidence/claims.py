"""What a search claims, and the points at which fresh blocks are to try it.

A claim is tried beside what it is compared with, in the same blocks: a region beside what lies outside all regions, the
best point beside the rest of the space. Inside a region and outside the points are drawn anew, evenly at random, one
for each block: so what they give on average is the mean over the region, however the search chose its points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from comparator.evidence.coordinates import dense_sample
from comparator.evidence.paired import Paired
from comparator.evidence.reading import Part, Reading, read_regions
from comparator.results.frozen import Claim
from comparator.results.record import key_of
from comparator.space import ParameterSpace, Point
from comparator.space.boxes import Box, in_none

NEAR = 0.1  # of the range of every parameter: nearer points are one finding
FEWEST = 8  # distinct points; with fewer there is no telling where
MOST_REGIONS = 3  # that are tried
DENSE, DENSE_OF_FEW = 4096, 131072  # points of which those that fit are taken
FRESH = 10**6  # the seeds from which they are drawn


@dataclass(frozen=True)
class Asked:
    """What is to be tried: up to `points` best points, `regions`, each in `blocks` fresh blocks.

    `elsewhere` says whether they are compared with what lies outside. `level` is that of the reading, `seed` that of
    the points that are drawn. `keeps_sign` says that the search sought the largest difference with its sign, so that a
    best point is judged in that direction, whichever the sign there.
    """

    points: int
    blocks: int
    regions: bool
    elsewhere: bool
    level: float | None = None
    seed: int = 0
    keeps_sign: bool = False


def find_claims(
    space: ParameterSpace | None,
    paired: Paired,
    best: Sequence[tuple[Point, float]],
    asked: Asked,
    failed: Sequence[Point] = (),
    final: Paired | None = None,
) -> list[Claim]:
    """What is to be tried of a search over `space`, None where its points were listed.

    `best` are its points with what it minimised, without any there is no claim; `failed` are those where trainings
    fail; `final` is where the best points have their direction from, None for `paired`. Regions are claimed from
    `FEWEST` points on; what is tried then is the whole space where none was read.
    """
    if not best:
        return []
    reading = None
    if asked.regions and space is not None and len(paired.points) >= FEWEST:
        reading = read_regions(space, paired, level=asked.level, seed=asked.seed, failed=failed)
    regions = [] if reading is None or space is None else _regions(space, reading, asked)
    best_points = _best_points(space, final or paired, best, asked)
    if not asked.elsewhere or not (regions or best_points or asked.regions):
        return [*regions, *best_points]
    outside = _outside(space, paired, [*regions, *best_points], reading, asked)
    while regions and not outside:  # together they leave nothing to compare them with
        regions.pop()
        outside = _outside(space, paired, [*regions, *best_points], reading, asked)
    kind: Literal["elsewhere", "space"] = "elsewhere" if regions or space is None else "space"
    rest = [Claim(name=kind, kind=kind, points=outside)] if outside else []
    return [*regions, *best_points, *rest]


def distinct_best(found: Iterable[tuple[Point, float]], count: int, space: ParameterSpace | None) -> list[Point]:
    """The up to `count` points of the smallest values of which no two are within `NEAR` of each other."""

    def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
        return space.distance(one, other) if space is not None else float(one != other)

    chosen: list[Point] = []
    for point, _ in sorted(found, key=lambda each: each[1]):
        if len(chosen) == count:
            break
        if all(distance(point, other) > NEAR for other in chosen):
            chosen.append(point)
    return chosen


def _regions(space: ParameterSpace, reading: Reading, asked: Asked) -> list[Claim]:
    """The parts that a reading says most of, by how far and how widely they lie beyond its level."""
    dense = dense_sample(space, DENSE, asked.seed)
    beyond = np.abs(reading.surrogate.predict(dense)[0]) - reading.level

    def weight(part: Part) -> float:
        return float(beyond[np.array(part.box.contains(dense))].sum())

    claims = []
    bounded = [part for part in reading.parts if part.box.closed]
    for number, part in enumerate(sorted(bounded, key=weight, reverse=True)[:MOST_REGIONS], start=1):
        claims.append(
            Claim(
                name=f"region {number}",
                kind="region",
                bounds=part.box.bounds,
                direction=1 if part.direction > 0 else -1,
                stability=part.stability,
                points=_drawn(space, part.box.contains, asked, number),
            )
        )
    return claims


def _best_points(
    space: ParameterSpace | None, paired: Paired, best: Sequence[tuple[Point, float]], asked: Asked
) -> list[Claim]:
    means = dict(zip(map(key_of, paired.points), paired.means, strict=True))
    return [
        Claim(
            name=f"best {number}",
            kind="best",
            direction=0 if (mean := means.get(key_of(point))) is None else 1 if mean >= 0 or asked.keeps_sign else -1,
            points=[dict(point)] * asked.blocks,
        )
        for number, point in enumerate(distinct_best(best, asked.points, space), start=1)
    ]


def _outside(
    space: ParameterSpace | None, paired: Paired, claims: Sequence[Claim], reading: Reading | None, asked: Asked
) -> list[Point]:
    """A point for each block that lies in no claim, nor where trainings fail."""
    taken = {key_of(claim.points[0]) for claim in claims if claim.kind == "best"}
    if space is None:
        rng = np.random.default_rng(asked.seed)
        others = [dict(point) for point in paired.points if key_of(point) not in taken]
        places = rng.permutation(len(others)).tolist() * asked.blocks  # anew where they are fewer than the blocks
        return [others[place] for place in places[: asked.blocks]]
    boxes = [Box.from_bounds(space, claim.bounds, claim.name) for claim in claims if claim.kind == "region"]
    boxes += reading.failing if reading is not None else ()

    def is_outside(points: Sequence[Point]) -> list[bool]:
        free = in_none(boxes, points)
        return [is_free and key_of(point) not in taken for point, is_free in zip(points, free, strict=True)]

    return _drawn(space, is_outside, asked, 0)


def _drawn(
    space: ParameterSpace, fits: Callable[[Sequence[Point]], Sequence[bool]], asked: Asked, number: int
) -> list[Point]:
    """A point for each block, evenly at random among those that fit; fewer where hardly any does."""
    for count in (DENSE, DENSE_OF_FEW):
        drawn = dense_sample(space, count, FRESH + MOST_REGIONS * asked.seed + number)
        found = [point for point, is_there in zip(drawn, fits(drawn), strict=True) if is_there]
        if len(found) >= asked.blocks:
            break
    return [space.fit(point) for point in found[: asked.blocks]]
