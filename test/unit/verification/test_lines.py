"""Lines that follow on each other: what is wrong with them, wherever the replicates of a value stand."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repeats import FROZEN, IN_DEVIATIONS, SEARCHES, as_earlier, carried_out
from test_controller import OBJECTIVE

from comparator.results.frozen import Imported
from comparator.results.record import Evaluation
from comparator.results.run_store import RunStore
from comparator.strategies.replication import Replication
from comparator.verification.record import check_record

#: So that no run is looked for in the store.
IMPORTED = FROZEN.model_copy(update={"imported": Imported()})


def faults(lines: list[Evaluation], objective: Any = OBJECTIVE) -> list[str]:
    found = check_record(IMPORTED, lines, RunStore(Path("nowhere")), objective, is_finished=False)
    return [str(each) for each in found]


@given(SEARCHES, st.randoms(use_true_random=False), st.sampled_from([OBJECTIVE, IN_DEVIATIONS]))
def test_a_record_that_is_right_has_no_fault_in_either_form(asked: dict[str, Any], draw: Any, objective: Any) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    assert faults(lines, objective) == []
    assert faults(as_earlier(lines, objective), objective) == []


@given(
    SEARCHES,
    st.randoms(use_true_random=False),
    st.sampled_from([OBJECTIVE, IN_DEVIATIONS]),
    st.lists(st.integers(0, 14)),
)
def test_a_record_that_is_gone_on_with_is_as_right(
    asked: dict[str, Any], draw: Any, objective: Any, stops: list[int]
) -> None:
    lines = carried_out(**asked, draw=draw, objective=objective)
    for until in stops[:3]:  # the lines of a pilot are written at once
        begun = lines[: max(until, len(asked["pilot"]))]
        lines = carried_out(**asked, draw=draw, objective=objective, begun=begun)
    assert faults(lines, objective) == []


def _metrics(line: Evaluation) -> dict[str, Any]:
    run = line.runs[0].model_copy(update={"metrics": {"val_loss": 9.0}})
    return {"runs": [run, *line.runs[1:]]}


def _earlier_ones_too(line: Evaluation) -> dict[str, Any]:
    return {"replicates": [0, *line.replicates], "signed": [0.5, *line.signed], "blocks": [0, *line.blocks]}


EDITS: dict[str, tuple[int, Callable[[Evaluation], dict[str, Any]], list[int]]] = {
    # which line is changed, how, and which lines are wrong then
    "a metric": (1, _metrics, [1, 2, 3, 4]),
    "value": (2, lambda line: {"value": line.value + 0.001}, [2]),
    "deviation": (3, lambda line: {"deviation": line.deviation + 0.001}, [3]),
    "signed": (1, lambda line: {"signed": [0.1]}, [1]),
    "a replicate of an earlier line": (2, _earlier_ones_too, [2]),
    "another replicate": (2, lambda line: {"replicates": [7]}, [2]),
    "not the latest": (3, lambda line: {"after": 0}, [3]),
    "nothing before it": (3, lambda line: {"after": None}, [3, 4]),
    "its runs are left out": (2, lambda line: {"runs": [], "replicates": [], "signed": [], "blocks": []}, [2, 3, 4]),
}


@pytest.mark.parametrize("what", EDITS)
def test_what_is_wrong_in_a_line_is_named(what: str) -> None:
    asked = {"points": [1] * 5, "ahead": 1, "replication": Replication(), "budget": 5}
    lines = carried_out(**asked, draw=_AllWell())
    assert [line.after for line in lines] == [None, 0, 1, 2, 3] and faults(lines) == []
    number, change, wrong = EDITS[what]
    lines[number] = lines[number].model_copy(update=change(lines[number]))
    found = faults(lines)
    assert sorted({int(each.split()[1].rstrip(":,")) for each in found}) == wrong, found


class _AllWell(random.Random):
    """Of statuses to choose from the first."""

    def choices(self, population: Any, *weights: Any, **others: Any) -> Any:
        return list(population)[:1]
