"""Trainings done again, each by a process that has done nothing before: do they give the numbers of the record?"""

from __future__ import annotations

import math
import queue
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from comparator.engine.leaf import Leaf
from comparator.engine.workers import Workers
from comparator.results.provenance import computed_on
from comparator.results.record import Evaluation, Run
from comparator.results.requests import Request
from comparator.results.run_result import RunResult
from comparator.results.run_store import RESULT, RunStore
from comparator.strategies.blocks import block_of

#: Arithmetic of another processor or accelerator changes a network as another seed does. A difference of so many
#: deviations from seed to seed, or of this part of a number where that deviation is not known, is as may be.
DEVIATIONS, PART = 3.0, 0.1
#: A number so many times farther off than a model's own repeats are from each other is not one of them.
FAR = 10.0
#: How often more a training is repeated whose first two repeats differ.
FURTHER = 2
OF_EPOCH = " of epoch "

EQUAL, SLIGHT, UNSTEADY, ELSEWHERE, CHANGED, OTHER, FAILED = (
    *("equal", "slight", "unsteady", "elsewhere"),
    *("changed", "other", "failed"),
)

Numbers = Mapping[str, float | None]


@dataclass(frozen=True)
class Training:
    """A run of a record, and what asks for it again."""

    run: Run
    request: Request

    @property
    def name(self) -> str:
        """Its name in the store."""
        return self.run.run or ""


@dataclass(frozen=True)
class Repeat:
    """How a training came out again; `words` say it, but where it is equal."""

    training: Training
    outcome: str
    words: str = ""


def trainings_of(
    records: Sequence[Evaluation],
    blocks: int,
    is_sound: Callable[[Evaluation, Run], bool] = lambda record, run: True,
) -> list[Training]:
    """Every training of a record that gave a result, once; without the runs of lines that are not `is_sound`."""
    found: dict[str, Training] = {}
    for record in records:
        for run in record.runs:
            if run.status == "ok" and run.run and is_sound(record, run):
                block = block_of(record.point, run.replicate, blocks)
                request = Request(
                    evaluation=record.evaluation,
                    name=record.id,
                    point=record.point,
                    replicate=run.replicate,
                    block=block.number,
                    seed=block.seed,
                    split=block.split if run.has_own_split else None,
                    seeds=block.seeds,
                    epochs=record.epochs,
                )
                found.setdefault(run.run, Training(run, request))
    return list(found.values())


@dataclass(frozen=True)
class Recorded:
    """What is known of the runs of a record: `results` of the store, by run; the `metric` that counts, and what of them
    is `described` as a result; `deviations` of the metric from seed to seed, by submodel."""

    results: Mapping[str, RunResult]
    metric: str
    described: frozenset[str]
    deviations: Mapping[int, float | None]

    def is_a_result(self, name: str) -> bool:
        """Whether a number is known to be no time, or the like, which comes out otherwise each time."""
        return name.partition(OF_EPOCH)[0] in self.described


def repeat_trainings(
    trainings: Sequence[Training], make_leaf: Callable[[int, Path], Leaf], workers: int, recorded: Recorded
) -> Iterator[Repeat]:
    """Repeat trainings in stores of their own, as many at a time as there are workers; in the order in which they end.

    `make_leaf` gives the leaf of a worker over a store.
    """
    with tempfile.TemporaryDirectory(prefix="comparator-verify-") as folder:
        stores = [Path(folder, str(number)) for number in range(workers)]
        for store in stores:
            store.mkdir()
        leaves = [make_leaf(number, store) for number, store in enumerate(stores)]
        idle: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(workers):
            idle.put(number)

        def repeat(training: Training) -> Repeat:
            number = idle.get()
            try:
                return _repeat(training, leaves[number], RunStore(stores[number]), recorded)
            finally:
                idle.put(number)

        def cancel() -> None:
            for leaf in leaves:
                leaf.cancel()

        with Workers[Repeat](workers, cancel) as repeating:
            for training in trainings:
                repeating.start(partial(repeat, training))
            yield from repeating.results()


def _repeat(training: Training, leaf: Leaf, store: RunStore, recorded: Recorded) -> Repeat:
    """Repeat a training as often as it takes to judge it."""
    run = training.run
    result = recorded.results.get(training.name) or RunResult(status="ok")
    changed = leaf.change_since(run.submodel, result)
    if changed is not None:
        return Repeat(training, CHANGED, f"cannot be repeated: {changed} has changed since")
    first = _once(training, leaf, store)
    if first.status != "ok":
        return Repeat(training, FAILED, f"a repeat {first.status}: {first.reason}")
    was, now = _numbers(run.metrics, result), _numbers(first.metrics, first)
    then, here = result.computed_on, computed_on(first.device)
    if then != here:
        # On other arithmetic the numbers beside the one that counts are not looked at.
        if was.get(recorded.metric) == now.get(recorded.metric):
            return Repeat(training, EQUAL)
        return _judged_elsewhere(training, recorded, now.get(recorded.metric), then, here)
    apart = {name for name in {**was, **first.metrics} if was.get(name) != now.get(name)}
    if not apart:
        return Repeat(training, EQUAL)
    second = _repeated_numbers(training, leaf, store)
    # A time differs between repeats too.
    apart = {name for name in apart if recorded.is_a_result(name) or now.get(name) == second.get(name)}
    if not apart:
        return Repeat(training, EQUAL)
    name = recorded.metric if recorded.metric in apart else _farthest(sorted(apart), was, now)
    words = f"{name} was {was.get(name)}"
    own = [now.get(name), second.get(name)]
    if own[0] == own[1]:
        return Repeat(training, OTHER, f"{words}, but comes out as {own[0]}")
    own += [_repeated_numbers(training, leaf, store).get(name) for _ in range(FURTHER)]
    spread = max(_difference(own[0], each) for each in own)
    if min(_difference(was.get(name), each) for each in own) <= FAR * spread:
        return Repeat(training, UNSTEADY, f"{words}, and comes out as {own[0]} and {own[1]} with one seed")
    return Repeat(training, OTHER, f"{words}, but comes out as {own[0]} and {own[1]}")


def _judged_elsewhere(training: Training, recorded: Recorded, now: float | None, then: str | None, here: str) -> Repeat:
    """Judge a number that was computed on something else."""
    name = recorded.metric
    was = training.run.metrics.get(name)
    words = f"{name} was {was} on {then or 'something that it does not say'}, and comes out as {now} on {here}"
    if was is None or now is None:
        return Repeat(training, ELSEWHERE, words)
    deviation = recorded.deviations.get(training.run.submodel)
    may_be = PART * max(abs(was), abs(now)) if not deviation else DEVIATIONS * deviation
    return Repeat(training, SLIGHT if abs(was - now) <= may_be else ELSEWHERE, words)


def _once(training: Training, leaf: Leaf, store: RunStore) -> RunResult:
    run, result = leaf.repeat(training.request, training.run.submodel)
    if (folder := store.folder_of(run.run or "")) is not None:
        (folder / RESULT).unlink(missing_ok=True)  # a second repeat is a training too
    return result


def _repeated_numbers(training: Training, leaf: Leaf, store: RunStore) -> Numbers:
    result = _once(training, leaf, store)
    return _numbers(result.metrics, result)


def _numbers(metrics: Numbers, result: RunResult) -> Numbers:
    """All numbers of a training, those of its epochs by names of their own."""
    of_epochs = {
        f"{name}{OF_EPOCH}{epoch}": value
        for name, values in result.history.items()
        for epoch, value in enumerate(values, start=1)
    }
    return {**of_epochs, **metrics}


def _farthest(names: Sequence[str], was: Numbers, now: Numbers) -> str:
    """The one that differs most."""
    return max(names, key=lambda name: _difference(was.get(name), now.get(name)))


def _difference(one: float | None, other: float | None) -> float:
    """The relative difference of two numbers; infinite where one is none."""
    if one is None or other is None:
        return 0.0 if one == other else math.inf
    return abs(one - other) / max(abs(one), abs(other)) if one != other else 0.0
