"""Runs in three steps: preprocess, whose data are kept for all that read the same, train, and infer where it is asked.

One run:

1. What the run is given is divided between the steps, by what each script knows (`stages`).
2. The preprocessed data of these hyperparameters are looked for (`ml_data`). Where there are none, this run makes
   them, and whoever wants the same meanwhile waits for them.
3. The training reads them and writes into the run's folder; so does the inference, where the run asks for it.

A step that fails is the run's outcome, with its last words and its log.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.names import home_written_out
from comparator.formats.text import shortened
from comparator.model.log_lines import our_line
from comparator.model.ml_data import TRAINING_ROWS, MLData, MLFolder, training_rows
from comparator.model.model import Model
from comparator.model.reported import reported_results
from comparator.model.runners.script import Scripts
from comparator.model.stage_flags import Place
from comparator.model.stages import (
    CONFIG_FILE,
    INFER,
    RAW_PARTS,
    SPLIT,
    SPLIT_FILE,
    STUDY,
    TRAINING_SIZE,
    Stage,
    Stages,
    raw_folder,
)
from comparator.model.training import Outcome, Status, Training
from comparator.results.holder import Holder
from comparator.site.profile import Slot

SCORES = "calc_infer_scores"
#: The words for whether a training is followed by an inference.
ON, OFF = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "none", "")
#: The hyperparameter by which a user names another folder of raw data than the data folder has, from that on.
RAW = "input_dir"
#: A wait for another's preprocessing is said in the log after so long.
SAID_SECONDS = 5.0


class StagedRunner:
    """Carries out the three steps of a model; `under` is a command to start the training by."""

    def __init__(
        self, model: Model, slot: Slot, data_folder: Path, ml_data: MLData, *, under: Sequence[str] = ()
    ) -> None:
        assert model.stages is not None
        self._model, self._stages = model, model.stages
        self._data_folder, self._ml_data = data_folder, ml_data
        self._steps = Scripts(model, slot, data_folder)
        self._training = Scripts(model, slot, data_folder, under=under) if under else self._steps

    def run(self, training: Training) -> Outcome:
        deadline = None if training.timeout is None else time.monotonic() + training.timeout
        try:
            training = self._with_parameter_file(training)
            infers = _is_on(self._stages.ours(training.hyperparameters, INFER))
            made = self.prepare(training, deadline)
            if isinstance(made, Outcome):
                return made
            failure = self._carry_out(self._stages.train, training, made, deadline, self._training)
            if failure is None and infers:
                failure = self.infer(training, made, deadline)
        except InputError as error:
            return Outcome("failed", reason=str(error))
        described, who = self._model.description.metrics, self._stages.train.script.name
        return failure or reported_results(training, self._data_folder, described, who=who, is_tested=infers)

    def prepare(self, training: Training, deadline: float | None = None) -> MLFolder | Outcome:
        """The preprocessed data of a training, made now where there are none; or how that failed.

        Raises `InputError` where what is asked for cannot be had.
        """
        given = training.hyperparameters
        raw = _raw_of(given, self._data_folder)
        own = self._stages.given(self._stages.preprocess, given)
        size = self._stages.ours(given, TRAINING_SIZE)
        telling = {TRAINING_SIZE: size, RAW: given.get(RAW)}
        made = self._ml_data.of({**own, **{name: value for name, value in telling.items() if value is not None}})
        if not made.is_whole:
            with self._ml_data.claimed(made, self._patience(training, deadline)) as held:
                if not held:
                    status: Status = "cancelled" if self._steps.is_cancelled else "timeout"
                    return Outcome(status, reason="waited for data that another process preprocesses")
                if not made.is_whole:  # by whoever held it
                    failure = self._preprocess(own, raw, made, training, deadline)
                    if failure is not None:
                        return failure
        _note(training.log, f"preprocessed data: {made.data}")
        return made

    def infer(self, training: Training, made: MLFolder, deadline: float | None = None) -> Outcome | None:
        """Infer with a trained run on the test rows of its data; how that failed, None: it did not."""
        stage = self._stages.infer
        if stage is None:
            return Outcome("failed", reason=f"{INFER}: the model has no script that infers")
        return self._carry_out(stage, training, made, deadline, self._steps)

    def cancel(self) -> None:
        self._steps.cancel()
        self._training.cancel()

    def close(self) -> None:
        self._steps.close()
        self._training.close()

    def _with_parameter_file(self, training: Training) -> Training:
        """The training with the whole path of the parameter file that it names; raises `InputError` for none."""
        given = training.hyperparameters
        path = self._model.config_file(given.get(CONFIG_FILE), self._data_folder)
        return training if path is None else replace(training, hyperparameters={**given, CONFIG_FILE: str(path)})

    def _preprocess(
        self,
        own: dict[str, Any],
        raw: Path,
        made: MLFolder,
        training: Training,
        deadline: float | None,
    ) -> Outcome | None:
        stage, began = self._stages.preprocess, time.monotonic()
        made.clear()
        rows = _rows_asked_for(self._stages, training.hyperparameters, own, raw)
        if rows is not None:
            (made.path / TRAINING_ROWS).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
            own = {**own, "train_split_file": str(made.path / TRAINING_ROWS)}
        command = stage.command(own, {"raw": raw, "data": made.data}, self._model.interpreter)
        failure = self._steps.run(command, made.path, made.log, _left(deadline), stage.script.name)
        if failure is not None:
            with training.log.open("ab") as log:
                log.write(made.log.read_bytes())
            return Outcome(failure.status, reason=f"{stage.script.name}: {failure.reason}")
        seconds = round(time.monotonic() - began, 3)
        made.finish({"command": shlex.join(command), "hyperparameters": own, "seconds": seconds})
        _note(training.log, f"preprocessed in {seconds:.1f} s")
        return None

    def _carry_out(
        self, stage: Stage, training: Training, made: MLFolder, deadline: float | None, scripts: Scripts
    ) -> Outcome | None:
        own = self._stages.given(stage, training.hyperparameters)
        if SCORES in stage.takes.flags:
            own[SCORES] = True
        places: dict[Place, Path] = {"data": made.data, "run": training.folder}
        command = stage.command(own, places, self._model.interpreter)
        return scripts.run(command, training.folder, training.log, _left(deadline), stage.script.name)

    def _patience(self, training: Training, deadline: float | None) -> Callable[[Holder, float], bool]:
        began, said = time.monotonic(), list[Holder]()

        def wait(holder: Holder, seconds: float) -> bool:
            now = time.monotonic()
            if not said and now - began > SAID_SECONDS:
                said.append(holder)
                _note(training.log, f"waiting for data that are preprocessed by {holder.words}")
            return self._steps.wait(seconds) and (deadline is None or now < deadline)

        return wait


def check_raw_data(model: Model, given: Mapping[str, object], data_folder: Path) -> None:
    """See that the raw data have what a model in three steps is asked to preprocess, and that its steps can be given
    the rest; raises `InputError` else."""
    assert model.stages is not None
    raw = _raw_of(given, data_folder)
    own = [model.stages.given(stage, given) for stage in model.stages.all]
    _rows_asked_for(model.stages, given, own[0], raw)


def _raw_of(given: Mapping[str, object], data_folder: Path) -> Path:
    """The folder of raw data that a run reads; raises `InputError` where there is none."""
    if RAW in given:
        named = data_folder / home_written_out(str(given[RAW]))
        if not named.is_dir():
            raise InputError(f"{RAW} = '{shortened(str(given[RAW]))}': there is no folder {named}")
        return named
    raw = raw_folder(data_folder)
    if raw is None:
        parts = " and ".join([", ".join(RAW_PARTS[:-1]), RAW_PARTS[-1]])
        raise InputError(f"{data_folder}: has no data to preprocess: {parts}, there or in raw_data")
    return raw


def _rows_asked_for(
    stages: Stages, given: Mapping[str, object], preprocess: Mapping[str, Any], raw: Path
) -> list[str] | None:
    """The training rows of a `training_size`, None where all are kept.

    Raises `InputError` where there are not so many, or no split file of the `study` and `split`.
    """
    size, named_rows = stages.ours(given, TRAINING_SIZE), stages.training_rows(preprocess, raw)
    if named_rows is not None and (stages.ours(given, STUDY) or stages.ours(given, SPLIT)) is not None:
        _check_split(named_rows)
    if size is None:
        return None
    if named_rows is None or not str(size).isdecimal():
        what = "no train_split_file is known" if named_rows is None else "must be a whole number from 1"
        raise InputError(f"{TRAINING_SIZE} = {size}: {what}")
    return training_rows(named_rows, int(str(size)))


def _check_split(named_rows: Path) -> None:
    """Raise `InputError` where the split file that names the training rows is not there, with those that are."""
    asked = SPLIT_FILE.fullmatch(named_rows.name)
    if asked is None or named_rows.is_file():
        return
    there = [
        found for path in named_rows.parent.glob("*_split_*_train.txt") if (found := SPLIT_FILE.fullmatch(path.name))
    ]
    studies = sorted({found["study"] for found in there})
    if asked["study"] not in studies:
        near = nearest(asked["study"], studies)
        raise InputError(f"{STUDY} = '{asked['study']}': {named_rows.parent} has {', '.join(studies) or 'none'}{near}")
    splits = sorted({int(found["split"]) for found in there if found["study"] == asked["study"]})
    raise InputError(
        f"{SPLIT} = {asked['split']}: of {asked['study']}, {named_rows.parent} has the splits"
        f" {', '.join(map(str, splits))}"
    )


def _left(deadline: float | None) -> float | None:
    """The seconds until a deadline, a moment at least."""
    return None if deadline is None else max(0.1, deadline - time.monotonic())


def _note(log: Path, words: str) -> None:
    with log.open("ab") as file:
        file.write(our_line(words))


def _is_on(value: object) -> bool:
    word = str(value).lower()
    if word not in ON + OFF:
        raise InputError(f"{INFER} = {value}: must be True or False")
    return word in ON
