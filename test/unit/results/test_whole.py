"""Evaluations put together of lines that have what is new in them, beside lines that have all, as earlier ones had."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repeats import FROZEN, IN_DEVIATIONS, SEARCHES, as_earlier, carried_out, nearly, said
from test_controller import BARE, OBJECTIVE, Listed, deterministic, noisy, result_of, xs

from comparator.errors import InputError
from comparator.experiment.controller import Controller
from comparator.experiment.simulation import MemoryRecord
from comparator.findings.other_metric import unit_of, worked_out
from comparator.findings.so_far import so_far
from comparator.findings.summary import mean_metrics, summarise
from comparator.results.form import as_text
from comparator.results.points import best_of, observations_in, values_of
from comparator.results.record import Evaluation
from comparator.results.record_file import each_record, read_records
from comparator.results.run_store import RunStore, withdrawals
from comparator.results.store import ExperimentFolder
from comparator.results.tally import count
from comparator.results.whole import whole_evaluations
from comparator.strategies.replication import Replication


@given(SEARCHES, st.randoms(use_true_random=False), st.sampled_from([OBJECTIVE, IN_DEVIATIONS]))
def test_whole_evaluations_are_the_lines_of_earlier_versions(asked: dict[str, Any], draw: Any, objective: Any) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    earlier = as_earlier(lines, objective)
    for whole, line in zip(whole_evaluations(lines), earlier, strict=True):
        assert said(whole) == nearly(line)
    listed = [(line.point["x"], each) for line in lines for each in line.replicates or ()]
    assert len(set(listed)) == len(listed)


@settings(max_examples=25)
@given(SEARCHES, st.randoms(use_true_random=False), st.sampled_from([OBJECTIVE, IN_DEVIATIONS]))
def test_readers_say_of_a_record_what_they_said_of_one_of_an_earlier_version(
    asked: dict[str, Any], draw: Any, objective: Any
) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    earlier = as_earlier(lines, objective)
    assert count(lines) == count(earlier)
    for line, before in zip(values_of(lines).values(), values_of(earlier).values(), strict=True):
        assert said(line) == nearly(before)
    assert [line.evaluation for line in best_of(lines)] == [line.evaluation for line in best_of(earlier)]
    for now, before in zip(observations_in(lines), observations_in(earlier), strict=True):
        assert now == (before[0], pytest.approx(before[1], rel=1e-13, abs=1e-13), before[2])
    for (_, known), line in zip(so_far(lines, 2), earlier, strict=True):
        assert known.replicates == len({run.replicate for run in line.runs})
        assert known.metrics == mean_metrics(line.runs, 2)
        assert known.signed == (pytest.approx(fmean(line.signed), rel=1e-12, abs=1e-12) if line.signed else None)
    said_now, said_before = (summarise(FROZEN, each) for each in (lines, earlier))
    assert [(one.reused, len(one.own_runs), one.replicates) for one in said_now.evaluations] == [
        (one.reused, len(one.own_runs), one.replicates) for one in said_before.evaluations
    ]
    assert said_now.counts == said_before.counts
    assert (said_now.number, said_now.is_exact) == (said_before.number, said_before.is_exact)


@settings(max_examples=25)
@given(
    SEARCHES,
    st.randoms(use_true_random=False),
    st.sampled_from([OBJECTIVE, IN_DEVIATIONS]),
    st.sampled_from([OBJECTIVE, IN_DEVIATIONS]),
)
def test_what_the_runs_of_a_record_give_is_what_those_of_an_earlier_version_give(
    asked: dict[str, Any], draw: Any, objective: Any, read_by: Any
) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    again = [
        whole_evaluations(worked_out(each, read_by, unit_of(each, read_by)))
        for each in (lines, as_earlier(lines, objective))
    ]
    for one, other in zip(*again, strict=True):
        keys = ("status", "value", "signed", "blocks", "deviation", "interval")
        assert {key: said(one)[key] for key in keys} == {key: nearly(other)[key] for key in keys}
        assert one.status != "ok" or [run.run for run in one.runs] == [run.run for run in other.runs]


@given(SEARCHES, st.randoms(use_true_random=False), st.sampled_from([OBJECTIVE, IN_DEVIATIONS]))
def test_what_the_runs_give_anew_is_what_the_lines_say(asked: dict[str, Any], draw: Any, objective: Any) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    for line, again in zip(lines, worked_out(lines, objective, unit_of(lines, objective)), strict=True):
        assert line.status != "ok" or again == line


@given(
    SEARCHES,
    st.randoms(use_true_random=False),
    st.integers(0, 14),
    st.sampled_from([OBJECTIVE, IN_DEVIATIONS]),
)
def test_a_search_that_an_earlier_version_began_goes_on(
    asked: dict[str, Any], draw: Any, until: int, objective: Any
) -> None:
    asked = {
        **asked,
        "ahead": 1,
        "replication": Replication(2, 2) if objective.needs_unit else Replication(),
        "is_deterministic": asked["is_deterministic"] and not objective.needs_unit,
        "pilot": [],
    }  # else what was in flight is told in another order
    seed = draw.randrange(1000)
    lines = carried_out(**asked, draw=random.Random(seed), objective=objective)
    earlier = as_earlier(lines, objective)[:until]
    record = MemoryRecord()
    record.records = list(earlier)
    model = deterministic if asked["is_deterministic"] else noisy
    kept = {key: asked[key] for key in ("budget", "replication")}
    results = {(line.evaluation, part.replicate): line for line in lines for part in line.asked or ()}
    controller = Controller(record, Listed(xs(*asked["points"]), ahead=1), objective, **kept)
    waiting = controller.start()
    while waiting:
        request = waiting.pop(0)
        run = next(
            run for run in results[request.evaluation, request.replicate].runs if run.replicate == request.replicate
        )
        waiting += controller.tell(result_of(request, model, run.status))
    assert [line.as_json() for line in record.records[:until]] == [line.as_json() for line in earlier]
    for whole, at_once in zip(whole_evaluations(record.records), whole_evaluations(lines), strict=True):
        assert said(whole) == nearly(at_once)
    following = [line for line in record.records[until:] if line.replicates]
    first_of_each = {line.point["x"]: line for line in reversed(following)}
    assert all(line.after is None for line in first_of_each.values())


def lines_of_repeats(
    repeats: int,
    model: Callable[[dict[str, Any]], tuple[float, float]],
    objective: Any = OBJECTIVE,
    seeds: int = 1,
) -> list[Evaluation]:
    record, proposed = MemoryRecord(), Listed(xs(*[1, 2] * repeats), ahead=1)
    each = Replication(seeds, seeds)
    controller = Controller(record, proposed, objective, budget=2 * seeds * repeats, replication=each)
    waiting = controller.start()
    while waiting:
        waiting += controller.tell(result_of(waiting.pop(0), model))
    return record.records


@pytest.mark.parametrize(
    ("model", "objective", "seeds"), [(noisy, OBJECTIVE, 1), (deterministic, OBJECTIVE, 1), (noisy, IN_DEVIATIONS, 2)]
)
def test_the_line_of_a_repeat_is_as_long_as_that_of_the_first_one(model: Any, objective: Any, seeds: int) -> None:
    lines = [len(as_text(line)) for line in lines_of_repeats(60, model, objective, seeds)]
    assert max(lines[-20:]) <= max(lines[2:22]) + 40  # of digits


@pytest.mark.parametrize("form", [list, as_earlier])
def test_what_a_point_was_trained_for_before_is_no_training_that_an_evaluation_found(form: Any) -> None:
    lines = lines_of_repeats(3, noisy)
    found = lines[-1].runs[0].model_copy(update={"reused": True})
    lines[-1] = lines[-1].model_copy(update={"runs": [found, *lines[-1].runs[1:]]})
    evaluations = summarise(FROZEN, form(lines)).evaluations
    assert [(one.replicates, one.reused, len(one.own_runs)) for one in evaluations] == [
        (1, 0, 2), (1, 0, 2), (2, 0, 2), (2, 0, 2), (3, 0, 2), (3, 1, 2)
    ]  # fmt: skip


def test_a_line_whose_earlier_one_is_gone_is_damage(tmp_path: Path) -> None:
    lines = lines_of_repeats(3, noisy)
    path = tmp_path / "evaluations.jsonl"
    for without in range(4):
        kept = [line for line in lines if line.evaluation != without]
        path.write_text("".join(f"{as_text(line)}\n" for line in kept))
        with pytest.raises(InputError, match=f"evaluation {without + 2} follows on evaluation {without} of its point"):
            read_records(path)
        with pytest.raises(InputError, match=f"{path}: evaluation {without + 2} follows on"):
            list(each_record(path))
    text = json.loads(as_text(lines[-1])) | {"signed": []}
    path.write_text("".join(f"{as_text(line)}\n" for line in lines[:-1]) + json.dumps(text) + "\n")
    with pytest.raises(InputError, match="signed has 0 numbers, but replicates has 1"):
        read_records(path)


@pytest.mark.parametrize("form", [list, as_earlier])
def test_what_rests_on_a_run_that_is_withdrawn_is_noted_though_its_line_does_not_name_it(form, tmp_path: Path) -> None:
    lines = form(lines_of_repeats(3, noisy))
    folder = ExperimentFolder.create(tmp_path, "try", None, BARE, lines)
    folder.close()
    runs = RunStore(tmp_path)
    runs.make(runs.place("1-1-0"))
    runs.withdraw("1-1-0", "it came out otherwise")
    assert [note.evaluations for note in withdrawals(folder.path)] == [[2, 4]]
