"""The three steps of an IMPROVE model: preprocess, train, infer; which scripts they are, and what each is given.

| step | reads | writes |
|---|---|---|
| preprocess | the raw data | the preprocessed data |
| train | the preprocessed data | the model, `val_scores.json`, `val_y_data_predicted.csv` |
| infer | the preprocessed data, the model | `test_scores.json`, `test_y_data_predicted.csv` |

A folder has three steps where it has `<model>_preprocess_improve.py` and `<model>_train_improve.py`, and its
`model.toml`, if there is one, does not say otherwise; or where that says `convention = "improve"` and both
`preprocess.sh` and `train.sh` are there and take flags alone.

A Python script is called itself, by the model's own Python, whatever lies around it: shell scripts that take the
device and the data folder before the flags would take `--input_dir` for a device, and hide the real one. A shell
script is run by the interpreter that its first line names, else by `bash`; it need not be executable.

A step is given the hyperparameters that its script knows (`stage_flags`). Four are nobody's, and mean here:

| hyperparameter | meaning |
|---|---|
| `study`, `split` | which split files are taken: `STUDY_split_SPLIT_train.txt`, and `val`, `test` |
| `training_size` | how many of the training rows are kept, of one fixed order: a smaller set is part of a larger one |
| `infer` | after a training infer on the test rows too, which adds `test_loss` and others to its metrics |
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from comparator.errors import InputError
from comparator.formats.spelling import COMMON, is_same, spelling
from comparator.formats.text import read_text
from comparator.model.definitions import Definition, as_description
from comparator.model.described import HyperparameterDescription, MetricDescription, StageName
from comparator.model.description import SEEDS, ModelDescription
from comparator.model.flag_words import as_taken, flag_words, is_false
from comparator.model.stage_flags import OF_PLACES, Place, StageFlags, flags_of_python, flags_of_shell

STAGE_NAMES: tuple[StageName, ...] = get_args(StageName)
SCRIPT = re.compile(r"(.+)_(preprocess|train|infer)_improve\.py")
#: Where a folder of the benchmark's data lies, from a data folder on.
RAW_PLACES = (".", "raw_data", "csa_data/raw_data", "csa/raw_data")
RAW_PARTS = ("x_data", "y_data", "splits")
SPLIT_FILE = re.compile(r"(?P<study>.+)_split_(?P<split>\d+)_(?P<part>train|val|test)\.txt")
PARTS = ("train", "val", "test")
#: What a shell script says that takes its first words for something else than flags.
TAKES_PLACES = re.compile(r"""\$\{?1\b|(?<![\w-])shift(?![\w-])""")
TAKES_DEVICE = re.compile(r"""CUDA_VISIBLE_DEVICES=["']?\$\{?1\b""")
STUDY, SPLIT, TRAINING_SIZE, INFER = "study", "split", "training_size", "infer"
OWN = {
    STUDY: HyperparameterDescription(
        type="string", description="study whose split files are taken", stage="preprocess"
    ),
    SPLIT: HyperparameterDescription(type="int", description="number of the split", stage="preprocess"),
    TRAINING_SIZE: HyperparameterDescription(
        type="int", description="how many of the training rows are kept", stage="preprocess"
    ),
    INFER: HyperparameterDescription(
        type="bool", description="infer on the test rows after a training; adds test metrics", stage="infer"
    ),
}
#: What every IMPROVE model reports, as `reported` reads it.
METRICS = {
    "val_loss": MetricDescription(kind="error", lowest=0, description="mean squared error on the validation rows"),
    "val_rmse": MetricDescription(kind="error", lowest=0, description="its square root"),
    "val_r2": MetricDescription(kind="score", description="R2 on the validation rows"),
    "val_corr": MetricDescription(kind="score", description="Pearson's correlation on the validation rows"),
    "val_spearman": MetricDescription(kind="score", description="Spearman's correlation on the validation rows"),
}
#: The hyperparameter that names a file in the place of the model's own parameter file.
CONFIG_FILE = "config_file"
LONGEST_FIRST_LINE = 1000  # bytes


@dataclass(frozen=True)
class Stage:
    """One step: its script, how that is started, and what it takes; `why` says in words why it is started so."""

    name: StageName
    script: Path
    started_by: tuple[str, ...]  # the words before the script; none: the model's own Python
    takes: StageFlags
    why: str

    def own(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the hyperparameters that the script takes, by its own names."""
        found = {}
        for name, value in hyperparameters.items():
            own = None if name in OF_PLACES else self.takes.own_name(name)
            if own is not None:
                found[own] = self._as_given(own, value)
        return found

    def command(self, own: Mapping[str, Any], places: Mapping[Place, Path], python: str) -> list[str]:
        """The command that carries the step out with its `own` hyperparameters, reading and writing at `places`.

        `python` is the model's own.
        """
        words = [*(self.started_by or [python]), str(self.script)]
        for flag, place in self.takes.places.items():
            words += [f"--{flag}", str(places[place])]
        for name, value in own.items():
            words += flag_words(replace(self._flag(name), builtin=None), str(value) if value is None else value)
        return words

    def check_varied(self, names: Sequence[str]) -> None:
        """Raises `InputError` for a hyperparameter of which no value reaches the script."""
        for name in names:
            own = None if name in OF_PLACES else self.takes.own_name(name)
            takes = None if own is None else self.takes.flags.get(own)
            if takes is not None and takes.builtin == "list":
                raise InputError(f"{name} cannot be varied: {self._letters}")

    @property
    def _letters(self) -> str:
        return f"{self.script.name} makes a list of its letters (type=list)"

    def _as_given(self, name: str, value: Any) -> Any:
        """A value as the script reads it: a list as one word or as words, False as the word that is False there.

        Raises `InputError` for what no word stands for.
        """
        takes = self._flag(name)
        if takes.builtin == "bool" and is_false(value):
            return ""
        if takes.builtin == "list":
            raise InputError(
                f"{name} cannot be set: {self._letters}; a parameter file that {CONFIG_FILE} names can give it"
            )
        return as_taken(takes, value)

    def _flag(self, name: str) -> Definition:
        """What the script says of one that it takes."""
        return self.takes.flags.get(name) or Definition(name)


@dataclass(frozen=True)
class Stages:
    """The steps of a model in `folder`; `infer` may be missing."""

    folder: Path
    preprocess: Stage
    train: Stage
    infer: Stage | None

    @property
    def all(self) -> list[Stage]:
        return [each for each in (self.preprocess, self.train, self.infer) if each is not None]

    def ours(self, hyperparameters: Mapping[str, Any], name: str) -> Any:
        """The value of one of the four that are ours; None where it is not given, or a step takes it for its own."""
        if any(each.takes.own_name(name) is not None for each in self.all):
            return None
        return next((value for each, value in hyperparameters.items() if is_same(each, name)), None)

    def check_varied(self, names: Sequence[str]) -> None:
        """Raises `InputError` for a hyperparameter that no space can vary, since no value of it reaches a step."""
        for stage in self.all:
            stage.check_varied(names)

    def unknown(self, names: Sequence[str]) -> list[str]:
        """Those of the names that no step takes."""
        known = self.hyperparameters
        return [name for name in names if name not in OF_PLACES and spelling(name, known) not in known]

    def given(self, stage: Stage, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """What of the hyperparameters a step is given, by its own names, paths of the model's folder written out.

        Raises `InputError` where `study` or `split` cannot be followed.
        """
        own = stage.own(hyperparameters)
        if stage is self.train and not stage.takes.is_told:
            unknown = [name for name in self.unknown(list(hyperparameters)) if name not in COMMON]
            own |= {name: hyperparameters[name] for name in unknown}
        if stage is self.preprocess:
            own = {**self._split_files(hyperparameters), **own}
        for name, text in () if CONFIG_FILE in own else stage.takes.given.items():
            if name in stage.takes.flags and name not in own and self._is_own_path(text):
                own[name] = text
        return {name: self._placed(value) for name, value in own.items()}

    @cached_property
    def hyperparameters(self) -> dict[str, HyperparameterDescription]:
        """All that the steps take, and what is ours of that, as `model.toml` describes them."""
        found: dict[str, HyperparameterDescription] = {}
        for stage in self.all:
            for name, each in stage.takes.flags.items():
                if spelling(name, found) not in found:
                    found[name] = as_description(each, stage.name)
        return found | {name: each for name, each in OWN.items() if spelling(name, found) not in found}

    def training_rows(self, preprocess: Mapping[str, Any], raw: Path) -> Path | None:
        """The file that names the training rows; None where none is told."""
        name = preprocess.get("train_split_file") or self.preprocess.takes.given.get("train_split_file")
        folder = str(preprocess.get("splits_dir") or self.preprocess.takes.given.get("splits_dir") or "splits")
        return None if not name else raw / folder.strip("\"'") / str(name).strip("\"'")

    def _split_files(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """The split files that `study` and `split` mean."""
        study, split = (self.ours(hyperparameters, name) for name in (STUDY, SPLIT))
        if study is None and split is None:
            return {}
        usual = SPLIT_FILE.fullmatch(self.preprocess.takes.given.get("train_split_file", "").strip("\"'"))
        if usual is None and (study is None or split is None):
            raise InputError(
                f"{STUDY} and {SPLIT} must both be given: the model's parameter file names no train_split_file such as"
                " CCLE_split_0_train.txt"
            )
        study = study if study is not None or usual is None else usual["study"]
        split = split if split is not None or usual is None else usual["split"]
        return {f"{part}_split_file": f"{study}_split_{split}_{part}.txt" for part in PARTS}

    def _is_own_path(self, text: str) -> bool:
        """Whether a value of the parameter file names a file or folder of the model's own, from its folder on."""
        path = text.strip().strip("\"'")
        return path.startswith(("./", "../")) and path not in ("./", "../") and (self.folder / path).exists()

    def _placed(self, value: Any) -> Any:
        """A value that names something in the model's folder, with its whole path: steps work elsewhere."""
        if not isinstance(value, str):
            return value
        text = value.strip().strip("\"'")
        if "/" in text and not Path(text).is_absolute() and (self.folder / text).exists():
            return str((self.folder / text).resolve())
        return value


def find_stages(folder: Path, description: ModelDescription) -> Stages | None:
    """The three steps of the model in `folder`, None where it has none. Raises `InputError` for unreadable scripts."""
    if description.module is not None or _says_candle(description):
        return None
    names = models_of_scripts(folder)
    if len(names) == 1:
        found = {name: _python_stage(folder, names[0], name) for name in STAGE_NAMES}
    elif description.convention == "improve" and _has_flags_alone(folder):
        found = {name: _shell_stage(folder, name, description) for name in STAGE_NAMES}
    else:
        return None
    preprocess, train = found["preprocess"], found["train"]
    assert preprocess is not None and train is not None
    return Stages(folder, preprocess, train, found["infer"])


def with_stages(description: ModelDescription, stages: Stages | None) -> ModelDescription:
    """The description of a model with these steps, which tell what it does not say."""
    if stages is None:
        return description
    known = {**stages.hyperparameters, **description.hyperparameters}
    takes_seed = [name for name in SEEDS if name in stages.train.takes.flags]
    own = description.model_copy(
        update={
            "convention": "improve",
            "seed": description.seed or next(iter(takes_seed), None),
            "metrics": description.metrics or METRICS,
        }
    )
    return own.with_hyperparameters(known)


def raw_folder(data_folder: Path) -> Path | None:
    """Where under a data folder the benchmark's data lie: `x_data`, `y_data`, `splits`; None where they do not."""
    for place in RAW_PLACES:
        folder = (data_folder / place).resolve()
        if all((folder / part).is_dir() for part in RAW_PARTS):
            return folder
    return None


def starts_itself(script: Path) -> bool:
    """Whether the system starts a script by its name alone: it is executable, and its first line says by what."""
    return os.access(script, os.X_OK) and _first_line(script).startswith("#!")


def started_by(script: Path) -> list[str]:
    """The words before a script that start it, be it executable or not: what its first line names, else a shell."""
    first = _first_line(script)
    return (shlex.split(first[2:]) if first.startswith("#!") else []) or ["bash"]


def takes_places(script: Path) -> bool:
    """Whether a shell script takes what stands before the flags, a device or a folder, by its place."""
    return TAKES_PLACES.search(read_text(script)) is not None


def _first_line(script: Path) -> str:
    with script.open("rb") as file:
        return file.readline(LONGEST_FIRST_LINE).decode("utf-8", "replace").rstrip()


def _says_candle(description: ModelDescription) -> bool:
    return description.convention == "candle" and "convention" in description.model_fields_set


def models_of_scripts(folder: Path) -> list[str]:
    """What the Python scripts of the models in a folder begin with; steps are those of a single one."""
    there: dict[str, set[str]] = {}
    for path in folder.glob("*_improve.py"):
        if (found := SCRIPT.fullmatch(path.name)) is not None:
            there.setdefault(found[1], set()).add(found[2])
    return sorted(prefix for prefix, names in there.items() if {"preprocess", "train"} <= names)


def _has_flags_alone(folder: Path) -> bool:
    scripts = [folder / f"{name}.sh" for name in ("preprocess", "train")]
    return all(script.is_file() and not takes_places(script) for script in scripts)


def _parameter_file(folder: Path, prefix: str) -> Path | None:
    names = {f"{prefix}_params{ending}".lower() for ending in (".ini", ".txt")}
    return next((path for path in sorted(folder.glob("*_params.*")) if path.name.lower() in names), None)


def _python_stage(folder: Path, prefix: str, name: StageName) -> Stage | None:
    script = folder / f"{prefix}_{name}_improve.py"
    if not script.is_file():
        return None
    takes = flags_of_python(script, name, _parameter_file(folder, prefix))
    return Stage(name, script, (), takes, _why_itself(folder / f"{name}.sh"))


def _shell_stage(folder: Path, name: StageName, description: ModelDescription) -> Stage | None:
    script = folder / f"{name}.sh"
    if not script.is_file() or takes_places(script):
        return None
    files = [*sorted(folder.glob("*_params.ini")), *sorted(folder.glob("*_params.txt"))]
    takes = flags_of_shell(name, next(iter(files), None), description.hyperparameters)
    by = started_by(script)
    return Stage(name, script, tuple(by), takes, f"{script.name} takes flags alone")


def _why_itself(shell: Path) -> str:
    """Why a Python script is called itself, and not by the shell script beside it."""
    if not shell.is_file():
        return f"there is no {shell.name}"
    text = read_text(shell)
    if TAKES_DEVICE.search(text):
        return f"{shell.name} takes its first word for the device, which a flag would hide"
    if TAKES_PLACES.search(text):
        return f"{shell.name} takes its first word for the data folder"
    return f"{shell.name} only hands flags on to it"
