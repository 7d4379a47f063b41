"""LGBM: how strongly a drug acts on a cell line, predicted by gradient-boosted trees from the features that Uno sees.

A CANDLE-compliant model: `initialize_parameters()` gives every hyperparameter with its default, `run(params)`
trains and returns the metrics. The data folder is the environment variable `CANDLE_DATA_DIR`.

Data, rows, split, noise and metrics are those of every model of this project. The trees are grown by one thread without
random numbers, so that the seed counts only where noise, or `feature_subsample`, is drawn with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drug_response.hyperparameters import Hyperparameters
from drug_response.model import Model

HYPERPARAMETERS = Hyperparameters(Path(__file__).resolve().parent.parent, "lgbm_params.txt")
MODEL = Model("LGBM", HYPERPARAMETERS, "lgbm.training")


def initialize_parameters() -> dict[str, Any]:
    """Return every hyperparameter with its default (`model.toml`, `lgbm_params.txt`); needs no LightGBM."""
    return HYPERPARAMETERS.defaults()


def run(params: Mapping[str, Any]) -> dict[str, Any]:
    """Train and return metrics by name; the log goes to standard output.

    `loss` and `val_loss` are lists with one number a tree, of which the last counts; the others are numbers. The names
    are those of `model.toml`. Names in `params` that the model does not know are ignored; names that are missing have
    their defaults. Nothing is written unless `output_dir` is set.

    Raises ValueError, one line that names the key, for a value that is not allowed, a study that the data do not have,
    or data that cannot be read.
    """
    return MODEL.run(params)
