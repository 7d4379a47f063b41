"""The models that an experiment names, with the Pythons that they run in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.settings import ExperimentSettings
from comparator.formats.hyperparameters import split_for_submodels
from comparator.model.environment_making import make, would_make
from comparator.model.model import Model
from comparator.model.probe import described
from comparator.model.references import find_model


def find_models(
    settings: ExperimentSettings, hyperparameters: Mapping[str, Any], source: Path, context: Context
) -> list[Model]:
    context.make_models()
    containers, site = context.host.root / "containers", context.host.site

    def find(number: int, name: str, folder: Path, where: str) -> Model:
        return find_model(name, folder, containers, where, site, settings.python_of(number, context.file))

    if not settings.compares:
        return [find(0, settings.model, context.folder, f"{context.file}: model")]
    if settings.cmp.models is not None:
        where = f"{context.file}: [cmp] models"
        return [find(number, name, context.folder, where) for number, name in enumerate(settings.cmp.models)]
    found = []
    for number, given in enumerate(split_for_submodels(hyperparameters)):
        name = given.get("model_name") or given.get("candle_image")
        if name is None:
            raise InputError(
                f"{source}: says no model for submodel {number}: give cmp_model_name = 'FOLDER' for both,"
                f" or cmp_{number}_model_name"
            )
        where = f"{source}: model_name of submodel {number}"
        found.append(find(number, str(name), source.parent, where))
    return found


def make_environments(models: Sequence[Model], context: Context) -> list[str]:
    """Have the Python of each model ready; where this is a dry run gives what would be made, a line each."""
    left = []
    for environment in dict.fromkeys(model.python for model in models if model.python is not None):
        if context.host.makes_environments:
            make(environment, context.host.say)
        if environment.is_there:
            environment.check()
        else:
            left.append(f"{would_make(environment)}; what takes it, as to prepare the data, is not checked before")
    return left


def as_its_module_tells(model: Model, context: Context) -> Model:
    """The model with the hyperparameters that its module tells, where that can be asked."""
    if not model.is_ready:
        return model
    return described(model, context.host.site.slots()[0], context.host.site.data_folder)
