"""What changes where a part of the training data is left out: which of several parts, beyond chance and its size.

The unit is the block, a data split with a stream of seeds: trained with and without a part, it gives one change. To
leave out any rows makes a difference, the more the larger the part. So as many random rows are left out too, in the
same blocks, and a part is shown to matter where its change is not between nothing and theirs: where it differs from
nothing, and from theirs, both times in the same direction. As no part is larger than the random one, this holds for
the smaller ones too, if a part that is half as large changes half as much, or anything between nothing and all.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comparator.evidence.confirmation import FEWEST, chance_not_zero, interval_of
from comparator.evidence.many import holm

ALPHA = 0.05

#: A number of each block.
Blocks = Mapping[int, float]


@dataclass(frozen=True)
class Mean:
    """A mean over so many `blocks`, with its interval; None with fewer than two."""

    value: float
    interval: tuple[float, float] | None
    blocks: int

    @classmethod
    def of(cls, numbers: Sequence[float], confidence: float = 1 - ALPHA) -> Mean | None:
        """The mean of the blocks' numbers; None where there are none."""
        if not numbers:
            return None
        return cls(statistics.fmean(numbers), interval_of(numbers, confidence=confidence), len(numbers))


@dataclass(frozen=True)
class Omission:
    """What it changes to leave a part out.

    `change` is that of the quantity, with and without the part in the same blocks, None where no block has both; its
    interval holds for the changes of all parts at once (95 %). `beyond` is by how much more that is than for as many
    random rows, with an interval of its own alone; None where none were left out. `chance` is that of as much, were it
    no more than random rows change, corrected for all parts (Holm); the part is `shown` to matter where it is 5 % or
    less.
    """

    change: Mean | None
    beyond: Mean | None
    chance: float

    @property
    def shown(self) -> bool:
        return self.chance <= ALPHA


def omissions(whole: Blocks, parts: Sequence[Blocks], controls: Sequence[Blocks | None]) -> list[Omission]:
    """Judge each of the parts, in their order.

    `whole` has the quantity where all rows are trained on, `parts` where one is left out, `controls` where random rows
    are left out in its place, None for no such control. A block that a training failed in is missing.
    """
    confidence = 1 - ALPHA / max(1, len(parts))
    changes = [_apart(part, whole) for part in parts]
    beyond = [None if control is None else _apart(part, control) for part, control in zip(parts, controls, strict=True)]
    chances = holm([_chance(change, more) for change, more in zip(changes, beyond, strict=True)])
    return [
        Omission(Mean.of(change, confidence), None if more is None else Mean.of(more), chance)
        for change, more, chance in zip(changes, beyond, chances, strict=True)
    ]


def _apart(one: Blocks, other: Blocks) -> list[float]:
    """By how much one is more than the other, in each block that has both."""
    return [one[block] - other[block] for block in sorted(one) if block in other]


def _chance(change: Sequence[float], beyond: Sequence[float] | None) -> float:
    """The chance of what was seen were the change within what random rows change."""
    tests = [change] if beyond is None else [change, beyond]
    if any(len(numbers) < FEWEST for numbers in tests):
        return 1.0
    if len({statistics.fmean(numbers) > 0 for numbers in tests}) > 1:
        return 1.0
    return max(chance_not_zero(numbers) for numbers in tests)
