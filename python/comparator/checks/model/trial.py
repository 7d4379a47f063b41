"""How a model is run on the bench: its trainings and its scripts, each in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comparator.checks.model.bench import RUNS, Bench
from comparator.engine.given import DEFAULT_SEED
from comparator.errors import InputError, nearest
from comparator.formats.finding import listed
from comparator.formats.names import ML_DATA
from comparator.formats.spelling import spelling
from comparator.formats.text import shortened
from comparator.model.described import HyperparameterDescription
from comparator.model.guard import descendants
from comparator.model.ml_data import MLData, MLFolder
from comparator.model.model import Model
from comparator.model.named_paths import NamedPaths
from comparator.model.probe import USUAL_SEED, with_defaults, with_read_seed
from comparator.model.process import GuardedProcess, call, exit_words
from comparator.model.reported import last_words
from comparator.model.runners.cold import ColdRunner
from comparator.model.runners.runner import make_script_runner
from comparator.model.runners.staged import StagedRunner
from comparator.model.runners.warm import ServerEnded, WarmRunner
from comparator.model.training import Outcome, Training

USUAL_METRIC = "val_loss"
#: Settings of a small run, where the model has such a hyperparameter: one epoch; and Uno saves its model by `cp`.
EPOCHS = "epochs"
SMALL = {EPOCHS: 1, "cp": True}


@dataclass(frozen=True)
class Run:
    """One training that was tried; `status` and `left_running` are known of `train.sh` alone, None elsewhere."""

    outcome: Outcome
    seconds: float
    peak_memory: int  # bytes of the largest process; 0: not known
    log: Path
    status: int | None = None
    left_running: Sequence[str] | None = None

    @property
    def is_ok(self) -> bool:
        return self.outcome.status == "ok"

    @property
    def reason(self) -> str:
        return self.outcome.reason or "no reason given"


@dataclass(frozen=True)
class Way:
    """A way to train the model, by a script or by `run(params)`, and the `first` run that was made so."""

    name: str
    train: Callable[[Mapping[str, object]], Run]  # with the hyperparameters that are changed
    first: Run
    is_script: bool


class Trial:
    """One model on the bench. What is learnt of it on the way, `model` and `settings` tell the steps that follow.

    Raises `InputError` where the metric asked for is not among those that the model describes.
    """

    def __init__(self, model: Model, bench: Bench) -> None:
        self.model, self.bench = model, bench
        self.data_folder = (bench.data_folder or bench.folder / "data").absolute()
        self.metric = _metric(model, bench.metric)
        #: By the names that the model has for them, once they are learnt.
        self.settings = {**bench.settings, **model.fixed}
        #: The folders of all runs so far.
        self.folders: list[Path] = []
        self._small: dict[str, object] = {}
        self._warm: WarmRunner | None = None

    def close(self) -> None:
        if self._warm is not None:
            self._warm.close()

    # What is known of the model

    @property
    def described_in(self) -> str:
        return self.model.description_file.name

    @property
    def trained_by(self) -> str | None:
        """The name of the script that trains it; None where none does."""
        return self.model.trained_by

    @property
    def is_improve(self) -> bool:
        return self.model.description.convention == "improve"

    @property
    def is_served(self) -> bool:
        """Whether its module was imported, by a server that is kept."""
        return self._warm is not None

    @property
    def seed(self) -> int:
        value = str(self.settings.get(self.model.description.seed or USUAL_SEED, DEFAULT_SEED))
        return int(value) if value.isdecimal() else DEFAULT_SEED

    @property
    def shortest(self) -> dict[str, object]:
        """What is changed for a training of one epoch; nothing where it has no more, or the model knows no epochs."""
        given = {**self._small, **self.settings}
        return {name: value for name, value in self._small.items() if name.lower() == EPOCHS and given[name] != value}

    def is_callable(self, name: str) -> bool:
        return self.model.script(name) is not None

    def a_number(self) -> str | None:
        """A hyperparameter that takes a number and changes the result: the first described, else the first given."""
        description = self.model.description
        for name, each in description.hyperparameters.items():
            if each.type in ("int", "float") and each.effect != "none" and name != description.seed:
                return name
        return next((name for name, value in self.settings.items() if _type(value) in ("int", "float")), None)

    def learn(self, defaults: Mapping[str, Any] | None) -> None:
        """Take the defaults of its module for a description where there is none, and spell settings as they do."""
        if defaults and not self.model.description.hyperparameters:
            known = {name: HyperparameterDescription(type=_type(value)) for name, value in defaults.items()}
            self.model = replace(self.model, description=with_defaults(self.model.description, known))
        elif not self.model.description.hyperparameters:
            self.model = with_read_seed(self.model)
        names = self.model.description.names
        self._small = {spelling(name, names): value for name, value in SMALL.items() if spelling(name, names) in names}
        self.settings = {spelling(name, names): value for name, value in self.settings.items()}

    # How it is run

    def new_folder(self, what: str) -> Path:
        folder = self.bench.folder / RUNS / f"{len(self.folders):02}-{what}"
        folder.mkdir(parents=True)
        self.folders.append(folder)
        return folder

    def import_module(self) -> dict[str, Any] | None:
        """Import the module into a server that is kept; gives its defaults. Raises `ServerEnded` where that fails."""
        runner = WarmRunner(self.model, self.bench.slot, self.data_folder)
        try:
            defaults = runner.defaults(self.new_folder("import") / "model.log")
        except ServerEnded:
            runner.close()
            raise
        self._warm = runner
        return defaults

    def train(self, changed: Mapping[str, object], traced: Sequence[str] = ()) -> Run:
        """A training by `train.sh`, which `traced` starts."""
        training = self._training("train", changed)
        report = training.folder / "witness.json"
        under = [sys.executable, "-m", "comparator.model.witness", str(report), *traced]
        began = time.monotonic()
        outcome = self._script_runner(under).run(training)
        if not report.is_file():
            return Run(outcome, time.monotonic() - began, 0, training.log)
        seen = json.loads(report.read_text(encoding="utf-8"))
        return Run(
            outcome, seen["seconds"], seen["peak_memory"], training.log, seen["status"], tuple(seen["left_running"])
        )

    def prepare(self) -> Outcome | MLFolder:
        """Have the first of three steps preprocess the data, or find them preprocessed; or how that failed."""
        runner = self._script_runner()
        assert isinstance(runner, StagedRunner)
        try:
            return runner.prepare(self._training("preprocess", {}))
        except InputError as error:
            return Outcome("failed", reason=str(error))

    def infer(self, trained: Run) -> Outcome | None:
        """Have the last of three steps infer with a training; how that failed, None: it did not."""
        runner, training = self._script_runner(), self._training("infer", {})
        assert isinstance(runner, StagedRunner)
        made = runner.prepare(training)
        if isinstance(made, Outcome):
            return made
        return runner.infer(replace(training, folder=trained.log.parent), made)

    def train_by_other_convention(self) -> Run | None:
        """A training by `train.sh` called the other way; where that succeeds, it is kept to."""
        stated = self.model
        convention = "candle" if self.is_improve else "improve"
        self.model = replace(stated, description=stated.description.model_copy(update={"convention": convention}))
        run = self.train({})
        if not run.is_ok:
            self.model = stated
            return None
        return run

    def serve(self, changed: Mapping[str, object]) -> Run:
        """A training by the server that has the module."""
        assert self._warm is not None
        training, began = self._training("serve", changed), time.monotonic()
        outcome = self._warm.run(training)
        return Run(outcome, time.monotonic() - began, _peak_memory_below(os.getpid()), training.log)

    @property
    def takes_many(self) -> bool:
        """Whether its module, in the server that is kept, has `run_many(params_list)`."""
        return self._warm is not None and self._warm.takes_many

    def serve_many(self, changes: Sequence[Mapping[str, object]]) -> list[Run]:
        """Trainings by one call of the server that has the module; raises as `WarmRunner.run_many` does."""
        assert self._warm is not None
        trainings, began = [self._training("together", changed) for changed in changes], time.monotonic()
        outcomes = self._warm.run_many(trainings)
        seconds, memory = (time.monotonic() - began) / len(trainings), _peak_memory_below(os.getpid())
        return [
            Run(outcome, seconds, memory, training.log) for outcome, training in zip(outcomes, trainings, strict=True)
        ]

    def serve_anew(self, under: Sequence[str]) -> Outcome:
        """A training by a server of its own, which `under` starts."""
        runner = WarmRunner(self.model, self.bench.slot, self.data_folder, under=under)
        try:
            return runner.run(self._training("serve", {}))
        finally:
            runner.close()

    def call(self, name: str, words: Sequence[str], folder: Path) -> str | None:
        """Run a script of the model; says why it failed, or None."""
        inside = [*self.model.command(name), *words]
        command, environment = call(self.model, inside, self.bench.slot, self.data_folder, folder)
        path = folder / "model.log"
        with path.open("wb") as log:
            process = GuardedProcess(command, environment, log, piped=False, folder=folder)
            try:
                code = process.wait(self.bench.limit)
            except subprocess.TimeoutExpired:
                return f"it exceeded its limit of {self.bench.limit:g} seconds (log: {path})"
            finally:
                process.close()
        if code == 0:
            return None
        return f"{last_words(path) or exit_words(code, name)} (log: {path})"

    def given(self) -> dict[str, object]:
        """The hyperparameters that scripts get, with paths as the model sees them."""
        return {name: self.seen(value) for name, value in {**self._small, **self.settings}.items()}

    def seen(self, value: Any) -> Any:
        return self.model.seen(value, self.data_folder)

    def called_with(self) -> list[str]:
        """What stands before the flags."""
        return [] if self.is_improve else [self.bench.slot.device or "-1", self.seen(str(self.data_folder))]

    def _script_runner(self, under: Sequence[str] = ()) -> ColdRunner | StagedRunner:
        named = NamedPaths([self.data_folder, self.model.folder], self.model.covers(self.data_folder))
        ml_data = MLData(self.bench.folder / ML_DATA, [self.model.name], named)
        return make_script_runner(self.model, self.bench.slot, self.data_folder, ml_data, under=under)

    def _training(self, what: str, changed: Mapping[str, object]) -> Training:
        """A training with the names and the folder that a search gives one."""
        folder = self.new_folder(what)
        name = self.model.description.seed
        seed = {name: self.seed} if name is not None else {}
        given = {**self._small, **self.settings, **seed}
        names = self.model.run_names("check", folder.name, folder, self.data_folder, given)
        return Training({**given, **names, **changed}, folder, folder / "model.log", self.metric, self.bench.limit)


def _metric(model: Model, asked: str | None) -> str:
    described = model.description.metrics
    if asked is not None and described and asked not in described:
        raise InputError(
            f"--metric {shortened(asked)}: {model.name} does not describe it{nearest(asked, described)};"
            f" it describes {listed(list(described))}"
        )
    usual = [USUAL_METRIC] if USUAL_METRIC in described else [n for n, each in described.items() if each.kind != "fact"]
    return asked or next(iter(usual), USUAL_METRIC)


def _type(value: Any) -> str:
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (list, "list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "any")


def _peak_memory_below(ancestor: int) -> int:
    """Bytes that the largest of a process's descendants has had at most; 0 where /proc does not tell."""
    peaks = [0]
    for pid in descendants(ancestor):
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        peaks += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(peaks)
