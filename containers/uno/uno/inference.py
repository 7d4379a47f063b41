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
from drug_response.studies import match_names
from drug_response.tables import Source
from uno.data import Dataset, Part, read_dataset
from uno.hyperparameters import data_folder, defaults
from uno.program import PREDICTION_STREAM, program, set_up_tensorflow
from uno.saved_model import SavedFeatures, SavedModel, improve_scores, read_model, write_json
from uno.training import network_structure


def predict(model_folder: Path, output_folder: Path, given: Mapping[str, Any]) -> dict[str, float]:
    """Predict the test rows and write predictions and scores; returns the scores under IMPROVE's names.

    Of a study that the model was trained on, `train` among `test_sources` too, the test rows are those that the
    split holds out; of another study those that the training could not see (see `uno.data`). Every row is
    predicted, those of the last incomplete batch too. Dropout is permanent: it acts here too, with draws of its
    own. With `separate_tests` each study gets a folder of its own in `output_folder`, and its scores its name.
    """
    set_up_tensorflow()
    model = read_model(model_folder)
    hyperparameters = {**defaults(), **model.hyperparameters, **given, "cv": model.hyperparameters["cv"]}
    # Of several folds the last one's model is the one that was saved.
    dataset = read_dataset(hyperparameters, data_folder(), fold=hyperparameters["cv"] - 1)
    rows = _test_rows(dataset, hyperparameters["test_sources"])
    network = program(network_structure(model.hyperparameters, model.shape))
    network.start(model.weights)
    tables = _tables(model, dataset.source)
    predicted = {
        study: network.predict(
            tables,
            _numbers(model, dataset, study, part),
            model.hyperparameters["dropout"],
            model.hyperparameters["rng_seed"],
            PREDICTION_STREAM,
        )
        for study, part in rows.items()
    }
    for study, part in rows.items():
        print(f"{study}: {len(part)} rows predicted, {_which_rows(dataset, study)}")
    try:
        if not hyperparameters["separate_tests"]:
            return _write(output_folder, dataset, rows, predicted, hyperparameters)
        written = {
            study: _write(output_folder / study, dataset, {study: part}, predicted, hyperparameters)
            for study, part in rows.items()
        }
        return {f"{study}.{name}": value for study, scores in written.items() for name, value in scores.items()}
    except OSError as error:
        raise ValueError(f"output_dir = '{output_folder}': cannot be written: {error.strerror or error}") from None


def _test_rows(dataset: Dataset, test_sources: Sequence[str]) -> dict[str, Part]:
    """Return the test rows of each study that is asked for, the training studies' own first."""
    studies, _ = match_names([word for word in test_sources if word != "train"], dataset.source.studies)
    others = {study: dataset.test[study] for study in studies if study not in dataset.trained}
    if others and "train" not in test_sources and not set(studies) & set(dataset.trained):
        return others
    return {"+".join(dataset.trained): dataset.held_out, **others}


def _which_rows(dataset: Dataset, study: str) -> str:
    of_others, of_own = dataset.test_notes
    return of_own if study == "+".join(dataset.trained) else of_others


def _write(
    folder: Path,
    dataset: Dataset,
    rows: Mapping[str, Part],
    predicted: Mapping[str, NDArray[np.float32]],
    hyperparameters: Mapping[str, Any],
) -> dict[str, float]:
    """Write the files of one test, of one study or of several together; returns its scores."""
    true = np.concatenate([part.labels for part in rows.values()])
    scores = improve_scores(metrics.scores(true, np.concatenate([predicted[study] for study in rows])))
    folder.mkdir(parents=True, exist_ok=True)
    notes = [f"{study}: {_which_rows(dataset, study)}" for study in rows]
    (folder / "test_rows.txt").write_text("\n".join(notes) + "\n", encoding="utf-8")
    _write_predictions(folder, dataset.source, rows, hyperparameters["agg_dose"].lower(), predicted)
    write_json(folder / "test_scores.json", scores)
    return scores


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


def _numbers(model: SavedModel, dataset: Dataset, study: str, part: Part) -> NDArray[np.int32]:
    columns = [part.cell_line if features.kind == "rnaseq" else part.drug for features in model.features]
    if model.studies and part is dataset.held_out:
        # The training studies come first in every list of studies, so their numbers are those of the training.
        columns.append(part.numbers[:, -1])
    elif model.studies:
        columns.append(np.full(len(part), _study_number(model.studies, study), dtype=np.int32))
    return np.stack(columns, axis=1).astype(np.int32)


def _study_number(studies: Sequence[str], study: str) -> int:
    if study in studies:
        return studies.index(study)
    if len(studies) == 1:
        return 0
    raise DataError(f"test_sources: the model was trained with a column for each of {', '.join(studies)}, not {study}")


def _write_predictions(
    folder: Path, source: Source, rows: Mapping[str, Part], measure: str, predicted: Mapping[str, NDArray[np.float32]]
) -> None:
    lines = [f"improve_sample_id,improve_chem_id,{measure}_true,{measure}_pred"]
    cell_lines, drugs = (list(map(_quoted, names)) for names in (source.cell_lines, source.drugs))
    for study, part in rows.items():
        for cell_line, drug, label, value in zip(part.cell_line, part.drug, part.labels, predicted[study], strict=True):
            lines.append(f"{cell_lines[cell_line]},{drugs[drug]},{label:.4f},{value:.4f}")
    (folder / "test_y_data_predicted.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else str(name)
