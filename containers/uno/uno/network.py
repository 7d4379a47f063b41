"""Uno's network: its shape, its first weights, and what trains with it.

```
expression ─────► encoder: Dense ReLU dropout, x 3 ─┐
descriptors ────► encoder: Dense ReLU dropout, x 3 ─┼─► joined ─► Dense, activation, dropout, x 5 ─► Dense(1)
fingerprints ──► encoder (when asked for) ──────────┘
```

Encoders always use ReLU, the joint layers `activation`; dropout follows every hidden layer and is permanent:
it acts in validation and prediction too, as in the original. `residual` adds a joint layer's input to its
output where the widths agree. A raw input (the one-hot study) goes in without an encoder.
Source: ECP-CANDLE/Benchmarks, Pilot1/Uno.

`small` trains small networks, `stacked` several of them on a GPU at once, `program` all others: each is a `Network`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

#: Streams of the dropout's random numbers, so that training, validation and prediction share none.
TRAINING_STREAM, VALIDATION_STREAM, PREDICTION_STREAM, TEST_STREAM = range(4)
#: The stream of first weights, besides the run's seed; those of `drug_response.training` are others.
_FIRST_WEIGHTS = 8

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
    def first_layers(self) -> list[int]:
        """Which of `layers` are the first of an encoder."""
        return list(itertools.accumulate((len(sizes) for _, sizes in self.encoders[:-1]), initial=0))

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


class Network(Protocol):
    """What trains and predicts with one network at a time.

    Inputs are tables and row numbers: `tables` holds a float32 matrix for each encoded input, `numbers` is
    int32 [rows, encoded inputs (+ 1 with a raw input)] and tells each row's place in each table. The last
    table is the raw input's, where there is one.
    """

    def start(self, weights: Sequence[NDArray[np.float32]]) -> None:
        """Take the weights of a new network: a kernel and a bias for each layer; forget the optimiser's past."""

    def weights(self) -> list[NDArray[np.float32]]:
        """Return copies of the present weights, in the order of `start`."""

    def tables(self, tables: Sequence[NDArray[np.float32]]) -> list[Any]:
        """Return tables in the form that the other methods take."""

    def train_epoch(
        self,
        tables: Sequence[Any],
        numbers: NDArray[np.int32],
        labels: NDArray[np.float32],
        order: NDArray[np.int32],
        batch_size: int,
        learning_rates: tuple[float, float],
        dropout: float,
        epoch: int,
        seed: int,
    ) -> float:
        """Train on the rows in `order`, whole batches only; returns the mean of the batches' losses.

        The learning rate goes in a straight line from the first to the second of `learning_rates`.
        `epoch` counts from 0.
        """

    def predict(
        self, tables: Sequence[Any], numbers: NDArray[np.int32], dropout: float, seed: int, stream: int, epoch: int = 0
    ) -> NDArray[np.float32]:
        """Return predictions, float32 [rows]. Dropout is permanent: its draws follow seed, stream and epoch."""


def residual_layers(shape: Shape, wanted: bool) -> tuple[bool, ...]:
    """Tell for each joint layer whether its input is added: asked for, and of equal width."""
    joint = shape.layers[-len(shape.joint) - 1 : -1] if shape.joint else []
    return tuple(wanted and inputs == outputs for inputs, outputs in joint)


def draw_weights(shape: Shape, initialization: str, seed: int) -> list[NDArray[np.float32]]:
    """Draw first weights: for each dense layer a kernel [inputs, outputs] and a bias of zeros [outputs].

    Every layer draws from the same seed, so that layers of one shape start equal, as Keras has it when one
    seeded initialiser serves all layers (which Uno's code does). Scales and distributions are Keras's.
    """
    weights = []
    for inputs, outputs in shape.layers:
        weights.append(_draw_kernel(inputs, outputs, initialization, seed))
        weights.append(np.zeros(outputs, dtype=np.float32))
    return weights


def _draw_kernel(inputs: int, outputs: int, initialization: str, seed: int) -> NDArray[np.float32]:
    scale, fan, distribution = INITIALIZATIONS[initialization]
    variance = scale / max(1.0, inputs if fan == "in" else (inputs + outputs) / 2.0)
    generator = np.random.default_rng([seed, _FIRST_WEIGHTS])
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return generator.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
    values = generator.standard_normal((inputs, outputs), dtype=np.float32)
    while np.any(is_cut_off := np.abs(values) > 2.0):
        values[is_cut_off] = generator.standard_normal(np.count_nonzero(is_cut_off), dtype=np.float32)
    return values * np.float32(math.sqrt(variance) / _TRUNCATED_DEVIATION)
