"""LightGBM on real rows: the same rows, split and noise as Uno's, its metrics and flags, its model on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from late import Late, needs
from model_trials import call_script, last

import lgbm
import uno
from comparator.formats.hyperparameters import read_hyperparameters, split_for_submodels
from comparator.model.description import read_description
from comparator.space import ParameterSpace
from drug_response.dataset import DATA_KEYS, Dataset, read_dataset
from drug_response.output import read_model
from drug_response.training import Task, Trained, train

needs("lightgbm")
training = Late("lgbm.training")

MODEL_FOLDER, complete = lgbm.HYPERPARAMETERS.folder, lgbm.HYPERPARAMETERS.complete
SMALL = {"match_studies": ["CCLE", "GDSC1"], "n_estimators": 4, "num_leaves": 7, "gene_count": 40, "row_limit": 400}
SAME_FOR_BOTH = {"match_studies": ["CCLE", "GDSC1"], "gene_count": 40, "row_limit": 400, "rng_seed": 4, "noise": 30}


@pytest.fixture(autouse=True)
def _data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(data_folder))


def script(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    return call_script(MODEL_FOLDER / name, *words)


def asked_of(model: Any, **changes: Any) -> Task:
    """Return what a training of these hyperparameters is given, without training."""
    given: list[Task] = []

    def keep(task: Task) -> Trained:
        given.append(task)
        rows = len(task.validation)
        return Trained({}, np.zeros(rows), 1, {}, lambda part: np.zeros(len(part)), lambda folder: None)

    train(model.HYPERPARAMETERS.complete({**SAME_FOR_BOTH, **changes}), keep)
    return given[0]


def test_rows_split_features_and_noise_are_unos() -> None:
    ours, theirs = asked_of(lgbm), asked_of(uno)
    for side in ("training", "validation"):
        np.testing.assert_array_equal(getattr(ours, side).numbers, getattr(theirs, side).numbers)
        np.testing.assert_array_equal(getattr(ours.labels, side), getattr(theirs.labels, side))
    for one, other in zip(ours.dataset.tables, theirs.dataset.tables, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(ours.labels.training, ours.training.labels)


def test_what_both_models_know_is_described_alike() -> None:
    descriptions, unos = lgbm.HYPERPARAMETERS.descriptions, uno.HYPERPARAMETERS.descriptions
    noise = [key for key in unos if "noise" in key or key.startswith(("wrong_groups", "dropped_genes"))]
    shared = [*DATA_KEYS, *noise, "count_rows", "separate_tests", "loss"]
    assert len(noise) == 16
    assert {key: descriptions[key] for key in shared} == {key: unos[key] for key in shared}
    defaults, unos_defaults = lgbm.initialize_parameters(), uno.initialize_parameters()
    for key in (*shared, "batch_size", "rng_seed"):
        assert defaults[key] == unos_defaults[key]
    ours, theirs = (read_description(model.HYPERPARAMETERS.folder / "model.toml") for model in (lgbm, uno))
    assert set(theirs.metrics) - set(ours.metrics) == {"epochs_done", "weights"}
    assert set(ours.metrics) - set(theirs.metrics) == {"trees"}
    assert all(theirs.metrics[name].kind == metric.kind for name, metric in ours.metrics.items() if name != "trees")


CFG = Path(__file__).parents[3] / "cfg"


@pytest.mark.parametrize("name", ["cmp-models.txt", "cmp-models-graphdrp.txt"])
def test_what_each_model_is_given_is_what_it_takes(name: str) -> None:
    point = ParameterSpace.read(CFG / "models-noise-rows.json").names
    for given in split_for_submodels(read_hyperparameters(CFG / name)):
        folder = CFG / str(given["model_name"])
        if not folder.is_dir():
            pytest.skip(f"{folder.name} is not among the models")
        known = read_description(folder / "model.toml").hyperparameters
        assert {*given, *point} <= set(known)
        assert all(known[key].effect is None for key in {*given, *point} - {"model_name"})


def test_defaults_are_the_improve_benchmarks_and_need_no_lightgbm() -> None:
    defaults = lgbm.initialize_parameters()
    expected = {"n_estimators": 1000, "num_leaves": 31, "max_depth": -1, "learning_rate": 0.1}
    assert {key: defaults[key] for key in expected} == expected and defaults["early_stopping_rounds"] == 50
    assert lgbm.HYPERPARAMETERS.check(defaults) == defaults
    program = "import sys, lgbm; lgbm.initialize_parameters(); print('lightgbm' in sys.modules, 'numpy' in sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_every_metric_is_described_and_the_losses_fall(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = lgbm.run({**SMALL, "match_studies": None, "test_sources": ["GDSC2"], "unknown_key": 1})
    assert set(metrics) <= set(read_description(MODEL_FOLDER / "model.toml").metrics)
    assert len(metrics["val_loss"]) == len(metrics["loss"]) == metrics["trees"] == 4
    assert metrics["loss"] == sorted(metrics["loss"], reverse=True)
    assert metrics["training_rows"] == 400 and metrics["validation_rows"] > 400
    assert last(metrics)["val_loss"] < metrics["val_mean_predictor_loss"]
    variance = metrics["val_label_variance"]
    assert metrics["val_loss_over_variance"] == pytest.approx(metrics["val_loss"][-1] / variance)
    assert metrics["val_loss_over_variance"] == pytest.approx(1 - metrics["val_r2"])
    assert metrics["test_GDSC2_loss"] > 0 and -1 <= metrics["test_GDSC2_corr"] <= 1
    log = capsys.readouterr().out
    assert "split by cell, seed 1" in log and "Tree 4/4" in log


def test_the_seed_counts_only_where_noise_is_drawn() -> None:
    one, other = (last(lgbm.run({**SMALL, "rng_seed": seed})) for seed in (1, 2))
    assert one == other
    noisy, noisier = (last(lgbm.run({**SMALL, "rng_seed": seed, "noise": 30})) for seed in (1, 2))
    assert noisy["val_loss"] != noisier["val_loss"] and noisy["val_loss"] != one["val_loss"]
    assert last(lgbm.run({**SMALL, "rng_seed": 1, "noise": 30})) == noisy


def dataset(folder: Path, **changes: Any) -> Dataset:
    return read_dataset(complete({**SMALL, **changes}), folder)


def test_a_stump_predicts_the_mean_label_of_each_side() -> None:
    changes = {"n_estimators": 1, "num_leaves": 2, "learning_rate": 1.0, "early_stopping_rounds": None}
    task = asked_of(lgbm, **changes)
    predicted = training.fit(task).predict(task.training)
    sides = np.unique(predicted)
    assert len(sides) == 2
    for value in sides:
        assert np.mean(task.labels.training[predicted == value]) == pytest.approx(value, rel=1e-5)


def test_a_training_takes_one_thread() -> None:
    assert training.parameters(complete({"n_jobs": 8}))["num_threads"] == 1


def test_early_stopping_keeps_the_trees_of_the_lowest_loss() -> None:
    changes = {"n_estimators": 60, "learning_rate": 1.0, "noise": 80, "rng_seed": 1}
    stopped = lgbm.run({**SMALL, **changes, "early_stopping_rounds": 5})
    grown = lgbm.run({**SMALL, **changes, "early_stopping_rounds": None})
    assert stopped["trees"] == len(stopped["val_loss"]) < 60 == grown["trees"]
    assert np.argmin(stopped["val_loss"]) == stopped["trees"] - 1
    assert stopped["val_loss"] == pytest.approx(grown["val_loss"][: stopped["trees"]])


def test_unlike_settings_run(capsys: pytest.CaptureFixture[str]) -> None:
    changes = {
        "drug_features": "descriptors fingerprints",
        "no_response_source": False,
        "train_sources": ["CCLE", "GDSC1"],
        "agg_dose": "IC50",
        "loss": "mae",
        "max_depth": 3,
        "max_bin": 15,
        "reg_lambda": 1.0,
        "min_child_samples": 5,
        "noise_validation": True,
        "noise": 10,
        "feature_subsample": 30,
        "cv": 2,
        "timeout": 0,
    }
    metrics = lgbm.run({**SMALL, **changes})
    assert metrics["val_loss"] == metrics["val_mae"] and metrics["trees"] == 1 and metrics["timed_out"] == 1
    log = capsys.readouterr().out
    assert "Fold 2 of 2" in log and "timeout of 0 seconds" in log


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("n_estimators", 0), ("num_leaves", 1), ("learning_rate", 0), ("max_depth", -2), ("max_bin", 1)),
        *(("early_stopping_rounds", 0), ("loss", "huber"), ("min_child_samples", 0), ("reg_lambda", -1)),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_key(key: str, value: Any) -> None:
    with pytest.raises(ValueError) as raised:
        lgbm.run({key: value})
    message = str(raised.value)
    assert message.startswith(f"{key} = ") and "must be" in message and "\n" not in message


@pytest.mark.long
def test_the_scripts_run_by_both_conventions_and_a_warm_process_gives_their_numbers(
    data_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("[Global_Params]\nn_estimators = 4\nnum_leaves = 7\nnoise = 20\n")
    flags = ["--match_studies", "CCLE", "GDSC1", "--gene_count 40", "--row_limit=400", "--rng_seed", "4"]
    trained = script("train.sh", 0, data_folder, tmp_path / "mine.txt", *flags, "--output_dir", tmp_path / "run")
    assert trained.returncode == 0, trained.stderr
    lines = [line for line in trained.stdout.splitlines() if line.startswith("IMPROVE_RESULT ")]
    fresh = {name.rstrip(":"): float(value) for _, name, value in map(str.split, lines)}
    assert lines[-1].startswith("IMPROVE_RESULT val_loss: ") and trained.stdout.splitlines()[-1] == lines[-1]
    lgbm.run({**SMALL, "rng_seed": 9})
    assert last(lgbm.run({**SMALL, "rng_seed": 4, "noise": 20})) == fresh

    scores = json.loads((tmp_path / "run" / "val_scores.json").read_text())
    assert scores["mse"] == fresh["val_loss"]
    words = ("--input_data_dir", data_folder, "--model_dir", tmp_path / "run", "--output_dir", tmp_path / "out")
    inferred = script("infer.sh", *words)
    assert inferred.returncode == 0, inferred.stderr
    predictions = (tmp_path / "out" / "test_y_data_predicted.csv").read_text().splitlines()
    data = dataset(data_folder)
    assert len(predictions) - 1 == len(data.held_out)
    model = read_model(tmp_path / "run")
    part = data.validation
    tables = [features.values(data.source) for features in model.features]
    predicted = training.load(tmp_path / "run", model, data.source, tables)(part)
    assert np.mean((predicted - part.labels) ** 2) == pytest.approx(scores["mse"], rel=1e-5)


@pytest.mark.long
def test_wrong_calls_are_one_line(data_folder: Path, tmp_path: Path) -> None:
    lgbm.run({**SMALL, "n_estimators": 1, "output_dir": str(tmp_path / "run")})
    (tmp_path / "run" / "model.txt").unlink()
    calls = [
        ("train.sh", (0, data_folder, "absent.txt"), "train: config_file = 'absent.txt': no such file"),
        ("infer.sh", (0, data_folder, "--model_dir", tmp_path / "run"), "infer: model_dir = "),
        ("preprocess.sh", (data_folder, "--num_leaves", "1"), "preprocess: num_leaves = 1: must be"),
        ("train.sh", (0,), "usage: train.sh DEVICE DATA_FOLDER"),
    ]
    for name, words, expected in calls:
        refused = script(name, *words)
        assert refused.returncode == 2 and refused.stderr.startswith(expected), refused.stderr
        assert len(refused.stderr.splitlines()) == 1
