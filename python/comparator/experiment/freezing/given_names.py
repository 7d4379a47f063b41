"""The names of what models are given: their own, those that reach them, and those that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest
from comparator.experiment.settings import ExperimentSettings, SubmodelSettings
from comparator.formats.hyperparameters import check_names
from comparator.formats.slips import misspelt_for_all
from comparator.formats.spelling import COMMON, check_once, is_same, spelling
from comparator.formats.text import shortened
from comparator.model.model import Model, told_by
from comparator.model.stage_flags import OF_PLACES
from comparator.objective.comparison import submodel_hyperparameters


def check_spelling(models: Sequence[Model], given: Sequence[Sequence[str]], said: str) -> None:
    """Refuse a hyperparameter that no model it reaches has, and that is nearly one of theirs.

    `given` are the names that each of the models is given. `said` opens the line, with `{}` where the name stands.
    """
    known = [model.description.hyperparameters for model in models]
    for name in dict.fromkeys(name for names in given for name in names):
        if (meant := misspelt_for_all(name, given, known)) is not None:
            raise InputError(
                f"{said.format(shortened(name))}: the model has no such hyperparameter (did you mean '{meant}'?)"
            )


def own_names(apart: SubmodelSettings, given: Sequence[str], model: Model, where: str) -> dict[str, str]:
    """From the names that are given to one submodel to its own, where these are others.

    Its own are those that its table's `names` says, else those of its description, as the model writes them. Raises
    `InputError` for what would give it a hyperparameter twice.
    """
    renamed, where = apart.names, f"{where} names"
    check_once(renamed, where)
    for name in renamed:
        if not any(is_same(name, other) for other in given):
            raise InputError(
                f"{where}: '{shortened(name)}' is given nowhere{nearest(name, given)}, so there is nothing to rename"
            )
    own = {}
    for name in given:
        asked = renamed.get(spelling(name, renamed))
        own[name] = spelling(asked, model.description.names) if asked is not None else _as_described(name, model)
    for name in renamed:
        for other in given:
            called = own[spelling(name, given)]
            if not is_same(name, other) and is_same(called, own[other]):
                raise InputError(f"{where}: '{shortened(name)}' would be '{shortened(called)}', which is given as well")
    return {name: called for name, called in own.items() if called != name}


def _as_described(name: str, model: Model) -> str:
    """A name as the model writes it; as it is where the model does not describe it."""
    described = [own for own in model.description.names if is_same(own, name)]
    if len(described) > 1:
        both = " and ".join(f"'{own}'" for own in described)
        raise InputError(
            f"{model.path}: '{name}' cannot be set: the model has {both}, and names are matched whatever their case"
        )
    return described[0] if described else name


def check_fixed(model: Model, given: Sequence[str], source: Path) -> None:
    """Refuse to be told otherwise which variant of a model it is."""
    for name in given:
        if any(is_same(name, fixed) for fixed in model.fixed):
            raise InputError(f"{source}: {shortened(name)}: the model's name says it, {model.reference}; leave it out")


def check_varied(model: Model, varied: Sequence[str], file: Path) -> None:
    """Refuse what no value of a space would reach a model in three steps by."""
    if model.stages is not None:
        try:
            model.stages.check_varied(varied)
        except InputError as error:
            raise InputError(f"{file}: {model.name}: {error}") from None


def check_reach(
    hyperparameters: Mapping[str, Any], varied: list[str], settings: ExperimentSettings, source: Path
) -> list[str]:
    """See to it that what is varied reaches the submodels past the prefix rules."""
    warnings = []
    for name in varied:
        written = spelling(name, hyperparameters)
        if written in hyperparameters and written != name:
            warnings.append(f"'{name}', which is varied, takes the place of '{written}' of {source.name}")
        elif spelling(name, settings.set) in settings.set:
            warnings.append(f"'{name}' is varied: the value that is set for it is not used")
        mark = object()
        given = submodel_hyperparameters(hyperparameters, {name: mark}, compares=settings.compares)
        reached = [number for number, each in enumerate(given) if any(value is mark for value in each.values())]
        if not reached:
            raise InputError(f"{source}: a key with a prefix overrides '{name}', which is varied, in every model")
        if len(reached) < len(given) and not name.startswith("cmp_"):
            kept = spelling(f"cmp_{1 - reached[0]}_{name}", hyperparameters)
            warnings.append(f"the space varies '{name}' for submodel {reached[0]} only: {source.name} has {kept}")
    return warnings


def doubt_names(model: Model, given: Sequence[str]) -> list[str]:
    """That nobody knows whether a model takes what is varied, or set by hand: it describes no hyperparameters, and its
    files do not name this one."""
    if model.description.hyperparameters or not given or not model.is_ready:
        return []
    told = [each.name for each in told_by(model)]
    unknown = [name for name in dict.fromkeys(given) if not any(is_same(name, other) for other in told)]
    if not unknown:
        return []
    named, file = ", ".join(map(shortened, unknown)), model.description_file.name
    return [
        f"{model.name}: whether it takes {named} cannot be checked: no {file} lists its hyperparameters, it has"
        " no initialize_parameters(), and its files do not name it; a name that it does not know changes nothing, or"
        " ends its trainings"
    ]


def doubt_unknown(model: Model, given: Sequence[str], where: str) -> list[str]:
    """That a model does not describe what it is given; one in three steps is not given what no step takes."""
    if model.stages is None:
        return check_names(given, model.description.hyperparameters, where)
    unknown = [name for name in dict.fromkeys(given) if name not in model.description.names and name not in COMMON]
    known = [*model.description.names, *sorted(COMMON)]
    doubts = [
        f"{where}: no step of the model takes '{shortened(name)}'{nearest(name, known)}; it is not passed on"
        for name in unknown
        if name not in OF_PLACES
    ]
    folders = [name for name in unknown if name in OF_PLACES]
    if folders:
        doubts.append(
            f"{where}: {', '.join(folders)}: each step is given folders of its own, and these are not used;"
            " whose data are taken, 'study' and 'split' say"
        )
    return doubts
