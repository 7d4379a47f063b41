"""An experiment in progress: the strategy on one side, the record on the other, an engine driving both.

An engine does no more than this:

    requests = experiment.start()
    for each request: result = leaf.evaluate(request); requests += experiment.tell(result)

`Experiment` decides what a proposal costs (design decision 7), keeps the budget, records every finished
evaluation before the strategy hears of it, and replays the record when an experiment is resumed.
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from comparator.difference import NoValue
from comparator.errors import ComparatorError
from comparator.search import Proposal, Strategy
from comparator.store import ExperimentFolder, now

FAILURES_THAT_STOP = 5
REPEATS_THAT_STOP = 50
LATEST = 100  # of so many evaluations the longest tells how long the next may take

Runs = list[dict[str, Any]]


@dataclass
class _Point:
    """What this experiment knows of one point of the space."""

    asked: set[int] = field(default_factory=set)  # replicates asked for, finished or not
    runs: dict[int, Runs] = field(default_factory=dict)  # of finished replicates
    values: dict[int, float] = field(default_factory=dict)  # of replicates that ended well
    waiting: list[Proposal] = field(default_factory=list)  # repeats that need no replicate of their own


class Experiment:
    """Turns a strategy's proposals into requests, and results into records.

    `objective` gives the value of one replicate from its runs and raises `NoValue` where there is none. `budget` is
    the number of pairs (single runs for a single model) that may be asked for, None where the strategy ends by
    itself; `space_size` the number of points of the space, None where they are without number.
    """

    def __init__(
        self,
        folder: ExperimentFolder,
        strategy: Strategy,
        objective: Callable[[Runs], float],
        *,
        budget: int | None = None,
        space_size: int | None = None,
    ) -> None:
        self._folder, self._strategy, self._objective = folder, strategy, objective
        self._budget, self._space_size = budget, space_size
        self._points: dict[str, _Point] = {}
        self._open: dict[int, Proposal] = {}  # proposed, without a record yet
        self._running: dict[int, tuple[int, str]] = {}  # evaluation: replicate, time of its start
        self._repeats_in_a_row = 0
        self._deterministic = False
        self.asked = 0
        self.ended_early: str | None = None
        #: An evaluation was cancelled, so that no more are asked for in this sitting.
        self.is_cut_short = False

    @property
    def records(self) -> list[dict[str, Any]]:
        return self._folder.records

    @property
    def running(self) -> list[dict[str, Any]]:
        """The evaluations without a result yet, for people."""
        return [
            {"evaluation": number, "point": self._open[number].point, "started": started}
            for number, (_, started) in self._running.items()
        ]

    def start(self) -> list[str]:
        """Replay what is recorded, then give the first requests.

        Raises `ComparatorError` where the record does not follow from the settings any more.
        """
        self._note(self._strategy.start())
        for record in self.records:
            self._replay(record)
        return self._requests(self._open.values())

    def tell(self, result: str) -> list[str]:
        """Record a finished evaluation, tell the strategy, and give the requests that follow.

        A cancelled one leaves no line and is not told. Raises `ComparatorError` where every evaluation so far has
        failed, or the record cannot be written.
        """
        outcome = json.loads(result)
        number = outcome["evaluation"]
        del self._running[number]
        if outcome["status"] == "cancelled":
            self.is_cut_short = True
            return []
        proposal = self._open[number]
        point = self._points[_key(proposal)]
        self._learn(point, outcome["replicate"], outcome["runs"])
        self._folder.append(_line(proposal, point, outcome))
        self._stop_if_all_failed()
        proposals = self._tell_strategy(number, self.records[-1]["value"])
        for repeat in point.waiting:
            proposals += self._answer(repeat, point)
        point.waiting.clear()
        return self._requests(proposals)

    def close(self) -> None:
        """End the strategy, whose algorithm may have a thread of its own."""
        self._strategy.close()

    def _note(self, proposals: Iterable[Proposal]) -> None:
        self._open.update((proposal.number, proposal) for proposal in proposals)

    def _tell_strategy(self, number: int, value: float | None) -> list[Proposal]:
        del self._open[number]
        proposals = self._strategy.tell(number, value)
        self.ended_early = self.ended_early or self._strategy.ended
        self._note(proposals)
        return list(proposals)

    def _requests(self, proposals: Iterable[Proposal]) -> list[str]:
        """Give each proposal a replicate of its own, or an answer where a replicate could tell nothing new."""
        requests: list[str] = []
        todo = deque(proposals)
        while todo and not self.is_cut_short and not self._is_over():
            proposal = todo.popleft()
            point = self._points.setdefault(_key(proposal), _Point())
            if not (point.asked and self._deterministic):
                requests.append(self._ask(proposal, point))
            elif point.runs:
                todo.extend(self._answer(proposal, point))
            else:
                point.waiting.append(proposal)
        return requests

    def _is_over(self) -> bool:
        if self._budget is not None and self.asked >= self._budget:
            return True
        if self._deterministic and self._space_size is not None and len(self._points) >= self._space_size:
            self.ended_early = f"all {self._space_size} points of the space are known, and a repeat changes nothing"
        elif self._repeats_in_a_row >= REPEATS_THAT_STOP:
            self.ended_early = f"the last {REPEATS_THAT_STOP} proposals repeated points that are known"
        return self.ended_early is not None

    def _ask(self, proposal: Proposal, point: _Point) -> str:
        # The lowest that is free: of two replicates in flight the first may have been cut off.
        replicate = next(number for number in itertools.count() if number not in point.asked)
        point.asked.add(replicate)
        self.asked += 1
        self._repeats_in_a_row = 0
        self._running[proposal.number] = (replicate, now())
        return json.dumps(
            {
                "evaluation": proposal.number,
                "name": proposal.name,
                "point": proposal.point,
                "replicate": replicate,
                "expected_seconds": max((line["seconds"] for line in self.records[-LATEST:]), default=None),
            }
        )

    def _answer(self, proposal: Proposal, point: _Point) -> list[Proposal]:
        """Answer a repeat with what its point has given already; a line like any other records it."""
        self._repeats_in_a_row += 1
        known = {"started": now(), "seconds": 0.0, "worker": None, "runs": [], "replicate": None}
        reason = None if point.values else "this point failed before, and a repeat changes nothing"
        status = "ok" if point.values else "failed"
        self._folder.append(_line(proposal, point, {**known, "status": status, "reason": reason}))
        return self._tell_strategy(proposal.number, self.records[-1]["value"])

    def _learn(self, point: _Point, replicate: int, runs: Runs) -> None:
        point.runs[replicate] = runs
        try:
            point.values[replicate] = self._objective(runs)
        except NoValue:
            return
        self._deterministic = self._deterministic or _equal_under_different_seeds(point)

    def _stop_if_all_failed(self) -> None:
        if len(self.records) >= FAILURES_THAT_STOP and all(line["status"] != "ok" for line in self.records):
            last = self.records[-1]["reason"]
            raise ComparatorError(f"the first {len(self.records)} evaluations all failed; the last one: {last}")

    def _replay(self, record: Mapping[str, Any]) -> None:
        """Do again what led to a recorded line, without running anything."""
        number = record["evaluation"]
        proposal = self._open.get(number)
        if proposal is None or proposal.point != record["point"]:
            now_proposed = "nothing" if proposal is None else json.dumps(proposal.point)
            raise ComparatorError(
                f"{self._folder.evaluations}: evaluation {number} was {json.dumps(record['point'])}, but the search"
                f" now proposes {now_proposed}: the record, the space or the package has changed since"
            )
        point = self._points.setdefault(_key(proposal), _Point())
        for replicate, runs in _by_replicate(record["runs"]).items():
            if replicate not in point.runs:
                self._learn(point, replicate, runs)
                point.asked.add(replicate)
                self.asked += 1
        self._tell_strategy(number, record["value"])


def _key(proposal: Proposal) -> str:
    return json.dumps(proposal.point, sort_keys=True)


def _line(proposal: Proposal, point: _Point, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The record of an evaluation: its value is the mean over all replicates of its point that ended well.

    `runs` lists these replicates, the earlier ones first and as reused; of a failed evaluation its own runs only.
    """
    ok = outcome["status"] == "ok"
    earlier = [replicate for replicate in sorted(point.values) if ok and replicate != outcome["replicate"]]
    reused = [{**run, "reused": True} for replicate in earlier for run in point.runs[replicate]]
    return {
        "evaluation": proposal.number,
        **({} if proposal.name is None else {"id": proposal.name}),
        "stage": "search",
        "generation": proposal.generation,
        "point": proposal.point,
        "status": outcome["status"],
        "value": fmean(point.values.values()) if ok else None,
        "started": outcome["started"],
        "seconds": outcome["seconds"],
        "worker": outcome["worker"],
        "runs": reused + list(outcome["runs"]),
        "reason": outcome["reason"],
    }


def _by_replicate(runs: Runs) -> dict[int, Runs]:
    grouped: dict[int, Runs] = {}
    for run in runs:
        grouped.setdefault(run["replicate"], []).append(run)
    return grouped


def _equal_under_different_seeds(point: _Point) -> bool:
    """Whether two replicates, whose seeds differ, reported exactly the same metrics: the model is deterministic."""
    reported = [json.dumps([run["metrics"] for run in point.runs[each]], sort_keys=True) for each in point.values]
    return len(set(reported)) < len(reported)
