"""Names in a space, or in the lines of a UPF, that tell a workflow what runs: a model takes no hyperparameter of them.

CANDLE's files have them beside hyperparameters: `model_name`, `candle_image`, and `config_file` or `config`, with the
prefixes of submodels too. In one experiment they are one for all points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from comparator.errors import InputError
from comparator.experiment.freezing.varied import values_of
from comparator.experiment.settings import ExperimentSettings
from comparator.formats.spelling import CONFIG_FILE, without_prefix
from comparator.formats.text import shown
from comparator.formats.upf import Line
from comparator.objective.comparison import NOT_FOR_MODELS
from comparator.space import ParameterSpace

NAME, IMAGE = "model_name", "candle_image"


def is_of_the_workflow(name: str) -> bool:
    """Whether a name, with a prefix or without, says what runs."""
    return without_prefix(name) in NOT_FOR_MODELS


def set_by_points(
    settings: ExperimentSettings, space: ParameterSpace | None, lines: Sequence[Line], where: str
) -> tuple[dict[str, Any], list[str]]:
    """What such names set for the whole experiment, and a line on each that has no effect.

    `where` opens the lines. Raises `InputError` where points differ in what runs. A `model_name` of a UPF may differ
    from line to line: files of runs are called after it, which is no matter here.
    """
    fixed: dict[str, Any] = {}
    notes = []
    for name, values in values_of(space, lines).items():
        own = without_prefix(name)
        if own not in NOT_FOR_MODELS:
            continue
        is_label = name == NAME
        different = list({json.dumps(value): value for value in values}.values())
        if len(different) > 1 and not (is_label and lines):
            instead = "give the points of each a file of their own"
            if name == IMAGE and lines:
                instead = f"without a model, comparator sweep {where} trains each line by its own"
            raise InputError(
                f"{where}: '{name}' is {shown(different[0])} and {shown(different[1])}: it says what runs, which is"
                f" one for all points of an experiment; {instead}"
            )
        if lines and len(values) < len(lines) and not is_label:
            raise InputError(f"{where}: '{name}' says what runs, and stands in {len(values)} of {len(lines)} lines")
        if own in CONFIG_FILE:
            fixed[name.removesuffix(own) + CONFIG_FILE[-1]] = different[0]
        elif settings.compares and name != own:
            fixed[name] = different[0]
        elif name == IMAGE and different[0] != settings.model:
            notes.append(f"{where}: '{name}' = {shown(different[0])} is not run: the model is '{settings.model}'")
    return fixed, notes
