"""Uno's hyperparameters: one source of truth, one line for a wrong value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import uno
from comparator.model.description import read_description
from uno import HYPERPARAMETERS

MODEL_FOLDER = HYPERPARAMETERS.folder
check, complete, given_values = HYPERPARAMETERS.check, HYPERPARAMETERS.complete, HYPERPARAMETERS.given_values


def test_the_description_is_read_by_the_comparator_and_lists_every_hyperparameter() -> None:
    description = read_description(MODEL_FOLDER / "model.toml")
    assert set(description.hyperparameters) == set(uno.initialize_parameters())
    assert description.seed == "rng_seed" and description.seed in description.hyperparameters
    assert all("\n" not in entry.description and entry.description for entry in description.hyperparameters.values())


def test_defaults_are_those_of_the_auc_file() -> None:
    defaults = uno.initialize_parameters()
    expected = {"learning_rate": 1e-4, "dense": [1000] * 5, "optimizer": "adamax", "warmup_lr": True, "rng_seed": 2018}
    assert {key: defaults[key] for key in expected} == expected
    assert check(defaults) == defaults


def test_the_defaults_need_no_tensorflow() -> None:
    program = "import sys, uno; uno.initialize_parameters(); print('tensorflow' in sys.modules, 'numpy' in sys.modules)"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("dropout", 1.5), ("dropout", -0.1), ("epochs", 0), ("epochs", None), ("epochs", "many"), ("epochs", 1.5)),
        *(("optimizer", "adamx"), ("layer_force", 0), ("noise", -1), ("noise", float("nan")), ("batch_size", True)),
        *(("dense", [100, 0]), ("dense", []), ("dense", "[100, 'x']"), ("drug_features", ["descriptor"])),
        *(("split", "cells"), ("val_split", 1.0), ("single", False), ("learning_rate", 0), ("rng_seed", -1)),
        *(("train_bool", False), ("loss", "huber"), ("lr_decay", "perhaps"), ("cv", 0), ("epochs", 1e400)),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_key(key: str, value: Any) -> None:
    with pytest.raises(ValueError) as raised:
        uno.run({key: value})
    message = str(raised.value)
    assert message.startswith(f"{key} = ") and "must be" in message and "\n" not in message


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        *(("epochs", "3", 3), ("epochs", 3.0, 3), ("learning_rate", "1e-3", 1e-3), ("lr_decay", "True", True)),
        *(("dense", "500 500", [500, 500]), ("dense", "[500, 500]", [500, 500]), ("dense", 500, [500])),
        *(("train_sources", "CCLE", ["CCLE"]), ("train_sources", "['CCLE']", ["CCLE"])),
        *(("train_sources", "[CCLE, GDSC1]", ["CCLE", "GDSC1"]), ("layer_force", "None", None)),
        *(("out_act", object, object), ("noise", 25, 25.0)),
    ],
)
def test_values_are_taken_as_users_write_them(key: str, given: Any, meant: Any) -> None:
    assert check({key: given}) == {key: meant}


def test_unknown_names_are_left_out() -> None:
    assert check({"solr_root": "x", "epochs": 2}) == {"epochs": 2}


def test_a_file_stands_between_defaults_and_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.txt").write_text("[Global_Params]\nepochs = 7\ndropout = 0.3\nout_act = 'softmax'\n")
    monkeypatch.setenv("CANDLE_DATA_DIR", str(tmp_path))
    given = {**uno.initialize_parameters(), "config_file": "/candle_data_dir/mine.txt", "dropout": 0.2}
    settings = complete(given_values(given))
    assert (settings["epochs"], settings["dropout"], settings["batch_size"]) == (7, 0.2, 32)
    with pytest.raises(ValueError, match=r"config_file = 'other\.txt': no such file"):
        complete({"config_file": "other.txt"})
    (tmp_path / "mine.txt").write_text("[Global_Params]\nepochs = 11\n")
    assert complete(given_values(given))["epochs"] == 11, "a file that has changed is read again"


def test_a_file_may_write_names_in_any_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.txt").write_text("[Global_Params]\nEPOCHS = 7\n")
    (tmp_path / "uno_auc_model.txt").write_text("[Global_Params]\nBatch_Size = 64\n")
    monkeypatch.setenv("CANDLE_DATA_DIR", str(tmp_path))
    settings = complete({"config_file": "mine.txt"})
    assert (settings["epochs"], settings["batch_size"]) == (7, 64)


def test_the_shipped_default_file_is_taken_where_the_data_folder_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(tmp_path))
    name = "/candle_data_dir/uno_auc_model.txt"
    assert HYPERPARAMETERS.find_config_file(name).parent == MODEL_FOLDER
    (tmp_path / "uno_auc_model.txt").write_text("[Global_Params]\nepochs = 5\n")
    assert HYPERPARAMETERS.find_config_file(name).parent == tmp_path
    assert uno.initialize_parameters()["epochs"] == 5


def test_what_is_without_effect_is_said() -> None:
    without = {name for name, entry in HYPERPARAMETERS.descriptions.items() if entry.get("effect") == "none"}
    assert without >= {"out_act", "metrics", "scaling", "batch_normalization", "max_val_loss", "partition_by"}
