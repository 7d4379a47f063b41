"""A model as its callers see it: every hyperparameter with its default, a training, a test of what was saved."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drug_response.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Model:
    """A model of this project.

    `name` is its folder's in the data folder. `training` names the module that has its `fit` (see
    `drug_response.training`) and its `load` (see `drug_response.inference`); it is imported when it is needed, for what
    it imports in turn is slow to import. `prepare` makes what the model reads beside the prepared arrays, from the data
    folder and the source's name; `preprocess.sh` calls it.
    """

    name: str
    hyperparameters: Hyperparameters
    training: str
    prepare: Callable[[Path, str], None] | None = None

    def run(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Train as a CANDLE caller asks; returns metrics by name. Raises ValueError, one line."""
        return self.train(self.hyperparameters.complete(self.hyperparameters.given_values(params)))

    def train(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Train as complete hyperparameters say; returns metrics by name. Raises ValueError, one line."""
        from drug_response.training import train

        return train(hyperparameters, importlib.import_module(self.training).fit)

    def predict(self, model_folder: Path, output_folder: Path, given: Mapping[str, Any]) -> dict[str, float]:
        """Test a model that `train` saved; returns scores by name. Raises ValueError, one line.

        `given` are the hyperparameters that are to differ from those of the training, `test_sources` above all.
        """
        from drug_response.inference import predict_tests

        load = importlib.import_module(self.training).load
        return predict_tests(model_folder, output_folder, self.hyperparameters.defaults(), given, load)
