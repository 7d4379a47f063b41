"""Training in epochs, for models that learn in them: the rows' order, learning curves, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response.hyperparameters import seed_of
from drug_response.training import ORDER, History, Task, scores


@dataclass(frozen=True)
class Epochs:
    """Learning curves, the last epoch's validation predictions, and whether `timeout` cut the training short."""

    history: History
    validated: NDArray[Any]
    timed_out: bool


def train_epochs(
    task: Task,
    train_epoch: Callable[[int, NDArray[np.int32]], float],
    validate: Callable[[int], NDArray[Any]],
    tell: Callable[[float], None] | None = None,
) -> Epochs:
    """Train epoch by epoch, as `epochs`, `es`, `patience`, `shuffle` and `timeout` say; one line an epoch is printed.

    `train_epoch` takes the epoch, counted from 0, and the rows' order, of which it uses whole batches; it returns the
    mean loss of the batches. `validate` returns the predictions of the validation rows, [rows]; `tell` takes the
    epoch's val_loss, for rules that act on it.
    """
    hyperparameters = task.hyperparameters
    epochs, timeout = hyperparameters["epochs"], hyperparameters["timeout"]
    orders = row_orders(len(task.training), seed_of(hyperparameters, "order_seed"), hyperparameters["shuffle"])
    history: History = {}
    validated: NDArray[Any] = np.empty(0, dtype=np.float32)
    timed_out = False
    started = time.monotonic()
    for epoch in range(epochs):
        loss = train_epoch(epoch, next(orders))
        validated = validate(epoch)
        found = scores(hyperparameters, task.labels.validation, validated)
        for name, value in {"loss": loss, **{f"val_{name}": value for name, value in found.items()}}.items():
            history.setdefault(name, []).append(value)
        _tell_epoch(epoch, epochs, time.monotonic() - started, history)
        if tell is not None:
            tell(history["val_loss"][-1])
        timed_out = 0 <= timeout < time.monotonic() - started and epoch + 1 < epochs
        reason = _stop_reason(hyperparameters, history["val_loss"], timed_out)
        if reason:
            print(reason)
            break
    return Epochs(history, validated, timed_out)


def row_orders(rows: int, seed: int, shuffle: bool) -> Iterator[NDArray[np.int32]]:
    """Give each epoch's order of the training rows; without `shuffle` one serves all epochs.

    Networks of one seed and batch size see the same batches. The last incomplete batch of an order stays unseen.
    """
    generator = np.random.default_rng([seed, ORDER])
    order = generator.permutation(rows).astype(np.int32)
    while True:
        yield order
        if shuffle:
            order = generator.permutation(rows).astype(np.int32)


def _stop_reason(hyperparameters: Mapping[str, Any], val_losses: list[float], timed_out: bool) -> str | None:
    """Say why training ends before its last epoch, or return None."""
    timeout, patience = hyperparameters["timeout"], hyperparameters["patience"]
    if timed_out:
        return f"Stopped after epoch {len(val_losses)}: timeout of {timeout:g} seconds"
    if not np.isfinite(val_losses[-1]):
        return f"Stopped after epoch {len(val_losses)}: val_loss is not finite"
    if hyperparameters["es"] and len(val_losses) - 1 - int(np.argmin(val_losses)) >= patience:
        return f"Stopped after epoch {len(val_losses)}: val_loss has not fallen for {patience} epochs"
    return None


def _tell_epoch(epoch: int, epochs: int, seconds: float, history: History) -> None:
    values = " - ".join(f"{name}: {values[-1]:.6f}" for name, values in history.items())
    print(f"Epoch {epoch + 1}/{epochs} - {seconds:.1f} s - {values}", flush=True)
