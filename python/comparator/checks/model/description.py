"""What a model says of itself: its scripts, `model.toml`, its module and the hyperparameter that takes the seed."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from comparator.checks.model.trial import Trial
from comparator.errors import nearest
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding, Findings, listed
from comparator.formats.numbers import how_many
from comparator.model.description import ModelDescription
from comparator.model.image import SCRIPTS
from comparator.model.model import TRAIN, Model
from comparator.model.own_command import OwnCommand
from comparator.model.probe import how_to_mend, likely_seed, usual_seed
from comparator.model.runners.warm import ServerEnded
from comparator.model.stages import Stages, started_by, starts_itself

DESCRIPTION = "model.toml"
#: What each script is for, said where there is none.
PURPOSES = {
    "train.sh": "the model is trained by its module alone, and nobody else can call it as CANDLE and IMPROVE do",
    "preprocess.sh": "the model must find its data as they are",
    "infer.sh": "cross-study cannot test the model on other studies",
}


def kind_words(model: Model) -> str:
    kind = "an image" if model.image else "a folder" if model.is_folder else "a Python file"
    described = f": {model.description.description}" if model.description.description else ""
    return f"{model.path}, {kind}; {model.name}{described}"


def misnamed(folder: Path, name: str) -> str:
    """What file in the folder may have been meant to be called `name`; one of another kind, by its ending, was not."""
    files = [each.name for each in folder.iterdir() if each.is_file()] if folder.is_dir() else []
    alike = [each for each in files if Path(each).suffix.lower() in ("", Path(name).suffix)]
    others = [each for each in alike if each not in (*SCRIPTS, DESCRIPTION)]
    same = [each for each in others if each.lower() == name]
    return f" (did you mean '{same[0]}'? It must be called {name})" if same else nearest(name, others)


def check_scripts(trial: Trial) -> Findings:
    model = trial.model
    if model.stages is not None:
        yield from _check_steps(model.stages)
        return
    if model.own_command is not None:
        yield _check_command(model.own_command)
    for name in SCRIPTS:
        script = model.script(name)
        if name == TRAIN and model.own_command is not None:
            continue
        if script is None:
            near = misnamed(model.path, name) if model.is_folder else ""
            yield Finding(name, FAILS if near else UNTESTED, f"there is none: {PURPOSES[name]}{near}")
        elif model.image is not None:
            yield Finding(name, HOLDS, "on the image's PATH")
        elif not starts_itself(script):
            why = "not executable" if not os.access(script, os.X_OK) else "no first line that says by what it is run"
            yield Finding(name, HOLDS, f"{why}: {started_by(script)[0]} runs it")
        else:
            yield Finding(name, HOLDS, "there")


def _check_command(own: OwnCommand) -> Finding:
    """How a model's own command is called, and what its script is known to take."""
    where = "" if own.described.start_in is None else f" in {own.described.start_in}"
    told = f"{len(own.takes)} flags, by its source" if own.takes else "no flags that its source tells"
    settings = "" if own.settings is None else f", {len(own.of_settings)} settings of {own.settings.name}"
    return Finding("command", HOLDS, f"called as {shlex.join(own.words)}{where}; it takes {told}{settings}")


def _check_steps(stages: Stages) -> Findings:
    """How each of three steps is called, and why so."""
    for stage in stages.all:
        places = " ".join(f"--{flag} {place.upper()}" for flag, place in stage.takes.places.items())
        called = " ".join([*(stage.started_by or ["python"]), stage.script.name, places])
        count = len(stage.takes.flags)
        yield Finding(stage.name, HOLDS, f"called as {called}: {stage.why}; it takes {count} hyperparameters")
    if stages.infer is None:
        yield Finding("infer", UNTESTED, f"there is no script that infers: {PURPOSES['infer.sh']}")


def check_description(trial: Trial) -> Findings:
    model, file = trial.model, trial.described_in
    description = model.description
    if description == ModelDescription():
        near = misnamed(model.path, DESCRIPTION) if model.is_folder else ""
        words = "there is none: a score is taken for an error, misspelt hyperparameters are passed on"
        yield Finding(file, FAILS if near else UNTESTED, words + near)
        return
    metrics, hyperparameters = description.metrics, description.hyperparameters
    if model.stages is not None:
        words = f"{len(hyperparameters)} hyperparameters, read from its scripts and {file}"
        yield Finding("hyperparameters", HOLDS, f"{words}; its metrics: {listed(list(metrics))}")
        return
    told = f"{how_many(len(metrics), 'metric')}, {how_many(len(hyperparameters), 'hyperparameter')}"
    yield Finding(file, HOLDS, f"describes {told}")
    if not metrics:
        yield Finding("metrics", UNTESTED, f"{file} has no [metrics.NAME]: a score is taken for an error")
    silent = [f"metrics.{name}" for name, each in metrics.items() if not each.description]
    own = hyperparameters if model.own_command is None else model.own_command.described.hyperparameters
    silent += [f"hyperparameters.{name}" for name, each in own.items() if not each.description]
    if silent:
        yield Finding("descriptions", UNTESTED, f"these have none: {listed(silent)}")
    missing = [str(folder) for folder in model.python_path if not folder.is_dir()]
    if missing:
        yield Finding("python_path", FAILS, f"no such folder: {', '.join(missing)}")


def check_module(trial: Trial) -> Findings:
    """Import the module, and learn what hyperparameters there are."""
    defaults = yield from _imported(trial)
    known = trial.model.description.hyperparameters
    if defaults and known:
        absent = [name for name in known if name not in defaults]
        if absent:
            yield Finding("defaults", UNTESTED, f"initialize_parameters() has no default of {listed(absent)}")
    trial.learn(defaults)


def _imported(trial: Trial) -> Generator[Finding, None, dict[str, Any] | None]:
    """Import the module; gives its defaults where there are any."""
    if trial.model.module is None:
        yield Finding("module", UNTESTED, "none is named: every run starts a process of its own")
        return None
    began = time.monotonic()
    try:
        defaults = trial.import_module()
    except ServerEnded as ended:
        mend = how_to_mend(trial.model, ended.reason)
        yield Finding("module", FAILS, f"{trial.model.module} cannot be served: {ended.reason}{mend}")
        return None
    given = "no initialize_parameters()" if defaults is None else f"{len(defaults)} defaults"
    yield Finding("module", HOLDS, f"imported in {time.monotonic() - began:.1f} s; {given}")
    return defaults


def check_seed_is_named(trial: Trial) -> Findings:
    seed, known, file = trial.model.description.seed, trial.model.description.hyperparameters, trial.described_in
    if seed is not None and known and seed not in known:
        yield Finding("seed", FAILS, f"seed = '{seed}' is not among the hyperparameters{nearest(seed, known)}")
    elif seed is not None and known:
        yield Finding("seed", HOLDS, f"{seed} takes it")
    elif seed is not None:
        words = f"{seed} is to take it, and no hyperparameters are known to compare it with"
        yield Finding("seed", UNTESTED, f"{words}: neither {file} nor initialize_parameters() names any")
    elif (usual := usual_seed(known)) is not None:
        yield Finding("seed", FAILS, f"searches do not give it to the model: add the line seed = '{usual}'")
    else:
        likely = likely_seed(known)
        hint = f"; {likely} seems to be one" if likely is not None else ""
        words = f"none is named (seed = '{likely or 'NAME'}' in {file}): the replicates of a point all get the same"
        yield Finding("seed", UNTESTED, words + hint)
