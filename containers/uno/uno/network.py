"""Uno's network: its shape, its first weights, and one traced program that trains it at any size.

```
expression ─────► encoder: Dense ReLU dropout, x 3 ─┐
descriptors ────► encoder: Dense ReLU dropout, x 3 ─┼─► joined ─► Dense, activation, dropout, x 5 ─► Dense(1)
fingerprints ──► encoder (when asked for) ──────────┘
```

Encoders always use ReLU, the joint layers `activation`; dropout follows every hidden layer and is permanent:
it acts in validation and prediction too, as in the original. `residual` adds a joint layer's input to its
output where the widths agree. A raw input (the one-hot study) goes in without an encoder.
Source: ECP-CANDLE/Benchmarks, Pilot1/Uno.

**Speed.** Keras builds and traces each new model, which costs more than a small training. Here the variables
have unknown shape, so one trace serves every layer size; only another *structure* (number of layers, kind of
activation, optimiser or loss) needs another trace. An epoch is one call.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

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

#: How first weights are drawn: scale, which fan divides it, distribution (Keras's VarianceScaling).
INITIALIZATIONS = {
    "glorot_normal": (1.0, "average", "normal"),
    "glorot_uniform": (1.0, "average", "uniform"),
    "he_normal": (2.0, "in", "normal"),
    "he_uniform": (2.0, "in", "uniform"),
    "lecun_normal": (1.0, "in", "normal"),
    "lecun_uniform": (1.0, "in", "uniform"),
}
#: Standard deviation of a unit normal cut off at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978

#: Rows that are predicted at once; bounds memory, changes no number but the dropout's draws.
PREDICTION_ROWS = 4096


@dataclass(frozen=True)
class Shape:
    """Widths of a network.

    `encoders` holds for every encoded input its width and its layers' widths; `raw_width` is the number of
    columns that go in without an encoder; `joint` are the widths of the layers behind the junction.
    """

    encoders: tuple[tuple[int, tuple[int, ...]], ...]
    joint: tuple[int, ...]
    raw_width: int = 0

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of every dense layer: encoders in order of inputs, joint layers, the output."""
        layers = []
        joined = self.raw_width
        for width, sizes in self.encoders:
            widths = [width, *sizes]
            layers += list(itertools.pairwise(widths))
            joined += widths[-1]
        widths = [joined, *self.joint, 1]
        return layers + list(itertools.pairwise(widths))

    @property
    def weight_count(self) -> int:
        """Number of weights, biases included."""
        return sum(inputs * outputs + outputs for inputs, outputs in self.layers)


@dataclass(frozen=True)
class Structure:
    """What a trace depends on: everything but sizes. Equal structures share a program.

    `encoder_layers` and `joint_layers` count layers; `has_raw` tells whether a raw input is joined first;
    `residual` lists the joint layers whose input is added to their output.
    """

    encoder_layers: tuple[int, ...]
    joint_layers: int
    has_raw: bool
    residual: tuple[bool, ...]
    activation: str
    has_dropout: bool
    loss: str
    optimizer: str


def residual_layers(shape: Shape, wanted: bool) -> tuple[bool, ...]:
    """Tell for each joint layer whether its input is added: asked for, and of equal width."""
    joint = shape.layers[-len(shape.joint) - 1 : -1] if shape.joint else []
    return tuple(wanted and inputs == outputs for inputs, outputs in joint)


def draw_weights(shape: Shape, initialization: str, seed: int) -> list[NDArray[np.float32]]:
    """Draw first weights: for each dense layer a kernel [inputs, outputs] and a bias of zeros [outputs].

    Every layer draws from the same seed, so that layers of one shape start equal, as Keras has it when one
    seeded initialiser serves all layers (which Uno's code does); the values are Keras's own.
    """
    weights = []
    for inputs, outputs in shape.layers:
        weights.append(_draw_kernel(inputs, outputs, initialization, seed))
        weights.append(np.zeros(outputs, dtype=np.float32))
    return weights


@functools.lru_cache(maxsize=8)
def _draw_kernel(inputs: int, outputs: int, initialization: str, seed: int) -> NDArray[np.float32]:
    scale, fan, distribution = INITIALIZATIONS[initialization]
    variance = scale / max(1.0, inputs if fan == "in" else (inputs + outputs) / 2.0)
    shape, seeds = (inputs, outputs), [seed, 0]
    if distribution == "normal":
        deviation = math.sqrt(variance) / _TRUNCATED_DEVIATION
        return tf.random.stateless_truncated_normal(shape, seeds, stddev=deviation).numpy()
    limit = math.sqrt(3.0 * variance)
    return tf.random.stateless_uniform(shape, seeds, -limit, limit).numpy()
