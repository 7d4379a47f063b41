"""The experiment file: one TOML file says what is compared, over which space, by which search.

It is read with what the command line sets in it, and checked whole before anything starts. `[full]` holds the settings
that `--full` puts in the place of the file's own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from comparator.errors import InputError, nearest
from comparator.experiment.settings import TABLES, ExperimentSettings, SubmodelSettings, known_keys
from comparator.formats.hyperparameters import parse_override, set_once
from comparator.formats.kinds import EXPERIMENT, other_kind
from comparator.formats.refusal import refusal
from comparator.formats.spelling import as_kept, check_once, merged
from comparator.formats.text import shortened, shown
from comparator.model.description import read_toml


def read_settings(path: Path, overrides: list[str], *, full: bool = False) -> ExperimentSettings:
    """Read and check an experiment file; raises `InputError` that names the file and the key.

    A file whose name does not end in `.toml` is a bare UPF.

    `overrides` are the command line's `--set KEY=VALUE`, KEY as in the file with dots (`search.population`), or
    `hyperparameters.NAME` for a hyperparameter.
    """
    content: dict[str, Any] = _read_file(path) if path.suffix == ".toml" else {"upf": str(path.absolute())}
    at_full_size = content.pop("full", None)
    if full:
        if not isinstance(at_full_size, dict):
            raise InputError(f"{path}: has no [full] table, so there is nothing for --full to choose")
        content = _merge(content, at_full_size)
    return _with_overrides(content, overrides, path, str(path))


def lines_say_what_runs(path: Path, overrides: Iterable[str]) -> bool:
    """Whether a file is a bare UPF with which no model is given."""
    return path.suffix != ".toml" and not any(each.partition("=")[0] == "model" for each in overrides)


def overridden(settings: Mapping[str, Any], overrides: Sequence[str], file: str, where: str) -> ExperimentSettings:
    """The settings of a frozen experiment with `overrides`, as of `read_settings`; raises `InputError`."""
    return _with_overrides(copy.deepcopy(dict(settings)), overrides, Path(file), where)


def with_values(
    settings: Mapping[str, Any], values: Mapping[str, Any], file: str, where: str, said: str
) -> ExperimentSettings:
    """The settings with `values`, whose keys are those of overrides, as they are; raises `InputError`.

    `said` is what gave them, for a message.
    """
    given = [(key, value, f"{said}: '{shortened(key)}' = {shown(value)}") for key, value in values.items()]
    return _with_given(copy.deepcopy(dict(settings)), given, Path(file), where)


def _with_overrides(content: dict[str, Any], overrides: Sequence[str], path: Path, where: str) -> ExperimentSettings:
    given = [(*parse_override(override), f"--set {shortened(override)}") for override in overrides]
    return _with_given(content, given, path, where)


def _with_given(
    content: dict[str, Any], given: Iterable[tuple[str, Any, str]], path: Path, where: str
) -> ExperimentSettings:
    """The settings with what is given of them: key, value, and the words by which that was said."""
    chosen: dict[str, Any] = {}
    for key, value, said in given:
        apply_setting(content, chosen, key, value, said)
    set_hyperparameters(content, chosen, path)
    return check_settings(content, where)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except InputError as error:
        raise InputError(f"{error}{other_kind(path, EXPERIMENT)}") from None


def check_settings(content: Mapping[str, Any], where: str) -> ExperimentSettings:
    """The settings of what an experiment file holds; raises `InputError`, whose line `where` opens."""
    try:
        return ExperimentSettings.model_validate(content)
    except ValidationError as error:
        raise InputError(_explained(error, where)) from None


def set_hyperparameters(content: dict[str, Any], chosen: Mapping[str, Any], path: Path) -> None:
    """Put the hyperparameters that the command line sets over those of the file's `[set]`; raises `InputError`."""
    given = content.setdefault("set", {})
    if isinstance(given, dict):
        check_once(given, f"{path}: [set]")
        content["set"] = merged({as_kept(name): value for name, value in given.items()}, chosen)


def _explained(error: ValidationError, where: str) -> str:
    location = error.errors()[0]["loc"]
    fields = ExperimentSettings.model_fields
    if len(location) > 2 and location[0] == "cmp":
        fields = SubmodelSettings.model_fields
    elif len(location) > 1 and location[0] in TABLES:
        fields = TABLES[str(location[0])].model_fields
    return refusal(error, where, sorted({field.alias or name for name, field in fields.items()} - {"set"}))


def _merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(base)
    for key, value in change.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def apply_setting(
    content: dict[str, Any], chosen: dict[str, Any], key: str, value: Any, said: str, known: Iterable[str] | None = None
) -> None:
    """Put one setting into the file's content, a hyperparameter among those that are chosen.

    Raises `InputError`, whose line `said` opens, for what is no key; of those that are `known`, else of all,
    the nearest is named.
    """
    section, dot, name = key.partition(".")
    if section == "hyperparameters" and dot:
        set_once(chosen, name, value, said)
    elif section in TABLES and dot:
        *tables, last = [section, *(name.split(".") if section == "cmp" else [name])]
        table: Any = content
        for each in tables:
            if table.get(each) is None:
                table[each] = {}
            table = table[each]
            if not isinstance(table, dict):
                return  # the check of all settings tells it
        if section == "search" and name in ("evaluations", "generations"):
            table.pop("generations" if name == "evaluations" else "evaluations", None)
        table[last] = value
    elif not dot and key in ExperimentSettings.model_fields and key not in (*TABLES, "set"):
        content[key] = value
    elif section == "space" and dot:
        raise InputError(
            f"{said}: what is varied stands in the file's [space], and is changed there;"
            " comparator search --focus NAME=LOW:HIGH keeps to a part of it"
        )
    else:
        raise InputError(
            f"{said}: no key '{shortened(key)}'{nearest(key, known_keys() if known is None else known)};"
            f" a hyperparameter is set as hyperparameters.{shortened(key.split('.')[-1])}=..."
        )
