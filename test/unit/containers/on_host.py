"""What `uno.device` does, in NumPy and for one network after another, for tests where there is no JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

from uno.network import Shape
from uno.passes import hidden_places
from uno.small import BETA_1, BETA_2, EPSILON


def send(arrays: Any) -> Any:
    return arrays


def train(shape: Shape, state: Any, active: Any, tables: Any, scales: Any, *given: Any) -> Any:
    (weights, past), found = state, np.zeros(given[2].shape, np.float32)
    for step, (numbers, dropped, labels, rates) in enumerate(zip(*given, strict=True)):
        for place in np.flatnonzero(active):
            own = [each[place] for each in weights]
            rows = numbers[place], dropped[place]
            found[step, place], gradients = _there_and_back(shape, own, tables, scales[place], *rows, labels[place])
            for number, gradient in enumerate(gradients):
                momentum, largest = past[number][place], past[number + len(weights)][place]
                momentum[...] = BETA_1 * momentum + (1 - BETA_1) * gradient
                largest[...] = np.maximum(BETA_2 * largest, np.abs(gradient))
                own[number] -= rates[place] * momentum / (largest + np.float32(EPSILON))
    return state, found


def predict(shape: Shape, weights: Any, tables: Any, scales: Any, all_numbers: Any, all_dropped: Any) -> Any:
    found = np.zeros(all_numbers.shape[:3], np.float32)
    for step, (numbers, dropped) in enumerate(zip(all_numbers, all_dropped, strict=True)):
        for place, (scale, *rows) in enumerate(zip(scales, numbers, dropped, strict=True)):
            own = [each[place] for each in weights]
            found[step, place], _ = _there_and_back(shape, own, tables, scale, *rows, np.zeros(len(numbers[0])))
    return found


def _there_and_back(
    shape: Shape, weights: Any, tables: Any, scale: Any, numbers: Any, dropped: Any, labels: Any
) -> tuple[Any, list[Any]]:
    """Predictions of some rows, and the gradients of their mean squared error."""
    places, last = hidden_places(shape)
    bits = np.unpackbits(dropped, count=last.stop * len(numbers)).reshape(last.stop, -1)
    kept = [np.where(bits[each].T == 0, scale, 0) for _, each in places]
    inputs: list[Any] = []
    alive: list[Any] = []

    def through(values: Any, layers: int) -> Any:
        for _ in range(layers):
            number = len(inputs)
            inputs.append(values)
            made = values @ weights[2 * number] + weights[2 * number + 1]
            alive.append(kept[number] * (made > 0))
            values = made * alive[-1]
        return values

    def back(slopes: Any, layers: Any) -> Any:
        for number in layers:
            slopes = slopes * alive[number]
            gradients[2 * number : 2 * number + 2] = inputs[number].T @ slopes, slopes.sum(axis=0)
            slopes = slopes @ weights[2 * number].T
        return slopes

    sizes = [len(each) for _, each in shape.encoders]
    ends = [through(table[of], count) for table, of, count in zip(tables, numbers.T, sizes, strict=True)]
    values = through(np.concatenate(ends, axis=1), len(shape.joint))
    predicted = (values @ weights[-2] + weights[-1])[:, 0]
    gradients: list[Any] = [None] * len(weights)
    slopes = (2 / len(labels) * (predicted - labels))[:, None]
    gradients[-2:] = values.T @ slopes, slopes.sum(axis=0)
    last_of = np.cumsum(sizes)
    slopes = back(slopes @ weights[-2].T, reversed(range(last_of[-1], len(inputs))))
    of_encoders = np.split(slopes, np.cumsum([end.shape[1] for end in ends])[:-1], axis=1)
    for last_layer, layers, of_encoder in zip(last_of, sizes, of_encoders, strict=True):
        back(of_encoder, reversed(range(last_layer - layers, last_layer)))
    return predicted, gradients
