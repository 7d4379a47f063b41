"""Verify an experiment: its record whole, and a sample of its trainings done again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.cmp import Objective
from comparator.engine.jobs import state_of
from comparator.engine.local import share_slots
from comparator.errors import InputError
from comparator.leaf import Leaf
from comparator.plan import Plan, make_objective, reopen_plan
from comparator.settings import ExperimentSettings
from comparator.sitting import Host
from comparator.store import RunStore, experiment_path, in_metric, read_experiment, read_records, withdrawals
from comparator.verification.record import Fault, check_record, check_search
from comparator.verification.trainings import (
    EQUAL,
    FAILED,
    OTHER,
    SLIGHTLY,
    UNSTEADY,
    Numbers,
    Repeat,
    repeat_trainings,
    trainings_of,
)

OUTCOME_WORDS = {
    EQUAL: "gave the same numbers to the last digit",
    SLIGHTLY: "differ slightly, as another processor's arithmetic may",
    UNSTEADY: "differ as much as the model's own repeats do",
    OTHER: "gave other numbers",
    FAILED: "did not come to an end",
}


@dataclass
class Verification:
    """What was found of an experiment.

    `repeats` are of a sample of `trainings`; `not_repeated` says why none was done again where some were asked for.
    `withdrawn` has, by run, the ids of the experiments that used it.
    """

    identifier: str
    evaluations: int = 0
    trainings: int = 0
    faults: list[Fault] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    not_repeated: str | None = None
    withdrawn: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong, and what was to be done again could be."""
        wrong = any(repeat.outcome in (OTHER, FAILED) for repeat in self.repeats)
        return not self.faults and not wrong and self.not_repeated is None

    def words(self) -> Iterator[str]:
        """What was found, a line each."""
        yield from map(str, self.faults)
        record = f"record of {self.identifier}: {self.evaluations} evaluations, {self.trainings} trainings"
        yield f"{record}: {_count(len(self.faults), 'fault') if self.faults else 'as it should be'}"
        for repeat in self.repeats:
            if repeat.words:
                run, its = repeat.training.run, repeat.training.request
                yield f"evaluation {its['evaluation']}, submodel {run['submodel']}: {repeat.words}"
        if self.not_repeated is not None:
            yield f"no training was repeated: {self.not_repeated}"
        if self.repeats:
            counts = Counter(repeat.outcome for repeat in self.repeats)
            found = ", ".join(f"{counts[each]} {words}" for each, words in OUTCOME_WORDS.items() if counts[each])
            how = f"repeated {len(self.repeats)} of {self.trainings} trainings, each by a process of its own"
            yield f"{how}: {found}"
        for identity, experiments in self.withdrawn.items():
            yield f"run {identity[:12]} was withdrawn from the store; used by {', '.join(experiments)}"


def verify(
    host: Host, identifier: str, sample: int | None, on_repeat: Callable[[int, int], None] = lambda done, of: None
) -> Verification:
    """Check the record of an experiment, and repeat `sample` of its trainings; None: all of them.

    A run that gives other numbers is withdrawn from the store. Raises `InputError` where there is no such experiment,
    or it has not ended.
    """
    path = experiment_path(host.experiments, identifier)
    state = state_of(path)["state"]
    if state in ("running", "queued"):
        raise InputError(f"experiment '{identifier}' is {state}; verify it when it has ended")
    frozen = read_experiment(path)
    found = Verification(identifier)
    try:
        records = read_records(path / "evaluations.jsonl")
    except InputError as error:
        found.faults.append(Fault("the record", str(error)))
        return found
    trainings = trainings_of(records)
    found.evaluations, found.trainings = len(records), len(trainings)

    runs = RunStore(host.experiments)
    plan, why_not = _reopen(host, frozen)
    objective = plan.objective if plan is not None else _objective(frozen)
    found.faults += check_record(frozen, records, runs, objective, is_finished=state == "finished")
    found.faults += [_withdrawn_fault(note) for note in withdrawals(path)]
    if plan is not None:
        found.faults += check_search(plan, records)
    if sample == 0:
        return found
    if plan is None or not trainings:
        found.not_repeated = "none has given a result" if plan is not None else why_not
        return found

    chosen = trainings if sample is None else random.sample(trainings, min(sample, len(trainings)))
    workers = min(host.workers, len(chosen))
    telling = _telling(frozen)
    repeats = repeat_trainings(chosen, _leaves(host, plan, workers), workers, telling, _processors(runs))
    for repeat in repeats:
        found.repeats.append(repeat)
        on_repeat(len(found.repeats), len(chosen))
    _withdraw(found, runs, frozen["metric"], telling)
    return found


def chosen_sample(text: str) -> int | None:
    """The number of trainings that `--sample` asks for; None for `all`. Raises `InputError`."""
    if text == "all":
        return None
    if not text.isdecimal():
        raise InputError(f"--sample {text}: give a number of trainings, or all")
    return int(text)


def as_json(found: Verification) -> dict[str, Any]:
    """What was found, for programs."""
    return {
        "experiment": found.identifier,
        "right": found.is_right,
        "evaluations": found.evaluations,
        "trainings": found.trainings,
        "faults": [{"where": fault.where, "words": fault.words} for fault in found.faults],
        "repeats": [
            {"run": each.training.run["run"], "outcome": each.outcome, "words": each.words} for each in found.repeats
        ],
        "not_repeated": found.not_repeated,
        "withdrawn": found.withdrawn,
    }


def _withdraw(found: Verification, runs: RunStore, metric: str, telling: Callable[[Numbers], Numbers]) -> None:
    """Take from use the runs that gave other numbers.

    Where the store has other numbers than the line, it is the line that is wrong, which is said already.
    """
    for repeat in found.repeats:
        run = repeat.training.run
        result = runs.finished(run["run"])
        if repeat.outcome != OTHER or result is None:
            continue
        if telling(in_metric(result, metric)["metrics"]) == telling(run["metrics"]):
            found.withdrawn[run["run"]] = runs.withdraw(run["run"], repeat.words)


def _withdrawn_fault(note: Mapping[str, Any]) -> Fault:
    evaluations = ", ".join(map(str, note["evaluations"]))
    return Fault(f"evaluation {evaluations}", f"run {note['run'][:12]} was withdrawn: {note['reason']}")


def _reopen(host: Host, frozen: Mapping[str, Any]) -> tuple[Plan | None, str]:
    """The experiment opened, or why it cannot be."""
    if frozen.get("imported"):
        return None, "the experiment was imported, and nothing of it was trained here"
    try:
        return reopen_plan(dict(frozen), root=host.root, site=host.site), ""
    except InputError as error:
        return None, str(error)


def _objective(frozen: Mapping[str, Any]) -> Objective | None:
    """What the values of a record that cannot be opened are worked out by; None where that is not known."""
    try:
        settings = ExperimentSettings.model_validate(frozen["settings"])
        return make_objective(settings, frozen["metric"], frozen["metrics"], Path(frozen["file"]))
    except (InputError, ValueError, LookupError):
        return None


def _leaves(host: Host, plan: Plan, workers: int) -> Callable[[int, Path], Leaf]:
    shares = share_slots(host.slots, workers)

    def leaf(number: int, store: Path) -> Leaf:
        return Leaf(
            plan.frozen,
            [model.placed(host.site.image_folder) for model in plan.models],
            plan.objective,
            experiments=store,
            data_folder=host.site.data_folder,
            slots=shares[number],
            name=f"verify/{number}",
            warm=host.serves_warm,
        )

    return leaf


def _telling(frozen: Mapping[str, Any]) -> Callable[[Numbers], Numbers]:
    """Keeps the metrics that have to come out again: the one that counts, and those described as results."""
    described = frozen.get("metrics") or {}
    names = {frozen["metric"], *(name for name, each in described.items() if each.get("kind") != "fact")}
    return lambda metrics: {name: value for name, value in metrics.items() if name in names}


def _processors(runs: RunStore) -> Callable[[str], str | None]:
    def processor_of(run: str) -> str | None:
        result = runs.finished(run)
        return None if result is None else result.get("processor")

    return processor_of


def _count(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"
