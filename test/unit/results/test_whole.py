"""Evaluations put together of lines that have what is new in them, beside lines that have all, as earlier ones had."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_controller import OBJECTIVE, Listed, deterministic, noisy, result_of, xs

from comparator.errors import ComparatorError, InputError
from comparator.evidence.replicates import mean_interval, pooled_deviation
from comparator.experiment.controller import Controller
from comparator.experiment.simulation import MemoryRecord
from comparator.findings.other_metric import worked_out
from comparator.findings.so_far import so_far
from comparator.findings.summary import mean_metrics, summarise
from comparator.objective.differences import DIFFERENCES, NoValue
from comparator.results.points import best_of, count, observations_in, values_of
from comparator.results.record import Evaluation, FrozenExperiment, ObjectiveWords, Run, Submodel, as_text
from comparator.results.record_file import read_records
from comparator.results.whole import whole_evaluations
from comparator.strategies.replication import Replication

FROZEN = FrozenExperiment(
    id="try",
    format=3,
    metric="val_loss",
    models=[Submodel(submodel=0, name="a"), Submodel(submodel=1, name="b")],
    objective=ObjectiveWords(name="relative difference of val_loss", maximise=True),
    space=[{"name": "x", "type": "float", "lower": 0, "upper": 9}],
    settings={"cmp": {"difference": "relative"}},
)
IN_DEVIATIONS = replace(OBJECTIVE, difference=DIFFERENCES["in_deviations"])


def carried_out(points: list[int], draw: random.Random, objective: Any = OBJECTIVE, **asked: Any) -> list[Evaluation]:
    """The record of a search of these points whose trainings end in any order, some of them badly."""
    record = MemoryRecord()
    model = deterministic if asked.pop("is_deterministic", False) else noisy
    controller = Controller(record, Listed(xs(*points), ahead=asked.pop("ahead")), objective, **asked)
    waiting = controller.start()
    with suppress(ComparatorError):  # where the first all fail
        while waiting:
            request = waiting.pop(draw.randrange(len(waiting)))
            status = draw.choices(["ok", "failed", "timeout"], [6, 1, 1])[0] if request.evaluation else "ok"
            waiting += controller.tell(result_of(request, model, status))
    return record.records


def as_earlier(lines: list[Evaluation], objective: Any = OBJECTIVE) -> list[Evaluation]:
    """The lines as versions up to format 2 wrote them: each with all replicates of its point that had a value."""
    points: dict[Any, dict[int, list[Run]]] = {}
    found = []
    for line in lines:
        known = points.setdefault(line.point["x"], {})
        own = {part.replicate: [run for run in line.runs if run.replicate == part.replicate] for part in line.asked}
        earlier = dict(known)
        known |= {replicate: runs for replicate, runs in own.items() if has_value(runs, objective)}
        is_ok = line.status == "ok"
        signed = [objective.signed(runs) for _, runs in sorted(known.items())] if is_ok else []
        unit = (pooled_deviation([signed]) or 0.0) if objective.needs_unit and is_ok else 1.0
        signed = [number / unit for number in signed]
        reused = [run for _, runs in sorted(earlier.items()) for run in runs] if is_ok else []
        interval = mean_interval(signed)
        old = {
            "value": fmean(objective(runs) for runs in known.values()) / unit if is_ok else None,
            "signed": signed,
            "blocks": [0] * len(signed),
            "deviation": pooled_deviation([signed]),
            "interval": None if interval is None else list(interval),
            "runs": [run.model_copy(update={"reused": True}) for run in reused] + list(itertools.chain(*own.values())),
        }
        written = line.as_json() | old | {"runs": [run.as_json() for run in old["runs"]]}
        found.append(Evaluation.model_validate({k: v for k, v in written.items() if k not in ("after", "replicates")}))
    return found


def has_value(runs: list[Run], objective: Any) -> bool:
    try:
        objective(runs)
    except NoValue:
        return False
    return True


def said(line: Evaluation) -> dict[str, Any]:
    """What a line says, without what earlier versions did not say, and without when."""
    return {key: value for key, value in line.as_json().items() if key not in ("after", "replicates", "started")}


def nearly(line: Evaluation) -> dict[str, Any]:
    """The same, to be compared with: numbers to the last digits but one."""
    numbers = {key: value for key, value in said(line).items() if key in ("value", "deviation", "interval", "signed")}
    close = {key: pytest.approx(value, rel=1e-13, abs=1e-13) for key, value in numbers.items() if value is not None}
    return said(line) | close


SEARCHES = st.fixed_dictionaries(
    {
        "points": st.lists(st.integers(0, 3), min_size=1, max_size=14),
        "ahead": st.integers(1, 5),
        "replication": st.sampled_from([Replication(), Replication(2, 2), Replication(1, 4)]),
        "budget": st.integers(4, 25),
        "is_deterministic": st.booleans(),
    }
)


@given(SEARCHES, st.randoms(use_true_random=False), st.sampled_from([OBJECTIVE, IN_DEVIATIONS]))
def test_whole_evaluations_are_the_lines_of_earlier_versions(asked: dict[str, Any], draw: Any, objective: Any) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    earlier = as_earlier(lines, objective)
    for whole, line in zip(whole_evaluations(lines), earlier, strict=True):
        assert said(whole) == nearly(line)
    if not objective.needs_unit:
        listed = [(line.point["x"], each) for line in lines for each in line.replicates or ()]
        assert len(set(listed)) == len(listed)


@given(SEARCHES, st.randoms(use_true_random=False))
def test_readers_say_of_a_record_what_they_said_of_one_of_an_earlier_version(asked: dict[str, Any], draw: Any) -> None:
    lines = carried_out(**asked, draw=draw)
    earlier = as_earlier(lines)
    assert count(lines) == count(earlier)
    for line, before in zip(values_of(lines).values(), values_of(earlier).values(), strict=True):
        assert said(line) == nearly(before)
    assert [line.evaluation for line in best_of(lines)] == [line.evaluation for line in best_of(earlier)]
    assert observations_in(lines) == observations_in(earlier)
    for (_, known), line in zip(so_far(lines, 2), earlier, strict=True):
        assert (known.replicates, known.runs) == (len({run.replicate for run in line.runs}), len(line.runs))
        assert known.metrics == mean_metrics(line.runs, 2)
        assert known.signed == (pytest.approx(fmean(line.signed)) if line.signed else None)
    now, before = (summarise(FROZEN, each) for each in (lines, earlier))
    assert [(one.reused, one.all_runs, one.replicates) for one in now.evaluations] == [
        (one.reused, one.all_runs, one.replicates) for one in before.evaluations
    ]
    assert (now.counts, now.number, now.is_exact) == (before.counts, before.number, before.is_exact)
    for one, other in zip(worked_out(lines, OBJECTIVE, None), worked_out(earlier, OBJECTIVE, None), strict=True):
        assert (one.status, one.value, one.deviation) == (other.status, other.value, other.deviation)


@given(SEARCHES, st.randoms(use_true_random=False))
def test_what_the_runs_give_anew_is_what_the_lines_say(asked: dict[str, Any], draw: Any) -> None:
    for line, again in zip(lines := carried_out(**asked, draw=draw), worked_out(lines, OBJECTIVE, None), strict=True):
        assert line.status != "ok" or again == line


@given(SEARCHES, st.randoms(use_true_random=False), st.integers(0, 14))
def test_a_search_that_an_earlier_version_began_goes_on(asked: dict[str, Any], draw: Any, until: int) -> None:
    asked = {**asked, "ahead": 1, "replication": Replication()}  # else what was in flight is told in another order
    seed = draw.randrange(1000)
    lines = carried_out(**asked, draw=random.Random(seed))
    record = MemoryRecord()
    record.records = as_earlier(lines)[:until]
    model = deterministic if asked["is_deterministic"] else noisy
    results = {(line.evaluation, part.replicate): line for line in lines for part in line.asked or ()}
    controller = Controller(record, Listed(xs(*asked["points"]), ahead=1), OBJECTIVE, budget=asked["budget"])
    waiting = controller.start()
    while waiting:
        request = waiting.pop(0)
        run = next(
            run for run in results[request.evaluation, request.replicate].runs if run.replicate == request.replicate
        )
        waiting += controller.tell(result_of(request, model, run.status))
    assert [line.as_json() for line in record.records[:until]] == [line.as_json() for line in as_earlier(lines)[:until]]
    for whole, at_once in zip(whole_evaluations(record.records), whole_evaluations(lines), strict=True):
        assert said(whole) == nearly(at_once)
    following = [line for line in record.records[until:] if line.replicates]
    first_of_each = {line.point["x"]: line for line in reversed(following)}
    assert all(line.after is None for line in first_of_each.values())


def lines_of_repeats(repeats: int, model: Callable[[dict[str, Any]], tuple[float, float]]) -> list[Evaluation]:
    record = MemoryRecord()
    controller = Controller(record, Listed(xs(*[1, 2] * repeats), ahead=1), OBJECTIVE, budget=2 * repeats)
    waiting = controller.start()
    while waiting:
        waiting += controller.tell(result_of(waiting.pop(0), model))
    return record.records


@pytest.mark.parametrize("model", [noisy, deterministic])
def test_the_line_of_a_repeat_is_as_long_as_that_of_the_first_one(model: Any) -> None:
    lines = [len(as_text(line)) for line in lines_of_repeats(60, model)]
    assert max(lines[-20:]) <= max(lines[2:22]) + 40  # of digits


def test_a_line_whose_earlier_one_is_gone_is_damage(tmp_path: Path) -> None:
    lines = lines_of_repeats(3, noisy)
    path = tmp_path / "evaluations.jsonl"
    for without in range(4):
        kept = [line for line in lines if line.evaluation != without]
        path.write_text("".join(f"{as_text(line)}\n" for line in kept))
        with pytest.raises(InputError, match=f"evaluation {without + 2} follows on evaluation {without} of its point"):
            read_records(path)
    text = json.loads(as_text(lines[-1])) | {"signed": []}
    path.write_text("".join(f"{as_text(line)}\n" for line in lines[:-1]) + json.dumps(text) + "\n")
    with pytest.raises(InputError, match="signed has 0 numbers, but replicates has 1"):
        read_records(path)
