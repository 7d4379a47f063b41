"""Uno's network trained several at a time by one program with stacked weights, beside Uno's own program; not in use.

    python test/bench/uno_in_step.py [--networks 1 2 4 8] [--layers 25 50 100] [--rounds 3] [--batch 32] [--rows 2500]

Of the network, rows and optimiser of `uno_speed.py`. The kernels of equal layers are stacks, multiplied matrix by
matrix; one update is made of each stack; each network has its seed, order of rows and dropout, all one learning rate.
Printed are CPU-seconds an epoch of a network, the least of some rounds in turn, and how many times less than Uno's own
program takes; at last how far the weights of a network are from those that it gets alone.
"""

from __future__ import annotations

import argparse
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from uno_speed import DESCRIPTORS, DROPOUT, GENES, cpu_seconds, random_rows, train_traced

ENCODER_LAYERS, JOINT_LAYERS, EPOCHS = 3, 5, 2


class InStep:
    """Networks of one shape, in stacks: kernels [networks, inputs, outputs], biases [networks, 1, outputs]."""

    def __init__(self, networks: int) -> None:
        import tensorflow as tf

        from uno.optimizers import Optimizer

        self._tf, self._networks = tf, networks
        layers = 2 * ENCODER_LAYERS + JOINT_LAYERS + 1
        self._weights = [
            tf.Variable(tf.zeros([networks, rows or 0, 0]), shape=tf.TensorShape([networks, rows, None]))
            for _ in range(layers)
            for rows in (None, 1)
        ]
        self._optimizer = Optimizer("adamax", self._weights)
        self._dense = tf.custom_gradient(self._multiply)
        self._keep = tf.custom_gradient(lambda values, mask: (values * mask, lambda upstream: (upstream * mask, None)))
        of_rows = tf.TensorSpec([networks, None, None], tf.int32), tf.TensorSpec([networks, None])
        tables = [tf.TensorSpec([None, None])] * 2
        signature = [tables, *of_rows, tf.TensorSpec([], tf.int32), tf.TensorSpec([networks], tf.int64)]
        self.train = tf.function(self._train, input_signature=signature)

    def start(self, weights: list[list[NDArray[np.float32]]]) -> None:
        for variable, values in zip(self._weights, zip(*weights, strict=True), strict=True):
            variable.assign(np.stack([value if value.ndim == 2 else value[None] for value in values]))
        self._optimizer.reset()

    def weights(self, place: int) -> list[NDArray[np.float32]]:
        return [variable[place].numpy() for variable in self._weights]

    def _train(self, tables: Any, numbers: Any, labels: Any, batch: Any, seeds: Any) -> Any:
        tf = self._tf
        for step in tf.range(tf.shape(labels)[1] // batch):
            rows, wanted = (values[:, step * batch : (step + 1) * batch] for values in (numbers, labels))
            with tf.GradientTape() as tape:
                predictions = self._forward(tables, rows, step, seeds)
                loss = tf.reduce_mean(tf.math.squared_difference(wanted, predictions), axis=1)
            gradients = tape.gradient(loss, self._weights)
            self._optimizer.apply(gradients, tf.constant(1e-3), tf.cast(step, tf.float32) + 1.0)
        return seeds

    def _forward(self, tables: Any, rows: Any, step: Any, seeds: Any) -> Any:
        tf = self._tf
        weights = [variable.read_value() for variable in self._weights]
        layers = iter(zip(weights[::2], weights[1::2], strict=True))
        masks = iter(self._masks(tf.shape(rows)[1], step, seeds))

        def hidden(values: Any) -> Any:
            return self._keep(tf.nn.relu(self._dense(values, *next(layers))), next(masks))

        encoded = []
        for column, table in enumerate(tables):
            values = tf.gather(table, rows[:, :, column])
            for _ in range(ENCODER_LAYERS):
                values = hidden(values)
            encoded.append(values)
        values = tf.concat(encoded, axis=2)
        for _ in range(JOINT_LAYERS):
            values = hidden(values)
        return self._dense(values, *next(layers))[:, :, 0]

    def _masks(self, rows: Any, step: Any, seeds: Any) -> list[Any]:
        """Draw by 16 bits each, which takes half of the time of a number of 32."""
        tf = self._tf
        widths = [tf.shape(bias)[2] for bias in self._weights[1:-2:2]]
        size = rows * tf.add_n(widths)
        drawn = []
        for place in range(self._networks):
            seed = tf.stack([seeds[place], tf.cast(step, tf.int64)])
            words = tf.random.stateless_uniform([(size + 1) // 2], seed, None, None, tf.uint32)
            drawn.append(tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size])
        is_kept = tf.reshape(tf.stack(drawn) >= round(DROPOUT * (1 << 16)), [self._networks, rows, -1])
        return tf.split(tf.cast(is_kept, tf.float32) / (1.0 - DROPOUT), tf.stack(widths), axis=2, num=len(widths))

    def _multiply(self, values: Any, kernels: Any, biases: Any) -> Any:
        """Rows are added up by products with ones: a sum over an axis depends on how many networks there are."""
        tf = self._tf

        def gradient(upstream: Any) -> tuple[Any, Any, Any]:
            ones = tf.ones_like(upstream[:, :, :1])
            return (
                tf.matmul(upstream, kernels, transpose_b=True),
                tf.matmul(values, upstream, transpose_a=True),
                tf.matmul(ones, upstream, transpose_a=True),
            )

        return tf.matmul(values, kernels) + biases, gradient


@functools.cache
def in_step(networks: int) -> InStep:
    return InStep(networks)


def train(rows: dict[str, Any], layer: int, batch: int, seeds: list[int]) -> InStep:
    """Train a network of each seed."""
    from uno import network

    shape = network.Shape(((GENES, (layer,) * ENCODER_LAYERS), (DESCRIPTORS, (layer,) * ENCODER_LAYERS)), (layer,) * 5)
    program = in_step(len(seeds))
    program.start([network.draw_weights(shape, "glorot_normal", seed) for seed in seeds])
    orders = np.stack([np.random.default_rng(seed).permutation(rows["count"]) for seed in seeds])
    for _ in range(EPOCHS):
        program.train(
            rows["tables"], rows["numbers"][orders], rows["labels"][orders], np.int32(batch), np.array(seeds, np.int64)
        )
    return program


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--networks", type=int, nargs="+", default=[1, 2, 4, 8])
    options.add_argument("--layers", type=int, nargs="+", default=[25, 50, 100])
    for name, default in (("rounds", 3), ("batch", 32), ("rows", 2500)):
        options.add_argument(f"--{name}", type=int, default=default)
    chosen = options.parse_args()
    rows = random_rows(chosen.rows)
    train_traced(rows, 8, chosen.batch, 1, validates=False)
    for layer in (8, *chosen.layers):  # the first for the traces
        taken: dict[int, list[float]] = {}
        for _ in range(1 if layer == 8 else chosen.rounds):
            alone = functools.partial(train_traced, rows, layer, chosen.batch, EPOCHS, validates=False)
            taken.setdefault(0, []).append(cpu_seconds(alone) / EPOCHS)
            for networks in chosen.networks:
                seconds = cpu_seconds(functools.partial(train, rows, layer, chosen.batch, list(range(1, networks + 1))))
                taken.setdefault(networks, []).append(seconds / EPOCHS / networks)
        least = {networks: min(seconds) for networks, seconds in taken.items()}
        words = [
            f"{networks}: {least[networks]:.4f} ({least[0] / least[networks]:.2f})" for networks in chosen.networks
        ]
        if layer != 8:
            print(f"layer {layer:4}   Uno's own: {least[0]:.4f}   {'   '.join(words)}", flush=True)
    first, *others = (
        train(rows, chosen.layers[0], chosen.batch, list(range(1, n + 1))).weights(0) for n in chosen.networks
    )
    apart = max(
        (float(np.abs(a - b).max()) for other in others for a, b in zip(first, other, strict=True)), default=0.0
    )
    print(f"weights of a network alone and with others: at most {apart:g} apart")


if __name__ == "__main__":
    main()
