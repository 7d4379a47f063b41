"""What is found while an experiment runs: said, and kept with its settings at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from comparator.errors import ComparatorError
from comparator.evidence.pilot import Pilot
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.terminal import note
from comparator.findings.beforehand import Design, pilot_words
from comparator.objective.amounts import measure_of
from comparator.objective.comparison import with_labels
from comparator.objective.metrics import misspelt_metric
from comparator.results.frozen import Claim, PilotFound
from comparator.results.requests import Result
from comparator.results.run_store import RunStore
from comparator.results.store import ExperimentFolder

LIKE_FOR_LIKE = "like for like"  # what `[cmp] require` asks


class Noting:
    """The `plan` of an experiment, with what was found since it was frozen; `experiment.json` has the same."""

    def __init__(self, host: Host, plan: Plan, folder: ExperimentFolder) -> None:
        self._host, self.plan, self._folder = host, plan, folder
        self._lacks_metric: dict[int, bool] = {}  # by submodel, of the first training that told

    def metric(self, outcomes: Iterable[Result]) -> None:
        """Say of each model whose first training that ended well lacks the metric what it reported instead.

        Raises `ComparatorError` where the metric's name is a slip of one of these, so that no training will have it; it
        is none where the models' descriptions have it. Lines that were listed are trained all the same: another may
        report it, and what they report can be read in any metric.
        """
        if self.plan.frozen.kind == "single" and len(self.plan.frozen.models) > 1:  # each of the lines has its own
            return
        objective = self.plan.objective
        for run in (run for outcome in outcomes for run in outcome.runs if run.status == "ok" and run.metrics):
            if run.submodel in self._lacks_metric:
                continue
            self._lacks_metric[run.submodel] = lacks = objective.metric not in run.metrics
            if not lacks or self._was_reported_by(run.submodel):
                continue
            words = with_labels(objective.lack_of(run), self.plan.frozen.labels)
            goes_on = objective.metric in objective.described or self.plan.frozen.upf is not None
            if not goes_on and misspelt_metric(objective.metric, run.metrics) is not None:
                log = f" (log: {self._host.experiments / run.log})" if run.log else ""
                raise ComparatorError(f"{words}; no training will have it, so nothing more is trained{log}")
            note(self._host.console, words)

    def _was_reported_by(self, submodel: int) -> bool:
        """Whether a training of the record, of an earlier session say, has the metric."""
        metric = self.plan.objective.metric
        lines = (line.runs for line in self._folder.records)
        return any(run.submodel == submodel and metric in run.metrics for runs in lines for run in runs)

    def beside(self, plan: Plan) -> None:
        """Keep what is trained beside the search, where that has come to an end with this plan."""
        if plan is not self.plan:
            self._keep(plan)
            self.likeness()

    def pilot(self, pilot: Pilot | None, at_a_time: int) -> None:
        """Say what the pilot found, once; so many evaluations are carried out at a time."""
        if pilot is None or self.plan.frozen.pilot is not None:
            return
        budget, seeds = self.plan.budget, self.plan.replication.first
        to_go = None if budget is None else budget - pilot.pairs
        in_its_unit = pilot.in_its_own_unit if self.plan.objective.needs_unit else pilot
        design = Design(
            to_go,
            seeds,
            at_a_time,
            blocks=self.plan.fresh_blocks,
            smallest=self.plan.smallest,
            measure=measure_of(self.plan.frozen),
            trained=self.plan.frozen.trained,
        )
        words = pilot_words(in_its_unit, design)
        self._host.say(words)
        self._keep(self.plan.noting(pilot=PilotFound(**asdict(pilot), words=words)))

    def likeness(self) -> None:
        """Say whether the two models are trained and judged alike, once pilot and probes are over.

        Raises `ComparatorError` where they have to be and are not.
        """
        frozen = self.plan.frozen
        is_known = frozen.pilot is not None and (frozen.probes is not None or not frozen.stages.probes)
        required = (frozen.settings.get("cmp") or {}).get("require") == LIKE_FOR_LIKE
        if frozen.kind == "single" or not is_known or (frozen.like_for_like is not None and not required):
            return
        from comparator.findings.like_for_like import like_for_like
        from comparator.report.likeness import in_a_line

        runs = RunStore(self._host.experiments)
        found = like_for_like(frozen, self._folder.records, runs.predictions)
        words = in_a_line(found, frozen.labels)
        if frozen.like_for_like is None:
            self._host.say(words)
            self._keep(self.plan.noting(like_for_like=words))
        if required and not found.is_alike:
            raise ComparatorError(f"[cmp] require = '{LIKE_FOR_LIKE}': {words}")

    def claims(self, claims: Sequence[Claim] | None) -> None:
        """Keep what is to be confirmed, before any of it is trained: read again elsewhere it may differ by a digit."""
        if claims is not None and self.plan.frozen.claims is None:
            self._keep(self.plan.noting(claims=claims))

    def _keep(self, plan: Plan) -> None:
        self.plan = plan
        self._folder.freeze(plan.frozen)
