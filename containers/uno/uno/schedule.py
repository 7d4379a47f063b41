"""The learning rate of every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Keras's default learning rate of each optimiser.
LEARNING_RATES = {"adam": 0.001, "adamax": 0.001, "rmsprop": 0.001, "sgd": 0.01}

#: Uno's "warm-up" goes from the optimiser's default rate to the target over these epochs.
WARMUP_EPOCHS = 5
#: The plateau rule of Uno (Keras's ReduceLROnPlateau): what counts as a fall, when it acts, how far.
PLATEAU_FALL, PLATEAU_PATIENCE, PLATEAU_FACTOR, PLATEAU_FLOOR = 1e-4, 5, 0.5, 1e-5


def target_rate(hyperparameters: Mapping[str, Any]) -> float:
    """Return the rate that training aims at: `learning_rate`, else with warm-up the scaled base rate.

    Without either it is the optimiser's default.
    """
    default = LEARNING_RATES[hyperparameters["optimizer"]]
    if hyperparameters["learning_rate"] is not None:
        return float(hyperparameters["learning_rate"])
    if hyperparameters["warmup_lr"]:
        return float(hyperparameters["base_lr"] or default) * hyperparameters["batch_size"] / 100.0
    return default


@dataclass
class Plateau:
    """Halves a factor when val_loss has not fallen by 1e-4 for five epochs; never below the floor's rate."""

    rate: float
    best: float = field(default=float("inf"), init=False)
    waited: int = field(default=0, init=False)

    def tell(self, val_loss: float) -> None:
        """Take an epoch's val_loss."""
        if val_loss < self.best - PLATEAU_FALL:
            self.best, self.waited = val_loss, 0
            return
        self.waited += 1
        if self.waited >= PLATEAU_PATIENCE:
            self.waited = 0
            if self.rate > PLATEAU_FLOOR:
                self.rate = max(self.rate * PLATEAU_FACTOR, PLATEAU_FLOOR)


class LearningRate:
    """The rate of each epoch, from warm-up, plateau rule and linear decay, each where it is asked for.

    As in the original, warm-up sets the rate of its epochs whatever the plateau rule did in them. The linear
    decay multiplies what the others give: 1 at the first step of all, 0 after the last.
    """

    def __init__(self, hyperparameters: Mapping[str, Any]) -> None:
        self._start = hyperparameters["base_lr"] or LEARNING_RATES[hyperparameters["optimizer"]]
        self._target = target_rate(hyperparameters)
        self._epochs = int(hyperparameters["epochs"])
        self._warms_up = bool(hyperparameters["warmup_lr"])
        self._decays = bool(hyperparameters["lr_decay"])
        self._plateau = Plateau(self._target) if hyperparameters["reduce_lr"] else None

    def of_epoch(self, epoch: int) -> tuple[float, float]:
        """Return the rates at the beginning and at the end of an epoch; epochs count from 0."""
        rate = self._rate(epoch)
        if not self._decays:
            return rate, rate
        return rate * (1.0 - epoch / self._epochs), rate * (1.0 - (epoch + 1) / self._epochs)

    def tell(self, val_loss: float) -> None:
        """Take an epoch's val_loss, for the plateau rule."""
        if self._plateau is not None:
            self._plateau.tell(val_loss)

    def _rate(self, epoch: int) -> float:
        if self._warms_up and epoch <= WARMUP_EPOCHS:
            rate = (self._start * (WARMUP_EPOCHS - epoch) + self._target * epoch) / WARMUP_EPOCHS
            if self._plateau is not None:
                self._plateau.rate = rate
            return rate
        return self._plateau.rate if self._plateau is not None else self._target
