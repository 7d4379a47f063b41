"""Predict with a saved Uno."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from drug_response import metrics
from drug_response.errors import DataError
from drug_response.tables import Source
from uno.data import Dataset, Part, read_dataset
from uno.hyperparameters import data_folder
from uno.program import PREDICTION_STREAM, program, set_up_tensorflow
from uno.saved_model import SavedFeatures, SavedModel, improve_scores, read_model, write_json
from uno.training import network_structure


def predict(model_folder: Path, output_folder: Path, given: Mapping[str, Any]) -> dict[str, float]:
    """Predict the test rows and write predictions and scores; returns the scores under IMPROVE's names.

    Test rows are those of `test_sources` that the training could not see (see `drug_response.splits`); where no
    further study is named, the test rows of the split file, else the validation rows. Every row is predicted,
    those of the last incomplete batch too. Dropout is permanent: it acts here too, with draws of its own.
    """
    set_up_tensorflow()
    model = read_model(model_folder)
    hyperparameters = {**model.hyperparameters, **given, "cv": 1}
    dataset = read_dataset(hyperparameters, data_folder())
    rows = _test_rows(dataset)
    network = program(network_structure(hyperparameters, model.shape))
    network.start(model.weights)
    predicted = network.predict(
        _tables(model, dataset.source),
        _numbers(model, rows),
        model.hyperparameters["dropout"],
        model.hyperparameters["rng_seed"],
        PREDICTION_STREAM,
    )
    true = np.concatenate([part.labels for part in rows.values()])
    scores = improve_scores(metrics.scores(true, predicted))
    try:
        output_folder.mkdir(parents=True, exist_ok=True)
        write_json(output_folder / "test_scores.json", scores)
        _write_predictions(output_folder, dataset.source, rows, hyperparameters["agg_dose"].lower(), predicted)
    except OSError as error:
        raise ValueError(f"output_dir = '{output_folder}': cannot be written: {error.strerror or error}") from None
    print(f"{len(true)} rows of {', '.join(rows)} predicted, written to {output_folder}")
    return scores


def _test_rows(dataset: Dataset) -> dict[str, Part]:
    return dataset.test or {"the validation side": dataset.validation}


def _tables(model: SavedModel, source: Source) -> list[Any]:
    """Return the model's inputs from the source, features found by name and scaled as in training."""
    tables = [tf.constant(_scaled(features, source)) for features in model.features]
    return [*tables, tf.eye(len(model.studies))] if model.studies else tables


def _scaled(features: SavedFeatures, source: Source) -> NDArray[np.float32]:
    if features.kind == "rnaseq":
        names, values = source.genes, source.expression
    elif features.kind in source.drug_features:
        names, values = source.drug_features[features.kind].names, source.drug_features[features.kind].values
    else:
        raise DataError(f"the model needs {features.kind}, which the '{source.name}' data do not have")
    place = {name: column for column, name in enumerate(names.tolist())}
    missing = [name for name in features.names if name not in place]
    if missing:
        raise DataError(
            f"the '{source.name}' data lack {len(missing)} of the model's {len(features.names)} {features.kind} "
            f"features, {missing[0]} among them"
        )
    columns = [place[name] for name in features.names]
    return (np.asarray(values[:, columns], dtype=np.float32) - features.mean) * features.scale


def _numbers(model: SavedModel, rows: Mapping[str, Part]) -> NDArray[np.int32]:
    parts = []
    for study, part in rows.items():
        columns = [part.cell_line if features.kind == "rnaseq" else part.drug for features in model.features]
        if model.studies:
            columns.append(np.full(len(part), _study_number(model.studies, study), dtype=np.int32))
        parts.append(np.stack(columns, axis=1).astype(np.int32))
    return np.concatenate(parts)


def _study_number(studies: Sequence[str], study: str) -> int:
    if study in studies:
        return studies.index(study)
    if len(studies) == 1:
        return 0
    raise DataError(f"test_sources: the model was trained with a column for each of {', '.join(studies)}, not {study}")


def _write_predictions(
    folder: Path, source: Source, rows: Mapping[str, Part], measure: str, predicted: NDArray[np.float32]
) -> None:
    lines = [f"improve_sample_id,improve_chem_id,{measure}_true,{measure}_pred"]
    position = 0
    for part in rows.values():
        for cell_line, drug, label in zip(part.cell_line, part.drug, part.labels, strict=True):
            names = f"{_quoted(source.cell_lines[cell_line])},{_quoted(source.drugs[drug])}"
            lines.append(f"{names},{label:.4f},{predicted[position]:.4f}")
            position += 1
    (folder / "test_y_data_predicted.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else str(name)
