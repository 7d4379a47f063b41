"""Cold runs: `train.sh`, or the model's own command, in a process of its own for every run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.hyperparameters import as_flags
from comparator.model.model import TRAIN, Model
from comparator.model.reported import reported_results
from comparator.model.runners.script import Scripts
from comparator.model.training import Outcome, Training
from comparator.site.profile import Slot


class ColdRunner:
    """Starts `train.sh DEVICE DATA_FOLDER --name value ...`, or the model's own command, for every run.

    `under` is a command to start it by.
    """

    def __init__(self, model: Model, slot: Slot, data_folder: Path, *, under: Sequence[str] = ()) -> None:
        self._model, self._slot, self._data_folder = model, slot, data_folder
        self._scripts = Scripts(model, slot, data_folder, under=under)

    def run(self, training: Training) -> Outcome:
        try:
            command = self._command(training)
        except InputError as error:
            return Outcome("failed", reason=str(error))
        who = self._model.trained_by or TRAIN
        failure = self._scripts.run(command, training.folder, training.log, training.timeout, who)
        return failure or reported_results(training, self._data_folder, self._model.description.metrics, who=who)

    def cancel(self) -> None:
        self._scripts.cancel()

    def close(self) -> None:
        self._scripts.close()

    def _command(self, training: Training) -> list[str]:
        own = self._model.own_command
        given = self._model.seen(training.hyperparameters, self._data_folder)
        if own is not None:
            own.write_settings(given, training.folder)
            return own.call(given, self._model.seen(self._data_folder, self._data_folder), training.folder)
        words = self._model.command(TRAIN)
        flags = as_flags(given)
        if self._model.description.convention == "improve":
            return [*words, *flags]
        return [*words, self._slot.device or "-1", self._model.seen(str(self._data_folder), self._data_folder), *flags]
