"""On how many seeds an evaluation is trained: decision 7 of `docs/architecture.md`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from comparator.experiment.controller.confirmation import Confirmation
from comparator.experiment.controller.known_points import KnownPoints
from comparator.experiment.controller.open_evaluations import OpenEvaluation
from comparator.experiment.controller.spending import Spending
from comparator.results.record import AFTERWARDS, CONFIRM, PILOT, SEARCH, Evaluation
from comparator.strategies.replication import Replication


class Replicates:
    """As many as `replication` has it, or a pilot's `pilot_seeds`, where seeds matter at the `points` that are known.

    Those of pilot and search have to be affordable by `spending`; what follows the search has fresh replicates of its
    own, of which a `confirmation` of `records` may be content with the first.
    """

    def __init__(
        self,
        replication: Replication,
        pilot_seeds: int,
        points: KnownPoints,
        spending: Spending,
        confirmation: Confirmation,
        records: Callable[[], Sequence[Evaluation]],
    ) -> None:
        self._replication, self._pilot_seeds = replication, pilot_seeds
        self._points, self._spending, self._confirmation, self._records = points, spending, confirmation, records

    def first(self, evaluation: OpenEvaluation) -> int:
        """On how many seeds an evaluation begins."""
        if evaluation.stage in AFTERWARDS:
            return 1 if self._confirmation.may_be_exact(evaluation, self._points) else len(evaluation.fresh)
        seeds = self._pilot_seeds if evaluation.stage == PILOT else self._replication.first
        return self._spending.affordable(1 if self._points.is_deterministic else seeds)

    def further(self, evaluation: OpenEvaluation) -> int:
        """How many seeds more an evaluation needs, all of whose replicates so far have ended."""
        if evaluation.stage == CONFIRM:
            is_exact = self._confirmation.is_exact(evaluation, self._points, self._records())
            return 0 if is_exact else len(evaluation.fresh) - len(evaluation.outcomes)
        if evaluation.stage != SEARCH or self._points.is_deterministic or not self._replication.is_adaptive:
            return 0
        own = [value for outcome in evaluation.outcomes.values() for value in self._points.values_of(outcome.runs)]
        if not own:
            return 0
        so_far = evaluation.point.of_values
        for value in own:
            so_far = so_far.plus(value)
        best_of_others = self._points.smallest_mean_but(evaluation.point)
        return self._spending.affordable(self._replication.further(so_far.mean, so_far.count, best_of_others))
