"""Blocks: which data split, and which stream of seeds, a replicate of a point is trained with.

All points of one split share its luck: what is easy to predict in its held-out rows makes neighbouring points differ
alike, and a search takes that for a region. So replicates belong to blocks, each one data split and one stream of
seeds, the same for both submodels of a pair (common random numbers; Chen, Ankenman and Nelson, The effects of common
random numbers on stochastic kriging metamodels, 2012). A hash of the point says in which order it goes through the
blocks: so every block covers the space, neighbours do not share their luck, and experiments, engines and resumes
agree and share their trainings. Block 0 is the user's own seed and split.

Blocks from `FIRST_FRESH` on are those of no search; a confirmation uses them. Replicates from `FIRST_CROSSED` on have a
split and a seed of their own choice, fresh ones too: so that each split can be met with each seed.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.results.record import key_of

BLOCKS = 8
MOST_BLOCKS = 100
#: The first replicate, and the first block, that only a confirmation uses.
FIRST_FRESH = 1000
#: The first replicate that names its split and its seed, of `MOST_CROSSED` each.
FIRST_CROSSED, MOST_CROSSED = 10**6, 1000
#: What a seed decides that may have a seed of its own, and what can be met with what: `SEED` is all else that it
#: decides.
INITIALISATION, ORDER = PARTS = ("initialisation", "order")
SPLIT, SEED = "split", "seed"
FACTORS = (SPLIT, INITIALISATION, ORDER, SEED)
#: The first replicate that names its split and its seeds one by one, of `MOST_LEVELS` each.
FIRST_SQUARE, MOST_LEVELS = 10**9, 100
_STEP = {factor: MOST_LEVELS**place for place, factor in enumerate(reversed(FACTORS))}
#: By how many levels each factor of a square moves from row to row, and from column to column.
_LINES = ((1, 0), (0, 1), (1, 1), (1, 2))


@dataclass(frozen=True)
class Block:
    """Where a replicate belongs: `seed` and `split` are added to the user's own.

    `split` None leaves the user's split as it is. `seeds` are added likewise to the seeds of what may have one of its
    own (`PARTS`); None: all of it has the model's one seed.
    """

    number: int
    seed: int
    split: int | None
    seeds: dict[str, int] | None = None


def block_of(point: Mapping[str, Any], replicate: int, blocks: int) -> Block:
    """The block of a replicate, counted from 0, of a point in a search over so many blocks.

    A point has a replicate in each block before it has a second one in any, with further seeds. `blocks` 1 is the
    user's own split, with another seed for each replicate.
    """
    if replicate >= FIRST_SQUARE:
        split, *parts, seed = (FIRST_FRESH + level for level in _levels_of(replicate).values())
        return Block(split, seed, split, dict(zip(PARTS, parts, strict=True)))
    if replicate >= FIRST_CROSSED:
        split, seed = divmod(replicate - FIRST_CROSSED, MOST_CROSSED)
        return Block(FIRST_FRESH + split, FIRST_FRESH + seed, FIRST_FRESH + split)
    if replicate >= FIRST_FRESH:
        return Block(replicate, replicate, replicate)
    if blocks == 1:
        return Block(0, replicate, None)
    rounds, place = divmod(replicate, blocks)
    number = _order(point, blocks)[place]
    return Block(number, number + rounds * blocks, number)


def crossed(splits: int, seeds: int) -> list[int]:
    """The replicates of each split with each seed, split by split."""
    return [FIRST_CROSSED + split * MOST_CROSSED + seed for split in range(splits) for seed in range(seeds)]


def square(factors: Sequence[str], levels: int) -> list[int]:
    """The replicates of a square of `levels` by `levels` in which every two factors meet in all their levels once.

    The first two factors are its rows and columns, each further one a Latin square orthogonal to all others: so each
    level of each factor meets all of the others evenly, by the square of `levels` trainings in place of its power.
    `factors` are of `FACTORS`, of which those that are left out stay at their first level; four need an odd number of
    levels.
    """
    assert levels < MOST_LEVELS and (len(factors) < len(_LINES) or levels % 2)
    steps = [(_STEP[factor], *line) for factor, line in zip(factors, _LINES, strict=False)]
    return [
        FIRST_SQUARE + sum(step * ((down * row + across * column) % levels) for step, down, across in steps)
        for row in range(levels)
        for column in range(levels)
    ]


def levels_in(replicates: Sequence[int], factors: Sequence[str]) -> dict[str, list[int]]:
    """The levels of factors that replicates of a `square` have."""
    every = [_levels_of(replicate) for replicate in replicates]
    return {factor: [each[factor] for each in every] for factor in factors}


def _levels_of(replicate: int) -> dict[str, int]:
    number = replicate - FIRST_SQUARE
    return {factor: number // _STEP[factor] % MOST_LEVELS for factor in FACTORS}


def _order(point: Mapping[str, Any], blocks: int) -> list[int]:
    digest = hashlib.sha256(key_of(point).encode()).digest()
    order = list(range(blocks))
    random.Random(int.from_bytes(digest[:8], "big")).shuffle(order)
    return order
