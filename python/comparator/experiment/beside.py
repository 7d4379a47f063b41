"""What is trained beside the search, and stands in `experiment.json`: it costs nothing of the search's budget."""

from __future__ import annotations

from typing import Any

from comparator.experiment.plan import Plan
from comparator.results.requests import BASELINE, FIRST_PROBE, Request, Result
from comparator.strategies.blocks import block_of


class Beside:
    """A single model at its settings as given, and constants of the space, and the probes.

    The one lets a report say what a search bought; probes are points that tell which hyperparameter changes which of
    two models.
    """

    def __init__(self) -> None:
        self._waiting: set[int] = set()  # evaluations without a result
        self._probed: dict[int, Result] = {}

    @property
    def waits(self) -> bool:
        """Whether something has no result yet."""
        return bool(self._waiting)

    def requests(self, plan: Plan) -> list[Request]:
        """The requests for what an experiment has not yet."""
        requests = [*_baseline(plan), *_probes(plan)]
        self._waiting = {request.evaluation for request in requests}
        return requests

    def take(self, plan: Plan, outcome: Result) -> Plan:
        """Take a result; returns the plan with what is complete by it, or the same one."""
        self._waiting.discard(outcome.evaluation)
        if outcome.status == "cancelled":
            return plan
        if outcome.evaluation == BASELINE:
            return plan.noting(baseline=outcome)
        self._probed[outcome.evaluation] = outcome
        numbers = [FIRST_PROBE - number for number in range(len(plan.frozen.stages.probes))]
        if not set(numbers) <= set(self._probed):
            return plan
        return plan.noting(probes=[self._probed[number] for number in numbers])


def _baseline(plan: Plan) -> list[Request]:
    """What varies is as it is given; what the space keeps constant is so for whatever the search finds too."""
    if plan.frozen.kind != "single" or plan.is_sweep or plan.space is None or plan.frozen.baseline is not None:
        return []
    return [Request(evaluation=BASELINE, name="defaults", point=plan.space.constants, replicate=0)]


def _probes(plan: Plan) -> list[Request]:
    """Seed and split are those of the pilot's first training, from whose point each differs in one hyperparameter."""
    frozen = plan.frozen
    if frozen.probes is not None or not frozen.stages.probes:
        return []
    block = block_of(frozen.stages.pilot[0], 0, plan.blocks)
    epochs: dict[str, Any] = {} if plan.first is None else {"epochs": plan.first.epochs}
    return [
        Request(
            evaluation=FIRST_PROBE - number,
            name="probe",
            point=point,
            replicate=0,
            block=block.number,
            seed=block.seed,
            split=block.split,
            **epochs,
        )
        for number, point in enumerate(frozen.stages.probes)
    ]
