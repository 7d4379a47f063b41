"""One training, from checked hyperparameters to metrics and files, whatever learns.

Rows, noise, scores, tests, folds, files and the log are the same for every model: two models that are trained here see
the same rows, are validated and tested on the same rows, and their noise has the same draws, so that they can be
compared point by point. What a model brings is a function that takes a `Task` and returns what it `Trained`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response import metrics, output
from drug_response.dataset import Dataset, Part, read_dataset
from drug_response.hyperparameters import data_folder
from drug_response.noise import Labels, Tables, disturb, label_noise

History = dict[str, list[float]]

#: The stream of NumPy's random numbers, besides the run's seed, that orders rows; those of noise are `noise`'s.
ORDER = 1


@dataclass(frozen=True)
class Task:
    """What a model is given: complete hyperparameters, data, and the rows and labels of one training.

    The training rows are at least one batch. The labels to learn and to validate on are those of `labels`, noise
    included; the parts' own have none. Features are looked up in `tables`, of training rows in `tables.training` and
    of validation rows in `tables.validation`; those of a test in the dataset's own. `notes` says what is disturbed.
    """

    hyperparameters: Mapping[str, Any]
    dataset: Dataset
    training: Part
    validation: Part
    labels: Labels
    tables: Tables
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """What a model returns.

    `history` holds the learning curves, `loss` and `val_loss` among them, of which the last values count; `validated`
    the predictions, float32 [validation rows], that these are of; `training_rows` the number of rows that were learned
    from; `facts` the model's further numbers by name. `predict` predicts rows of the dataset, [rows]; `save` writes
    the model into a folder, by `output.write_model`.
    """

    history: History
    validated: NDArray[Any]
    training_rows: int
    facts: Mapping[str, float]
    predict: Callable[[Part], NDArray[Any]]
    save: Callable[[Path], None]


def train(hyperparameters: Mapping[str, Any], fit: Callable[[Task], Trained]) -> dict[str, Any]:
    """Train as the checked, complete hyperparameters say; returns metrics by name.

    A metric that is known after every epoch is a list with one number an epoch; of several folds every metric is the
    mean of their last values. Files are written where `output_dir` is set, the model only with `cp`.

    Raises ValueError, one line, for what the data do not have, or a folder that cannot be written.
    """
    folder = data_folder()
    if hyperparameters["output_dir"]:
        output.make_folder(Path(hyperparameters["output_dir"]))
    folds = [_train_fold(hyperparameters, folder, fit, fold) for fold in range(hyperparameters["cv"])]
    return folds[0] if len(folds) == 1 else _mean_of_folds(folds)


def _mean_of_folds(folds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return each metric's mean over the folds: of curves the last values."""
    last = [{name: value[-1] if isinstance(value, list) else value for name, value in fold.items()} for fold in folds]
    return {name: float(np.mean([fold[name] for fold in last])) for name in last[0]}


def _train_fold(
    hyperparameters: Mapping[str, Any], folder: Path, fit: Callable[[Task], Trained], fold: int
) -> dict[str, Any]:
    task = _task(hyperparameters, read_dataset(hyperparameters, folder, fold))
    _tell_beginning(task, fold)
    trained = fit(task)
    labels = task.labels.validation
    found = metrics.scores(labels, trained.validated)
    print("Comparing y_true and y_pred:")
    _tell_scores(found)
    mean_predictor = scores(hyperparameters, labels, np.full(len(labels), task.labels.training_mean))
    validated = {f"val_{name}": value for name, value in scores(hyperparameters, labels, trained.validated).items()}
    variance = float(np.var(labels, dtype=np.float64))
    facts = {
        **{name: value for name, value in validated.items() if name not in trained.history},
        "val_loss_over_variance": validated["val_loss"] / variance if variance > 0 else float("nan"),
        "val_mean_predictor_loss": mean_predictor["loss"],
        "val_label_mean": float(np.mean(labels, dtype=np.float64)),
        "val_label_variance": variance,
        "training_label_mean": task.labels.training_mean,
        "training_label_variance": task.labels.training_variance,
        "training_rows": trained.training_rows,
        "validation_rows": len(labels),
    }
    tested = _score_tests(task, trained.predict)
    if hyperparameters["output_dir"]:
        _write(Path(hyperparameters["output_dir"]), task, trained, found)
    return {**trained.history, **facts, **trained.facts, **tested}


def _task(hyperparameters: Mapping[str, Any], dataset: Dataset) -> Task:
    batch_size, training, validation = hyperparameters["batch_size"], dataset.training, dataset.validation
    if len(training) < batch_size:
        raise ValueError(f"batch_size = {batch_size}: there are only {len(training)} training rows")
    if not len(validation):
        raise ValueError("there are no validation rows")
    given = disturb(hyperparameters, dataset)
    return Task(hyperparameters, dataset, given.training, given.validation, given.labels, given.tables, given.notes)


def scores(hyperparameters: Mapping[str, Any], true: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """Return the scores, of which `loss` is the one that training makes small."""
    found = metrics.scores(true, predicted)
    return {**found, "loss": found["mae"]} if hyperparameters["loss"] == "mae" else found


def _score_tests(task: Task, predict: Callable[[Part], NDArray[Any]]) -> dict[str, float]:
    """Return `test_STUDY_METRIC` for every test study."""
    found = {}
    for study, part in task.dataset.test.items():
        of_study = scores(task.hyperparameters, part.labels, predict(part))
        found.update({f"test_{study}_{name}": value for name, value in of_study.items()})
        print(f"Test on {study}, {len(part)} rows:")
        _tell_scores(of_study)
    return found


def _write(folder: Path, task: Task, trained: Trained, found: Mapping[str, float]) -> None:
    hyperparameters = task.hyperparameters
    validated = replace(task.validation, labels=task.labels.validation)
    measure = hyperparameters["agg_dose"].lower()
    try:
        output.write_run(folder, trained.history, found)
        path = folder / output.VALIDATED
        output.write_predictions(path, task.dataset.source, [validated], measure, [trained.validated])
        if hyperparameters["cp"]:
            trained.save(folder)
    except OSError as error:
        raise ValueError(f"output_dir = '{folder}': cannot be written: {error.strerror or error}") from None


def _tell_beginning(task: Task, fold: int) -> None:
    hyperparameters = task.hyperparameters
    if hyperparameters["cv"] > 1:
        print(f"Fold {fold + 1} of {hyperparameters['cv']}")
    print(*task.dataset.notes, sep="\n")
    placed = "training and validation" if hyperparameters["noise_validation"] else "training"
    noise = f"noise {label_noise(hyperparameters):g} % on {placed} labels"
    print(f"{len(task.training)} training rows, {len(task.validation)} validation rows; {noise}")
    for note in task.notes:
        print(note)


def _tell_scores(found: Mapping[str, float]) -> None:
    for name in ("loss", "mae", "r2", "corr", "spearman"):
        print(f"  {name}: {found[name]:.4f}")
