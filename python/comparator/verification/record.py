"""Check a record whole: every line against its runs and the store, equation 1, the numbering, the search."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from comparator.cmp import Objective
from comparator.errors import ComparatorError
from comparator.experiment import CONFIRM, Experiment
from comparator.leaf import given_at, run_hyperparameters, varied_names
from comparator.plan import PILOT_SEEDS, Plan
from comparator.replay import MemoryRecord
from comparator.report.reread import unit_of, worked_out
from comparator.run_identity import telling_hyperparameters
from comparator.store import RunStore, in_metric, pairs_in

Record = Mapping[str, Any]
Run = Mapping[str, Any]

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
    frozen: Mapping[str, Any],
    records: Sequence[Record],
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
    for record in records:
        where = f"evaluation {record['evaluation']}"
        yield from (Fault(where, words) for words in _outcome(record, objective, unit))
        for run in record["runs"]:
            its = f"{where}, submodel {run['submodel']}, replicate {run['replicate']}"
            yield from (Fault(its, words) for words in _run(frozen, record, run, runs))


def check_search(plan: Plan, records: Sequence[Record], *, is_finished: bool) -> Iterator[Fault]:
    """Whether the search, done again on the recorded results, proposes the recorded points, and has come to its end."""
    memory = MemoryRecord()
    memory.records = [dict(record) for record in records]
    again = Experiment(
        memory,
        plan.strategy(all_at_once=plan.is_sweep),
        plan.objective,
        budget=plan.budget,
        space_size=plan.space_size,
        replication=plan.replication,
        pilot=plan.pilot,
        pilot_seeds=PILOT_SEEDS,
        to_confirm=plan.to_confirm,
        space=plan.space,
    )
    try:
        requests = again.start()
        if is_finished and requests:
            yield Fault("the record", f"has no result of {len(requests)} replicates that the search asks for next")
    except ComparatorError as error:
        yield Fault("the search", str(error).removeprefix(f"{memory.evaluations}: "))
    finally:
        again.close()


def _lines_of_upf(frozen: Mapping[str, Any], records: Sequence[Record]) -> Iterator[Fault]:
    """A line of an unrolled parameter file is evaluated under its own id."""
    points = dict(frozen.get("upf") or [])
    for record in records if points else ():
        if record.get("stage") != CONFIRM and points.get(record.get("id")) != record["point"]:
            yield Fault(f"evaluation {record['evaluation']}", f"id '{record.get('id')}' has another point in the UPF")


def _numbering(records: Sequence[Record], is_finished: bool) -> Iterator[Fault]:
    numbers = Counter(record["evaluation"] for record in records)
    for number, count in sorted(numbers.items()):
        if count > 1:
            yield Fault(f"evaluation {number}", f"stands {count} times")
    searched = [record["evaluation"] for record in records if record.get("stage") != CONFIRM]
    missing = sorted(set(range(max(searched, default=-1) + 1)) - set(numbers)) if is_finished else []
    for number in missing:
        yield Fault(f"evaluation {number}", "is missing")


def _replicates(records: Sequence[Record]) -> Iterator[Fault]:
    """A replicate of a point is asked for once."""
    asked: dict[tuple[bool, str, int], int] = {}
    for record in records:
        for part in record.get("asked", ()):
            key = (record.get("stage") == CONFIRM, json.dumps(record["point"], sort_keys=True), part["replicate"])
            if key in asked:
                first = f"evaluation {asked[key]} has asked for already"
                yield Fault(f"evaluation {record['evaluation']}", f"replicate {part['replicate']}, which {first}")
            asked.setdefault(key, record["evaluation"])


def _whole_pairs(frozen: Mapping[str, Any], records: Sequence[Record]) -> Iterator[Fault]:
    """Every replicate that was asked for has the runs of all models, once each, up to one that has failed."""
    models = len(frozen["models"])
    for record in records:
        statuses: dict[int, dict[int, str]] = {part["replicate"]: {} for part in record.get("asked", ())}
        for run in record["runs"]:
            where = f"evaluation {record['evaluation']}, replicate {run['replicate']}"
            of_replicate = statuses.setdefault(run["replicate"], {})
            if run["submodel"] in of_replicate:
                yield Fault(where, f"submodel {run['submodel']} stands twice")
            elif run["submodel"] >= models:
                yield Fault(where, f"submodel {run['submodel']}: the experiment has {models}")
            of_replicate[run["submodel"]] = run["status"]
        for replicate, found in statuses.items():
            # What our own code raised leaves a reason, and no run.
            if len(found) < models and set(found.values()) <= {"ok"} and (found or record.get("reason") is None):
                where = f"evaluation {record['evaluation']}, replicate {replicate}"
                yield Fault(where, f"has {len(found)} of its {models} runs")


def _budget(frozen: Mapping[str, Any], records: Sequence[Record]) -> Iterator[Fault]:
    budget = (frozen.get("budget") or {}).get("evaluations")
    pairs = pairs_in(records)
    if budget is not None and pairs > budget:
        yield Fault("the budget", f"{pairs} pairs were asked for, of {budget}")


def _outcome(record: Record, objective: Objective | None, unit: float | None) -> Iterator[str]:
    """Whether status, value and what goes with it follow from the runs of the line."""
    if (record["status"] == "ok") != isinstance(record["value"], (int, float)):
        yield f"status '{record['status']}' with value {record['value']}"
    if objective is None:
        return
    if record["status"] != "ok":
        runs = [run for run in record["runs"] if run["status"] == "ok"]
        if (
            runs
            and len(runs) == len(record["runs"])
            and worked_out({**record, "status": "ok"}, objective, unit)["value"]
        ):
            yield f"status '{record['status']}', but its runs give a value"
        return
    again = worked_out(record, objective, unit)
    if again["status"] != "ok":
        yield f"value is {record['value']}, but its runs give none: {again['reason']}"
        return
    for key in ("value", "signed", "deviation", "interval"):
        if key in record and not _close(record[key], again[key]):
            yield f"{key} is {record[key]}, but its runs give {again[key]}"


def is_of_the_store(frozen: Mapping[str, Any], record: Record, run: Run, runs: RunStore) -> bool:
    """Whether a run of a line is what the store has, trained as the line says."""
    return next(_run(frozen, record, run, runs), None) is None


def _run(frozen: Mapping[str, Any], record: Record, run: Run, runs: RunStore) -> Iterator[str]:
    """What tells a run of a line from what the store has, and from what was to be trained."""
    if frozen.get("imported") or run["submodel"] >= len(frozen["models"]):
        return
    if not run.get("run"):
        if run["status"] == "ok":
            yield "does not say which run of the store it is"
        return
    result = runs.finished(run["run"])
    if run["status"] != "ok":
        if result is not None and _was_there(record, run, result):
            gave = in_metric(result, frozen["metric"])["metrics"].get(frozen["metric"])
            yield f"is said to have failed, but run {run['run'][:12]} gave {frozen['metric']} {gave}"
        return
    result = runs.withdrawn(run["run"]) if result is None else result
    if result is None:
        yield f"the result of run {run['run'][:12]} is missing"
        return
    result = in_metric(result, frozen["metric"])
    names = {**result["metrics"], **run["metrics"]}
    apart = next((name for name in names if _at(result, name) != _at(run, name)), None)
    if apart is not None:
        yield f"{apart} is {_at(run, apart)}, but run {run['run'][:12]} gave {_at(result, apart)}"
    submodel = frozen["models"][run["submodel"]]
    given = given_at(frozen, record["point"])[run["submodel"]]
    split = run["replicate"] if "split" in run else None
    hyperparameters, seed = run_hyperparameters(submodel, given, run["replicate"], split)
    if seed != run["seed"]:
        yield f"seed is {run['seed']}, but its replicate has {seed}"
    of_seed, had = submodel["seed"], result.get("hyperparameters") or hyperparameters
    if of_seed is not None and had.get(of_seed) != seed:
        yield f"{of_seed} is {seed} by its replicate, but run {run['run'][:12]} had {had.get(of_seed)}"
    varied = varied_names(submodel, record["point"])
    trained = telling_hyperparameters(submodel, had, varied)
    asked = telling_hyperparameters(submodel, hyperparameters, varied)
    apart = next((name for name in {**trained, **asked} if trained.get(name) != asked.get(name)), None)
    if apart is not None:
        yield f"{apart} is {asked.get(apart)} at its point, but run {run['run'][:12]} had {trained.get(apart)}"


def _was_there(record: Record, run: Run, result: Mapping[str, Any]) -> bool:
    """Whether a result was there, or came, when this replicate of a line was asked for: later ones may end well."""
    part = next((part for part in record.get("asked", ()) if part["replicate"] == run["replicate"]), record)
    began, trained = _time(part.get("started")), _time(result.get("started"))
    return (
        began is not None and trained is not None and trained <= began + timedelta(seconds=part["seconds"] or 0) + SLACK
    )


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).removesuffix("Z")).replace(tzinfo=None)
    except ValueError:
        return None


def _at(result: Mapping[str, Any], metric: str) -> Any:
    return result["metrics"].get(metric)


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(one == other)
