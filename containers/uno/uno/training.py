"""One training of Uno, from checked hyperparameters to metrics."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from drug_response import metrics
from uno import saved_model
from uno.data import Dataset, Part, read_dataset
from uno.hyperparameters import data_folder
from uno.network import Shape, Structure, draw_weights, residual_layers
from uno.program import TEST_STREAM, VALIDATION_STREAM, Program, program, set_up_tensorflow
from uno.schedule import LearningRate

History = dict[str, list[float]]

#: Streams of NumPy's random numbers, besides the run's seed.
_ORDER, _TRAINING_NOISE, _VALIDATION_NOISE = 1, 2, 3


def network_shape(hyperparameters: Mapping[str, Any], features: Sequence[tuple[str, int]], raw_width: int) -> Shape:
    """Return the network's widths for features (kind, columns), in the order of inputs.

    `layer_force` sets every dense layer but the output, the encoders' too.
    """

    def sizes(*keys: str) -> tuple[int, ...]:
        widths = next(hyperparameters[key] for key in keys if hyperparameters[key])
        forced = hyperparameters["layer_force"]
        return tuple(forced or width for width in widths)

    encoders = tuple(
        (columns, sizes(f"dense_{'cell' if kind == 'rnaseq' else 'drug'}_feature_layers", "dense_feature_layers"))
        for kind, columns in features
    )
    return Shape(encoders, sizes("dense"), raw_width)


def network_structure(hyperparameters: Mapping[str, Any], shape: Shape) -> Structure:
    """Return what of the network needs a trace of its own."""
    return Structure(
        encoder_layers=tuple(len(sizes) for _, sizes in shape.encoders),
        joint_layers=len(shape.joint),
        has_raw=shape.raw_width > 0,
        residual=residual_layers(shape, hyperparameters["residual"]),
        activation=hyperparameters["activation"],
        has_dropout=hyperparameters["dropout"] > 0,
        loss=hyperparameters["loss"],
        optimizer=hyperparameters["optimizer"],
    )


def add_noise(
    labels: NDArray[np.float32], mean_label: float, percent: float, seed: int, stream: int
) -> NDArray[np.float32]:
    """Add Gaussian noise with a standard deviation of `percent` of the mean label.

    The same seed gives the same draws whatever the percentage, scaled.
    """
    draws = np.random.default_rng([seed, stream]).standard_normal(len(labels))
    return (labels + abs(mean_label) * percent / 100.0 * draws).astype(np.float32)


@dataclass(frozen=True)
class _Labels:
    """Training and validation labels, noise included, and the training labels' mean without it."""

    training: NDArray[np.float32]
    validation: NDArray[np.float32]
    training_mean: float


def _labels(hyperparameters: Mapping[str, Any], training: Part, validation: Part) -> _Labels:
    mean = float(np.mean(training.labels, dtype=np.float64))
    percent = hyperparameters["noise"] if hyperparameters["noise_add"] else 0.0
    noisy = functools.partial(add_noise, mean_label=mean, percent=percent, seed=hyperparameters["rng_seed"])
    return _Labels(
        noisy(training.labels, stream=_TRAINING_NOISE) if percent else training.labels,
        noisy(validation.labels, stream=_VALIDATION_NOISE)
        if percent and hyperparameters["noise_validation"]
        else validation.labels,
        mean,
    )


def train(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Train as the checked, complete hyperparameters say; returns metrics by name, see `uno.run`."""
    set_up_tensorflow()
    folder = data_folder()
    if hyperparameters["output_dir"]:
        saved_model.make_folder(Path(hyperparameters["output_dir"]))
    folds = [_train_fold(hyperparameters, folder, fold) for fold in range(hyperparameters["cv"])]
    return folds[0] if len(folds) == 1 else _mean_of_folds(folds)


def _mean_of_folds(folds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return each metric's mean over the folds: of curves the last values."""
    last = [{name: value[-1] if isinstance(value, list) else value for name, value in fold.items()} for fold in folds]
    return {name: float(np.mean([fold[name] for fold in last])) for name in last[0]}


def _train_fold(hyperparameters: Mapping[str, Any], folder: Path, fold: int) -> dict[str, Any]:
    dataset = read_dataset(hyperparameters, folder, fold)
    batch_size = hyperparameters["batch_size"]
    training = dataset.training.whole_batches(1, "training")
    if len(training) < batch_size:
        raise ValueError(f"batch_size = {batch_size}: there are only {len(training)} training rows")
    validation = dataset.validation.whole_batches(batch_size, "validation")
    labels = _labels(hyperparameters, training, validation)
    shape = network_shape(
        hyperparameters, [(table.kind, len(table.names)) for table in dataset.features], len(dataset.studies)
    )
    _tell_beginning(hyperparameters, dataset, training, validation, shape, fold)
    network = program(network_structure(hyperparameters, shape))
    network.start(draw_weights(shape, hyperparameters["initialization"], hyperparameters["rng_seed"]))
    tables = _constant_tables(dataset)
    history, predicted, out_of_time = _fit(hyperparameters, network, tables, training, validation, labels)
    _tell_end(labels.validation, predicted)
    mean_predictor = _scores(hyperparameters, labels.validation, np.full(len(validation), labels.training_mean))
    facts = {
        "val_mean_predictor_loss": mean_predictor["loss"],
        "val_label_variance": float(np.var(labels.validation, dtype=np.float64)),
        "training_rows": len(training) // batch_size * batch_size,
        "validation_rows": len(validation),
        "epochs_done": len(history["loss"]),
        "timed_out": int(out_of_time),
        "weights": shape.weight_count,
    }
    tested = _test(hyperparameters, network, tables, dataset.test)
    if hyperparameters["output_dir"]:
        scores = metrics.scores(labels.validation, predicted)
        folder = Path(hyperparameters["output_dir"])
        saved_model.write_run(folder, hyperparameters, dataset, shape, network, history, scores)
    return {**history, **facts, **tested}


_TABLES: dict[int, tuple[Dataset, list[Any]]] = {}


def _constant_tables(dataset: Dataset) -> list[Any]:
    """Return the dataset's tables as tensors, kept for the next run of the same data."""
    if id(dataset) not in _TABLES:
        # The dataset is kept beside its tensors, so that its id is not given to another one.
        _TABLES.clear()
        _TABLES[id(dataset)] = (dataset, [tf.constant(table) for table in dataset.tables])
    return _TABLES[id(dataset)][1]


def _fit(
    hyperparameters: Mapping[str, Any],
    network: Program,
    tables: Sequence[Any],
    training: Part,
    validation: Part,
    labels: _Labels,
) -> tuple[History, NDArray[np.float32], bool]:
    """Train epoch by epoch.

    Returns the learning curves, the last epoch's validation predictions, and whether `timeout` cut the training short.
    """
    epochs, seed, dropout = (hyperparameters[key] for key in ("epochs", "rng_seed", "dropout"))
    rates = LearningRate(hyperparameters)
    orders = np.random.default_rng([seed, _ORDER])
    order = orders.permutation(len(training)).astype(np.int32)
    numbers, wanted = tf.constant(training.numbers), tf.constant(labels.training)
    history: History = {}
    predicted: NDArray[np.float32] = np.empty(0, dtype=np.float32)
    out_of_time = False
    started = time.monotonic()
    for epoch in range(epochs):
        loss = network.train_epoch(
            tables, numbers, wanted, order, hyperparameters["batch_size"], rates.of_epoch(epoch), dropout, epoch, seed
        )
        predicted = network.predict(tables, validation.numbers, dropout, seed, VALIDATION_STREAM, epoch)
        scores = _scores(hyperparameters, labels.validation, predicted)
        for name, value in {"loss": loss, **{f"val_{name}": value for name, value in scores.items()}}.items():
            history.setdefault(name, []).append(value)
        _tell_epoch(epoch, epochs, time.monotonic() - started, history)
        rates.tell(history["val_loss"][-1])
        out_of_time = 0 <= hyperparameters["timeout"] < time.monotonic() - started and epoch + 1 < epochs
        reason = _stop_reason(hyperparameters, history["val_loss"], out_of_time)
        if reason:
            print(reason)
            break
        if hyperparameters["shuffle"]:
            order = orders.permutation(len(training)).astype(np.int32)
    return history, predicted, out_of_time


def _scores(hyperparameters: Mapping[str, Any], true: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """Return the scores, of which `loss` is the one that training makes small."""
    scores = metrics.scores(true, predicted)
    return {**scores, "loss": scores["mae"]} if hyperparameters["loss"] == "mae" else scores


def _stop_reason(hyperparameters: Mapping[str, Any], val_losses: Sequence[float], out_of_time: bool) -> str | None:
    """Say why training ends before its last epoch, or return None."""
    timeout, patience = hyperparameters["timeout"], hyperparameters["patience"]
    if out_of_time:
        return f"Stopped after epoch {len(val_losses)}: timeout of {timeout:g} seconds"
    if not np.isfinite(val_losses[-1]):
        return f"Stopped after epoch {len(val_losses)}: val_loss is not finite"
    if hyperparameters["es"] and len(val_losses) - 1 - int(np.argmin(val_losses)) >= patience:
        return f"Stopped after epoch {len(val_losses)}: val_loss has not fallen for {patience} epochs"
    return None


def _test(
    hyperparameters: Mapping[str, Any], network: Program, tables: Sequence[Any], test: Mapping[str, Part]
) -> dict[str, float]:
    """Return `test_STUDY_METRIC` for every test study."""
    found = {}
    for study, rows in test.items():
        part = rows.whole_batches(hyperparameters["batch_size"], f"test (of {study})")
        predicted = network.predict(
            tables, part.numbers, hyperparameters["dropout"], hyperparameters["rng_seed"], TEST_STREAM
        )
        scores = _scores(hyperparameters, part.labels, predicted)
        found.update({f"test_{study}_{name}": value for name, value in scores.items()})
        print(f"Test on {study}, {len(part)} rows:")
        _tell_scores(scores)
    return found


def _tell_beginning(
    hyperparameters: Mapping[str, Any], dataset: Dataset, training: Part, validation: Part, shape: Shape, fold: int
) -> None:
    if hyperparameters["cv"] > 1:
        print(f"Fold {fold + 1} of {hyperparameters['cv']}")
    print(*dataset.notes, sep="\n")
    percent = hyperparameters["noise"] if hyperparameters["noise_add"] else 0
    placed = "training and validation" if hyperparameters["noise_validation"] else "training"
    print(f"{len(training)} training rows, {len(validation)} validation rows; noise {percent:g} % on {placed} labels")
    print(f"{shape.weight_count} weights, layers of {', '.join(str(outputs) for _, outputs in shape.layers)}")


def _tell_epoch(epoch: int, epochs: int, seconds: float, history: History) -> None:
    values = " - ".join(f"{name}: {values[-1]:.6f}" for name, values in history.items())
    print(f"Epoch {epoch + 1}/{epochs} - {seconds:.1f} s - {values}", flush=True)


def _tell_end(true: NDArray[Any], predicted: NDArray[Any]) -> None:
    print("Comparing y_true and y_pred:")
    _tell_scores(metrics.scores(true, predicted))


def _tell_scores(scores: Mapping[str, float]) -> None:
    for name in ("loss", "mae", "r2", "corr", "spearman"):
        print(f"  {name}: {scores[name]:.4f}")
