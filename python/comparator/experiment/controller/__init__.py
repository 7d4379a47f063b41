"""An experiment in progress: the strategy on one side, the record on the other, an engine driving both.

An engine does no more than this:

    requests = controller.start()
    for each request: result = leaf.evaluate(request); requests += controller.tell_all([result])

Both are forms here (`results.requests`); the session makes text of the one, and reads the other.

`Controller` leads through the stages: a pilot (`pilot`), the search (`proposing`), full trainings of its best points
where it began with fewer epochs (`full`), the confirmation of what it found (`confirmation`). A proposal gets
replicates of its own (`replicates`) as far as the budget allows (`spending`), or the answer that its point has given
already (`known_points`); every finished evaluation is recorded (`recording`) before the strategy hears of it. When an
experiment is resumed the record is replayed.

Evaluations are numbered through, stage by stage.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence

from comparator.errors import ComparatorError
from comparator.evidence.pilot import Pilot
from comparator.experiment.controller.confirmation import Confirmation, ToConfirm
from comparator.experiment.controller.durations import Durations
from comparator.experiment.controller.full import best_to_train
from comparator.experiment.controller.known_points import KnownPoints
from comparator.experiment.controller.open_evaluations import (
    KnownPoint,
    ObjectiveFunction,
    OpenEvaluation,
    OpenEvaluations,
)
from comparator.experiment.controller.pilot import pilot_of
from comparator.experiment.controller.proposing import Proposing
from comparator.experiment.controller.recording import EvaluationLog, Recording
from comparator.experiment.controller.replicates import Replicates
from comparator.experiment.controller.spending import Spending
from comparator.results.frozen import Claim, FirstEpochs
from comparator.results.record import AFTERWARDS, CONFIRM, FULL, PILOT, SEARCH, Evaluation
from comparator.results.requests import Request, Result
from comparator.results.state import Running
from comparator.results.tally import doubled_in
from comparator.results.whole import by_replicate
from comparator.space import ParameterSpace, Point
from comparator.strategies import Proposal, Strategy
from comparator.strategies.replication import Replication


class Controller:
    """Turns a strategy's proposals into requests, and results into records.

    `objective` gives what one replicate is worth. `budget` is the number of pairs (single runs for a single model)
    that pilot and search may ask for, None where the strategy ends by itself; `space_size` the number of points of the
    space, None where they are without number. Replicates are dealt to `blocks` (see `comparator.strategies.blocks`).
    `pilot` are the points that are tried before the search, on `pilot_seeds` seeds each; the strategy is informed of
    their values. With `pilot_beside` the search does not wait for them, and is informed when all of them are in.
    With `first` both are carried out by short trainings, and the best points are trained in full then, beside the
    budget, on further replicates, so that the luck of the first ones is not carried over.
    `to_confirm` is None where nothing is confirmed. Every proposal has to be a point of `space`, where there is one; a
    fault is laid to `proposer`, the algorithm's name or file. `has_ended` says that an earlier session came to
    the end of a search that listens. With `recalls` the strategy, as one that listens, is told what it proposed before.
    `labels` are what people call the models.
    """

    def __init__(
        self,
        folder: EvaluationLog,
        strategy: Strategy,
        objective: ObjectiveFunction,
        *,
        budget: int | None = None,
        space_size: int | None = None,
        replication: Replication | None = None,
        blocks: int = 1,
        first: FirstEpochs | None = None,
        pilot: Sequence[Point] = (),
        pilot_seeds: int = 2,
        pilot_beside: bool = False,
        to_confirm: ToConfirm | None = None,
        space: ParameterSpace | None = None,
        proposer: str = "the search",
        has_ended: bool = False,
        recalls: bool = False,
        labels: Sequence[str] = (),
    ) -> None:
        self._folder, self._strategy = folder, strategy
        self._replication, self._blocks, self._first_epochs = replication or Replication(), blocks, first
        self._pilot_points, self._pilot_beside = list(pilot), pilot_beside
        self._proposing = Proposing(strategy, space, proposer, has_ended=has_ended, recalls=recalls)
        self._points = KnownPoints(objective, has_pilot=bool(self._pilot_points))
        self._open = OpenEvaluations()
        self._confirmation = Confirmation(to_confirm)
        self._durations = Durations(lambda: folder.records, first)
        self._spending = Spending(budget, space_size)
        self._replicates = Replicates(
            self._replication, pilot_seeds, self._points, self._spending, self._confirmation, lambda: folder.records
        )
        self._recording = Recording(folder, self._points, self._open, blocks, labels)
        self._ended: list[OpenEvaluation] = []  # with all replicates that they asked for, and not decided upon
        # Who gets further seeds rests on what others have: of a generation, which waits anyway, on the whole of it.
        self._decides_in_rounds = strategy.by_generations and self._replication.is_adaptive
        self.stage = PILOT
        #: What the pilot found, None before it is over or where there is none.
        self.pilot: Pilot | None = None
        self.ended_early: str | None = None
        #: An evaluation was cancelled, so that no more are asked for in this session.
        self.is_cut_short = False

    @property
    def records(self) -> list[Evaluation]:
        return self._folder.records

    @property
    def claims(self) -> list[Claim] | None:
        """What is confirmed, None before the search is over or where nothing is."""
        return self._confirmation.claims

    @property
    def in_flight(self) -> int:
        """How many evaluations wait for a result."""
        return self._open.in_flight

    def running(self, most: int) -> list[Running]:
        """The first of the evaluations that wait for a result, for people."""
        return self._open.running(most)

    @property
    def waiting(self) -> int:
        """How many requests have no result yet."""
        return self._open.waiting

    @property
    def asked(self) -> int:
        """The pairs of the budget that were asked for, with a result or without."""
        return self._spending.asked

    @property
    def done(self) -> int:
        """How many pairs of the budget have a result."""
        return self.asked - self._spending.cancelled - (0 if self.stage in AFTERWARDS else self.waiting)

    @property
    def usual_seconds(self) -> float | None:
        """How long a training takes, by the latest; None before there is one."""
        return self._durations.usual_seconds

    def start(self) -> list[Request]:
        """Replay what is recorded, then give the first requests.

        Raises `ComparatorError` where the record does not follow from the settings any more.
        """
        if doubled := doubled_in(self.records):
            raise ComparatorError(
                f"{self._folder.evaluations}: evaluation {doubled[0]} has more than one line, so that nothing can"
                " follow on it; keep the first of them (comparator verify names all)"
            )
        for number, point in enumerate(self._pilot_points):
            self._add(number, PILOT, Proposal(number, point, None))
        if not self._pilot_points or self._pilot_beside:
            self._begin_search()
        for record in self.records:
            self._replay(record)
        return self._go_on(list(self._open))

    def tell_all(self, outcomes: Iterable[Result]) -> list[Request]:
        """Take results that came together, in their order: `tell` of each, and one sync of the record for all.

        What they lead to may be carried out only now, when their lines are on disk. A fault is told last.
        """
        requests: list[Request] = []
        with self._folder.together():
            for outcome in sorted(outcomes, key=lambda each: each.is_fault):
                requests += self.tell(outcome)
        return requests

    def tell(self, outcome: Result) -> list[Request]:
        """Take the result of one replicate, and give the requests that follow.

        The evaluation that it completes is recorded and the strategy told of it; one with a cancelled replicate
        leaves no line and is not told. Raises `ComparatorError` where every evaluation so far has failed, the pilot
        has found no unit for the difference, the record cannot be written, or no training can go on.
        """
        if outcome.is_fault:
            raise ComparatorError(outcome.reason or "no training can go on")
        evaluation = self._open.hear(outcome)
        if outcome.status == "cancelled":
            self.is_cut_short = evaluation.cancelled = True
            self._spending.cancelled += evaluation.stage not in AFTERWARDS
        elif evaluation.running or evaluation.cancelled:
            return []
        self._ended.append(evaluation)
        if self._decides_in_rounds and evaluation.stage == SEARCH and self.waiting and not self.is_cut_short:
            return []
        self._ended.sort(key=lambda each: each.number)
        requests: list[Request] = []
        while self._ended:
            requests += self._go_on_from(self._ended.pop(0))
        return requests

    def _go_on_from(self, evaluation: OpenEvaluation) -> list[Request]:
        """The requests that follow an evaluation whose replicates so far have all ended."""
        if not evaluation.cancelled and (more := self._replicates.further(evaluation)):
            if not self.is_cut_short:
                return self._ask(evaluation, more)
            evaluation.cancelled = True
        if evaluation.cancelled:
            return self._go_on(self._finish_in_order(evaluation.point))  # what waited for it waits no more
        evaluation.is_complete = True
        in_order = evaluation.stage == SEARCH
        return self._go_on(self._finish_in_order(evaluation.point) if in_order else self._finish(evaluation))

    @property
    def listens(self) -> bool:
        """Whether points may come in without a result: `listen` gives them."""
        return self._proposing.more_may_come and self.stage == SEARCH and not self.is_cut_short and not self._is_over()

    def listen(self) -> list[Request]:
        """The requests for what has come in since; none where the strategy does not listen."""
        while self.listens:
            proposals = self._proposing.listen()
            requests = self._go_on(self._note(proposals))
            if requests or not proposals:  # else all of them were known, and are answered
                return requests
        return []

    def close(self) -> None:
        """End the strategy, whose algorithm may have a thread of its own."""
        self._strategy.close()

    # Stages

    def _begin_search(self) -> list[OpenEvaluation]:
        self.stage = SEARCH
        return self._note(self._proposing.start(self._recorded()))

    def _recorded(self) -> list[Proposal]:
        """The search's recorded lines as they were proposed."""
        before = len(self._pilot_points)
        return [
            Proposal(line.evaluation - before, line.point, line.generation, line.id)
            for line in self.records
            if line.stage == SEARCH
        ]

    def _end_pilot(self) -> list[OpenEvaluation]:
        """Measure the pilot, whose evaluations are all recorded; gives the first proposals of a search that waited."""
        tried = [line for line in self.records if line.stage == PILOT]
        self.pilot = pilot_of(tried, [self._points.at(point) for point in self._pilot_points])
        self._points.is_deterministic = self._points.is_deterministic or self.pilot.is_deterministic
        known_values = [(line.point, line.value) for line in tried if line.status == "ok"]
        if known_values:
            self._strategy.inform(known_values)
        return [] if self._pilot_beside else self._begin_search()

    def _begin_what_follows(self) -> list[OpenEvaluation]:
        """What follows the search, or the full trainings of its best points, which is over."""
        full = self._begin_full() if self.stage == SEARCH else []
        return full or self._begin_confirmation()

    def _begin_full(self) -> list[OpenEvaluation]:
        """The best points of the short trainings, to be trained in full."""
        if self._first_epochs is None:
            return []
        self.stage = FULL
        seeds = 1 if self._points.is_deterministic else self._replication.first
        best = best_to_train(self._first_epochs, self.records, self._points, seeds)
        return self._add_all([(None, point, fresh) for point, fresh in best])

    def _begin_confirmation(self) -> list[OpenEvaluation]:
        """What confirms the search, which is over."""
        self.stage = CONFIRM
        return self._add_all(self._confirmation.begin(self.records, is_deterministic=self._points.is_deterministic))

    def _add_all(self, trained: Iterable[tuple[str | None, Point, Sequence[int]]]) -> list[OpenEvaluation]:
        """The evaluations of a stage that follows the search: of which claim, where, on which fresh replicates.

        They are numbered behind those of all stages before, which are recorded.
        """
        not_before = AFTERWARDS[AFTERWARDS.index(self.stage) :]
        first = 1 + max((line.evaluation for line in self.records if line.stage not in not_before), default=-1)
        return [
            self._add(number, self.stage, Proposal(number, point, None), claim, fresh)
            for number, (claim, point, fresh) in enumerate(trained, start=first)
        ]

    # Proposals

    def _add(
        self, number: int, stage: str, proposal: Proposal, claim: str | None = None, fresh: Sequence[int] = ()
    ) -> OpenEvaluation:
        known = KnownPoint() if stage in AFTERWARDS else self._points.at(proposal.point)
        first = None if stage in AFTERWARDS else self._first_epochs
        epochs = None if first is None else first.epochs
        evaluation = OpenEvaluation(number, stage, proposal, known, claim, fresh, epochs)
        self._open.add(evaluation)
        return evaluation

    def _note(self, proposals: Iterable[Proposal]) -> list[OpenEvaluation]:
        return [self._add(len(self._pilot_points) + each.number, SEARCH, each) for each in proposals]

    def _tell_strategy(self, evaluation: OpenEvaluation, value: float | None) -> list[OpenEvaluation]:
        proposals = self._proposing.tell(evaluation.proposal.number, value)
        self.ended_early = self.ended_early or self._strategy.ended
        return self._note(proposals)

    def _go_on(self, evaluations: Iterable[OpenEvaluation]) -> list[Request]:
        """The requests for these evaluations, or for those of the next stage where there is nothing else to do."""
        requests = self._requests(evaluations)
        waits = self.waiting or self._ended or self.listens
        if requests or waits or self.is_cut_short or self.stage not in (SEARCH, FULL):
            return requests
        self._open.clear()  # proposed, but the budget is spent
        return self._requests(self._begin_what_follows())

    def _requests(self, evaluations: Iterable[OpenEvaluation]) -> list[Request]:
        """Give each proposal replicates of its own, or an answer where a replicate could tell nothing new."""
        requests: list[Request] = []
        todo = deque(evaluations)
        while todo and not self.is_cut_short and not (todo[0].stage != PILOT and self._is_over()):
            evaluation = todo.popleft()
            point = evaluation.point
            if evaluation.stage != SEARCH or not (point.asked and self._points.is_deterministic):
                requests += self._ask(evaluation, self._replicates.first(evaluation))
            elif point.runs:
                todo.extend(self._answer(evaluation))
            else:
                point.waiting.append(evaluation)
        return requests

    def _is_over(self) -> bool:
        if self.stage != SEARCH:
            return False
        if self._spending.is_spent:
            return True
        if self._strategy.listens:  # whoever asks is answered, and says when it is over
            return False
        why = self._spending.why_no_more(is_deterministic=self._points.is_deterministic)
        self.ended_early = why or self.ended_early
        return self.ended_early is not None

    def _ask(self, evaluation: OpenEvaluation, count: int) -> list[Request]:
        """The requests for so many replicates more of an evaluation."""
        point = evaluation.point
        if evaluation.stage == SEARCH and not evaluation.outcomes:
            point.under_way.append(evaluation)
        requests = []
        for _ in range(count):
            replicate = point.next_free(evaluation.fresh)
            self._spending.ask(evaluation, [replicate])
            requests.append(self._request(evaluation, replicate))
            self._open.begin(evaluation, replicate)
        if evaluation.stage not in AFTERWARDS:
            self._spending.propose(is_repeat=False)
        return requests

    def _request(self, evaluation: OpenEvaluation, replicate: int) -> Request:
        given_split = evaluation.stage == CONFIRM and self._confirmation.keeps_split
        block = evaluation.block(replicate, self._blocks)
        return Request(
            evaluation=evaluation.number,
            name=evaluation.proposal.name,
            point=evaluation.proposal.point,
            replicate=replicate,
            expected_seconds=self._durations.expected(is_short=evaluation.epochs is not None),
            block=block.number,
            seed=block.seed,
            split=None if given_split else block.split,
            seeds=block.seeds,
            **evaluation.length,
        )

    # Results

    def _finish_in_order(self, point: KnownPoint) -> list[OpenEvaluation]:
        """Record what is complete of a point's evaluations; gives what is to be evaluated next.

        Of two at once the one asked for later waits: else its value, the mean of all replicates so far, would tell
        which training ended first.
        """
        following = []
        while point.under_way and (point.under_way[0].is_complete or point.under_way[0].cancelled):
            evaluation = point.under_way.pop(0)
            if not evaluation.cancelled:
                following += self._finish(evaluation)
        return following

    def _finish(self, evaluation: OpenEvaluation) -> list[OpenEvaluation]:
        """Record an evaluation that is complete; gives what is to be evaluated next.

        The lines of a pilot are written when all of it is in, which gives a difference in deviations its unit.
        """
        if evaluation.stage == PILOT:
            return self._finish_pilot()
        self._recording.write(evaluation)
        if evaluation.stage in AFTERWARDS:
            return []
        following = self._tell_strategy(evaluation, self.records[-1].value)
        for repeat in evaluation.point.waiting:
            following += self._answer(repeat)
        evaluation.point.waiting.clear()
        return following

    def _finish_pilot(self) -> list[OpenEvaluation]:
        pilot = [each for each in self._open if each.stage == PILOT]
        if self.is_cut_short or not all(each.is_complete for each in pilot):
            return []
        for each in pilot:
            self._points.learn_all(each)
        self._points.find_unit()
        for each in pilot:
            self._recording.write(each)
        return self._end_pilot()

    def _answer(self, evaluation: OpenEvaluation) -> list[OpenEvaluation]:
        """Answer a repeat with what its point has given already; a line like any other records it."""
        self._spending.propose(is_repeat=True)
        self._recording.append(evaluation)
        return self._tell_strategy(evaluation, self.records[-1].value)

    # The record

    def _replay(self, record: Evaluation) -> None:
        """Do again what led to a recorded line, without running anything."""
        if record.stage in AFTERWARDS and self.stage == SEARCH:
            self._open.clear()
            self._begin_what_follows()
        if record.stage == CONFIRM and self.stage == FULL and not self._open:
            self._begin_what_follows()
        number = record.evaluation
        evaluation = self._open.get(number)
        if (
            evaluation is None
            or evaluation.stage != record.stage
            or not self._proposing.is_at(evaluation.proposal, record.point)
        ):
            now_proposed = "nothing" if evaluation is None else json.dumps(evaluation.proposal.point)
            raise ComparatorError(
                f"{self._folder.evaluations}: evaluation {number} was {json.dumps(record.point)}, but the search"
                f" now proposes {now_proposed}: the record, the space or the package has changed since"
            )
        point = evaluation.point
        runs = by_replicate(record.runs)
        says = record.asked is not None
        asked = [part.replicate for part in record.asked or ()] if says else list(set(runs) - point.asked)
        self._spending.ask(evaluation, asked)
        for replicate in runs:
            self._points.learn(point, replicate, runs[replicate])
        self._recording.follow(point, record)
        self._open.remove(evaluation)
        if record.stage == SEARCH:
            self._spending.propose(is_repeat=not asked)
            self._tell_strategy(evaluation, record.value)
        elif record.stage == PILOT and not any(each.stage == PILOT for each in self._open):
            self._points.find_unit()
            self._end_pilot()
