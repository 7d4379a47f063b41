"""What two models' runs tell of whether they were trained and judged alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import make_experiment, make_record

from comparator.findings.like_for_like import LikeForLike, like_for_like
from comparator.report.likeness import box_of, in_a_line
from comparator.results.form import of_form
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation, Run
from comparator.tables.predictions import FILE, Predictions, predictions_of, read_predictions

Metrics = dict[str, float]
ALIKE: Metrics = {"training_rows": 400, "validation_rows": 100, "val_label_mean": 0.7, "val_label_variance": 0.03}


def found_in(
    *points: tuple[dict[str, Any], Metrics, Metrics], written: dict[int, Predictions] | None = None, **changes: Any
) -> LikeForLike:
    """What is found in evaluations of one block; `written` has each submodel's predictions."""
    records = [
        of_form(Evaluation, make_record(number, point, (first, second)), "test")
        for number, (point, first, second) in enumerate(points)
    ]
    experiment = of_form(FrozenExperiment, make_experiment(**changes), "test")

    def predicted(run: Run) -> Predictions | None:
        return (written or {}).get(run.submodel)

    return like_for_like(experiment, records, predicted)


def line(found: LikeForLike) -> str:
    return in_a_line(found, ("HiDRA", "Uno"))


def test_two_models_on_the_same_rows_are_alike() -> None:
    point = {"noise": 1.0}
    found = found_in((point, {"val_loss": 0.1, **ALIKE}, {"val_loss": 0.2, **ALIKE}))
    assert found.is_alike and found.effects == ()
    assert line(found).startswith("like for like, as far as they tell: training rows 400, validation rows 100,")


def test_rows_and_labels_that_differ_are_named_with_both_values() -> None:
    fewer = {**ALIKE, "validation_rows": 64, "val_label_variance": 0.031}
    found = found_in(({"noise": 1.0}, {"val_loss": 0.1, **ALIKE}, {"val_loss": 0.2, **fewer}))
    assert not found.is_alike
    assert line(found) == (
        "not like for like: validation rows 100 of HiDRA, 64 of Uno; "
        "variance of the validation labels 0.03 of HiDRA, 0.031 of Uno"
    )


def test_labels_told_with_few_digits_are_the_same() -> None:
    rounded = {**ALIKE, "val_label_mean": 0.70003}
    assert found_in(({"noise": 1.0}, {"val_loss": 0.1, **ALIKE}, {"val_loss": 0.2, **rounded})).is_alike


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e6])
def test_whether_labels_and_metrics_are_alike_does_not_depend_on_their_unit(unit: float) -> None:
    """Concentrations of a few nanomolar, in mol/l, were all alike, and any metric followed from them."""
    labels = {"val_label_mean": 0.7 * unit, "val_label_variance": 0.03 * unit**2}
    others = {"val_label_mean": 0.7 * unit, "val_label_variance": 0.031 * unit**2}
    true = unit * np.linspace(0.4, 1.0, 50)
    written = {number: predictions_of(true, true + 0.1 * unit) for number in (0, 1)}
    loss = 0.01 * unit**2
    point = {"noise": 1.0}
    alike = found_in((point, {"val_loss": loss, **labels}, {"val_loss": loss, **labels}), written=written)
    assert alike.is_alike and all(each is not None and each.follows for each in alike.recomputed)
    unlike = found_in((point, {"val_loss": loss, **labels}, {"val_loss": 1.1 * loss, **others}), written=written)
    assert [fact.what for fact in unlike.unlike_facts] == ["variance of the validation labels"]
    assert [number for number, _ in unlike.unfounded] == [1]


def test_means_of_standardised_labels_differ_by_rounding_alone() -> None:
    first = {**ALIKE, "val_label_mean": 3e-8, "val_label_variance": 1.0}
    found = found_in(({"noise": 1.0}, {"val_loss": 0.1, **first}, {"val_loss": 0.2, **first, "val_label_mean": -5e-8}))
    assert found.is_alike


def test_the_last_batch_of_a_network_makes_no_difference_in_training_but_in_validation() -> None:
    first, second = {**ALIKE, "training_rows": 6784.0}, {**ALIKE, "training_rows": 6789.0, "validation_rows": 101.0}
    found = found_in(({"noise": 1.0}, {"val_loss": 0.1, **first}, {"val_loss": 0.2, **second}))
    assert line(found) == "not like for like: validation rows 100 of HiDRA, 101 of Uno"


def test_rows_that_differ_at_some_points_alone_are_found_there() -> None:
    fewer = {**ALIKE, "training_rows": 300}
    found = found_in(
        ({"noise": 1.0}, {"val_loss": 0.1, **ALIKE}, {"val_loss": 0.2, **ALIKE}),
        ({"noise": 2.0}, {"val_loss": 0.1, **ALIKE}, {"val_loss": 0.3, **fewer}),
    )
    assert "training rows 400 of HiDRA, 300 of Uno (in 1 of 2 pairs)" in line(found)


def test_what_one_model_does_not_report_is_read_off_its_predictions() -> None:
    true = np.array([0.5, 0.7, 0.9, 0.7])
    stranger = predictions_of(true, true + 0.1)
    told = {
        **ALIKE,
        "validation_rows": 3,
        "val_label_mean": float(true.mean()),
        "val_label_variance": float(true.var()),
    }
    point = {"noise": 1.0}
    found = found_in((point, {"val_loss": 0.01}, {"val_loss": 0.2, **told}), written={0: stranger})
    assert line(found) == "not like for like: validation rows 4 of HiDRA, 3 of Uno"
    facts = {fact.what: fact.values for fact in found.facts}
    assert facts["training rows"] == (None, 400)


@pytest.mark.parametrize(("reported", "follows"), [(0.01, True), (0.1, True), (0.0081, False)])
def test_a_metric_follows_from_the_written_predictions_or_does_not(reported: float, follows: bool) -> None:
    """A loss may be any of the errors: here the squared or the absolute one."""
    true = np.linspace(0, 1, 50)
    written = {0: predictions_of(true, true + 0.1)}
    found = found_in(({"noise": 1.0}, {"val_loss": reported}, {"val_loss": 0.2}), written=written)
    assert found.is_alike is follows and found.recomputed[1] is None
    if not follows:
        assert line(found).endswith("val_loss 0.0081 of HiDRA is not that of its written predictions, 0.01")


def test_an_infinite_label_makes_equal_rows_no_different() -> None:
    written = predictions_of(np.array([np.inf, 1.0]), np.array([1.0, 1.0]))
    found = found_in(({"noise": 1.0}, {"val_loss": 0.1}, {"val_loss": 0.2}), written={0: written, 1: written})
    assert found.is_alike and line(found) == "like for like, as far as they tell: validation rows 2"


def test_a_hyperparameter_that_one_model_ignores_is_found_by_runs_that_differ_in_it_alone() -> None:
    """The learning rate of a network that warms up changes nothing in its first epochs."""
    found = found_in(
        ({"learning_rate": 0.00037, "noise": 1.0}, {"val_loss": 0.11}, {"val_loss": 0.1847}),
        ({"learning_rate": 0.0047, "noise": 1.0}, {"val_loss": 0.09}, {"val_loss": 0.1847}),
        ({"learning_rate": 0.0047, "noise": 9.0}, {"val_loss": 0.12}, {"val_loss": 0.2}),
    )
    effects = {effect.hyperparameter: effect.changes for effect in found.effects}
    assert effects == {"learning_rate": (True, False), "noise": (True, True)} and not found.is_alike
    assert line(found) == (
        "not like for like: learning_rate changes HiDRA alone; Uno gave the same number at 0.00037 and 0.0047"
    )


def test_many_values_at_which_a_model_stays_the_same_are_a_range() -> None:
    found = found_in(*(({"rate": rate}, {"val_loss": rate}, {"val_loss": 0.2}) for rate in (0.4, 0.1, 0.2, 0.3, 0.5)))
    assert line(found).endswith("Uno gave the same number at 5 values from 0.1 to 0.5")


def test_a_hyperparameter_that_changes_neither_is_said_and_makes_nothing_unlike() -> None:
    found = found_in(
        ({"depth": 1}, {"val_loss": 0.1}, {"val_loss": 0.2}),
        ({"depth": 2}, {"val_loss": 0.1}, {"val_loss": 0.2}),
    )
    assert found.is_alike and "depth changed neither" in line(found)
    box = box_of(found, ("HiDRA", "Uno"))
    assert box is not None and box.rows == [("changes with depth", ["no", "no"], False)]


def test_a_hyperparameter_of_one_model_alone_is_not_held_against_it() -> None:
    found = found_in(
        ({"cmp_1_depth": 1}, {"val_loss": 0.1}, {"val_loss": 0.2}),
        ({"cmp_1_depth": 2}, {"val_loss": 0.1}, {"val_loss": 0.3}),
    )
    assert found.is_alike and found.effects == ()


def test_runs_of_other_seeds_tell_nothing_of_a_hyperparameter() -> None:
    one = make_record(0, {"depth": 1}, ({"val_loss": 0.1}, {"val_loss": 0.2}))
    other = make_record(1, {"depth": 2}, ({"val_loss": 0.3}, {"val_loss": 0.4}))
    for run in other["runs"]:
        run["seed"] = 2
    records = [of_form(Evaluation, each, "test") for each in (one, other)]
    experiment = of_form(FrozenExperiment, make_experiment(), "test")
    assert like_for_like(experiment, records, lambda run: None).effects == ()


def test_points_that_were_tried_beside_the_search_tell_too() -> None:
    probe = make_record(0, {"noise": 5.0}, ({"val_loss": 0.3}, {"val_loss": 0.2}))
    found = found_in(
        ({"noise": 1.0}, {"val_loss": 0.1}, {"val_loss": 0.2}),
        stages={"pilot": [{"noise": 1.0}], "probes": [{"noise": 5.0}]},
        probes=[{"evaluation": -2, "status": "ok", "runs": probe["runs"]}],
    )
    assert [effect.changes for effect in found.effects] == [(True, False)]


def test_the_box_shows_what_each_model_tells_and_marks_what_differs() -> None:
    found = found_in(({"noise": 1.0}, {"val_loss": 0.1, **ALIKE}, {"val_loss": 0.2, "training_rows": 30.0}))
    box = box_of(found, ("HiDRA", "Uno"))
    assert box is not None and box.unlike and not box.more
    assert ("training rows", ["400", "30"], True) in box.rows
    assert ("validation rows", ["100", "not told"], False) in box.rows
    assert box.note == "The numbers are those of one pair of trainings."
    assert box_of(found_in(({"noise": 1.0}, {"val_loss": 0.1}, {"val_loss": 0.2})), ("HiDRA", "Uno")) is None


def test_predictions_are_read_as_improves_tools_write_them(tmp_path: Path) -> None:
    rows = ["improve_sample_id,improve_chem_id,auc_true,auc_pred", "A,D,0.5,0.6", "B,D,0.7,0.6", "C,D,0.9,1.0"]
    (tmp_path / FILE).write_text("\n".join(rows) + "\n")
    read = read_predictions(tmp_path / FILE)
    assert read is not None and read.rows == 3
    assert read.label_mean == pytest.approx(0.7) and read.scores["mse"] == pytest.approx(0.01)
    assert read.scores["r2"] == pytest.approx(1 - 0.01 / read.label_variance) and read.scores["scc"] > 0.8


@pytest.mark.parametrize("content", ["", "id,other\nA,1\n", "auc_true,auc_pred\nx,1\n", "auc_true,auc_pred\n"])
def test_predictions_that_cannot_be_read_tell_nothing(tmp_path: Path, content: str) -> None:
    assert read_predictions(tmp_path / FILE) is None
    (tmp_path / FILE).write_text(content)
    assert read_predictions(tmp_path / FILE) is None
