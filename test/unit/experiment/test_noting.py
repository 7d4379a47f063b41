"""What is said of the metric while an experiment runs."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from comparator.errors import ComparatorError
from comparator.experiment.noting import Noting
from comparator.objective.comparison import Objective
from comparator.results.requests import Result

CHECKED = Result.model_validate(
    {
        "evaluation": 0,
        "status": "ok",
        "runs": [{"submodel": 0, "replicate": 0, "status": "ok", "metrics": {"throughput": 0.1}}],
    }
)


def noting_of(objective: Objective, upf: list[Any] | None = None) -> tuple[Noting, io.StringIO]:
    said = io.StringIO()
    host: Any = SimpleNamespace(console=Console(file=said, width=200), experiments=Path())
    plan: Any = SimpleNamespace(
        objective=objective, frozen=SimpleNamespace(kind="single", models=["one"], labels=["one"], upf=upf)
    )
    folder: Any = SimpleNamespace(records=[])
    return Noting(host, plan, folder), said


def test_a_slip_of_what_the_first_training_reports_ends_the_search() -> None:
    noting, _ = noting_of(Objective("throughputt", None))
    with pytest.raises(ComparatorError, match=r"did not report throughputt; it reported throughput.*nothing more"):
        noting.metric([CHECKED])


@pytest.mark.parametrize(
    ("described", "upf"), [({"throughputt", "throughput"}, None), (set[str](), [("a", {"noise": 1})])]
)
def test_a_metric_that_the_model_describes_is_no_slip_and_lines_are_all_trained(described: set[str], upf: Any) -> None:
    noting, said = noting_of(Objective("throughputt", None, described=described), upf)
    noting.metric([CHECKED])
    noting.metric([CHECKED])
    assert said.getvalue().count("note: the model did not report throughputt") == 1
