"""What every training of this project does alike, whatever learns: rows, noise, scores, tests, folds, the log.

Two models that take their rows and labels from here are trained, validated and tested on the same ones, and their
noise has the same draws, so that they can be compared point by point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response import metrics
from drug_response.dataset import Dataset, Part

#: Streams of NumPy's random numbers, besides the run's seed.
_ORDER, _TRAINING_NOISE, _VALIDATION_NOISE = 1, 2, 3


@dataclass(frozen=True)
class Labels:
    """Training and validation labels, noise included, and the training labels' mean without it."""

    training: NDArray[np.float32]
    validation: NDArray[np.float32]
    training_mean: float


def first_order(rows: int, seed: int) -> NDArray[np.int32]:
    """Return the order in which a network of this seed first sees its rows: the last incomplete batch stays unseen."""
    return np.random.default_rng([seed, _ORDER]).permutation(rows).astype(np.int32)


def add_noise(
    labels: NDArray[np.float32], mean_label: float, percent: float, seed: int, stream: int
) -> NDArray[np.float32]:
    """Add Gaussian noise with a standard deviation of `percent` of the mean label.

    The same seed gives the same draws whatever the percentage, scaled.
    """
    draws = np.random.default_rng([seed, stream]).standard_normal(len(labels))
    return (labels + abs(mean_label) * percent / 100.0 * draws).astype(np.float32)


def noise_percent(hyperparameters: Mapping[str, Any]) -> float:
    """Return the noise that is added, in percent of the training labels' mean."""
    return float(hyperparameters["noise"]) if hyperparameters["noise_add"] else 0.0


def noisy_labels(hyperparameters: Mapping[str, Any], training: Part, validation: Part) -> Labels:
    """Add the noise that is asked for: to the training labels, and with `noise_validation` to the others too."""
    mean = float(np.mean(training.labels, dtype=np.float64))
    percent, seed = noise_percent(hyperparameters), hyperparameters["rng_seed"]

    def noisy(part: Part, stream: int) -> NDArray[np.float32]:
        return add_noise(part.labels, mean, percent, seed, stream) if percent else part.labels

    return Labels(
        noisy(training, _TRAINING_NOISE),
        noisy(validation, _VALIDATION_NOISE) if hyperparameters["noise_validation"] else validation.labels,
        mean,
    )


def scores(hyperparameters: Mapping[str, Any], true: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """Return the scores, of which `loss` is the one that training makes small."""
    found = metrics.scores(true, predicted)
    return {**found, "loss": found["mae"]} if hyperparameters["loss"] == "mae" else found


def label_facts(hyperparameters: Mapping[str, Any], labels: Labels) -> dict[str, float]:
    """Return what the validation labels alone tell: `val_mean_predictor_loss` and `val_label_variance`."""
    constant = np.full(len(labels.validation), labels.training_mean)
    return {
        "val_mean_predictor_loss": scores(hyperparameters, labels.validation, constant)["loss"],
        "val_label_variance": float(np.var(labels.validation, dtype=np.float64)),
    }


def score_tests(
    hyperparameters: Mapping[str, Any], test: Mapping[str, Part], predict: Callable[[Part], NDArray[Any]]
) -> dict[str, float]:
    """Return `test_STUDY_METRIC` for every test study, on its rows less the last incomplete batch."""
    found = {}
    for study, rows in test.items():
        part = rows.whole_batches(hyperparameters["batch_size"], f"test (of {study})")
        of_study = scores(hyperparameters, part.labels, predict(part))
        found.update({f"test_{study}_{name}": value for name, value in of_study.items()})
        print(f"Test on {study}, {len(part)} rows:")
        tell_scores(of_study)
    return found


def mean_of_folds(folds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return each metric's mean over the folds, of curves that of the last values; one fold is returned as it is."""
    if len(folds) == 1:
        return dict(folds[0])
    last = [{name: value[-1] if isinstance(value, list) else value for name, value in fold.items()} for fold in folds]
    return {name: float(np.mean([fold[name] for fold in last])) for name in last[0]}


def tell_beginning(
    hyperparameters: Mapping[str, Any], dataset: Dataset, training_rows: int, validation_rows: int, fold: int
) -> None:
    """Print which rows and features are used."""
    if hyperparameters["cv"] > 1:
        print(f"Fold {fold + 1} of {hyperparameters['cv']}")
    print(*dataset.notes, sep="\n")
    placed = "training and validation" if hyperparameters["noise_validation"] else "training"
    noise = f"noise {noise_percent(hyperparameters):g} % on {placed} labels"
    print(f"{training_rows} training rows, {validation_rows} validation rows; {noise}")


def tell_scores(found: Mapping[str, float]) -> None:
    """Print scores, one a line."""
    for name in ("loss", "mae", "r2", "corr", "spearman"):
        print(f"  {name}: {found[name]:.4f}")
