"""Verify an experiment: its record whole, and a sample of its trainings done again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.engine.interface import share_slots
from comparator.engine.jobs import state_of
from comparator.engine.leaf import Leaf
from comparator.errors import InputError
from comparator.evidence.replicates import pooled_deviation
from comparator.experiment.host import Host
from comparator.experiment.plan import Plan
from comparator.experiment.reopening import reopen_plan
from comparator.experiment.worker import make_leaf
from comparator.formats.numbers import how_many
from comparator.formats.text import shortened
from comparator.objective.comparison import Objective, make_objective
from comparator.objective.differences import asked_difference
from comparator.results.experiments import experiment_path, read_experiment, read_whole_experiment
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.results.record_file import left_over, read_records
from comparator.results.run_result import Withdrawal
from comparator.results.run_store import RunStore, withdrawals
from comparator.results.tally import count
from comparator.verification.record import Fault, check_record, check_search, is_of_the_store
from comparator.verification.trainings import (
    CHANGED,
    ELSEWHERE,
    EQUAL,
    FAILED,
    OTHER,
    SLIGHT,
    UNSTEADY,
    Recorded,
    Repeat,
    repeat_trainings,
    trainings_of,
)

OUTCOME_WORDS = {
    EQUAL: "gave the same numbers to the last digit",
    SLIGHT: "differ no more than another seed, as another processor's arithmetic may",
    UNSTEADY: "differ as much as the model's own repeats do",
    ELSEWHERE: "gave other numbers on another processor, which cannot be judged here",
    CHANGED: "cannot be repeated",
    OTHER: "gave other numbers",
    FAILED: "did not come to an end",
}
WRONG = (OTHER, FAILED, ELSEWHERE, CHANGED)


@dataclass
class Verification:
    """What was found of an experiment.

    `repeats` are of a sample of `trainings`; `not_repeated` says why none was done again where some were asked for.
    `withdrawn` has, by run, the ids of the experiments that used it; `restored` the runs that were withdrawn before,
    and come out as they were recorded.
    """

    identifier: str
    is_of_pairs: bool = True
    evaluations: int = 0
    confirming: int = 0
    trainings: int = 0
    faults: list[Fault] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    not_repeated: str | None = None
    withdrawn: dict[str, list[str]] = field(default_factory=dict)
    restored: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong, and what was to be done again could be."""
        wrong = any(repeat.outcome in WRONG for repeat in self.repeats)
        return not self.faults and not wrong and self.not_repeated is None

    def words(self) -> Iterator[str]:
        """What was found, a line each."""
        yield from map(str, self.faults)
        beside = f", {self.confirming} more that confirm" if self.confirming else ""
        what = "pair" if self.is_of_pairs else "evaluation"
        counted = f"{how_many(self.evaluations, what)}{beside}, {how_many(self.trainings, 'training')}"
        verdict = how_many(len(self.faults), "fault") if self.faults else "as it should be"
        yield f"record of {self.identifier}: {counted}: {verdict}"
        for repeat in self.repeats:
            if repeat.words:
                run, its = repeat.training.run, repeat.training.request
                yield f"evaluation {its.evaluation}, submodel {run.submodel}: {repeat.words}"
        if self.not_repeated is not None:
            yield f"no training was repeated: {self.not_repeated}"
        if self.repeats:
            counts = Counter(repeat.outcome for repeat in self.repeats)
            found = ", ".join(f"{counts[each]} {words}" for each, words in OUTCOME_WORDS.items() if counts[each])
            how = f"repeated {len(self.repeats)} of {self.trainings} trainings, each by a process of its own"
            yield f"{how}: {found}"
        for identity, experiments in self.withdrawn.items():
            yield f"run {identity[:12]} was withdrawn from the store; used by {', '.join(experiments)}"
        for identity in self.restored:
            yield f"run {identity[:12]}, which was withdrawn, comes out as it was recorded, and is in the store again"


def verify(
    host: Host, identifier: str, sample: int | None, on_repeat: Callable[[int, int], None] = lambda done, of: None
) -> Verification:
    """Check the record of an experiment, and repeat `sample` of its trainings; None: all of them.

    A run that gives other numbers is withdrawn from the store. Raises `InputError` where there is no such experiment,
    or it has not ended.
    """
    path = experiment_path(host.experiments, identifier)
    state = state_of(path).state
    if state in ("running", "queued"):
        raise InputError(f"experiment '{identifier}' is {state}; verify it when it has ended")
    frozen, evaluations = read_experiment(path), path / "evaluations.jsonl"
    found = Verification(identifier, is_of_pairs=frozen.kind != "single")
    try:
        records = read_records(evaluations)
    except InputError as error:
        found.faults.append(Fault("the record", str(error)))
        return found
    trainings = trainings_of(records, frozen.stages.blocks)
    counts = count(records)
    found.evaluations, found.confirming, found.trainings = counts.done, counts.confirming, len(trainings)

    runs = RunStore(host.experiments)
    plan, why_not = _reopen(host, path, frozen)
    objective = plan.objective if plan is not None else _objective(frozen)
    is_finished = state == "finished"
    if left_over(evaluations):
        found.faults.append(Fault("the record", "its last line is none"))
    found.faults += check_record(frozen, records, runs, objective, is_finished=is_finished)
    if plan is not None:
        found.faults += check_search(plan, records, is_finished=is_finished)
    if sample == 0 or frozen.imported:  # of what was imported nothing was trained here
        found.faults += map(_withdrawn_fault, withdrawals(path))
        return found
    sound = trainings_of(records, frozen.stages.blocks, lambda record, run: is_of_the_store(frozen, record, run, runs))
    if plan is None or not sound:
        none = "none is what the store has" if trainings else "none has given a result"
        found.not_repeated = none if plan is not None else why_not
        return found

    chosen = sound if sample is None else random.sample(sound, min(sample, len(sound)))
    workers = min(host.workers, len(chosen))
    for repeat in repeat_trainings(chosen, _leaves(host, plan, workers), workers, _recorded(frozen, records, runs)):
        found.repeats.append(repeat)
        on_repeat(len(found.repeats), len(chosen))
    _settle(found, runs, frozen.metric)
    found.faults += [_withdrawn_fault(note) for note in withdrawals(path) if note.run not in found.withdrawn]
    return found


def chosen_sample(text: str) -> int | None:
    """The number of trainings that `--sample` asks for; None for `all`. Raises `InputError`."""
    if text == "all":
        return None
    if not text.isdecimal():
        raise InputError(f"--sample {shortened(text)}: give a number of trainings, or all")
    return int(text)


def as_json(found: Verification) -> dict[str, Any]:
    """What was found, for programs."""
    return {
        "experiment": found.identifier,
        "right": found.is_right,
        "evaluations": found.evaluations,
        "confirming": found.confirming,
        "trainings": found.trainings,
        "faults": [{"where": fault.where, "words": fault.words} for fault in found.faults],
        "repeats": [
            {"run": each.training.name, "outcome": each.outcome, "words": each.words} for each in found.repeats
        ],
        "not_repeated": found.not_repeated,
        "withdrawn": found.withdrawn,
        "restored": found.restored,
    }


def _settle(found: Verification, runs: RunStore, metric: str) -> None:
    """Take from use the runs that gave other numbers, and into use those that were withdrawn and come out again.

    Where the store has other numbers than the line, it is the line that is wrong, which is said already.
    """
    for repeat in found.repeats:
        run, name = repeat.training.run, repeat.training.name
        result = runs.finished(name)
        if repeat.outcome == EQUAL and runs.withdrawn(name) is not None:
            runs.restore(name)
            found.restored.append(name)
        elif repeat.outcome == OTHER and result is not None and result.in_metric(metric).metrics == run.metrics:
            found.withdrawn[name] = runs.withdraw(name, repeat.words)


def _recorded(frozen: FrozenExperiment, records: Sequence[Evaluation], runs: RunStore) -> Recorded:
    """What is known of the runs of a record."""
    metric = frozen.metric
    results_by_name = {metric, *(name for name, each in frozen.metrics.items() if each.kind != "fact")}
    identities = {run.run for record in records for run in record.runs if run.run}
    known = {each: runs.finished(each) or runs.withdrawn(each) for each in identities}
    results = {each: result for each, result in known.items() if result is not None}
    return Recorded(results, metric, frozenset(results_by_name), _deviations(records, metric))


def _deviations(records: Sequence[Evaluation], metric: str) -> dict[int, float | None]:
    """The deviation of a metric from seed to seed at one point, by submodel; None where no point has two seeds."""
    values: dict[int, dict[tuple[str, int | None], dict[int, float]]] = {}
    for record in records:
        for run in record.runs:
            value = run.metrics.get(metric)
            if run.status == "ok" and value is not None:
                at_point = values.setdefault(run.submodel, {}).setdefault((record.point_key, record.epochs), {})
                at_point[run.replicate] = value
    return {
        submodel: pooled_deviation([list(by_seed.values()) for by_seed in points.values()])
        for submodel, points in values.items()
    }


def _withdrawn_fault(note: Withdrawal) -> Fault:
    evaluations = ", ".join(map(str, note.evaluations))
    return Fault(f"evaluation {evaluations}", f"run {note.run[:12]} was withdrawn: {note.reason}")


def _reopen(host: Host, path: Path, frozen: FrozenExperiment) -> tuple[Plan | None, str]:
    """The experiment opened, or why it cannot be."""
    if frozen.imported:
        return None, "the experiment was imported, and nothing of it was trained here"
    try:
        return reopen_plan(read_whole_experiment(path), root=host.root, site=host.site, say=host.say), ""
    except InputError as error:
        return None, str(error)


def _objective(frozen: FrozenExperiment) -> Objective | None:
    """What the values of a record that cannot be opened are worked out by; None where that is not known."""
    try:
        return make_objective(asked_difference(frozen), frozen.metric, frozen.metrics, Path(frozen.file))
    except (InputError, ValueError, LookupError):
        return None


def _leaves(host: Host, plan: Plan, workers: int) -> Callable[[int, Path], Leaf]:
    shares = share_slots(host.slots, workers)

    def leaf(number: int, store: Path) -> Leaf:
        task = host.task(store / plan.frozen.id, is_sweep=plan.is_sweep)
        return make_leaf(plan, task, shares[number], f"verify/{number}")

    return leaf
