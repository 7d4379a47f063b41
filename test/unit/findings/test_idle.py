"""Where nothing that was varied changes a model, that is said, and not that more evaluations would show more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorded import make_experiment, make_record, save

from comparator.experiment.listing import experiment_rows
from comparator.findings.idle import FEWEST, changes_nothing
from comparator.report import write_report
from comparator.results.form import of_form
from comparator.results.record import Evaluation

NAMES = ["noise", "layer_force"]


def lines_of(count: int, losses: tuple[float, ...] = (0.3, 0.2), blocks: int = 1) -> list[dict[str, Any]]:
    """Evaluations of models that give the same everywhere, but for what each of the `blocks` adds to it."""
    lines = []
    for number in range(count):
        luck = 0.01 * (number % blocks)
        line = make_record(
            number,
            {"noise": 4.0 * number, "layer_force": 25 + number},
            tuple({"val_loss": loss + luck} for loss in losses),
        )
        for run in line["runs"]:
            run["block"] = number % blocks
        lines.append(line)
    return lines


def read(lines: list[dict[str, Any]]) -> list[Evaluation]:
    return [of_form(Evaluation, line, "a line") for line in lines]


def test_models_that_give_one_number_for_a_seed_are_changed_by_nothing() -> None:
    assert changes_nothing(read(lines_of(12)), "val_loss", NAMES, 2)
    assert changes_nothing(read(lines_of(16, blocks=2)), "val_loss", NAMES, 2)


def test_one_number_that_is_another_is_a_change() -> None:
    lines = lines_of(12)
    lines[7]["runs"][1]["metrics"]["val_loss"] += 1e-12
    assert not changes_nothing(read(lines), "val_loss", NAMES, 2)


def test_a_metric_that_is_no_number_says_nothing() -> None:
    lines = lines_of(12)
    for line in lines[4:]:
        line["runs"][0]["metrics"]["val_loss"] = None
    assert not changes_nothing(read(lines), "val_loss", NAMES, 2)


def test_another_metric_that_is_changed_is_a_change() -> None:
    lines = lines_of(12)
    for line in lines:
        for run in line["runs"]:
            run["metrics"]["val_r2"] = 0.1 * line["evaluation"]
    assert not changes_nothing(read(lines), "val_loss", NAMES, 2)


def test_too_little_says_nothing() -> None:
    assert not changes_nothing(read(lines_of(FEWEST - 1)), "val_loss", NAMES, 2)
    assert not changes_nothing(read(lines_of(12, blocks=12)), "val_loss", NAMES, 2), "no two points have one seed"
    assert not changes_nothing(read(lines_of(12)), "val_loss", [*NAMES, "epochs"], 2), "epochs was not varied"
    assert not changes_nothing(read(lines_of(12)), "val_loss", [], 2)


@pytest.mark.parametrize(
    ("losses", "answer"),
    [
        ((0.3, 0.2), "The val_loss of GDSC1 is on average 33 % below that of CCLE; "),
        ((0.3, 0.3), "CCLE and GDSC1 show no difference in val_loss; "),
    ],
)
def test_a_report_says_so_and_asks_for_no_more_evaluations(
    losses: tuple[float, ...], answer: str, tmp_path: Path
) -> None:
    folder = save(tmp_path / "idle-1", make_experiment(id="idle-1"), lines_of(12, losses))
    found = json.loads(write_report(folder).with_suffix(".json").read_text())
    both = "noise and layer_force change neither model"
    assert found["answer"][0] == f"{answer}{both}: each gave one val_loss for a seed at all 12 points."
    assert found["next"]["words"].startswith(f"Vary something else: {both}; ") and not found["next"]["command"]
    assert experiment_rows(tmp_path)[0]["verdict"] == "what is varied changes nothing"


def test_so_does_that_of_a_single_model(tmp_path: Path) -> None:
    models = make_experiment()["models"][:1]
    experiment = make_experiment(
        id="idle-1", kind="single", models=models, objective={"name": "val_loss", "symbol": "V", "maximise": False}
    )
    folder = save(tmp_path / "idle-1", experiment, lines_of(12, (0.3,)))
    found = json.loads(write_report(folder).with_suffix(".json").read_text())
    said = "noise and layer_force do not change the model"
    assert found["answer"] == [
        f"{said}: it gave one val_loss for a seed at all 12 points, so that there is nothing to search."
    ]
    assert found["next"]["words"].startswith(f"Vary something else: {said}; ")
