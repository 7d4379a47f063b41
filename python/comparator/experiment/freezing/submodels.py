"""The models of an experiment and what each is given: checked, and frozen as submodels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comparator.engine.trainer import CUT_SHORT
from comparator.errors import InputError
from comparator.experiment.context import Context
from comparator.experiment.freezing.given_names import (
    check_fixed,
    check_reach,
    check_spelling,
    check_varied,
    doubt_names,
    doubt_unknown,
    own_names,
)
from comparator.experiment.freezing.given_seeds import check_seed, doubt_seed, parts_of_seed, split_of
from comparator.experiment.freezing.labels import give_labels
from comparator.experiment.freezing.models import as_its_module_tells, find_models, make_environments
from comparator.experiment.freezing.preparing import MissingData, prepare, what_it_reads
from comparator.experiment.settings import ExperimentSettings, SubmodelSettings
from comparator.formats.hyperparameters import read_with_warnings, split_for_submodels
from comparator.formats.kinds import HYPERPARAMETERS, other_kind
from comparator.formats.spelling import COMMON, merged, spelling
from comparator.formats.text import shortened
from comparator.model.inputs import python_of_submodel
from comparator.model.model import Model, outside_container
from comparator.objective.comparison import submodel_hyperparameters
from comparator.results.frozen import Submodel

NUMBER_TYPES = ("int", "float")


@dataclass(frozen=True)
class Given:
    """Hyperparameters that passed their checks, and the models that they name."""

    hyperparameters: dict[str, Any]
    models: list[Model]
    submodels: list[Submodel]
    warnings: list[str]


def choose_hyperparameters(settings: ExperimentSettings, varied: list[str], context: Context) -> Given:
    """Take the file that the settings name; of several the first whose data are there."""
    named = settings.hyperparameters
    files = [context.folder / name for name in ([named] if isinstance(named, str) else named)]
    if not files:
        return _check_hyperparameters({}, context.file, settings, varied, context)
    refused = []
    for file in files:
        try:
            read, warnings = read_file(file)
            given = _check_hyperparameters(read, file, settings, varied, context)
        except MissingData as error:
            refused.append(f"{file.name} cannot be used here ({error})")
            if file == files[-1]:
                raise
            continue
        chosen = [*refused, f"taking {file.name}"] if len(files) > 1 else []
        return replace(given, warnings=[*chosen, *warnings, *given.warnings])
    raise AssertionError("unreachable: the last file is taken or refused")


def read_file(file: Path) -> tuple[dict[str, Any], list[str]]:
    """A file of hyperparameters, and what was read otherwise than it stands; a file of another kind is told for it."""
    try:
        return read_with_warnings(file)
    except InputError as error:
        raise InputError(f"{error}{other_kind(file, HYPERPARAMETERS)}") from None


@dataclass(frozen=True)
class _Own:
    """What one submodel is given: by the prefix rules (`whole`), and of that under its own names (`hyperparameters`).

    `names` are from those given to its own; `varied` and `by_hand` are its own names of what varies, and of what the
    settings themselves set.
    """

    number: int
    model: Model
    settings: SubmodelSettings
    whole: Mapping[str, Any]
    hyperparameters: dict[str, Any]
    names: dict[str, str]
    varied: list[str]
    by_hand: list[str]

    @property
    def all_names(self) -> list[str]:
        return [*self.hyperparameters, *self.varied]

    def doubts(self, source: Path) -> list[str]:
        """What nobody can tell of it, a line each."""
        said = [*self.varied, *(name for name in self.by_hand if name not in COMMON)]
        return [
            *doubt_unknown(self.model, self.all_names, f"{source.name} ({self.model.name})"),
            *doubt_names(self.model, said),
            *doubt_seed(self.model, self.varied),
        ]


def _check_hyperparameters(
    read: Mapping[str, Any], source: Path, settings: ExperimentSettings, varied: list[str], context: Context
) -> Given:
    """Check what `source` gives, with the settings' own on top, and prepare the data of its models."""
    data_folder = context.host.site.data_folder
    together = merged(read, {spelling(name, read): value for name, value in settings.set.items()})
    hyperparameters = {key: outside_container(value, data_folder) for key, value in together.items()}
    found = find_models(settings, hyperparameters, source, context)
    warnings = make_environments(found, context)
    probed = {model.key: as_its_module_tells(model, context) for model in found}
    models = [probed[model.key] for model in found]
    warnings += check_reach(hyperparameters, varied, settings, source)
    own = _own(hyperparameters, varied, settings, models, context)
    check_spelling(models, [each.by_hand for each in own], f"{context.file}: hyperparameters.{{}}")
    check_spelling(models, [each.varied for each in own], f"{context.file}: '{{}}', which is varied")
    submodels = []
    for each in own:
        warnings += each.doubts(source)
        submodels.append(_submodel(each, source, context))
    inputs = {key: what_it_reads(model, context) for key, model in probed.items()}  # the data of all are prepared now
    submodels = [
        submodel.model_copy(update=inputs[model.key]) for submodel, model in zip(submodels, models, strict=True)
    ]
    for submodel in submodels:
        if submodel.untold is not None:
            warnings.append(f"{submodel.name}: its trainings are not re-used by other experiments: {submodel.untold}")
    _check_apart(submodels, source)
    give_labels(submodels, settings.cmp.labels)
    return Given(hyperparameters, models, submodels, list(dict.fromkeys(warnings)))


def _own(
    hyperparameters: Mapping[str, Any],
    varied: Sequence[str],
    settings: ExperimentSettings,
    models: Sequence[Model],
    context: Context,
) -> list[_Own]:
    """What each submodel is given of what the experiment has."""

    def split(given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return split_for_submodels(given) if settings.compares else [given]

    whole, apart = split(hyperparameters), settings.apart
    reaching, by_hand = split(dict.fromkeys(varied)), split(settings.set)
    names = [
        own_names(apart[number], [*whole[number], *reaching[number]], model, f"{context.file}: [cmp.{number}]")
        for number, model in enumerate(models)
    ]
    own = submodel_hyperparameters(hyperparameters, {}, compares=settings.compares, names=names)
    return [
        _Own(
            number,
            model,
            apart[number],
            whole[number],
            own[number],
            names[number],
            [names[number].get(name, name) for name in reaching[number]],
            [names[number].get(name, name) for name in by_hand[number]],
        )
        for number, model in enumerate(models)
    ]


def _submodel(own: _Own, source: Path, context: Context) -> Submodel:
    """A model as it is frozen with what it is given, whose data are prepared on the way."""
    model, known = own.model, own.model.description.hyperparameters
    check_fixed(model, own.all_names, source)
    check_varied(model, own.varied, context.file)
    config = {**_config(model, own.whole, context.host.site.data_folder, own.all_names), **model.fixed}
    everything = {**config, **own.hyperparameters}
    check_seed(model, everything, source)
    prepare(model, everything, context)
    return Submodel(
        submodel=(0, 1)[own.number],
        name=model.name,
        label="",
        path=model.reference,
        identity=model.identity,
        state=model.state,
        seed=model.description.seed,
        seeds=parts_of_seed(model),
        split=split_of(model, everything, source),
        controls=_controls(model),
        without_effect=_without_effect(model),
        numbers=sorted(name for name, each in known.items() if each.type in NUMBER_TYPES),
        config=config,
        hyperparameters=own.hyperparameters,
        names=own.names,
        environment=own.settings.environment,
        device=_own_device(own.settings.device, context, own.number),
        python=python_of_submodel(model),
    )


def _without_effect(model: Model) -> list[str]:
    """The hyperparameters that change no result: `timeout` too, where the model says which trainings it cut short."""
    known = model.description.hyperparameters
    named = {name for name, each in known.items() if each.effect == "none"}
    return sorted(named | ({"timeout"} & set(known) if CUT_SHORT in model.description.metrics else set()))


def _check_apart(submodels: Sequence[Submodel], source: Path) -> None:
    """See to it that two models are two: what is one to the store is trained once."""
    if len({each.path for each in submodels}) > 1 and len({each.identity for each in submodels}) == 1:
        first, second = (each.path for each in submodels)
        raise InputError(
            f"{source}: {first} and {second} are one model: all that they are made of is equal; to compare a model with"
            " itself name it twice"
        )


def _own_device(device: str | None, context: Context, number: int) -> str | None:
    """The device of one submodel, checked against those that the site gives out."""
    there = list(dict.fromkeys(slot.device for slot in context.host.site.slots() if slot.device is not None))
    if device is not None and device not in ("none", *there):
        raise InputError(
            f"{context.file}: [cmp.{number}] device = '{shortened(device)}': site '{context.host.site.name}' gives out"
            f" {', '.join(there) or 'no devices'}; 'none' is allowed too"
        )
    return device


def _config(model: Model, given: Mapping[str, Any], data_folder: Path, own: Sequence[str]) -> dict[str, Any]:
    """What the file that `config_file` names adds, below everything that is given directly under the names `own`."""
    path = model.config_file(given.get("config_file"), data_folder)
    if path is None or model.stages is not None:  # each step reads its own section of it
        return {}
    known = [*own, *model.description.names]
    return {
        spelling(name, known): outside_container(value, data_folder)
        for name, value in read_with_warnings(path)[0].items()
    }


def _controls(model: Model) -> dict[str, Any] | None:
    """How a study's rows are cut, as the model describes it."""
    controls = model.description.controls
    return None if controls is None else controls.model_dump(exclude_none=True)
