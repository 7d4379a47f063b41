"""Check a record whole: every line against its runs and the store, equation 1, the numbering, the search."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from comparator.engine.given import run_hyperparameters, varied_names
from comparator.engine.run_identity import telling_hyperparameters
from comparator.errors import ComparatorError
from comparator.experiment.plan import Plan
from comparator.experiment.simulation import MemoryRecord
from comparator.findings.other_metric import unit_of, worked_out
from comparator.objective.comparison import Objective
from comparator.results.files import time_of
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import searched
from comparator.results.record import CONFIRM, Evaluation, Run
from comparator.results.run_result import RunResult
from comparator.results.run_store import RunStore
from comparator.results.tally import done_in
from comparator.strategies.blocks import block_of

#: Of the two clocks by which a line and its runs are timed.
SLACK = timedelta(milliseconds=10)
#: A mean may be summed in another order.
CLOSE = 1e-12


@dataclass(frozen=True)
class Fault:
    """Something that is not as it should be, in a line."""

    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: {self.words}"


def check_record(
    frozen: FrozenExperiment,
    records: Sequence[Evaluation],
    runs: RunStore,
    objective: Objective | None,
    *,
    is_finished: bool,
) -> Iterator[Fault]:
    """What is wrong with a record, in its order. Without an `objective` no value is worked out again."""
    yield from _numbering(records, is_finished)
    yield from _lines_of_upf(frozen, records)
    yield from _replicates(records)
    yield from _budget(frozen, records)
    yield from _whole_pairs(frozen, records)
    unit = None if objective is None else unit_of(records, objective)
    lines = records if objective is None else worked_out(records, objective, unit)
    if objective is not None:
        yield from _left_out(records, own_unit=objective.needs_unit and not unit)
    for record, again in zip(records, lines, strict=True):
        where = f"evaluation {record.evaluation}"
        yield from (Fault(where, words) for words in _outcome(record, again, objective, unit))
        for run in record.runs:
            its = f"{where}, submodel {run.submodel}, replicate {run.replicate}"
            yield from (Fault(its, words) for words in _run(frozen, record, run, runs))


def check_search(plan: Plan, records: Sequence[Evaluation], *, is_finished: bool) -> Iterator[Fault]:
    """Whether the search, done again on the recorded results, proposes the recorded points, and has come to its end."""
    memory = MemoryRecord()
    memory.records = list(records)
    again = plan.controller(memory, all_at_once=True)
    try:
        requests = again.start()
        if is_finished and requests:
            yield Fault("the record", f"has no result of {len(requests)} replicates that the search asks for next")
    except ComparatorError as error:
        yield Fault("the search", str(error).removeprefix(f"{memory.evaluations}: "))
    finally:
        again.close()


def _lines_of_upf(frozen: FrozenExperiment, records: Sequence[Evaluation]) -> Iterator[Fault]:
    """A line of an unrolled parameter file is evaluated under its own id."""
    points = dict(frozen.upf or [])
    for record in searched(records) if points else ():
        if points.get(record.id) != record.point:
            yield Fault(f"evaluation {record.evaluation}", f"id '{record.id}' has another point in the UPF")


def _numbering(records: Sequence[Evaluation], is_finished: bool) -> Iterator[Fault]:
    numbers = Counter(record.evaluation for record in records)
    for number, times in sorted(numbers.items()):
        if times > 1:
            yield Fault(f"evaluation {number}", f"stands {times} times")
    last = max((record.evaluation for record in searched(records)), default=-1)
    missing = sorted(set(range(last + 1)) - set(numbers)) if is_finished else []
    for number in missing:
        yield Fault(f"evaluation {number}", "is missing")


def _replicates(records: Sequence[Evaluation]) -> Iterator[Fault]:
    """A replicate of a point is asked for once."""
    asked: dict[tuple[str | None, str, int], int] = {}
    for record in records:
        for part in record.asked or ():
            claim = (record.claim or CONFIRM) if record.stage == CONFIRM else None
            key = (claim, record.point_key, part.replicate)
            if key in asked:
                first = f"evaluation {asked[key]} has asked for already"
                yield Fault(f"evaluation {record.evaluation}", f"replicate {part.replicate}, which {first}")
            asked.setdefault(key, record.evaluation)


def _whole_pairs(frozen: FrozenExperiment, records: Sequence[Evaluation]) -> Iterator[Fault]:
    """Every replicate that was asked for has the runs of all models, once each, up to one that has failed."""
    for record in records:
        trained = frozen.models_at(record.point)
        statuses: dict[int, dict[int, str]] = {part.replicate: {} for part in record.asked or ()}
        for run in record.runs:
            where = f"evaluation {record.evaluation}, replicate {run.replicate}"
            of_replicate = statuses.setdefault(run.replicate, {})
            if run.submodel in of_replicate:
                yield Fault(where, f"submodel {run.submodel} stands twice")
            elif run.submodel >= len(frozen.models):
                yield Fault(where, f"submodel {run.submodel}: the experiment has {len(frozen.models)}")
            elif run.submodel not in trained:
                yield Fault(where, f"submodel {run.submodel}: its point names another model")
            of_replicate[run.submodel] = run.status
        for replicate, found in statuses.items():
            # What our own code raised leaves a reason, and no run.
            if len(found) < len(trained) and set(found.values()) <= {"ok"} and (found or record.reason is None):
                where = f"evaluation {record.evaluation}, replicate {replicate}"
                yield Fault(where, f"has {len(found)} of its {len(trained)} runs")


def _budget(frozen: FrozenExperiment, records: Sequence[Evaluation]) -> Iterator[Fault]:
    budget, pairs = frozen.budget.evaluations, done_in(records)
    if budget is not None and pairs > budget:
        yield Fault("the budget", f"{pairs} pairs were asked for, of {budget}")


def _left_out(records: Sequence[Evaluation], *, own_unit: bool) -> Iterator[Fault]:
    """A line that says which replicates it has follows on the latest of its point that does.

    Of a point with its `own_unit` a line of an earlier version, which does not say it, has all replicates.
    """
    latest: dict[str, int] = {}
    for record in searched(records):
        if record.status != "ok" or record.replicates is None or (own_unit and record.unit is None):
            continue
        before = latest.get(record.point_key)
        if record.after is None and before is not None:
            yield Fault(f"evaluation {record.evaluation}", f"does not follow on evaluation {before} of its point")
        if record.replicates:
            latest[record.point_key] = record.evaluation


def _outcome(record: Evaluation, again: Evaluation, objective: Objective | None, unit: float | None) -> Iterator[str]:
    """Whether status, value and what goes with it follow from the runs of the line, and of those before it.

    `again` is the line as these runs give it.
    """
    if (record.status == "ok") != (record.value is not None):
        yield f"status '{record.status}' with value {record.value}"
    if objective is None:
        return
    if record.status != "ok":
        are_ok = bool(record.runs) and all(run.status == "ok" for run in record.runs)
        as_ok = record.model_copy(update={"status": "ok", "after": None})
        if are_ok and next(worked_out([as_ok], objective, unit)).value:
            yield f"status '{record.status}', but its runs give a value"
        return
    if again.status != "ok":
        yield f"value is {record.value}, but its runs give none: {again.reason}"
        return
    for key in ("value", "after", "replicates", "signed", "blocks", "unit", "deviation", "interval"):
        said, gave = getattr(record, key), getattr(again, key)
        if key in record.model_fields_set and not _close(said, gave):
            yield f"{key} is {said}, but its runs give {gave}"


def is_of_the_store(frozen: FrozenExperiment, record: Evaluation, run: Run, runs: RunStore) -> bool:
    """Whether a run of a line is what the store has, trained as the line says."""
    return next(_run(frozen, record, run, runs), None) is None


def _run(frozen: FrozenExperiment, record: Evaluation, run: Run, runs: RunStore) -> Iterator[str]:
    """What tells a run of a line from what the store has, and from what was to be trained."""
    if frozen.imported or run.submodel >= len(frozen.models):
        return
    if not run.run:
        if run.status == "ok":
            yield "does not say which run of the store it is"
        return
    name, result = run.run[:12], runs.finished(run.run)
    if run.status != "ok":
        if result is not None and _was_there(record, run, result):
            gave = result.in_metric(frozen.metric).metrics.get(frozen.metric)
            yield f"is said to have failed, but run {name} gave {frozen.metric} {gave}"
        return
    result = runs.withdrawn(run.run) if result is None else result
    if result is None:
        yield f"the result of run {name} is missing"
        return
    was, said = result.in_metric(frozen.metric).metrics, run.metrics
    apart = next((metric for metric in {**was, **said} if was.get(metric) != said.get(metric)), None)
    if apart is not None:
        yield f"{apart} is {said.get(apart)}, but run {name} gave {was.get(apart)}"
    submodel = frozen.models[run.submodel]
    block = block_of(record.point, run.replicate, frozen.stages.blocks)
    if "block" in run.model_fields_set and run.block != block.number:
        yield f"block is {run.block}, but its replicate is of block {block.number}"
    split = block.split if run.has_own_split else None
    hyperparameters, seed = run_hyperparameters(
        *(frozen, run.submodel, record.point),
        seed=block.seed,
        split=split,
        epochs=record.epochs,
        seeds=block.seeds,
    )
    if seed != run.seed:
        yield f"seed is {run.seed}, but its replicate has {seed}"
    of_seed, had = submodel.seed, result.hyperparameters or hyperparameters
    if of_seed is not None and had.get(of_seed) != seed:
        yield f"{of_seed} is {seed} by its replicate, but run {name} had {had.get(of_seed)}"
    varied = varied_names(submodel, record.point)
    trained = telling_hyperparameters(submodel, had, varied)
    asked = telling_hyperparameters(submodel, hyperparameters, varied)
    apart = next((name for name in {**trained, **asked} if trained.get(name) != asked.get(name)), None)
    if apart is not None:
        yield f"{apart} is {asked.get(apart)} at its point, but run {name} had {trained.get(apart)}"


def _was_there(record: Evaluation, run: Run, result: RunResult) -> bool:
    """Whether a result was there, or came, when this replicate of a line was asked for: later ones may end well."""
    part = next((part for part in record.asked or () if part.replicate == run.replicate), record)
    began, trained = time_of(part.started), time_of(result.started)
    if began is None or trained is None:
        return False
    return trained <= began + timedelta(seconds=part.seconds or 0) + SLACK


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(one == other)
