"""What goes forward and backward of a small network's rows, and the memory that it lies in.

Values are [features, rows], and below the last feature of each layer is a row of equal numbers, so that a bias is a
column of its kernel, [outputs, inputs + 1]: biases and their gradients are part of the products. All hidden layers of a
pass stand one below the other in one array; the encoders' last ones are neighbours there, and are joined by that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import sgemm

from uno.network import Shape

#: Float32 numbers in a line of memory. Products of rows that begin and end with one take two thirds of the time.
_LINE = 16
#: Numbers in one of the large pages, of 2 MB, that NumPy asks the system for where it needs 4 MB and more.
_PAGE = 1 << 19
#: Of a product of rows with rows, of so many multiplications at the most, OpenBLAS makes results of so many numbers at
#: the most faster than larger ones, which take 1.5 times as long in one piece.
_SMALL_PRODUCT, _SMALL_RESULT = 1_000_000, 1200
#: What a unit that is dropped begins with, so that nothing is left of it behind the ReLU.
_DROPPED = -1e30
#: The seed of dropout's draws is (the run's seed, this + the stream, the epoch); no other draws have it.
_FIRST_STREAM = 16

Matrix = NDArray[np.float32]
#: The arguments of BLAS's `sgemm`. They are made once, for a call takes as long as a small product.
Product = tuple[Any, ...]


class Memory:
    """Gives arrays that begin with a line, out of pieces that lie in large pages, which are found faster."""

    def __init__(self) -> None:
        self._piece, self._used = np.empty(0, np.float32), 0

    def zeros(self, *size: int) -> Matrix:
        """Return an array of zeros."""
        count = math.prod(size)
        if self._used + count > len(self._piece):
            self._piece = np.zeros(max(3 * _PAGE, count) + _PAGE, np.float32)
            self._used = -(self._piece.ctypes.data // self._piece.itemsize) % _PAGE
        start, self._used = self._used, self._used + lines(count)
        return self._piece[start : start + count].reshape(size)


class Draws:
    """Dropout's random numbers, of 16 bits each, so that the rate is met to 1 in 65,536."""

    def __init__(self, dropout: float, seed: int, stream: int, epoch: int) -> None:
        self._generator = np.random.SFC64([seed, _FIRST_STREAM + stream, epoch])
        self._dropped = round(dropout * (1 << 16))

    def draw(self, dropped: Matrix) -> None:
        """Fill `dropped`: 1 for what is, else 0."""
        words = self._generator.random_raw((dropped.size + 3) // 4).view(np.uint16)[: dropped.size]
        np.copyto(dropped, words.reshape(dropped.shape) < self._dropped)

    def packed(self, times: int, units: int, rows: int, width: int = 0) -> NDArray[np.uint8]:
        """Return what so many calls of `draw` give for [units, rows], in bits, [times, bytes]; zeros up to `width`.

        Other threads go on meanwhile, which they do not while `random_raw` draws the same words.
        """
        size, most = (times, (units * rows + 3) // 4), np.iinfo(np.uint64).max
        words = np.random.Generator(self._generator).integers(most, size=size, dtype=np.uint64, endpoint=True)
        dropped = words.view(np.uint16)[:, : units * rows] < self._dropped
        if rows < width:
            dropped = np.pad(dropped.reshape(times, units, rows), ((0, 0), (0, 0), (0, width - rows)))
        return np.packbits(dropped.reshape(times, -1), axis=1)


class _Layer(NamedTuple):
    """A hidden layer's part of a pass; no products where its inputs are a table's: see `Pass.look_up`."""

    forward: Product | None
    backward: Product | None
    outputs: Matrix  # [outputs, rows], as are the others
    zeros: Matrix  # NumPy's maximum of two arrays is faster than that of an array and a number
    alive: Matrix
    slopes: Matrix


class Pass:
    """Room for what goes forward and backward of so many rows at once.

    Hidden units hold 1 - dropout of their values, as does the row below them: 1 / (1 - dropout) is a factor of what is
    multiplied with them, and that costs nothing. `slopes` are those of the loss at the predictions, [rows], times
    whatever gradients are wanted in; `gradients` makes these where they were given to be, in lists of layers.
    """

    def __init__(
        self,
        shape: Shape,
        kernels: Sequence[Matrix],
        gradients: Sequence[Sequence[Matrix]],
        rows: int,
        dropout: float,
        memory: Memory,
    ) -> None:
        places, last = hidden_places(shape)
        scale, self._kept = 1 / (1 - dropout), np.float32(1 - dropout)
        self._hidden, self._alive, slopes = (memory.zeros(last.stop, rows) for _ in range(3))
        self._ones = np.array(sorted({inputs.stop - 1 for inputs, _ in places if inputs is not None} | {last.stop - 1}))
        zeros = memory.zeros(max(outputs for _, outputs in shape.layers), rows)
        self._output, output_slopes = memory.zeros(1, rows), memory.zeros(1, rows)
        self.slopes = output_slopes[0]
        self._layers: list[_Layer] = []
        self._tables: list[tuple[Matrix, list[Product], Matrix]] = []
        factors: list[tuple[float, Matrix, Matrix]] = []
        for kernel, (inputs, outputs) in zip(kernels, places, strict=False):
            ours = self._hidden[outputs], zeros[: len(kernel)], self._alive[outputs], slopes[outputs]
            if inputs is None:
                looked_up = memory.zeros(rows, kernel.shape[1])
                self._tables.append((looked_up, _from_rows(kernel, looked_up, ours[0]), ours[0]))
                self._layers.append(_Layer(None, None, *ours))
                factors.append((1.0, ours[3], looked_up))
            else:
                forward = product(scale, kernel, self._hidden[inputs], _DROPPED, ours[0])
                self._layers.append(_Layer(forward, product(scale, kernel.T, ours[3], 0.0, slopes[inputs]), *ours))
                factors.append((scale, ours[3], self._hidden[inputs].T))
        self._forward = product(scale, kernels[-1], self._hidden[last], 0.0, self._output)
        self._backward = product(scale, kernels[-1].T, output_slopes, 0.0, slopes[last])
        factors.append((scale, output_slopes, self._hidden[last].T))
        of_layers = iter(factors)
        self.gradients = [[product(*next(of_layers), 0.0, result) for result in run] for run in gradients]

    def look_up(self, tables: Sequence[Matrix], numbers: NDArray[np.intp], draws: Draws) -> None:
        """Begin with rows of tables; `numbers` are [tables, rows]."""
        self._draw(draws)
        for table, places, (looked_up, products, _) in zip(tables, numbers, self._tables, strict=True):
            table.take(places, axis=0, out=looked_up, mode="clip")  # in other modes it is copied twice
            for each in products:
                sgemm(*each)

    def look_up_products(self, products: Sequence[Matrix], numbers: Sequence[NDArray[np.intp]], draws: Draws) -> None:
        """Begin with columns of what kernels and tables make, a matrix for each table."""
        self._draw(draws)
        for made, places, (_, _, outputs) in zip(products, numbers, self._tables, strict=True):
            np.multiply(outputs, np.float32(_DROPPED), out=outputs)
            np.add(outputs, made.take(places, axis=1), out=outputs)

    def forward(self) -> Matrix:
        """Return the predictions of the rows that were looked up, [rows]; the next ones take their place."""
        for forward, _, outputs, zeros, _, _ in self._layers:
            if forward is not None:
                sgemm(*forward)
            np.maximum(outputs, zeros, out=outputs)
        sgemm(*self._forward)
        return np.asarray(self._output[0])

    def backward(self) -> None:
        """Find the slopes at all layers, from `slopes`."""
        np.copyto(self._alive, self._hidden > 0)  # neither dropped nor cut off by the ReLU
        sgemm(*self._backward)
        for _, backward, _, _, alive, slopes in reversed(self._layers):
            np.multiply(slopes, alive, out=slopes)
            if backward is not None:
                sgemm(*backward)

    def _draw(self, draws: Draws) -> None:
        draws.draw(self._hidden)
        self._hidden[self._ones] = self._kept


def lines(count: int) -> int:
    """Return how many numbers the lines have that so many begin to fill."""
    return -(-count // _LINE) * _LINE


def product(factor: float, left: Matrix, right: Matrix, kept: float, result: Matrix) -> Product:
    """Return what `sgemm` takes for result = factor * left @ right + kept * result.

    It goes by columns: in its eyes our arrays are transposed, and so the factors are in reverse.
    """
    (first, first_transposed), (second, second_transposed) = (
        (side.T, 0) if side.flags.c_contiguous else (side, 1) for side in (right, left)
    )
    return factor, first, second, kept, result.T, first_transposed, second_transposed, 1


def _from_rows(kernel: Matrix, rows: Matrix, result: Matrix) -> list[Product]:
    """Return what makes kernel @ rows.T, of a result that holds what is dropped: in pieces where these are faster."""
    step = len(kernel)
    if len(rows) * kernel.size <= _SMALL_PRODUCT:
        step = max(1, _SMALL_RESULT // len(rows))
    starts = range(0, len(kernel), step)
    return [product(1.0, kernel[a : a + step], rows.T, _DROPPED, result[a : a + step]) for a in starts]


def hidden_places(shape: Shape) -> tuple[list[tuple[slice | None, slice]], slice]:
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
