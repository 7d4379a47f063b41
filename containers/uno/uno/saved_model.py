"""A trained Uno on disk: what `infer.sh` needs, and nothing that has to be unpickled.

| file | holds |
|---|---|
| `model.npz` | the weights of each layer, and each feature table's mean and scale |
| `model.json` | hyperparameters, shape, feature names |
| `history.json` | one number an epoch for each metric |
| `val_scores.json` | `mse rmse pcc scc r2` after the last epoch, in the form of IMPROVE |

The weights are those after the last epoch, which the reported metrics are of.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uno.data import Dataset
from uno.network import Shape
from uno.program import Program

FORMAT = 1


@dataclass(frozen=True)
class SavedFeatures:
    """A feature type as the model was trained on it: kind, names, and (value - mean) * scale."""

    kind: str
    names: list[str]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]


@dataclass(frozen=True)
class SavedModel:
    """A trained model as it was saved."""

    hyperparameters: dict[str, Any]
    shape: Shape
    studies: list[str]
    weights: list[NDArray[np.float32]]
    features: list[SavedFeatures]


def improve_scores(scores: Mapping[str, float]) -> dict[str, float]:
    """Return what `drug_response.metrics.scores` gives, under IMPROVE's names."""
    return {
        "mse": scores["loss"],
        "rmse": math.sqrt(scores["loss"]) if scores["loss"] >= 0 else float("nan"),
        "pcc": scores["corr"],
        "scc": scores["spearman"],
        "r2": scores["r2"],
    }


def write_json(path: Path, content: Any, indent: int | None = 4) -> None:
    """Write JSON; a number that is not finite becomes null."""
    path.write_text(json.dumps(_finite(content), indent=indent) + "\n", encoding="utf-8")


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content


def make_folder(folder: Path) -> None:
    """Make a folder for a run's files. Raises ValueError where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"output_dir = '{folder}': cannot be made: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK):
        raise ValueError(f"output_dir = '{folder}': cannot be written")


def write_run(
    folder: Path,
    hyperparameters: Mapping[str, Any],
    dataset: Dataset,
    shape: Shape,
    network: Program,
    history: Mapping[str, Sequence[float]],
    scores: Mapping[str, float],
) -> None:
    """Write a finished training into a folder made before; the model itself only with `cp`.

    Raises ValueError where the folder cannot be written.
    """
    try:
        write_json(folder / "history.json", history, indent=None)
        write_json(folder / "val_scores.json", improve_scores(scores))
        if hyperparameters["cp"]:
            _write_model(folder, hyperparameters, dataset, shape, network)
    except OSError as error:
        raise ValueError(f"output_dir = '{folder}': cannot be written: {error.strerror or error}") from None


def _write_model(
    folder: Path, hyperparameters: Mapping[str, Any], dataset: Dataset, shape: Shape, network: Program
) -> None:
    arrays: dict[str, Any] = {f"weight_{number}": value for number, value in enumerate(network.weights())}
    for number, table in enumerate(dataset.features):
        arrays[f"mean_{number}"], arrays[f"scale_{number}"] = table.mean, table.scale
    np.savez(folder / "model.npz", **arrays)
    write_json(
        folder / "model.json",
        {
            "format": FORMAT,
            "hyperparameters": dict(hyperparameters),
            "encoders": [[width, list(sizes)] for width, sizes in shape.encoders],
            "joint": list(shape.joint),
            "raw_width": shape.raw_width,
            "studies": list(dataset.studies),
            "data_source": dataset.source.name,
            "features": [{"kind": table.kind, "names": table.names.tolist()} for table in dataset.features],
        },
        indent=1,
    )


def read_model(folder: Path) -> SavedModel:
    """Read a saved model. Raises ValueError where the folder holds none."""
    try:
        described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "model.npz", allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in arrays.files}
        if described["format"] != FORMAT:
            raise ValueError(f"format {described['format']}")
        shape = Shape(
            tuple((width, tuple(sizes)) for width, sizes in described["encoders"]),
            tuple(described["joint"]),
            described["raw_width"],
        )
        features = [
            SavedFeatures(entry["kind"], entry["names"], values[f"mean_{number}"], values[f"scale_{number}"])
            for number, entry in enumerate(described["features"])
        ]
        weights = [values[f"weight_{number}"] for number in range(2 * len(shape.layers))]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"model_dir = '{folder}': holds no model that train.sh saved ({error})") from None
    hyperparameters = {**described["hyperparameters"], "data_source": described["data_source"]}
    return SavedModel(hyperparameters, shape, described["studies"], weights, features)
