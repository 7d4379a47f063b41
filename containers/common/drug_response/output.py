"""The files of a run: what `infer.sh` needs, scores and predictions, and nothing that has to be unpickled.

| file | holds |
|---|---|
| `model.npz` | each feature table's mean and scale, and the arrays that the model adds, such as its weights |
| `model.json` | hyperparameters, studies, kinds and names of the features, and what the model adds |
| `history.json` | one number an epoch for each metric |
| `val_scores.json`, `test_scores.json` | `mse rmse pcc scc r2` of the model as it was saved, in the form of IMPROVE |
| `val_y_data_predicted.csv` | labels, noise included where they have some, and predictions that the scores are of |
| `test_y_data_predicted.csv` | labels and predictions of a test |
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

from drug_response.dataset import Dataset, Part
from drug_response.errors import DataError
from drug_response.tables import Source

FORMAT = 1
VALIDATED = "val_y_data_predicted.csv"


@dataclass(frozen=True)
class SavedFeatures:
    """A feature type as a model was trained on it: kind, names, and (value - mean) * scale."""

    kind: str
    names: list[str]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def values(self, source: Source) -> NDArray[np.float32]:
        """Return the features of a source's cell lines or drugs, found by name and scaled as in training.

        Raises `DataError` where the source lacks one.
        """
        if self.kind == "rnaseq":
            names, values = source.genes, source.expression
        elif self.kind in source.drug_features:
            names, values = source.drug_features[self.kind].names, source.drug_features[self.kind].values
        else:
            raise DataError(f"the model needs {self.kind}, which the '{source.name}' data do not have")
        place = {name: column for column, name in enumerate(names.tolist())}
        missing = [name for name in self.names if name not in place]
        if missing:
            raise DataError(
                f"the '{source.name}' data lack {len(missing)} of the model's {len(self.names)} {self.kind} "
                f"features, {missing[0]} among them"
            )
        columns = [place[name] for name in self.names]
        return (np.asarray(values[:, columns], dtype=np.float32) - self.mean) * self.scale


@dataclass(frozen=True)
class SavedModel:
    """A trained model as it was saved.

    `studies` are the columns that tell a row's study, `described` is all of `model.json`, and `arrays` all of
    `model.npz`.
    """

    hyperparameters: dict[str, Any]
    studies: list[str]
    features: list[SavedFeatures]
    described: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


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


def write_run(folder: Path, history: Mapping[str, Sequence[float]], scores: Mapping[str, float]) -> None:
    """Write the learning curves and the validation scores of a finished training."""
    write_json(folder / "history.json", history, indent=None)
    write_json(folder / "val_scores.json", improve_scores(scores))


def write_model(
    folder: Path,
    hyperparameters: Mapping[str, Any],
    dataset: Dataset,
    arrays: Mapping[str, NDArray[Any]],
    described: Mapping[str, Any],
) -> None:
    """Write a model for `read_model`, with the arrays and the entries of `model.json` that it adds."""
    inputs: dict[str, Any] = dict(arrays)
    for number, table in enumerate(dataset.features):
        inputs[f"mean_{number}"], inputs[f"scale_{number}"] = table.mean, table.scale
    np.savez(folder / "model.npz", **inputs)
    content = {
        "format": FORMAT,
        "hyperparameters": dict(hyperparameters),
        **described,
        "studies": list(dataset.studies),
        "data_source": dataset.source.name,
        "features": [{"kind": table.kind, "names": table.names.tolist()} for table in dataset.features],
    }
    write_json(folder / "model.json", content, indent=1)


def read_model(folder: Path) -> SavedModel:
    """Read a saved model. Raises ValueError where the folder holds none."""
    try:
        described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "model.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if described["format"] != FORMAT:
            raise ValueError(f"format {described['format']}")
        features = [
            SavedFeatures(entry["kind"], entry["names"], arrays[f"mean_{number}"], arrays[f"scale_{number}"])
            for number, entry in enumerate(described["features"])
        ]
        hyperparameters = {**described["hyperparameters"], "data_source": described["data_source"]}
        return SavedModel(hyperparameters, described["studies"], features, described, arrays)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise no_model(folder, error) from None


def no_model(folder: Path, error: Exception) -> ValueError:
    """Return the error of a folder whose files are not those of a saved model."""
    return ValueError(f"model_dir = '{folder}': holds no model that train.sh saved ({error})")


def write_predictions(
    path: Path, source: Source, parts: Sequence[Part], measure: str, predicted: Sequence[NDArray[Any]]
) -> None:
    """Write the table of labels and predictions that IMPROVE's tools read, with 4 decimals."""
    lines = [f"improve_sample_id,improve_chem_id,{measure}_true,{measure}_pred"]
    cell_lines, drugs = (list(map(_quoted, names)) for names in (source.cell_lines, source.drugs))
    for part, values in zip(parts, predicted, strict=True):
        for cell_line, drug, label, value in zip(part.cell_line, part.drug, part.labels, values, strict=True):
            lines.append(f"{cell_lines[cell_line]},{drugs[drug]},{label:.4f},{value:.4f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else str(name)
