"""Equation 1 and its relatives, with their edges."""

import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.objective.comparison import Objective, submodel_hyperparameters, with_labels
from comparator.objective.differences import (
    DIFFERENCES,
    NoValue,
    check_suits,
    distance,
    find_difference,
    relative,
    signed_difference,
    usual_difference,
)
from comparator.objective.metrics import misspelt_metric
from comparator.results.frozen import MetricDescription
from comparator.results.record import Run

positive = st.floats(1e-9, 1e9)


@given(positive, positive)
def test_relative_is_equation_one(first: float, second: float) -> None:
    assert relative(first, second) == abs((second - first) / max(first, second))
    assert 0 <= relative(first, second) <= 1


@given(positive, positive)
def test_exchanging_the_models_changes_only_the_sign_of_signed(first: float, second: float) -> None:
    for name, function in DIFFERENCES.items():
        turned = function(second, first)
        expected = -turned if name == "signed" else turned
        assert function(first, second) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "first", "second", "expected"),
    [
        ("relative", 0.0, 0.0, 0.0),
        ("relative", 0.0, 0.5, 1.0),
        ("relative", -0.1, 0.5, None),
        ("relative", 0.3, -0.01, None),
        ("relative", -0.2, -0.1, None),
        ("relative", -0.2, 0.0, None),
        ("signed", 0.0, 0.5, 1.0),
        ("signed", 0.5, 0.0, -1.0),
        ("signed", 0.3, -0.01, None),
        ("absolute", -0.2, -0.1, 0.1),
        ("log_ratio", 1.0, math.e, 1.0),
        ("log_ratio", 0.0, 1.0, None),
        ("log_ratio", -0.1, 1.0, None),
    ],
)
def test_edges(name: str, first: float, second: float, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(NoValue, match="absolute"):
            distance(DIFFERENCES[name], first, second)
    else:
        assert distance(DIFFERENCES[name], first, second) == pytest.approx(expected)


DESCRIBED = {
    "loss": MetricDescription(kind="error"),
    "likelihood": MetricDescription(kind="error", lowest=-math.pi),
    "val_r2": MetricDescription(kind="score"),
    "hits": MetricDescription(kind="score", lowest=0),
}


@pytest.mark.parametrize(
    ("metric", "usual"),
    [
        ("loss", "relative"),
        ("likelihood", "absolute"),
        ("val_r2", "absolute"),
        ("hits", "absolute"),
        ("of nobody's", "relative"),
        ("val_corr", "absolute"),  # nobody describes it either, but its name tells
    ],
)
def test_an_error_is_compared_by_equation_one_and_a_score_in_its_own_units(metric: str, usual: str) -> None:
    assert usual_difference(metric, DESCRIBED) == usual
    check_suits(usual, metric, DESCRIBED, "x")


def test_a_relative_difference_of_what_may_be_negative_is_refused() -> None:
    for name in ("relative", "signed", "log_ratio"):
        for metric in ("val_r2", "likelihood"):
            with pytest.raises(InputError, match=f"^x = '{name}': {metric} .*negative.*write 'absolute'.*lowest = 0"):
                check_suits(name, metric, DESCRIBED, "x")
        for metric in ("loss", "hits", "of nobody's", "val_corr"):
            check_suits(name, metric, DESCRIBED, "x")
    for name in ("absolute", "in_deviations", "mine:own"):
        check_suits(name, "val_r2", DESCRIBED, "x")


def test_a_difference_of_the_users_own(tmp_path) -> None:
    (tmp_path / "my_difference.py").write_text("def squared(a, b):\n    return (a - b) ** 2\n")
    try:
        assert find_difference("my_difference:squared", tmp_path, "cfg")(1.0, 3.0) == 4.0
        with pytest.raises(InputError, match="no function 'cubed'"):
            find_difference("my_difference:cubed", tmp_path, "cfg")
    finally:
        sys.path.remove(str(tmp_path))
    with pytest.raises(InputError, match="did you mean 'relative'"):
        find_difference("relativ", tmp_path, "cfg")
    with pytest.raises(InputError, match="no_such_module"):
        find_difference("no_such_module:x", tmp_path, "cfg")


def run(number: int, **fields: Any) -> Run:
    return Run.model_validate({"submodel": number, "replicate": 0, "status": "ok", "metrics": {}, **fields})


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (
            run(1, metrics={"r2": 0.3, "rmse": 0.1, "seconds": 3.0, "mae": None}),
            "submodel 1 did not report val_loss; it reported r2, rmse, seconds: --set cmp.metric=rmse",
        ),
        (run(1, metrics={"r2": None}), "submodel 1 did not report val_loss; it reported no finite number"),
        (run(1), "submodel 1 did not report val_loss; it reported nothing"),
        (run(1, metrics={"val_loss": None}), "submodel 1 reported a val_loss that is not finite"),
        (run(1, status="failed", reason="ValueError: no"), "submodel 1: ValueError: no"),
    ],
)
def test_an_objective_without_a_value_says_why(second: Run, words: str) -> None:
    objective = Objective("val_loss", DIFFERENCES["relative"])
    with pytest.raises(NoValue, match=words):
        objective([run(0, metrics={"val_loss": 0.2}), second])


@pytest.mark.parametrize(
    ("metric", "described", "words"),
    [
        ("val_loss", (), "it reported r2, rmse: --set metric=rmse"),
        ("val_r2", (), "it reported r2, rmse: --set metric=r2"),
        ("val_loss", ("val_loss", "r2"), "it reported r2, rmse: --set metric=r2"),
        ("rmsee", (), "it reported r2, rmse: --set metric=rmse"),
        ("val_loss", ("val_loss",), "it reported r2, rmse, of which the model describes none"),
    ],
)
def test_a_metric_that_is_missing_comes_with_one_that_can_be_asked_for(metric, described, words) -> None:
    objective = Objective(metric, None, described=described)
    with pytest.raises(NoValue, match=f"the model did not report {metric}; {words}$"):
        objective([run(0, metrics={"r2": 0.3, "rmse": 0.1})])


@pytest.mark.parametrize(
    ("metric", "reported", "meant"),
    [
        ("val_los", ["val_loss", "val_r2"], "val_loss"),
        ("vall_loss", ["val_loss"], "val_loss"),
        ("rmes", ["rmse"], "rmse"),
        ("val_mae", ["val_mse"], None),  # a training with another loss may report it
        ("val_loss", ["loss"], None),
        ("top_1", ["top_5"], None),
        ("loss_a", ["loss_b"], None),
        ("f1_macro", ["f1_micro"], None),  # what a training reports may depend on what it has to predict
        ("val_mcc", ["val_acc"], None),
        ("quality", ["val_loss"], None),
    ],
)
def test_a_misspelt_metric_is_one_that_no_training_has(metric: str, reported: list[str], meant: str | None) -> None:
    assert misspelt_metric(metric, reported) == meant


def test_people_read_a_reason_with_the_models_names() -> None:
    labels = ("Uno", "GraphDRP 2")
    assert with_labels("submodel 1: no such submodel 0", labels) == "GraphDRP 2: no such submodel 0"
    told = "replicate 0: submodel 0 did not report r2; replicate 3: submodel 1: timeout"
    assert with_labels(told, labels) == "replicate 0: Uno did not report r2; replicate 3: GraphDRP 2: timeout"
    assert with_labels("the model: timeout", ("Uno",)) == "the model: timeout"


def test_an_evaluation_that_never_ran_has_no_value() -> None:
    with pytest.raises(NoValue, match="no run"):
        Objective("val_loss", DIFFERENCES["relative"])([])


def test_a_single_model_is_minimised_or_maximised_by_its_metric() -> None:
    runs = [run(0, metrics={"val_r2": 0.4})]
    assert Objective("val_r2", None, maximise=True)(runs) == -0.4
    assert Objective("val_r2", None, maximise=False)(runs) == 0.4


def test_what_the_submodels_are_given() -> None:
    given = {
        "model_name": "cmp",
        "cmp_model_name": "uno",
        "cmp_0_side": "left",
        "cmp_side": "right",
        "noise": 1,
    }
    assert submodel_hyperparameters(given, {"noise": 5}, compares=True) == [
        {"side": "left", "noise": 5},
        {"side": "right", "noise": 5},
    ]
    assert submodel_hyperparameters({"model_name": "x", "noise": 1}, {}, compares=False) == [{"noise": 1}]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_metrics_that_are_equal_but_for_rounding_are_equal(name: str) -> None:
    difference = DIFFERENCES[name]
    assert signed_difference(difference, 0.3, 0.3 * (1 - 2e-16)) == 0
    assert signed_difference(difference, 0.1 + 0.2, 0.3) == 0
    assert signed_difference(difference, 0.3, 0.3 * (1 + 1e-6)) > 0


def test_a_number_out_of_range_is_no_result() -> None:
    objective = Objective("val_loss", DIFFERENCES["absolute"])
    with pytest.raises(NoValue, match=r"submodel 1 reported a val_loss that is .* out of range: beyond 1e\+100"):
        objective([run(0, metrics={"val_loss": 0.2}), run(1, metrics={"val_loss": 1e300})])
    assert objective([run(0, metrics={"val_loss": 0.0}), run(1, metrics={"val_loss": 1e100})]) == -1e100
    with pytest.raises(NoValue, match=r"is 2e\+100, out of range"):
        objective([run(0, metrics={"val_loss": -1e100}), run(1, metrics={"val_loss": 1e100})])
