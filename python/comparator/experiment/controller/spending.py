"""What a search has asked for of what it may: pairs of its budget, points of its space, repeats of what is known."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.experiment.controller.open_evaluations import OpenEvaluation
from comparator.results.record import AFTERWARDS

REPEATS_THAT_STOP = 50


class Spending:
    """`budget` and `space_size` are as `Controller` has them, None where there is no such limit."""

    def __init__(self, budget: int | None, space_size: int | None) -> None:
        self._budget, self._space_size = budget, space_size
        #: The pairs of the budget that were asked for, with a result or without; and those whose result was cancelled.
        self.asked = self.cancelled = 0
        self._tried = 0  # points of pilot and search
        self._repeats_in_a_row = 0

    def ask(self, evaluation: OpenEvaluation, replicates: Sequence[int]) -> None:
        """Take note of replicates that an evaluation asks for; beside the budget where it follows the search."""
        if evaluation.stage not in AFTERWARDS:
            self._tried += bool(replicates) and not evaluation.point.asked
            self.asked += len(replicates)
        evaluation.point.asked.update(replicates)

    def propose(self, *, is_repeat: bool) -> None:
        """Take note of a proposal of pilot or search, which asks for replicates or repeats what is known."""
        self._repeats_in_a_row = self._repeats_in_a_row + 1 if is_repeat else 0

    def affordable(self, pairs: int) -> int:
        """How many of so many pairs the budget still has."""
        return pairs if self._budget is None else max(0, min(pairs, self._budget - self.asked))

    @property
    def is_spent(self) -> bool:
        return self._budget is not None and self.asked >= self._budget

    def why_no_more(self, *, is_deterministic: bool) -> str | None:
        """Why further proposals could tell nothing new; None where they could."""
        if is_deterministic and self._space_size is not None and self._tried >= self._space_size:
            return f"all {self._space_size} points of the space are known, and a repeat changes nothing"
        if self._repeats_in_a_row >= REPEATS_THAT_STOP:
            return f"the last {REPEATS_THAT_STOP} proposals repeated points that are known"
        return None
