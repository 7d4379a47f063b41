"""Test a saved model: which rows, the files that are written, the scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response import metrics
from drug_response.dataset import Dataset, Part, read_dataset
from drug_response.errors import DataError
from drug_response.hyperparameters import data_folder
from drug_response.output import SavedModel, improve_scores, read_model, write_json, write_predictions
from drug_response.studies import match_names
from drug_response.tables import Source

#: What a model brings: from its folder, what was saved there, a source and the tables that the parts' `numbers` point
#: into, it makes a function that predicts rows, [rows].
Load = Callable[[Path, SavedModel, Source, Sequence[NDArray[np.float32]]], Callable[[Part], NDArray[Any]]]


def predict_tests(
    model_folder: Path,
    output_folder: Path,
    defaults: Mapping[str, Any],
    given: Mapping[str, Any],
    load: Load,
) -> dict[str, float]:
    """Predict the test rows and write predictions and scores; returns the scores under IMPROVE's names.

    What the user has `given` goes over what the model was trained with, and that over the `defaults`. Of a study that
    the model was trained on, `train` among `test_sources` too, the test rows are those that the split holds out; of
    another study those that the training could not see (see `drug_response.dataset`). Every row is predicted, those of
    the last incomplete batch too. With `separate_tests` each study gets a folder of its own in `output_folder`, and
    its scores its name.
    """
    model = read_model(model_folder)
    hyperparameters = {**defaults, **model.hyperparameters, **given, "cv": model.hyperparameters["cv"]}
    # Of several folds the last one's model is the one that was saved.
    dataset = read_dataset(hyperparameters, data_folder(), fold=hyperparameters["cv"] - 1)
    rows = _test_rows(dataset, hyperparameters["test_sources"])
    tables = [features.values(dataset.source) for features in model.features]
    if model.studies:
        tables.append(np.eye(len(model.studies), dtype=np.float32))
    predict = load(model_folder, model, dataset.source, tables)
    predicted = {study: predict(_renumbered(model, dataset, study, part)) for study, part in rows.items()}
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
    predicted: Mapping[str, NDArray[Any]],
    hyperparameters: Mapping[str, Any],
) -> dict[str, float]:
    """Write the files of one test, of one study or of several together; returns its scores."""
    true = np.concatenate([part.labels for part in rows.values()])
    values = [predicted[study] for study in rows]
    scores = improve_scores(metrics.scores(true, np.concatenate(values)))
    folder.mkdir(parents=True, exist_ok=True)
    notes = [f"{study}: {_which_rows(dataset, study)}" for study in rows]
    (folder / "test_rows.txt").write_text("\n".join(notes) + "\n", encoding="utf-8")
    measure = hyperparameters["agg_dose"].lower()
    write_predictions(folder / "test_y_data_predicted.csv", dataset.source, list(rows.values()), measure, values)
    write_json(folder / "test_scores.json", scores)
    return scores


def _renumbered(model: SavedModel, dataset: Dataset, study: str, part: Part) -> Part:
    """Point the rows into the model's own tables."""
    columns = [part.cell_line if features.kind == "rnaseq" else part.drug for features in model.features]
    if model.studies and part is dataset.held_out:
        # The training studies come first in every list of studies, so their numbers are those of the training.
        columns.append(part.numbers[:, -1])
    elif model.studies:
        columns.append(np.full(len(part), _study_number(model.studies, study), dtype=np.int32))
    return dataclasses.replace(part, numbers=np.stack(columns, axis=1).astype(np.int32))


def _study_number(studies: Sequence[str], study: str) -> int:
    if study in studies:
        return studies.index(study)
    if len(studies) == 1:
        return 0
    raise DataError(f"test_sources: the model was trained with a column for each of {', '.join(studies)}, not {study}")
