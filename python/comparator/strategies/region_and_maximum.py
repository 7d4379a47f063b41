"""One search for both: the conditions under which a difference is large, and where it is largest.

A level-set estimation knows after most of a budget where the difference is large; the rest of the budget is spent
where its largest value is expected. It is made of the two searches that ask these questions one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from comparator.space import ParameterSpace, Point
from comparator.strategies.bayesian import BayesianOptions, BayesianStrategy, MainEffects
from comparator.strategies.level_set import LevelSetOptions, LevelSetStrategy
from comparator.strategies.options import FromTwo
from comparator.strategies.strategy import Proposal, Strategy

#: The part of all points that the maximum is looked for with.
CLOSING = 1 / 8


class RegionAndMaximumOptions(LevelSetOptions):
    """What a level-set estimation takes, how long the whole search is, and what its second part models."""

    total: FromTwo = Field(56, description="points of the whole search, of which the last eighth is for the maximum")
    main_effects: MainEffects = True


class RegionAndMaximumStrategy(Strategy):
    """Looks for the region by a level-set estimation, then for the maximum by the expected improvement.

    1. The first seven eighths of the points are those of `level_set`, of all points the first half scattered evenly.
    2. The last eighth is that of `bayesian`, which is told all results.
    3. Where the region no longer changes the second part begins at once; it is then no longer for it.
    """

    Options = RegionAndMaximumOptions
    came_later: ClassVar[Mapping[str, Any]] = {"main_effects": False}
    fits_a_model = True

    @classmethod
    def within(cls, options: Mapping[str, Any], *, evaluations: int, points: int) -> dict[str, Any]:
        return {"total": max(2, points), **options}

    @classmethod
    def begins_uninformed(cls, options: Mapping[str, Any], in_flight: int) -> bool:
        return True

    def __init__(self, space: ParameterSpace, seed: int, in_flight: int, options: RegionAndMaximumOptions) -> None:
        level_set = LevelSetOptions(
            level=options.level,
            scattered=options.scattered or max(2, options.total // 2),
            patience=options.patience,
        )
        self._region = LevelSetStrategy(space, seed, in_flight, level_set)
        # Where nothing promises an improvement it scatters points: others than those of the region.
        maximum = BayesianOptions(scattered=2, main_effects=options.main_effects)
        self._maximum = BayesianStrategy(space, seed + 1, 1, maximum)
        self._closing = max(1, round(options.total * CLOSING))
        self._first = options.total - self._closing
        self._told: list[tuple[Point, float | None]] = []
        self._open: dict[int, Point] = {}
        self._switched: int | None = None  # the number of the first proposal for the maximum
        self._closed = False

    def inform(self, past: Sequence[tuple[Point, float | None]]) -> int:
        self._told += past
        return self._region.inform(past) if self._switched is None else self._maximum.inform(past)

    def start(self) -> list[Proposal]:
        return self._own(self._region.start())

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        if self._closed or number not in self._open:
            return []
        point = self._open.pop(number)
        if self._switched is None:
            return self._tell_region(number, point, value)
        if number >= self._switched:
            following = self._maximum.tell(number - self._switched, value)
        else:
            self._maximum.inform([(point, value)])
            following = self._maximum.start()
        if self._region.ended is not None and self._proposed >= self._switched + self._closing:
            self.ended = f"{self._region.ended}, and {self._closing} points more were for the maximum"
            return []
        return self._own(following)

    def close(self) -> None:
        self._closed = True
        self._region.close()
        self._maximum.close()

    def _tell_region(self, number: int, point: Point, value: float | None) -> list[Proposal]:
        self._told.append((point, value))
        following = self._region.tell(number, value)  # whose numbers are ours until the switch
        if self._region.ended is None and self._proposed < self._first:
            return self._own(following)
        self._switched = self._proposed
        self._maximum.inform(self._told)
        return self._own(self._maximum.start())

    def _own(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        made = [self._propose(proposal.point) for proposal in proposals]
        self._open.update({proposal.number: proposal.point for proposal in made})
        return made
