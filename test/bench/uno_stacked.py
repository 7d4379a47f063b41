"""Trainings of Uno's small networks a second: many at once on a GPU, one after another on a core, and on all cores.

    python test/bench/uno_stacked.py [--layers 25 50 100] [--counts 1 8 64 256] [--epochs 15] [--seconds 600]

Wants JAX (with a GPU; without one its figures are those of its own CPU backend) and the prepared data of
`CANDLE_DATA_DIR`: CCLE on the rows that it shares with GDSC1. Trainings are whole, from hyperparameters to metrics, in
batches of 32, and differ in their seed. A number of trainings is run twice, for the first time compiles. `device` is
the part of the time in which the device, and what is sent to it, is waited for. After `--seconds` nothing new is begun.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("containers/uno", "containers/common", "python")]
os.environ.setdefault("CANDLE_DATA_DIR", str(ROOT / "data"))

import numpy as np  # noqa: E402

import uno  # noqa: E402


def hyperparameters(layer: int, epochs: int, seed: int) -> dict[str, Any]:
    """Return those of one training."""
    shared = {"train_sources": ["CCLE"], "match_studies": ["CCLE", "GDSC1"], "batch_size": 32}
    return uno.HYPERPARAMETERS.complete({**shared, "layer_force": layer, "epochs": epochs, "rng_seed": seed})


def train_alone(layer: int, epochs: int, count: int) -> list[Any]:
    """Train one after another, after a first one that reads the data; returns the seconds and the losses."""
    with contextlib.redirect_stdout(io.StringIO()):
        uno.MODEL.train(hyperparameters(layer, 1, 1))
        started = time.perf_counter()
        found = [uno.MODEL.train(hyperparameters(layer, epochs, seed))["val_loss"] for seed in range(count)]
        seconds = time.perf_counter() - started
    return [seconds, found]


def alone(layer: int, epochs: int, count: int, processes: int) -> list[Any]:
    """Return the longest process's seconds, and the losses of the first, of so many that `train_alone` at once."""
    words = [sys.executable, __file__, "--alone", *map(str, (layer, epochs, count))]
    cores = sorted(os.sched_getaffinity(0))[:processes]
    bind = [functools.partial(os.sched_setaffinity, 0, {core}) for core in cores]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, preexec_fn=each) for each in bind]
    found = [json.loads(each.communicate()[0]) for each in running]
    return [max(seconds for seconds, _ in found), found[0][1]]


def together(layer: int, epochs: int, seeds: Sequence[int]) -> tuple[float, float, list[Any]]:
    """Train all at once; returns the seconds, those of the device, and the losses."""
    from drug_response.training import train
    from uno.together import train_together
    from uno.training import fit

    def training(given: dict[str, Any], network: Any) -> dict[str, Any]:
        return train(given, functools.partial(fit, network_of=network))

    DEVICE.clear()
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        done = train_together([functools.partial(training, hyperparameters(layer, epochs, seed)) for seed in seeds])
    seconds = time.perf_counter() - started
    for failed in (each for each in done if isinstance(each, Exception)):
        raise failed
    return seconds, sum(DEVICE), [each["val_loss"] for each in done]


DEVICE: list[float] = []


def watch_device() -> str:
    """Have the device's time noted in `DEVICE`; returns what the device is."""
    from uno import stacked

    answer = stacked.Stack.answer

    def timed(stack: Any, asked: Any) -> Any:
        started = time.perf_counter()
        answers = answer(stack, asked)
        DEVICE.append(time.perf_counter() - started)
        return answers

    stacked.Stack.answer = timed  # type: ignore[method-assign]
    import jax

    return f"JAX {jax.__version__}, {jax.devices()[0].device_kind}"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--layers", type=int, nargs="+", default=[50, 25, 100])
    options.add_argument("--counts", type=int, nargs="+", default=[64, 8, 256, 1])
    options.add_argument("--epochs", type=int, default=15)
    options.add_argument("--compared", type=int, default=4, help="trainings that are trained alone, too")
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--alone", type=int, nargs=3, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    from uno import small

    small.MOST_WEIGHTS = 10**9  # to see what larger ones would take
    if chosen.alone:
        print(json.dumps(train_alone(*chosen.alone)))
        return
    started, cores, compared = time.monotonic(), len(os.sched_getaffinity(0)), chosen.compared
    base = {
        layer: [alone(layer, chosen.epochs, compared, processes) for processes in (1, cores)] for layer in chosen.layers
    }
    device = watch_device()
    train_alone(chosen.layers[0], 1, 0)  # reads the data
    print(f"{device}; {cores} cores; {chosen.epochs} epochs; alone done after {time.monotonic() - started:.0f} s")
    print("layer  at once  first time s  again s  device s  trainings/s  one core's  all cores'  times one  times all")
    for count in chosen.counts:
        for layer in chosen.layers:
            if time.monotonic() - started > chosen.seconds:
                return
            (one, losses), (every, _) = base[layer]
            first, _, _ = together(layer, chosen.epochs, range(1000, 1000 + count))
            again, device, found = together(layer, chosen.epochs, range(count))
            rates = count / again, compared / one, cores * compared / every
            print(
                f"{layer:5} {count:8} {first:13.2f} {again:8.2f} {device:9.2f} {rates[0]:12.2f} {rates[1]:11.2f} "
                f"{rates[2]:11.2f} {rates[0] / rates[1]:10.1f} {rates[0] / rates[2]:10.1f}",
                flush=True,
            )
            pairs = list(zip(losses, found, strict=False))
            apart = np.abs([np.subtract(a, b) / np.array(a) for a, b in pairs])
            print(
                f"      val_loss apart: {apart[:, 0].max():.0e} after an epoch, {apart[:, -1].max():.0e} after the last"
            )


if __name__ == "__main__":
    main()
