"""Uno: how strongly a drug acts on a cell line, predicted from gene expression and drug features.

A CANDLE-compliant model: `initialize_parameters()` gives every hyperparameter with its default, `run(params)`
trains and returns the metrics. The data folder is the environment variable `CANDLE_DATA_DIR`.

In one process `run` may be called again and again: data, TensorFlow and the traced program are paid once, and
the numbers are those of a fresh process, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drug_response.hyperparameters import Hyperparameters
from drug_response.model import Model

HYPERPARAMETERS = Hyperparameters(Path(__file__).resolve().parent.parent, "uno_auc_model.txt")
MODEL = Model("Uno", HYPERPARAMETERS, "uno.training")


def initialize_parameters() -> dict[str, Any]:
    """Return every hyperparameter with its default (`model.toml`, `uno_auc_model.txt`); needs no TensorFlow."""
    return HYPERPARAMETERS.defaults()


def run(params: Mapping[str, Any]) -> dict[str, Any]:
    """Train Uno and return its metrics by name; the log goes to standard output.

    A metric that is known after every epoch is a list with one number an epoch, of which the last counts; the
    others are numbers. The names are those of `model.toml`. Names in `params` that the model does not know are
    ignored; names that are missing have their defaults. Nothing is written unless `output_dir` is set.

    Raises ValueError, one line that names the key, for a value that is not allowed, a study that the data do
    not have, or data that cannot be read.
    """
    return MODEL.run(params)


def run_many(params_list: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | Exception]:
    """Train as each of `params_list` says; returns, in their order, what `run` returns of each, or what it raises.

    Where JAX is installed and sees a GPU, small networks (see `uno.small`) of one shape, data and batch size are
    trained there at once, with the numbers that each has alone, up to the order of sums. All others `run` trains.
    Raises `NotImplementedError` where there is no such GPU.
    """
    from uno import together  # it imports much that `initialize_parameters` does without

    return together.run_many(MODEL, params_list)
