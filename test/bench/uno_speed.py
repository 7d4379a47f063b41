"""CPU-seconds per epoch of Uno's small network and of its traced program against Keras `fit`, side by side in one run.

    python test/bench/uno_speed.py [--layer 100] [--batch 64] [--epochs 10] [--rows 6782]

All train the same network (500 genes, 172 descriptors, encoders of 3 and 3 layers, 5 joint layers, permanent
dropout 0.1, Adamax) on the same random rows with one thread, and validate after every epoch. Keras's time holds
what each new model costs: building, compiling and tracing; its trace is not reusable for another layer size.
The traced program is warm: another layer size was trained before, as in a search. The small network is NumPy's.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
sys.path[:0] = [str(CONTAINERS / "uno"), str(CONTAINERS / "common")]

import numpy as np  # noqa: E402

GENES, DESCRIPTORS, CELL_LINES, DRUGS, DROPOUT, VALIDATION_ROWS = 500, 172, 368, 24, 0.1, 1664


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU-seconds of all threads that `work` takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def random_rows(count: int) -> dict[str, Any]:
    """Draw tables, row numbers and labels of the form that Uno trains on."""
    generator = np.random.default_rng(0)
    tables = [generator.normal(size=size).astype(np.float32) for size in ((CELL_LINES, GENES), (DRUGS, DESCRIPTORS))]
    total = count + VALIDATION_ROWS
    numbers = np.stack([generator.integers(0, CELL_LINES, total), generator.integers(0, DRUGS, total)], axis=1)
    labels = (0.8 + 0.1 * generator.normal(size=total)).astype(np.float32)
    return {"tables": tables, "numbers": numbers.astype(np.int32), "labels": labels, "count": count}


def train_traced(rows: dict[str, Any], layer: int, batch: int, epochs: int) -> None:
    """Train with Uno's traced program."""
    from uno import network, program

    structure = network.Structure((3, 3), 5, False, (False,) * 5, "relu", True, "mse", "adamax")
    train_ours(program.program(structure), rows, layer, batch, epochs)


def train_small(rows: dict[str, Any], layer: int, batch: int, epochs: int) -> None:
    """Train as a small network."""
    from uno import small

    train_ours(small.SmallNetwork(shape_of(layer)), rows, layer, batch, epochs)


def shape_of(layer: int) -> Any:
    from uno import network

    return network.Shape(((GENES, (layer,) * 3), (DESCRIPTORS, (layer,) * 3)), (layer,) * 5)


def train_ours(ours: Any, rows: dict[str, Any], layer: int, batch: int, epochs: int) -> None:
    """Train with one of Uno's programs."""
    from uno import network

    ours.start(network.draw_weights(shape_of(layer), "glorot_normal", 1))
    tables = ours.tables(rows["tables"])
    order = np.random.default_rng(1).permutation(rows["count"]).astype(np.int32)
    for epoch in range(epochs):
        ours.train_epoch(tables, rows["numbers"], rows["labels"], order, batch, (1e-3, 1e-3), DROPOUT, epoch, 1)
        ours.predict(tables, rows["numbers"][rows["count"] :], DROPOUT, 1, network.VALIDATION_STREAM, epoch)


def train_keras(rows: dict[str, Any], layer: int, batch: int, epochs: int) -> None:
    """Train the same network with a fresh Keras model."""
    import keras

    @keras.saving.register_keras_serializable("bench")
    class PermanentDropout(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seeds = keras.random.SeedGenerator(1)

        def call(self, values: Any) -> Any:
            return keras.random.dropout(values, DROPOUT, seed=self.seeds)

    def dense(values: Any, layers: int) -> Any:
        for _ in range(layers):
            values = PermanentDropout()(keras.layers.Dense(layer, "relu", kernel_initializer="glorot_normal")(values))
        return values

    inputs = [keras.Input((GENES,)), keras.Input((DESCRIPTORS,))]
    joined = keras.layers.Concatenate()([dense(values, 3) for values in inputs])
    model = keras.Model(inputs, keras.layers.Dense(1)(dense(joined, 5)))
    model.compile(optimizer=keras.optimizers.Adamax(1e-3), loss="mse")
    features = [table[rows["numbers"][:, place]] for place, table in enumerate(rows["tables"])]
    count = rows["count"]
    model.fit(
        [table[:count] for table in features],
        rows["labels"][:count],
        batch_size=batch,
        epochs=epochs,
        validation_data=([table[count:] for table in features], rows["labels"][count:]),
        validation_batch_size=batch,
        verbose=0,
    )


def main() -> None:
    """Measure and print; exits with 1 where the targets are missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("layer", 100), ("batch", 64), ("epochs", 10), ("rows", 6782)):
        options.add_argument(f"--{name}", type=int, default=default)
    chosen = options.parse_args()
    rows = random_rows(chosen.rows)
    settings = (rows, chosen.layer, chosen.batch, chosen.epochs)

    imported = cpu_seconds(lambda: __import__("uno.program"))
    first = cpu_seconds(lambda: train_traced(rows, chosen.layer // 2, chosen.batch, 1))
    traced = cpu_seconds(lambda: train_traced(*settings))
    cpu_seconds(lambda: train_keras(rows, 8, chosen.batch, 1))
    fresh = cpu_seconds(lambda: train_keras(*settings))
    again = cpu_seconds(lambda: train_traced(*settings))
    small = [cpu_seconds(lambda: train_small(*settings)) for _ in range(2)]

    print(f"layer {chosen.layer}, batch {chosen.batch}, {chosen.rows} rows, {chosen.epochs} epochs, one thread")
    print(f"import of TensorFlow                      {imported:6.2f} CPU-s, once a process")
    print(f"first training (trace), one epoch         {first:6.2f} CPU-s, once a process")
    print(f"traced program, warm        {traced:6.2f} CPU-s  {traced / chosen.epochs:6.3f} an epoch")
    print(f"traced program, warm again  {again:6.2f} CPU-s  {again / chosen.epochs:6.3f} an epoch")
    print(f"small network, NumPy        {min(small):6.2f} CPU-s  {min(small) / chosen.epochs:6.3f} an epoch")
    print(f"Keras fit, a fresh model    {fresh:6.2f} CPU-s  {fresh / chosen.epochs:6.3f} an epoch")
    ratio = fresh / max(traced, again)
    print(f"Keras fit / traced program  {ratio:6.1f} times")
    print(f"traced program / small      {min(traced, again) / min(small):6.1f} times")
    if max(traced, again) / chosen.epochs > 0.35 or ratio < 4:
        sys.exit("missed: at most 0.35 CPU-seconds an epoch and at least 4 times less than Keras are wanted")


if __name__ == "__main__":
    main()
