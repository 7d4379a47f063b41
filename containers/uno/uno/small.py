"""Small networks in NumPy: their steps are so short that what TensorFlow does around each operation is most of them.

How values and kernels lie in memory is said in `passes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import saxpy, sgemm

from uno.network import TRAINING_STREAM, Network, Shape, Structure
from uno.passes import Draws, Matrix, Memory, Pass, lines

#: A network of more weights is TensorFlow's: its update of them takes one pass over memory, and not six.
MOST_WEIGHTS = 600_000
#: Rows that are predicted at once, which stay near the processor; changes no number but the dropout's draws.
PREDICTION_ROWS = 256
#: Adamax, by Keras's constants.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
#: Steps in which what Adamax keeps grows (see `SmallNetwork._update`), here by 1 / beta 1 to this power: 5e11.
_WINDOW = 256
#: Weights that are updated at once: their gradients are made just before, and stay near the processor meanwhile.
_BLOCK = 1 << 16


def serves(structure: Structure, shape: Shape) -> bool:
    """Tell whether a network is small, and of the kind that is trained here: Uno's defaults but for its sizes."""
    return (
        shape.weight_count <= MOST_WEIGHTS
        and not structure.has_raw
        and not any(structure.residual)
        and (structure.activation, structure.loss, structure.optimizer) == ("relu", "mse", "adamax")
    )


class _Kernel(NamedTuple):
    """Where a layer's kernel is among all weights. It begins with a line of memory."""

    start: int
    outputs: int
    columns: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.outputs * self.columns

    def view(self, flat: Matrix, begins: int = 0) -> Matrix:
        """Return it in an array of all weights, or of those from `begins` on: [outputs, columns]."""
        return flat[self.start - begins : self.end - begins].reshape(self.outputs, self.columns)


class _Block(NamedTuple):
    """Weights that are updated at once, and what is kept of them; `spare` begins with their gradient."""

    weights: Matrix
    momentum: Matrix
    largest: Matrix
    spare: Matrix


class SmallNetwork(Network):
    """Trains and predicts with one network."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._memory = shape, Memory()
        places = _kernel_places(shape)
        self._weights, self._momentum, self._largest = (self._memory.zeros(places[-1].end) for _ in range(3))
        self._kernels = [place.view(self._weights) for place in places]
        self._blocks, self._gradients = self._in_blocks(places)
        self._passes: dict[tuple[int, float], Pass] = {}

    def start(self, weights: Sequence[Matrix]) -> None:
        for ours, kernel, bias in zip(self._kernels, weights[::2], weights[1::2], strict=True):
            ours[:, : len(kernel)], ours[:, len(kernel)] = kernel.T, bias
        self._momentum[:] = 0
        self._largest[:] = 0

    def weights(self) -> list[Matrix]:
        widths = [inputs for inputs, _ in self._shape.layers]
        pairs = ((ours[:, :width].T, ours[:, width]) for ours, width in zip(self._kernels, widths, strict=True))
        return [part.copy() for pair in pairs for part in pair]

    def tables(self, tables: Sequence[Matrix]) -> list[Matrix]:
        """Tables with a column of ones, then zeros to whole lines."""
        memory = Memory()  # tables are kept longer than networks
        ours = [memory.zeros(len(table), lines(table.shape[1] + 1)) for table in tables]
        for wide, table in zip(ours, tables, strict=True):
            wide[:, : table.shape[1]], wide[:, table.shape[1]] = table, 1
        return ours

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
        steps, (first, last) = len(order) // batch_size, learning_rates
        order = order[: steps * batch_size]
        batches = numbers[order].reshape(steps, batch_size, len(tables)).swapaxes(1, 2).astype(np.intp)
        known = labels[order].reshape(steps, batch_size)
        errors = np.empty_like(known)
        batch, draws = self._pass(batch_size, dropout), Draws(dropout, seed, TRAINING_STREAM, epoch)
        with np.errstate(all="ignore"):  # a loss that is not finite ends the training
            for step, (rows, labels_of_rows, wrong) in enumerate(zip(batches, known, errors, strict=True)):
                batch.look_up(tables, rows, draws)
                np.subtract(batch.forward(), labels_of_rows, out=wrong)
                done = epoch * steps + step
                np.multiply(wrong, np.float32(2 / batch_size * _growth(BETA_2, done)), out=batch.slopes)
                batch.backward()
                self._update(batch, first + (last - first) * step / steps, done)
        return float(np.mean(np.square(errors)))

    def predict(
        self,
        tables: Sequence[Matrix],
        numbers: NDArray[np.int32],
        dropout: float,
        seed: int,
        stream: int,
        epoch: int = 0,
    ) -> Matrix:
        draws = Draws(dropout, seed, stream, epoch)
        parts = [np.empty(0, np.float32)]
        with np.errstate(all="ignore"):
            products, places = self._table_products(tables, numbers)
            for start in range(0, len(numbers), PREDICTION_ROWS):
                rows = [each[start : start + PREDICTION_ROWS] for each in places]
                batch = self._pass(len(rows[0]), dropout)
                batch.look_up_products(products, rows, draws)
                parts.append(batch.forward().copy())
        return np.concatenate(parts)

    def _pass(self, rows: int, dropout: float) -> Pass:
        """Return the room for so many rows, which is kept for the next epoch."""
        if (rows, dropout) not in self._passes:
            made = Pass(self._shape, self._kernels, self._gradients, rows, dropout, self._memory)
            self._passes[rows, dropout] = made
        return self._passes[rows, dropout]

    def _table_products(
        self, tables: Sequence[Matrix], numbers: NDArray[np.int32]
    ) -> tuple[list[Matrix], list[NDArray[np.intp]]]:
        """Return what first kernels and tables make, [outputs, distinct rows], and which of these columns rows have.

        Many rows are of one cell line, or of one drug, and are multiplied once.
        """
        products, places = [], []
        for layer, table, of_table in zip(self._shape.first_layers, tables, numbers.T, strict=True):
            distinct, place = np.unique(of_table, return_inverse=True)
            products.append(np.dot(self._kernels[layer], table[distinct].T))
            places.append(place)
        return products, places

    def _update(self, batch: Pass, learning_rate: float, done: int) -> None:
        """Do a step of Adamax after so many, with gradients that are larger by `_growth` of beta 2.

        The largest gradient need not fade then, as it does by beta 2 a step: what comes is larger instead. The momentum
        is larger by the growth of beta 1, which it fades by, and by 1 / (1 - beta 1) than Keras's.
        """
        momentum_growth, growth = _growth(BETA_1, done), _growth(BETA_2, done)
        rate = -learning_rate * (1 - BETA_1) / (1 - BETA_1 ** (done + 1)) * growth / momentum_growth
        epsilon = np.float32(EPSILON * growth)
        for (weights, momentum, largest, spare), gradients in zip(self._blocks, batch.gradients, strict=True):
            for gradient in gradients:
                sgemm(*gradient)
            saxpy(spare, momentum, a=momentum_growth / growth)  # in place, as the other
            np.absolute(spare, out=spare)
            np.maximum(largest, spare, out=largest)
            np.add(largest, epsilon, out=spare)
            np.divide(momentum, spare, out=spare)
            saxpy(spare, weights, a=rate)
        if (done + 1) % _WINDOW == 0:
            np.multiply(self._momentum, np.float32(1 / momentum_growth), out=self._momentum)
            np.multiply(self._largest, np.float32(1 / growth), out=self._largest)

    def _in_blocks(self, places: Sequence[_Kernel]) -> tuple[list[_Block], list[list[Matrix]]]:
        """Return the blocks of weights, and for each where the gradients of its layers are to be."""
        runs = _runs(places)
        spare = self._memory.zeros(max(run[-1].end - run[0].start for run in runs))
        blocks = []
        for run in runs:
            start, end = run[0].start, run[-1].end
            weights, momentum, largest = (each[start:end] for each in (self._weights, self._momentum, self._largest))
            blocks.append(_Block(weights, momentum, largest, spare[: end - start]))
        return blocks, [[place.view(spare, run[0].start) for place in run] for run in runs]


def _kernel_places(shape: Shape) -> list[_Kernel]:
    """Return where each layer's kernel is; those of tables have rows of whole lines, as tables have."""
    places, start = [], 0
    for layer, (inputs, outputs) in enumerate(shape.layers):
        columns = lines(inputs + 1) if layer in shape.first_layers else inputs + 1
        places.append(_Kernel(start, outputs, columns))
        start += lines(outputs * columns)
    return places


def _runs(places: Sequence[_Kernel]) -> list[list[_Kernel]]:
    """Return the kernels in runs of no more than a block, or of one."""
    runs: list[list[_Kernel]] = []
    for place in places:
        if not runs or place.end - runs[-1][0].start > _BLOCK:
            runs.append([])
        runs[-1].append(place)
    return runs


def _growth(beta: float, done: int) -> float:
    """Return how much larger numbers are held than they are, after so many steps: they grow within a window."""
    return float(beta ** -(done % _WINDOW + 1))
