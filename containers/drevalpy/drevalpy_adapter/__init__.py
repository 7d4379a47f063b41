"""Models of the package drevalpy as models of this project: one adapter for all whose inputs the data have.

A CANDLE-compliant model: `initialize_parameters()` gives every hyperparameter with its default, `run(params)`
trains and returns the metrics; `drevalpy_model` says which of drevalpy's models. The data folder is the environment
variable `CANDLE_DATA_DIR`.

Data, rows, split, noise and metrics are those of every model of this project; drevalpy's classes build, train and
predict, on its own objects of features and responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drug_response.hyperparameters import Hyperparameters, tomllib
from drug_response.model import Model

HYPERPARAMETERS = Hyperparameters(Path(__file__).resolve().parent.parent, "drevalpy_params.txt")


class _Drevalpy(Model):
    """All of drevalpy's models as one, which `drevalpy_model` chooses from."""

    def train(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Train as complete hyperparameters say; returns metrics by name. Raises ValueError, one line."""
        from drevalpy_adapter.training import fit
        from drug_response.training import train

        check_model(hyperparameters["drevalpy_model"])
        # `batch_size` is drevalpy's, of a few of its models; no row is left out for it.
        return train({**hyperparameters, "batch_size": 1}, lambda task: fit(task, hyperparameters))


def check_model(name: str | None) -> None:
    """See to it that drevalpy has the model. Raises ValueError, one line, with the nearest name that it has."""
    from comparator.errors import nearest

    with (HYPERPARAMETERS.folder / "model.toml").open("rb") as stream:
        known = tomllib.load(stream)["variants"]
    if name not in known:
        raise ValueError(f"drevalpy_model = {name!r}: must be a model of drevalpy{nearest(str(name), known)}")


MODEL = _Drevalpy("drevalpy", HYPERPARAMETERS, "drevalpy_adapter.training")


def initialize_parameters() -> dict[str, Any]:
    """Return every hyperparameter with its default (`model.toml`, `drevalpy_params.txt`); needs no drevalpy."""
    return HYPERPARAMETERS.defaults()


def run(params: Mapping[str, Any]) -> dict[str, Any]:
    """Train the model that `drevalpy_model` names and return metrics by name; the log goes to standard output.

    The names are those of `model.toml`. Names in `params` that the model does not know are ignored; names that are
    missing have their defaults. Nothing is written unless `output_dir` is set.

    Raises ValueError, one line that names the key, for a value that is not allowed, a model that drevalpy does not
    have or that needs what the data do not have, a study that the data do not have, or data that cannot be read.
    """
    return MODEL.run(params)
