"""Small networks in NumPy: their steps are so short that what TensorFlow does around each operation is most of them.

Values are [features, rows], and below the last feature of each layer is a row of ones, so that a bias is the last
column of its kernel, [outputs, inputs + 1]: biases and their gradients are part of the products. All hidden layers of a
pass stand one below the other in one array; the encoders' last ones are neighbours there, and are joined by that.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import saxpy

from uno.network import TRAINING_STREAM, Shape, Structure

#: A network of more weights is TensorFlow's: its update of them takes one pass over memory, and not six.
MOST_WEIGHTS = 600_000
#: Rows that are predicted at once, which stay near the processor; changes no number but the dropout's draws.
PREDICTION_ROWS = 256
#: Adamax, by Keras's constants.
_BETA_1, _BETA_2, _EPSILON = 0.9, np.float32(0.999), np.float32(1e-7)
_ZERO = np.zeros((), np.float32)
#: Weights that are updated at once: what is kept of so many stays near the processor meanwhile.
_BLOCK = 1 << 15
#: The seed of dropout's draws is (the run's seed, this + the stream, the epoch); no other draws have it.
_FIRST_STREAM = 16

Matrix = NDArray[np.float32]


def serves(structure: Structure, shape: Shape) -> bool:
    """Tell whether a network is small, and of the kind that is trained here: Uno's defaults but for its sizes."""
    return (
        shape.weight_count <= MOST_WEIGHTS
        and not structure.has_raw
        and not any(structure.residual)
        and (structure.activation, structure.loss, structure.optimizer) == ("relu", "mse", "adamax")
    )


class SmallNetwork:
    """Trains and predicts with one network, by the methods of `program.Program`."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        count = shape.weight_count
        self._weights, self._largest = np.zeros((2, count), np.float32)
        self._spare = np.empty(min(count, _BLOCK), np.float32)
        self._kernels = self._by_layer(self._weights)
        self._backward = [kernel[:, :-1].T for kernel in self._kernels]
        self._gradient, self._momentum = ((flat, self._by_layer(flat)) for flat in np.zeros((2, count), np.float32))

    def start(self, weights: Sequence[Matrix]) -> None:
        """Take the weights of a new network: a kernel and a bias for each layer; forget the optimiser's past."""
        for ours, kernel, bias in zip(self._kernels, weights[::2], weights[1::2], strict=True):
            ours[:, :-1], ours[:, -1] = kernel.T, bias
        self._momentum[0][:] = 0
        self._largest[:] = 0

    def weights(self) -> list[Matrix]:
        """Return copies of the present weights, in the order of `start`."""
        return [part.copy() for kernel in self._kernels for part in (kernel[:, :-1].T, kernel[:, -1])]

    def tables(self, tables: Sequence[Matrix]) -> list[Matrix]:
        """Return tables in the form that the other methods take: with a column of ones."""
        with_ones = (np.concatenate([table, np.ones((len(table), 1), np.float32)], axis=1) for table in tables)
        return [np.ascontiguousarray(table) for table in with_ones]

    def train_epoch(
        self,
        tables: Sequence[Matrix],
        numbers: NDArray[np.int32],
        labels: Matrix,
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
        steps, (first, last), total = len(order) // batch_size, learning_rates, 0.0
        numbers, labels = numbers[order].T.copy(), labels[order]
        batch, draws = _Pass(self._shape, batch_size), _Draws(dropout, seed, TRAINING_STREAM, epoch)
        with np.errstate(all="ignore"):  # a loss that is not finite ends the training
            for step in range(steps):
                rows = slice(step * batch_size, (step + 1) * batch_size)
                errors = batch.forward(self._kernels, tables, numbers[:, rows], draws) - labels[rows]
                total += float(errors @ errors) / batch_size
                batch.backward(self._backward, errors * np.float32(2 / batch_size), self._gradient[1])
                self._update(first + (last - first) * step / steps, epoch * steps + step + 1)
        return total / steps

    def predict(
        self,
        tables: Sequence[Matrix],
        numbers: NDArray[np.int32],
        dropout: float,
        seed: int,
        stream: int,
        epoch: int = 0,
    ) -> Matrix:
        """Return predictions, float32 [rows]. Dropout is permanent: its draws follow seed, stream and epoch."""
        draws = _Draws(dropout, seed, stream, epoch)
        parts = [np.empty(0, np.float32)]
        with np.errstate(all="ignore"):
            for start in range(0, len(numbers), PREDICTION_ROWS):
                rows = numbers[start : start + PREDICTION_ROWS].T
                parts.append(_Pass(self._shape, rows.shape[1]).forward(self._kernels, tables, rows, draws))
        return np.concatenate(parts)

    def _by_layer(self, flat: Matrix) -> list[Matrix]:
        """Return views of an array of all weights: each layer's kernel, with the bias as last column."""
        sizes = [(outputs, inputs + 1) for inputs, outputs in self._shape.layers]
        ends = itertools.accumulate((rows * columns for rows, columns in sizes), initial=0)
        return [flat[a:b].reshape(size) for (a, b), size in zip(itertools.pairwise(ends), sizes, strict=True)]

    def _update(self, learning_rate: float, step: int) -> None:
        """Do one step of Adamax. The momentum that is kept is 1 / (1 - beta 1) times Keras's: one pass less."""
        rate = -learning_rate * (1 - _BETA_1) / (1 - _BETA_1**step)
        flat = self._weights, self._gradient[0], self._momentum[0], self._largest
        for start in range(0, len(self._weights), _BLOCK):
            weights, gradient, momentum, largest = (each[start : start + _BLOCK] for each in flat)
            spare = self._spare[: len(weights)]
            np.absolute(gradient, out=spare)
            np.multiply(largest, _BETA_2, out=largest)
            np.maximum(largest, spare, out=largest)
            saxpy(momentum, gradient, a=_BETA_1)  # in place, as the other
            np.add(largest, _EPSILON, out=spare)
            np.divide(gradient, spare, out=spare)
            saxpy(spare, weights, a=rate)
        self._gradient, self._momentum = self._momentum, self._gradient


class _Draws:
    """Dropout's random numbers, of 16 bits each, so that the rate is met to 1 in 65,536."""

    def __init__(self, dropout: float, seed: int, stream: int, epoch: int) -> None:
        self._generator = np.random.SFC64([seed, _FIRST_STREAM + stream, epoch])
        self._dropped, self._scale = round(dropout * (1 << 16)), np.float32(1 / (1 - dropout))

    def draw(self, masks: Matrix) -> None:
        """Fill masks: 0, or 1 / (1 - rate)."""
        words = self._generator.random_raw((masks.size + 3) // 4).view(np.uint16)[: masks.size]
        np.multiply(words.reshape(masks.shape) >= self._dropped, self._scale, out=masks)


class _Layer(NamedTuple):
    """A hidden layer's part of a pass; `before` are the slopes at its inputs, None where these are a table's."""

    inputs: Matrix  # [inputs + 1, rows]
    inputs_by_row: Matrix  # [rows, inputs + 1]
    outputs: Matrix  # [outputs, rows], as are masks and slopes
    masks: Matrix
    slopes: Matrix
    before: Matrix | None


class _Pass:
    """Room for what goes forward and backward of so many rows at once."""

    def __init__(self, shape: Shape, rows: int) -> None:
        places, last = _places(shape)
        self._hidden = np.ones((last.stop, rows), np.float32)
        self._masks, slopes = np.empty((2, last.stop, rows), np.float32)
        self._from_tables = [np.empty((rows, width + 1), np.float32) for width, _ in shape.encoders]
        self._last, self._last_slopes = self._hidden[last], slopes[last][:-1]
        self._layers: list[_Layer] = []
        tables = iter(self._from_tables)
        for inputs, outputs in places:
            by_row = next(tables) if inputs is None else self._hidden[inputs].T
            before = None if inputs is None else slopes[inputs][:-1]
            self._layers.append(
                _Layer(by_row.T, by_row, self._hidden[outputs], self._masks[outputs], slopes[outputs], before)
            )

    def forward(self, kernels: Sequence[Matrix], tables: Sequence[Matrix], numbers: Any, draws: _Draws) -> Matrix:
        """Return the predictions of rows, [rows]; `numbers` are [tables, rows]."""
        for table, places, rows in zip(tables, numbers, self._from_tables, strict=True):
            table.take(places, axis=0, out=rows, mode="clip")  # in other modes it is copied twice
        draws.draw(self._masks)
        for kernel, layer in zip(kernels[:-1], self._layers, strict=True):
            np.dot(kernel, layer.inputs, layer.outputs)
            np.maximum(layer.outputs, _ZERO, out=layer.outputs)
            np.multiply(layer.outputs, layer.masks, out=layer.outputs)
        return np.asarray(np.dot(kernels[-1], self._last)[0])

    def backward(self, kernels: Sequence[Matrix], slopes: Matrix, gradients: Sequence[Matrix]) -> None:
        """Fill the gradients of all layers, from the slopes of the loss at the predictions, [rows].

        `kernels` are [inputs, outputs], without biases.
        """
        np.multiply(self._masks, self._hidden > 0, out=self._masks)
        np.matmul(slopes[None], self._last.T, out=gradients[-1])
        np.matmul(kernels[-1], slopes[None], out=self._last_slopes)
        for kernel, gradient, layer in zip(kernels[-2::-1], gradients[-2::-1], self._layers[::-1], strict=True):
            np.multiply(layer.slopes, layer.masks, out=layer.slopes)
            np.matmul(layer.slopes, layer.inputs_by_row, out=gradient)
            if layer.before is not None:
                np.matmul(kernel, layer.slopes, out=layer.before)


def _places(shape: Shape) -> tuple[list[tuple[slice | None, slice]], slice]:
    """Return where in a pass each hidden layer's inputs (None: in a table) and outputs are, and the last inputs."""
    joined = end = sum(size + 1 for _, sizes in shape.encoders for size in sizes[:-1])
    places: list[tuple[slice | None, slice]] = []
    height = 0
    for _, sizes in shape.encoders:
        inputs = None
        for size in sizes[:-1]:
            places.append((inputs, slice(height, height + size)))
            inputs = slice(height, height + size + 1)
            height += size + 1
        places.append((inputs, slice(end, end + sizes[-1])))
        end += sizes[-1]
    before, height = slice(joined, end + 1), end + 1
    for size in shape.joint:
        places.append((before, slice(height, height + size)))
        before = slice(height, height + size + 1)
        height += size + 1
    return places, before
