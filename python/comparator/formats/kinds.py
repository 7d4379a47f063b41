"""What kind of file something is that was given where another was expected. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import read_text

SPACE, UPF, EXPERIMENT, HYPERPARAMETERS = "space", "upf", "experiment", "hyperparameters"
WORKFLOW_SETTINGS = "workflow settings"
#: What a file is, and where it goes.
WORDS = {
    SPACE: "it is a parameter space: an experiment file names it by space = '{name}',"
    " and a UPF is made of it by: comparator unroll --space {path}",
    UPF: "it is an unrolled parameter file: an experiment file names it by upf = '{name}',"
    " and it is carried out by: comparator sweep {path} --model MODEL",
    EXPERIMENT: "it is an experiment file, which is carried out by: comparator search {path}",
    HYPERPARAMETERS: "it is a file of hyperparameters: an experiment file names it by hyperparameters = '{name}'",
    WORKFLOW_SETTINGS: "it is a settings file of CANDLE's workflows: what it sets stands in [search] of an experiment"
    " file, as in cfg/cmp-ga.toml, or is an option",
}
_EXPERIMENT = re.compile(r"^\s*(\[(search|cmp|confirm|full)\]|(space|upf|model)\s*=\s*\S)", re.MULTILINE)
_OF_WORKFLOWS = re.compile(
    r"^\s*(export\s+)?(PARAM_SET_FILE|PROCS|NUM_ITERATIONS|POPULATION_SIZE|CANDLE_MODEL_TYPE|MODEL_NAME)=", re.MULTILINE
)
#: Of R's mlrMBO, with which CANDLE's workflows search too.
PARAMETER_SET = re.compile(r"^[^#'\"\n]*?\b(makeParamSet\s*\()", re.MULTILINE)
_GLOBAL = re.compile(r"^\s*\[Global_Params\]", re.MULTILINE | re.IGNORECASE)


def other_kind(path: Path, expected: str) -> str:
    """`; it is a parameter space: ...` where a file is plainly of another kind than was expected; else nothing."""
    try:
        kind = _kind_of(read_text(path))
    except InputError:
        return ""
    return "" if kind in (None, expected) else "; " + WORDS[str(kind)].format(path=path, name=path.name)


def is_parameter_set(text: str) -> bool:
    """Whether a text is R, with a parameter set of mlrMBO in it."""
    return PARAMETER_SET.search(text) is not None and not text.lstrip().startswith(("[", "{"))


def is_workflow_space(content: Any) -> bool:
    """Whether the content of a JSON file is the `settings.json` of CANDLE's grid and random workflows."""
    return isinstance(content, Mapping) and isinstance(content.get("parameters"), Mapping)


def _kind_of(text: str) -> str | None:
    if _GLOBAL.search(text):
        return HYPERPARAMETERS
    if is_parameter_set(text):
        return SPACE
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if is_workflow_space(content):
        return SPACE
    if isinstance(content, list):
        return SPACE if content and all(isinstance(each, dict) and "name" in each for each in content) else None
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    has_ids = all('"id"' in line for line in lines)
    if lines and all(line.lstrip().startswith("{") for line in lines) and (has_ids or (content is None and lines[1:])):
        return UPF
    if _OF_WORKFLOWS.search(text):
        return WORKFLOW_SETTINGS
    return EXPERIMENT if content is None and _EXPERIMENT.search(text) else None
