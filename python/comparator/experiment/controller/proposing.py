"""What a strategy proposes, as the space has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from comparator.errors import ComparatorError, InputError
from comparator.space import ParameterSpace, Point
from comparator.strategies import Proposal, Strategy


class Proposing:
    """The proposals of a `strategy`, each a point of `space` where there is one; a fault is laid to `proposer`.

    One that listens, and any with `recalls`, is told before its start what it proposed in earlier sessions; `has_ended`
    says that one of these came to the end of a search that listens. `start`, `tell` and `listen` raise
    `ComparatorError` for a point that is none of the space.
    """

    def __init__(
        self, strategy: Strategy, space: ParameterSpace | None, proposer: str, *, has_ended: bool, recalls: bool
    ) -> None:
        self._strategy, self._space, self._proposer = strategy, space, proposer
        self._recalls = recalls or strategy.listens
        #: Whether points may come in without a result.
        self.more_may_come = strategy.listens and not has_ended

    def start(self, recorded: Sequence[Proposal]) -> list[Proposal]:
        """The first proposals; `recorded` are those of earlier sessions."""
        if self._recalls:
            self._strategy.recall(recorded)
        return self._fitted(self._strategy.start())

    def tell(self, number: int, value: float | None) -> list[Proposal]:
        """Take the value of a proposal, None for a failure; gives those that follow."""
        return self._fitted(self._strategy.tell(number, value))

    def listen(self) -> list[Proposal]:
        """What has come in since."""
        proposals = self._strategy.listen()
        self.more_may_come = proposals is not None
        return self._fitted(proposals or ())

    def _fitted(self, proposals: Iterable[Proposal]) -> list[Proposal]:
        space, said = self._space, f"{self._proposer} proposed a point"
        if space is None:
            return list(proposals)
        try:
            return [replace(each, point=space.fit(each.point, said)) for each in proposals]
        except InputError as error:
            raise ComparatorError(str(error)) from None

    def is_at(self, proposal: Proposal, recorded: Point) -> bool:
        """Whether a recorded point is the proposed one; earlier versions recorded points as algorithms wrote them."""
        if proposal.point == recorded:
            return True
        try:
            return self._space is not None and self._space.fit(recorded) == proposal.point
        except InputError:
            return False
