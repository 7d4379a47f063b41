"""GraphDRP: how strongly a drug acts on a cell line, predicted from gene expression and the drug's molecule.

A CANDLE-compliant model: `initialize_parameters()` gives every hyperparameter with its default, `run(params)`
trains and returns the metrics. The data folder is the environment variable `CANDLE_DATA_DIR`.

In one process `run` may be called again and again: PyTorch and the data are paid once, and on the CPU the numbers are
those of a fresh process, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drug_response.hyperparameters import Hyperparameters
from drug_response.model import Model

HYPERPARAMETERS = Hyperparameters(Path(__file__).resolve().parent.parent, "graphdrp_params.txt")


def _prepare(data_folder: Path, source: str) -> None:
    """Make the graphs of a source's drugs, so that no training needs RDKit."""
    from drug_response.selection import open_prepared
    from graphdrp.molecules import read_graphs

    read_graphs(open_prepared(data_folder, source), data_folder)


MODEL = Model("GraphDRP", HYPERPARAMETERS, "graphdrp.training", _prepare)


def initialize_parameters() -> dict[str, Any]:
    """Return every hyperparameter with its default (`model.toml`, `graphdrp_params.txt`); needs no PyTorch."""
    return HYPERPARAMETERS.defaults()


def run(params: Mapping[str, Any]) -> dict[str, Any]:
    """Train GraphDRP and return its metrics by name; the log goes to standard output.

    A metric that is known after every epoch is a list with one number an epoch, of which the last counts; the
    others are numbers. The names are those of `model.toml`. Names in `params` that the model does not know are
    ignored; names that are missing have their defaults. Nothing is written unless `output_dir` is set.

    Raises ValueError, one line that names the key, for a value that is not allowed, a study that the data do
    not have, or data that cannot be read.
    """
    return MODEL.run(params)
