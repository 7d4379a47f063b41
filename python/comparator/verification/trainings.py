"""Trainings done again, each by a process that has done nothing before: do they give the numbers of the record?"""

from __future__ import annotations

import math
import queue
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.leaf import Leaf
from comparator.provenance import processor
from comparator.store import RunStore

#: What another processor's arithmetic may make of a number, as a part of it.
SLIGHT = 1e-3
#: A number so many times farther off than a model's own repeats are from each other is not one of them.
FAR = 10.0
#: How often more a training is repeated whose first two repeats differ.
FURTHER = 2

EQUAL, SLIGHTLY, UNSTEADY, OTHER, FAILED = "equal", "slightly different", "unsteady", "other", "failed"

Numbers = Mapping[str, float | None]


@dataclass(frozen=True)
class Training:
    """A run of a record, and what asks for it again."""

    run: Mapping[str, Any]
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Repeat:
    """How a training came out again; `words` say it, but where it is equal."""

    training: Training
    outcome: str
    words: str = ""


def trainings_of(records: Sequence[Mapping[str, Any]]) -> list[Training]:
    """Every training of a record that gave a result, once."""
    found: dict[str, Training] = {}
    for record in records:
        for run in record["runs"]:
            if run["status"] == "ok" and run.get("run"):
                request = {
                    "evaluation": record["evaluation"],
                    "name": record.get("id"),
                    "point": record["point"],
                    "replicate": run["replicate"],
                    "split": run["replicate"] if "split" in run else None,
                }
                found.setdefault(run["run"], Training(run, request))
    return list(found.values())


def repeat_trainings(
    trainings: Sequence[Training],
    make_leaf: Callable[[int, Path], Leaf],
    workers: int,
    telling: Callable[[Numbers], Numbers],
    recorded_on: Callable[[str], str | None],
) -> Iterator[Repeat]:
    """Repeat trainings in stores of their own, as many at a time as there are workers; in the order in which they end.

    `make_leaf` gives the leaf of a worker over a store; `telling` keeps those metrics of a run that have to be equal;
    `recorded_on` tells the processor that a run was done on.
    """
    with tempfile.TemporaryDirectory(prefix="comparator-verify-") as folder:
        leaves = [make_leaf(number, Path(folder, str(number))) for number in range(workers)]
        idle: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(workers):
            idle.put(number)

        def repeat(training: Training) -> Repeat:
            number = idle.get()
            try:
                store = RunStore(Path(folder, str(number)))
                return _compare(training, leaves[number], store, telling, recorded_on(training.run["run"]))
            finally:
                idle.put(number)

        with ThreadPoolExecutor(workers) as pool:
            try:
                for future in as_completed([pool.submit(repeat, training) for training in trainings]):
                    yield future.result()
            except BaseException:
                for leaf in leaves:
                    leaf.cancel()
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _compare(
    training: Training,
    leaf: Leaf,
    store: RunStore,
    telling: Callable[[Numbers], Numbers],
    processor_then: str | None,
) -> Repeat:
    recorded = telling(training.run["metrics"])
    first = _repeated(training, leaf, store)
    if first["status"] != "ok":
        return Repeat(training, FAILED, f"a repeat {first['status']}: {first['reason']}")
    again = telling(first["metrics"])
    apart = _farthest(recorded, again)
    if apart is None:
        return Repeat(training, EQUAL)
    was, comes = f"{apart} was {recorded.get(apart)}", f"comes out as {again.get(apart)}"
    if processor_then != processor() and _difference(recorded.get(apart), again.get(apart)) <= SLIGHT:
        return Repeat(training, SLIGHTLY, f"{was} on {processor_then or 'another machine'}, and {comes} here")
    own = [again.get(apart), telling(_repeated(training, leaf, store)["metrics"]).get(apart)]
    if own[0] == own[1]:
        return Repeat(training, OTHER, f"{was}, but {comes}")
    own += [telling(_repeated(training, leaf, store)["metrics"]).get(apart) for _ in range(FURTHER)]
    spread = max(_difference(own[0], each) for each in own)
    if min(_difference(recorded.get(apart), each) for each in own) <= FAR * spread:
        return Repeat(training, UNSTEADY, f"{was}, and {comes} and {own[1]} with one seed")
    return Repeat(training, OTHER, f"{was}, but {comes} and {own[1]}")


def _repeated(training: Training, leaf: Leaf, store: RunStore) -> dict[str, Any]:
    run = leaf.repeat(training.request, training.run["submodel"])
    (store.folder / run["run"] / "result.json").unlink(missing_ok=True)  # a second repeat is a training too
    return run


def _farthest(recorded: Numbers, again: Numbers) -> str | None:
    """The metric that differs most; None where all are equal to the last digit."""
    names = [name for name in {**recorded, **again} if recorded.get(name) != again.get(name)]
    return max(names, key=lambda name: _difference(recorded.get(name), again.get(name)), default=None)


def _difference(one: float | None, other: float | None) -> float:
    """The relative difference of two numbers; infinite where one is none."""
    if one is None or other is None:
        return 0.0 if one == other else math.inf
    return abs(one - other) / max(abs(one), abs(other)) if one != other else 0.0
