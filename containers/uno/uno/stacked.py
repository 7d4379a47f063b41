"""Small networks of one shape whose weights lie one above the other, so that each step is done for all at once.

The numbers are those of `small` up to the order of sums: first weights, batches and dropout's draws are the same. What
is done on the device, `device` has. Arrays of steps begin with these, those of networks go on with them: [steps,
networks, ...].
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uno import device
from uno.network import TRAINING_STREAM, Network, Shape
from uno.passes import Draws, Matrix, hidden_places
from uno.small import BETA_1, PREDICTION_ROWS

#: Steps that are sent to the device at once, which bounds its memory.
MOST_STEPS = 256


class Start(NamedTuple):
    """Asks for a new network of these first weights, a kernel and a bias for each layer."""

    weights: Sequence[Matrix]

    @property
    def kind(self) -> tuple[Any, ...]:
        """What those must share that are done at once."""
        return type(self), *(each.shape for each in self.weights)


class Weights(NamedTuple):
    """Asks for copies of the present weights, in the order of `Start`."""

    @property
    def kind(self) -> tuple[Any, ...]:
        """What those must share that are done at once."""
        return (type(self),)


@dataclass(frozen=True)
class Rows:
    """Asks for predictions of rows in `tables`, and for a step of training with each batch where there are labels.

    `numbers` are int32 [steps, rows, inputs]; `draw` gives dropout's draws in bits, uint8 [steps, bytes], and `scale`
    makes up for what they drop; `labels` are float32 [steps, rows], and `rates` [steps] the optimiser's.
    """

    tables: Sequence[Matrix]
    numbers: NDArray[np.int32]
    draw: Callable[[], NDArray[np.uint8]]
    scale: float
    labels: Matrix | None = None
    rates: Matrix | None = None

    @property
    def kind(self) -> tuple[Any, ...]:
        """What those must share that are done at once."""
        return *self.alike, self.numbers.shape

    @property
    def alike(self) -> tuple[Any, ...]:
        """What those share whose tables are sent together."""
        return type(self), self.labels is None, *(table.shape for table in self.tables)


class Stack:
    """Networks of one shape on a device, by place."""

    def __init__(self, shape: Shape, count: int) -> None:
        self.shape, self._count = shape, count
        zeros = [np.zeros((count, *size), np.float32) for layer in shape.layers for size in (layer, layer[1:])]
        self._weights, self._past = zeros, zeros + zeros  # of the past, what Adamax keeps: momentum, largest gradients
        self._tables: dict[Any, tuple[dict[tuple[int, ...], Sequence[Matrix]], list[Any]]] = {}
        self._threads = ThreadPoolExecutor(os.cpu_count())

    def answer(self, asked: Mapping[int, Any]) -> dict[int, Any]:
        """Do what is asked for by networks, all of one kind; returns an answer for each."""
        first = next(iter(asked.values()))
        if isinstance(first, Start):
            return self._start(asked)
        if isinstance(first, Weights):
            held = [np.asarray(each) for each in self._weights]
            return {place: [each[place].copy() for each in held] for place in asked}
        return self._go(asked)

    def _start(self, asked: Mapping[int, Start]) -> dict[int, None]:
        weights, past = ([np.array(each) for each in held] for held in (self._weights, self._past))
        for place, start in asked.items():
            for ours, first in zip(weights, start.weights, strict=True):
                ours[place] = first
            for each in past:
                each[place] = 0
        self._weights, self._past = device.send((weights, past))
        return dict.fromkeys(asked)

    def _go(self, asked: Mapping[int, Rows]) -> dict[int, Matrix]:
        rows = list(asked.values())
        tables, begins = self._sent(rows)
        scales = self._filled(asked, [np.float32(each.scale) for each in rows])
        numbers = [each.numbers + begin for each, begin in zip(rows, begins, strict=True)]
        drawn = list(self._threads.map(lambda each: each.draw(), rows))
        given = [self._filled(asked, each, axis=1) for each in (numbers, drawn)]
        if rows[0].labels is None:
            found = device.predict(self.shape, self._weights, tables, scales, *given)
        else:
            wanted = [each.labels for each in rows], [each.rates for each in rows]
            given += [self._filled(asked, each, axis=1) for each in wanted]
            active = np.isin(np.arange(self._count), list(asked))
            state = self._weights, self._past
            (self._weights, self._past), found = device.train(self.shape, state, active, tables, scales, *given)
        found = np.asarray(found)
        return {place: found[:, place] for place in asked}

    def _filled(self, asked: Mapping[int, Any], parts: Sequence[Any], axis: int = 0) -> NDArray[Any]:
        """Return the networks' parts as one array; those of networks that ask for nothing are zeros."""
        size = list(np.shape(parts[0]))
        whole = np.zeros([*size[:axis], self._count, *size[axis:]], parts[0].dtype)
        for place, part in zip(asked, parts, strict=True):
            whole[(slice(None),) * axis + (place,)] = part
        return whole

    def _sent(self, rows: Sequence[Rows]) -> tuple[Any, list[NDArray[np.int32]]]:
        """Return the tables on the device, unlike ones below each other, and with which rows those of each begin.

        Those of networks that have ended stay, for with fewer rows all would be compiled again.
        """
        ids = [tuple(map(id, each.tables)) for each in rows]
        known, sent = self._tables.get(rows[0].alike, ({}, []))
        joined = {**known, **{of: each.tables for of, each in zip(ids, rows, strict=True)}}
        if len(joined) > len(known):
            sent = device.send([np.concatenate(each) for each in zip(*joined.values(), strict=True)])
            self._tables[rows[0].alike] = joined, sent
        heights, places = np.array([len(table) for table in rows[0].tables], np.int32), list(joined)
        return sent, [places.index(of) * heights for of in ids]


class Member(Network):
    """One network of a stack; `ask` takes what it asks for to the stack."""

    def __init__(self, shape: Shape, ask: Any) -> None:
        self._height, self._ask = hidden_places(shape)[1].stop, ask

    def start(self, weights: Sequence[Matrix]) -> None:
        self._ask(Start(weights))

    def weights(self) -> list[Matrix]:
        return list(self._ask(Weights()))

    def tables(self, tables: Sequence[Matrix]) -> list[Matrix]:
        return list(tables)

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
        batches = order[: steps * batch_size].reshape(steps, batch_size)
        draws = Draws(dropout, seed, TRAINING_STREAM, epoch)
        step = np.arange(steps)
        rates = (first + (last - first) * step / steps) / (1 - BETA_1 ** (epoch * steps + step + 1))
        squares = []
        with np.errstate(all="ignore"):  # a loss that is not finite ends the training
            for begin in range(0, steps, MOST_STEPS):
                rows = batches[begin : begin + MOST_STEPS]
                draw = functools.partial(draws.packed, len(rows), self._height, batch_size)
                known, rate = labels[rows], rates[begin : begin + MOST_STEPS].astype(np.float32)
                predicted = self._ask(Rows(tables, numbers[rows], draw, 1 / (1 - dropout), known, rate))
                squares.append(np.square(predicted - known))
            return float(np.mean(np.concatenate(squares)))

    def predict(
        self,
        tables: Sequence[Matrix],
        numbers: NDArray[np.int32],
        dropout: float,
        seed: int,
        stream: int,
        epoch: int = 0,
    ) -> Matrix:
        draws, width = Draws(dropout, seed, stream, epoch), PREDICTION_ROWS
        whole, rest = divmod(len(numbers), width)
        padded = np.zeros((whole + (rest > 0), width, numbers.shape[1]), np.int32)
        padded.reshape(-1, numbers.shape[1])[: len(numbers)] = numbers
        parts = [np.empty(0, np.float32)]
        for begin in range(0, len(padded), MOST_STEPS):
            steps = padded[begin : begin + MOST_STEPS]
            complete = min(len(steps), whole - begin)
            draw = functools.partial(self._draw, draws, complete, rest if complete < len(steps) else 0)
            parts.append(self._ask(Rows(tables, steps, draw, 1 / (1 - dropout))).ravel())
        return np.concatenate(parts)[: len(numbers)]

    def _draw(self, draws: Draws, steps: int, rest: int) -> NDArray[np.uint8]:
        """Return the draws of so many whole steps of a prediction, and of one more of so many rows."""
        whole, width = draws.packed(steps, self._height, PREDICTION_ROWS), PREDICTION_ROWS
        return np.concatenate([whole, draws.packed(1, self._height, rest, width)]) if rest else whole
