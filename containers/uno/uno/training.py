"""Uno's part of a training: its network, its schedule, and what is kept of it on disk.

`model.npz` holds the weights of each layer after the last epoch, which the reported metrics are of, as `weight_0`,
`weight_1`, ...; `model.json` the shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response.dataset import Dataset, Part
from drug_response.epochs import train_epochs
from drug_response.hyperparameters import seed_of
from drug_response.output import SavedModel, no_model, write_model
from drug_response.tables import Source
from drug_response.training import Task, Trained
from uno.network import (
    PREDICTION_STREAM,
    TEST_STREAM,
    VALIDATION_STREAM,
    Network,
    Shape,
    Structure,
    draw_weights,
    residual_layers,
)
from uno.schedule import LearningRate
from uno.small import SmallNetwork, serves


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


def network_of(structure: Structure, shape: Shape) -> Network:
    """Return what trains and predicts with a network: a `SmallNetwork` or a `Program`."""
    if serves(structure, shape):
        return SmallNetwork(shape)
    from uno import program  # TensorFlow, which small networks do without, takes seconds to import

    program.set_up_tensorflow()
    return program.program(structure)


def fit(task: Task, network_of: Callable[[Structure, Shape], Network] = network_of) -> Trained:
    """Train the network that the hyperparameters ask for; `network_of` makes it."""
    hyperparameters, dataset = task.hyperparameters, task.dataset
    batch_size, seed, dropout = (hyperparameters[key] for key in ("batch_size", "rng_seed", "dropout"))
    features = [(table.kind, len(table.names)) for table in dataset.features]
    shape = network_shape(hyperparameters, features, len(dataset.studies))
    print(f"{shape.weight_count} weights, layers of {', '.join(str(outputs) for _, outputs in shape.layers)}")
    network = network_of(network_structure(hyperparameters, shape), shape)
    first_weights = seed_of(hyperparameters, "initialization_seed")
    network.start(draw_weights(shape, hyperparameters["initialization"], first_weights))
    rates = LearningRate(hyperparameters)
    tables, learned, validated = (
        _tables(network, dataset, each) for each in (dataset.tables, task.tables.training, task.tables.validation)
    )
    numbers, labels = task.training.numbers, task.labels.training

    def train_epoch(epoch: int, order: NDArray[np.int32]) -> float:
        return network.train_epoch(
            learned, numbers, labels, order, batch_size, rates.of_epoch(epoch), dropout, epoch, seed
        )

    def validate(epoch: int) -> NDArray[np.float32]:
        return np.asarray(network.predict(validated, task.validation.numbers, dropout, seed, VALIDATION_STREAM, epoch))

    def predict(part: Part) -> NDArray[np.float32]:
        return np.asarray(network.predict(tables, part.numbers, dropout, seed, TEST_STREAM))

    def save(folder: Path) -> None:
        weights = {f"weight_{number}": value for number, value in enumerate(network.weights())}
        write_model(folder, hyperparameters, dataset, weights, _described(shape))

    epochs = train_epochs(task, train_epoch, validate, rates.tell)
    facts = {
        "epochs_done": len(epochs.history["loss"]),
        "timed_out": int(epochs.timed_out),
        "weights": shape.weight_count,
    }
    rows = len(task.training) // batch_size * batch_size
    return Trained(epochs.history, epochs.validated, rows, facts, predict, save)


def load(
    folder: Path, model: SavedModel, source: Source, tables: Sequence[NDArray[np.float32]]
) -> Callable[[Part], NDArray[np.float32]]:
    """Return what predicts with a saved network. Dropout is permanent: it acts here too, with draws of its own."""
    dropout, seed = model.hyperparameters["dropout"], model.hyperparameters["rng_seed"]
    shape, weights = _read_network(folder, model)
    network = network_of(network_structure(model.hyperparameters, shape), shape)
    network.start(weights)
    held = network.tables(tables)
    return lambda part: np.asarray(network.predict(held, part.numbers, dropout, seed, PREDICTION_STREAM))


_TABLES: dict[type, tuple[Dataset, list[Any]]] = {}


def _tables(network: Network, dataset: Dataset, tables: list[NDArray[np.float32]]) -> list[Any]:
    """Return tables as the network takes them; those of the dataset are kept for the next run of the same data."""
    if tables is not dataset.tables:
        return list(network.tables(tables))
    held = _TABLES.get(type(network))
    if held is None or held[0] is not dataset:
        held = _TABLES[type(network)] = (dataset, network.tables(dataset.tables))
    return held[1]


def _described(shape: Shape) -> dict[str, Any]:
    """Return what `model.json` tells of the network."""
    return {
        "encoders": [[width, list(sizes)] for width, sizes in shape.encoders],
        "joint": list(shape.joint),
        "raw_width": shape.raw_width,
    }


def _read_network(folder: Path, model: SavedModel) -> tuple[Shape, list[NDArray[np.float32]]]:
    """Return shape and weights of a saved network. Raises ValueError where they are not there."""
    try:
        encoders = tuple((width, tuple(sizes)) for width, sizes in model.described["encoders"])
        shape = Shape(encoders, tuple(model.described["joint"]), model.described["raw_width"])
        return shape, [model.arrays[f"weight_{number}"] for number in range(2 * len(shape.layers))]
    except (KeyError, TypeError, ValueError) as error:
        raise no_model(folder, error) from None
