"""The traced program of a network structure: its variables, its forward pass, an epoch, a prediction.

Keras builds and traces each new model, which costs more than a small training. Here the variables have unknown shape,
so one trace serves every layer size; only another *structure* (number of layers, kind of activation, optimiser or loss)
needs another trace. An epoch is one call.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from uno.network import TRAINING_STREAM, Network, Structure
from uno.optimizers import Optimizer

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": tf.nn.relu,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "gelu": lambda values: tf.nn.gelu(values, approximate=False),
    "sigmoid": tf.nn.sigmoid,
    "softplus": tf.nn.softplus,
    "tanh": tf.nn.tanh,
    "linear": tf.identity,
}

#: Loss by name: from labels and predictions, both [rows], to one number.
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": lambda labels, predictions: tf.reduce_mean(tf.math.squared_difference(labels, predictions)),
    "mae": lambda labels, predictions: tf.reduce_mean(tf.abs(labels - predictions)),
}

#: Rows that are predicted at once; bounds memory, changes no number but the dropout's draws.
PREDICTION_ROWS = 4096
#: A draw's seed is (the run's seed, its number in the stream * this + the stream).
_STREAMS = 4


def set_up_tensorflow() -> None:
    """Share a device's memory with other models, and use one thread: small networks lose by more.

    The environment may say otherwise, by TensorFlow's own variables `TF_FORCE_GPU_ALLOW_GROWTH`,
    `TF_NUM_INTRAOP_THREADS` and `TF_NUM_INTEROP_THREADS`. In a process where TensorFlow has run before, its
    threads stay as they are.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with contextlib.suppress(RuntimeError):
        if "TF_NUM_INTRAOP_THREADS" not in os.environ:
            tf.config.threading.set_intra_op_parallelism_threads(1)
        if "TF_NUM_INTEROP_THREADS" not in os.environ:
            tf.config.threading.set_inter_op_parallelism_threads(1)


def _matrix(dtype: Any = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec([None, None], dtype)


def _vector(dtype: Any = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec([None], dtype)


def _number(dtype: Any = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec([], dtype)


class Program(Network):
    """Trains and predicts with networks of one structure and any size; traced on the first call."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self._inputs = len(structure.encoder_layers) + structure.has_raw
        layers = sum(structure.encoder_layers) + structure.joint_layers + 1
        self._weights = [_variable(rank) for _ in range(layers) for rank in (2, 1)]
        self._optimizer = Optimizer(structure.optimizer, self._weights)
        tables = [_matrix()] * self._inputs
        self._epoch = tf.function(
            self._run_epoch,
            input_signature=[
                tables, _matrix(tf.int32), _vector(), _vector(tf.int32), _number(tf.int32), _number(), _number(),
                _number(), _number(tf.int64), _vector(tf.int64),
            ],
        )  # fmt: skip
        self._predict = tf.function(
            self._run_forward,
            input_signature=[tables, _matrix(tf.int32), _number(), _vector(tf.int64)],
        )

    def start(self, weights: Sequence[NDArray[np.float32]]) -> None:
        for variable, value in zip(self._weights, weights, strict=True):
            variable.assign(value)
        self._optimizer.reset()

    def weights(self) -> list[NDArray[np.float32]]:
        return [variable.numpy() for variable in self._weights]

    def tables(self, tables: Sequence[NDArray[np.float32]]) -> list[Any]:
        """Tables as tensors."""
        return [tf.constant(table) for table in tables]

    def train_epoch(
        self,
        tables: Sequence[Any],
        numbers: Any,
        labels: Any,
        order: NDArray[np.int32],
        batch_size: int,
        learning_rates: tuple[float, float],
        dropout: float,
        epoch: int,
        seed: int,
    ) -> float:
        steps = len(order) // batch_size
        loss = self._epoch(
            list(tables), numbers, labels, order, np.int32(batch_size), np.float32(learning_rates[0]),
            np.float32(learning_rates[1]), np.float32(dropout), np.int64(epoch * steps),
            np.array([seed, TRAINING_STREAM], dtype=np.int64),
        )  # fmt: skip
        return float(loss)

    def predict(
        self, tables: Sequence[Any], numbers: NDArray[np.int32], dropout: float, seed: int, stream: int, epoch: int = 0
    ) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(numbers), PREDICTION_ROWS):
            draw = epoch * (1 << 32) + start // PREDICTION_ROWS
            seeds = np.array([seed, _STREAMS * draw + stream], dtype=np.int64)
            rows = numbers[start : start + PREDICTION_ROWS]
            parts.append(self._predict(list(tables), rows, np.float32(dropout), seeds).numpy())
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)

    def _run_epoch(
        self, tables: Any, numbers: Any, labels: Any, order: Any, batch_size: Any, first_rate: Any,
        last_rate: Any, dropout: Any, steps_done: Any, seeds: Any,
    ) -> Any:  # fmt: skip
        steps = tf.size(order) // batch_size
        total = tf.constant(0.0)
        for step in tf.range(steps):
            rows = order[step * batch_size : (step + 1) * batch_size]
            batch = tf.gather(numbers, rows)
            wanted = tf.gather(labels, rows)
            count = steps_done + tf.cast(step, tf.int64) + 1
            draw = tf.stack([seeds[0], _STREAMS * count + seeds[1]])
            rate = first_rate + (last_rate - first_rate) * tf.cast(step, tf.float32) / tf.cast(steps, tf.float32)
            with tf.GradientTape() as tape:
                predictions = self._run_forward(tables, batch, dropout, draw)
                loss = LOSSES[self.structure.loss](wanted, predictions)
            gradients = tape.gradient(loss, self._weights)
            self._optimizer.apply(gradients, rate, tf.cast(count, tf.float32))
            total += loss
        return total / tf.cast(steps, tf.float32)

    def _run_forward(self, tables: Any, numbers: Any, dropout: Any, seeds: Any) -> Any:
        structure = self.structure
        masks = iter(self._draw_masks(tf.shape(numbers)[0], dropout, seeds))
        weights = iter(self._weights)
        inputs = [tf.gather(table, numbers[:, place]) for place, table in enumerate(tables)]
        joined = inputs[len(structure.encoder_layers) :]
        for values, layers in zip(inputs, structure.encoder_layers, strict=False):
            for _ in range(layers):
                values = _keep(tf.nn.relu(_dense(values, weights)), masks)
            joined.append(values)
        values = tf.concat(joined, axis=1)
        for adds_input in structure.residual:
            layer = _keep(ACTIVATIONS[structure.activation](_dense(values, weights)), masks)
            values = layer + values if adds_input else layer
        return _dense(values, weights)[:, 0]

    def _draw_masks(self, rows: Any, dropout: Any, seeds: Any) -> list[Any]:
        """Draw the dropout masks of all hidden layers at once: 0, or 1 / (1 - rate)."""
        hidden = self._weights[1:-2:2]
        if not self.structure.has_dropout:
            return [None] * len(hidden)
        widths = [tf.shape(bias)[0] for bias in hidden]
        uniform = tf.random.stateless_uniform([rows, tf.add_n(widths)], seeds)
        masks = tf.cast(uniform >= dropout, tf.float32) / (1.0 - dropout)
        return tf.split(masks, tf.stack(widths), axis=1, num=len(hidden))


def _variable(rank: int) -> Any:
    return tf.Variable(tf.zeros([0] * rank), shape=tf.TensorShape([None] * rank), trainable=True)


def _dense(values: Any, weights: Any) -> Any:
    return tf.nn.bias_add(tf.matmul(values, next(weights)), next(weights))


def _keep(values: Any, masks: Any) -> Any:
    mask = next(masks)
    return values if mask is None else values * mask


@functools.lru_cache(maxsize=8)
def program(structure: Structure) -> Program:
    """Return the one program of a structure; its trace is paid by the first training that needs it."""
    return Program(structure)
