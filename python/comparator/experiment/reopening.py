"""Make a plan of an experiment that was frozen, where its models and data are as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from comparator.errors import InputError
from comparator.experiment.earlier_format import upgraded
from comparator.experiment.plan import Plan
from comparator.experiment.settings import ExperimentSettings
from comparator.model.data import has_changed
from comparator.model.environment_making import make
from comparator.model.inputs import python_change, source_change
from comparator.model.model import Model
from comparator.model.python_environment import PythonChoice
from comparator.model.references import find_model
from comparator.objective.comparison import make_objective
from comparator.objective.differences import (
    asked_difference,
    difference_code,
)
from comparator.results.form import of_form
from comparator.results.frozen import FORMAT, FrozenStrategy, Submodel, WholeExperiment
from comparator.site.profile import Site
from comparator.space import ParameterSpace
from comparator.space.boxes import Box, avoid
from comparator.strategies import strategy_code


def reopen_plan(
    frozen: WholeExperiment, *, root: Path, site: Site, say: Callable[[str], None] = lambda words: None
) -> Plan:
    """Make a plan from a frozen experiment; raises `InputError` where its models or data have changed since.

    `say` is called with what takes time: an environment of a model's that is not there is made again.
    """
    settings, file = _settings_of(frozen), Path(frozen.file)
    models = [
        find_model(
            submodel.path,
            root,
            root / "containers",
            f"model of submodel {submodel.submodel}",
            site,
            _python(submodel, settings, file),
        )
        for submodel in frozen.models
    ]
    for model in models:
        if model.python is not None:
            make(model.python, say)
    if frozen.format < FORMAT:
        frozen = upgraded(frozen, models, site.data_folder)
    changes = [_change(submodel, model, site) for submodel, model in zip(frozen.models, models, strict=True)]
    difference = asked_difference(frozen)
    if difference is not None and frozen.difference_code != difference_code(difference, file.parent):
        changes.append(f"{file.parent}: the code of difference '{difference}' has changed")
    changes.append(_strategy_change(frozen.strategy))
    change = next(filter(None, changes), None)
    if change is not None:
        raise InputError(f"{change} since '{frozen.id}' began; start anew")
    objective = make_objective(difference, frozen.metric, frozen.metrics, file)
    space = ParameterSpace.from_entries(frozen.space, "experiment.json") if frozen.space else None
    if space is not None and settings.search.avoid is not None:
        space = avoid(space, Box.from_bounds(space, settings.search.avoid, "experiment.json: avoid"))
    return Plan(frozen, space, models, objective)


def _settings_of(frozen: WholeExperiment) -> ExperimentSettings:
    """The settings of a frozen experiment; earlier versions passed over what a single model has in [cmp]."""
    given = {key: value for key, value in frozen.settings.items() if key != "cmp" or frozen.kind == "cmp"}
    return of_form(ExperimentSettings, given, f"experiment.json of '{frozen.id}': settings")


def _python(submodel: Submodel, settings: ExperimentSettings, file: Path) -> PythonChoice:
    """The Python of a model, by the path that it had, which holds on other hosts too; else as it was chosen."""
    was = submodel.python
    if was is None or not Path(was.interpreter).exists():
        return settings.python_of(submodel.submodel, file)
    return PythonChoice(was.interpreter, None, file.parent, f"model of submodel {submodel.submodel}")


def _strategy_change(strategy: FrozenStrategy) -> str | None:
    """What of a strategy that is not the Comparator's is not as it was; earlier versions did not keep its code."""
    now = strategy_code(strategy.name)
    if strategy.code in (None, now):
        return None
    return f"the code of strategy '{strategy.name}' {'is gone' if now is None else 'has changed'}"


def _change(submodel: Submodel, model: Model, site: Site) -> str | None:
    """What of a model or of its data is not as it was, in a line; None where all is."""
    change = source_change(model, submodel) or python_change(model, submodel)
    return change or has_changed(model, site.data_folder, submodel.data, submodel.data_until)
