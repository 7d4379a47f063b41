"""Scores that are computed from a table of predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparator.model.reported import reported_results
from comparator.model.training import Training
from comparator.tables.predictions import read_predictions


def scores_of(path: Path) -> dict[str, float | None]:
    predictions = read_predictions(path)
    return {} if predictions is None else predictions.scores


def test_scores_are_those_of_the_pairs_of_truth_and_prediction(tmp_path: Path) -> None:
    path = tmp_path / "val_y_data_predicted.csv"
    path.write_text("improve_sample_id,auc,auc_true,auc_pred\na,0,0.1,0.2\nb,0,0.4,0.4\nc,0,0.9,0.6\nd,0,,0.5\n")
    truth, predicted = np.array([0.1, 0.4, 0.9]), np.array([0.2, 0.4, 0.6])
    found = scores_of(path)
    assert found["mse"] == pytest.approx(np.mean((truth - predicted) ** 2))
    assert found["r2"] == pytest.approx(1 - np.mean((truth - predicted) ** 2) / np.var(truth))
    assert found["pcc"] == pytest.approx(np.corrcoef(truth, predicted)[0, 1])
    assert found["scc"] == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "auc_true,auc\n1,2\n", "auc_true,auc_pred\n", "\0"])
def test_what_is_no_table_of_predictions_has_no_scores(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.csv").write_text(text)
    assert scores_of(tmp_path / "table.csv") == {}
    assert scores_of(tmp_path / "absent.csv") == {}


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(st.floats(), st.floats()), max_size=6))
def test_no_score_is_infinite(rows: list[tuple[float, float]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_text("y_true,y_pred\n" + "".join(f"{one},{other}\n" for one, other in rows))
    assert all(value is None or np.isfinite(value) for value in scores_of(path).values())


def test_predictions_tell_the_scores_where_nothing_else_does(tmp_path: Path) -> None:
    log = tmp_path / "model.log"
    log.write_text("")
    (tmp_path / "val_y_data_predicted.csv").write_text("auc_true,auc_pred\n0.5,0.4\n0.7,0.8\n")
    (tmp_path / "test_scores.json").write_text('{"mse": 0.3}')
    training = Training({}, tmp_path, log, "val_loss")
    assert reported_results(training, tmp_path).metrics["val_loss"] == pytest.approx(0.01)
    assert "test_loss" not in reported_results(training, tmp_path).metrics
    assert reported_results(training, tmp_path, is_tested=True).metrics["test_loss"] == 0.3
    (tmp_path / "val_scores.json").write_text('{"mse": 0.2}')
    assert reported_results(training, tmp_path).metrics == {"val_loss": 0.2}
