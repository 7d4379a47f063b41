"""A checked experiment, as it is carried out: the frozen form, and the live things that are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from comparator.experiment.controller import Controller
from comparator.experiment.controller.confirmation import ToConfirm
from comparator.experiment.controller.recording import EvaluationLog
from comparator.experiment.stages import PILOT_SEEDS
from comparator.experiment.strategy import make_strategy_of
from comparator.model.model import Model
from comparator.objective.comparison import Objective
from comparator.objective.differences import keeps_sign
from comparator.results.frozen import Claim, FirstEpochs, WholeExperiment
from comparator.results.points import final_values_of, observations_in, observations_of, points_without_value
from comparator.results.record import Evaluation
from comparator.space import ParameterSpace
from comparator.strategies import Strategy
from comparator.strategies.replication import Replication
from comparator.strategies.strategy import LOOK_AT_NO_RESULT, SWEEPS

#: So many proposals a search that looks at no result may have in flight for each evaluation at a time, and altogether:
#: enough for tasks of several trainings, where these take no time to speak of.
EARLY, MOST_EARLY = 32, 512


@dataclass(frozen=True)
class Plan:
    """A checked experiment: the frozen form, and the live things made from it."""

    frozen: WholeExperiment
    space: ParameterSpace | None  # None: the points are those of a UPF
    models: list[Model]
    objective: Objective

    @property
    def space_size(self) -> int | None:
        """How many points the space has; None where they are without number, or each has its name."""
        return self.space.size() if self.space is not None else None

    @property
    def budget(self) -> int | None:
        """The pairs that may be asked for; None where the strategy ends by itself."""
        return self.frozen.budget.evaluations

    @property
    def replication(self) -> Replication:
        """How many seeds a point is trained on."""
        return Replication.of(self.frozen.stages.replicates)

    @property
    def smallest(self) -> float | None:
        """The size of difference that matters to the user, where the file says it."""
        return (self.frozen.settings.get("search") or {}).get("smallest")

    @property
    def blocks(self) -> int:
        """To how many blocks replicates are dealt."""
        return self.frozen.stages.blocks

    @property
    def first(self) -> FirstEpochs | None:
        """The short trainings by which it searches; None where all are full ones."""
        return self.frozen.stages.first

    @property
    def pilot(self) -> list[dict[str, Any]]:
        """The points of the pilot, none where there is no pilot."""
        return list(self.frozen.stages.pilot)

    @property
    def to_confirm(self) -> ToConfirm | None:
        """What is confirmed when the search is over."""
        asked = self.frozen.stages.confirm
        return None if asked is None else ToConfirm(self._claims, self.frozen.claims, asked.splits)

    @property
    def fresh_blocks(self) -> int | None:
        """On how many fresh blocks what is said of regions is confirmed; None where nothing is."""
        confirm = self.frozen.stages.confirm
        return None if confirm is None or self.frozen.kind == "single" else confirm.seeds

    def _claims(self, records: Sequence[Evaluation]) -> list[Claim]:
        """What a search that is over claims."""
        from comparator.evidence.claims import Asked, find_claims  # seconds, only where a search is over
        from comparator.evidence.paired import Observation, Paired
        from comparator.evidence.threads import one_thread

        confirm, search = self.frozen.stages.confirm, self.frozen.settings.get("search") or {}
        assert confirm is not None
        final = final_values_of(records)
        with one_thread():  # again: SciPy, which has a library of its own, may be there only now
            return find_claims(
                self.space,
                Paired.of([Observation(*each) for each in observations_in(records)]),
                [(line.point, line.value or 0.0) for line in final.values()],
                Asked(
                    points=confirm.points,
                    blocks=confirm.seeds,
                    regions=confirm.regions,
                    elsewhere=confirm.elsewhere,
                    level=search.get("level"),
                    seed=self.frozen.strategy.seed,
                    keeps_sign=keeps_sign(self.frozen),
                ),
                failed=points_without_value(records),
                final=Paired.of([Observation(*each) for each in observations_of(final)]),
            )

    def noting(self, **found: Any) -> Plan:
        """The plan with what was found since it was frozen, by the keys of `FrozenExperiment`."""
        return replace(self, frozen=self.frozen.model_copy(update=found))

    def strategy(self, *, all_at_once: bool = False, at_a_time: int = 1, seed: int | None = None) -> Strategy:
        """A new strategy with its own seeded generator; equal plans give equal strategies.

        Where it `may_be_given_out_early` it keeps as many evaluations going as are carried out `at_a_time`, whatever it
        began with; `all_at_once` has a sweep propose all its points at the start, and a search many of its own. With a
        `seed` the strategy is one of the same kind that knows of no past results.
        """
        changes: dict[str, Any] = {}
        if seed is not None:
            changes = {"seed": seed, "past": []}
        elif self.may_be_given_out_early:
            usual = max(self.frozen.strategy.in_flight, at_a_time)
            early = (self.budget or len(self.frozen.upf or ())) if self.is_sweep else min(EARLY * usual, MOST_EARLY)
            changes = {"in_flight": max(usual, early) if all_at_once else usual}
        return make_strategy_of(self.frozen.strategy.model_copy(update=changes), self.frozen.upf, self.space)

    @property
    def may_be_given_out_early(self) -> bool:
        """Whether it changes nothing how many evaluations are under way.

        Results may say of a search that does not look at them what a proposal is trained for: on how many seeds, or,
        where its point may have come before, whether at all; both are less of a model that turns out not to depend on
        its seed.
        """
        if not self.looks_at_no_result or self.replication != Replication():
            return False
        return self.is_sweep or self.space_size is None

    def controller(
        self,
        folder: EvaluationLog,
        *,
        all_at_once: bool = False,
        at_a_time: int = 1,
        proposer: str = "the search",
        has_ended: bool = False,
    ) -> Controller:
        """What leads the experiment through its stages, with a new strategy; its evaluations are kept in `folder`.

        `all_at_once` and `at_a_time` are as `strategy` has them, `proposer` and `has_ended` as `Controller` has them.
        """
        return Controller(
            folder,
            self.strategy(all_at_once=all_at_once, at_a_time=at_a_time),
            self.objective,
            budget=self.budget,
            space_size=self.space_size,
            replication=self.replication,
            blocks=self.blocks,
            first=self.first,
            pilot=self.pilot,
            pilot_seeds=PILOT_SEEDS,
            pilot_beside=self.frozen.stages.pilot_beside,
            to_confirm=self.to_confirm,
            space=self.space,
            proposer=proposer,
            has_ended=has_ended,
            recalls=self.looks_at_no_result,
            labels=self.frozen.labels,
        )

    @property
    def looks_at_no_result(self) -> bool:
        """Whether its points are the same whatever comes of them."""
        return self.frozen.strategy.name in LOOK_AT_NO_RESULT

    @property
    def is_sweep(self) -> bool:
        """Whether all points are known from the start."""
        return self.frozen.strategy.name in SWEEPS
