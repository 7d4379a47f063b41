"""Is what an experiment varies what its models take, as far as their descriptions tell, before anything starts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparator.experiment.freezing.submodels import Given
from comparator.formats.text import shortened, shown
from comparator.formats.upf import Line
from comparator.objective.comparison import submodel_hyperparameters
from comparator.space import Number, ParameterSpace


def values_of(space: ParameterSpace | None, lines: Sequence[Line]) -> dict[str, list[Any]]:
    """The values of each hyperparameter that is varied: of a range its ends, between which all others lie."""
    values: dict[str, list[Any]] = {}
    for parameter in space.parameters if space is not None else ():
        values[parameter.name] = parameter.spread(2) if isinstance(parameter, Number) else parameter.all_values()
    for line in lines:
        for name, value in line.hyperparameters.items():
            values.setdefault(name, []).append(value)
    return values


def fault_of(values: Mapping[str, Sequence[Any]], given: Given, *, compares: bool) -> str | None:
    """The first varied value that a model which it reaches does not take, by its own description; None of none."""
    mark = object()
    names = [submodel.names for submodel in given.submodels]
    for name, each in values.items():
        reached = submodel_hyperparameters(given.hyperparameters, {name: mark}, compares=compares, names=names)
        for model, own in zip(given.models, reached, strict=True):
            known = model.description.hyperparameters
            for described in (known[called] for called, is_this in own.items() if is_this is mark and called in known):
                for value in each:
                    if (fault := described.fault(value)) is not None:
                        return f"{shortened(name)} = {shown(value)}: {model.name} says that it {fault}"
    return None
