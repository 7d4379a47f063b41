"""The models of an experiment and what each is given: found, checked, told apart, their data prepared."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comparator.engine.given import DEFAULT_SEED, UNSET
from comparator.engine.trainer import CUT_SHORT
from comparator.errors import InputError, nearest
from comparator.experiment.context import Context
from comparator.experiment.settings import ExperimentSettings, SubmodelSettings
from comparator.formats.hyperparameters import as_flags, check_names, misspelt, read_with_warnings, split_for_submodels
from comparator.formats.names import home_written_out
from comparator.formats.spelling import COMMON, check_once, is_same, merged, spelling
from comparator.formats.text import shortened, shown
from comparator.model.environment_making import make, would_make
from comparator.model.image import DATA_FOLDER
from comparator.model.inputs import inputs_of, python_of_submodel
from comparator.model.model import Model, find_model, outside_container
from comparator.model.probe import described
from comparator.model.process import call
from comparator.model.reported import LAST_WORDS, plain
from comparator.model.stage_flags import OF_PLACES
from comparator.model.staged import check_raw_data
from comparator.objective.comparison import submodel_hyperparameters
from comparator.results.frozen import PythonOfSubmodel, Submodel
from comparator.site.profile import Slot

NUMBER_TYPES = ("int", "float")
#: So many packages that tell two environments apart are named, more are not.
FEW_PACKAGES = 2


@dataclass(frozen=True)
class Given:
    """Hyperparameters that passed their checks, and the models that they name."""

    hyperparameters: dict[str, Any]
    models: list[Model]
    submodels: list[Submodel]
    warnings: list[str]


class _MissingData(InputError):
    """The model's data do not have what the hyperparameters ask for."""


def choose_hyperparameters(settings: ExperimentSettings, varied: list[str], context: Context) -> Given:
    """Take the file that the settings name; of several the first whose data are there."""
    named = settings.hyperparameters
    files = [context.folder / name for name in ([named] if isinstance(named, str) else named)]
    if not files:
        return _check_hyperparameters({}, context.file, settings, varied, context)
    refused = []
    for file in files:
        try:
            read, warnings = read_with_warnings(file)
            given = _check_hyperparameters(read, file, settings, varied, context)
        except _MissingData as error:
            refused.append(f"{file.name} cannot be used here ({error})")
            if file == files[-1]:
                raise
            continue
        chosen = [*refused, f"taking {file.name}"] if len(files) > 1 else []
        return replace(given, warnings=[*chosen, *warnings, *given.warnings])
    raise AssertionError("unreachable: the last file is taken or refused")


def _check_hyperparameters(
    read: Mapping[str, Any], source: Path, settings: ExperimentSettings, varied: list[str], context: Context
) -> Given:
    """Check what `source` gives, with the settings' own on top, and prepare the data of its models."""
    data_folder = context.host.site.data_folder
    together = merged(read, {spelling(name, read): value for name, value in settings.set.items()})
    hyperparameters = {key: outside_container(value, data_folder) for key, value in together.items()}
    found = _find_models(settings, hyperparameters, source, context)
    warnings = _make_environments(found, context)
    probed = {model.key: _described(model, context) for model in found}
    models = [probed[model.key] for model in found]
    warnings += _check_reach(hyperparameters, varied, settings, source)
    whole = split_for_submodels(hyperparameters) if settings.compares else [hyperparameters]
    apart = settings.apart
    reaching = _reaching(varied, settings)
    names = [
        _own_names(apart[number], [*whole[number], *reaching[number]], model, f"{context.file}: [cmp.{number}]")
        for number, model in enumerate(models)
    ]
    own = submodel_hyperparameters(hyperparameters, {}, compares=settings.compares, names=names)
    apart_set = split_for_submodels(settings.set) if settings.compares else [settings.set]
    own_set = [[each.get(name, name) for name in given] for each, given in zip(names, apart_set, strict=True)]
    _check_set(models, own_set, context.file)
    submodels = []
    for number, model in enumerate(models):
        known = model.description.hyperparameters
        own_varied = [names[number].get(name, name) for name in reaching[number]]
        warnings += _doubt_unknown(model, [*own[number], *own_varied], f"{source.name} ({model.name})")
        warnings += _doubt_names(model, [*own_varied, *(name for name in own_set[number] if name not in COMMON)])
        warnings += _doubt_seed(model, own_varied)
        _check_fixed(model, [*own[number], *own_varied], source)
        config = {**_config(model, whole[number], data_folder, [*own[number], *own_varied]), **model.fixed}
        everything = {**config, **own[number]}
        _check_seed(model, everything, source)
        _prepare(model, everything, context)
        submodels.append(
            Submodel(
                submodel=(0, 1)[number],
                name=model.name,
                label="",
                path=model.reference,
                identity=model.identity,
                state=model.state,
                seed=model.description.seed,
                seeds=_seeds(model),
                split=_split(model, everything, source),
                controls=_controls(model),
                without_effect=_without_effect(model),
                numbers=sorted(name for name, each in known.items() if each.type in NUMBER_TYPES),
                config=config,
                hyperparameters=own[number],
                names=names[number],
                environment=apart[number].environment,
                device=_own_device(apart[number].device, context, number),
                python=python_of_submodel(model),
            )
        )
    inputs = {key: _inputs(model, context) for key, model in probed.items()}  # the data of all are prepared now
    submodels = [
        submodel.model_copy(update=inputs[model.key]) for submodel, model in zip(submodels, models, strict=True)
    ]
    for submodel in submodels:
        if submodel.untold is not None:
            warnings.append(f"{submodel.name}: its trainings are not re-used by other experiments: {submodel.untold}")
    _check_apart(submodels, source)
    _label(submodels, settings.cmp.labels)
    return Given(hyperparameters, models, submodels, list(dict.fromkeys(warnings)))


def _check_set(models: Sequence[Model], given: Sequence[Sequence[str]], file: Path) -> None:
    """Refuse a hyperparameter that is set by hand, that no model it reaches has, and that is nearly one of theirs."""
    for name in dict.fromkeys(name for names in given for name in names):
        reached = [
            model.description.hyperparameters for model, names in zip(models, given, strict=True) if name in names
        ]
        meant = [misspelt(name, known) for known in reached]
        if all(meant):
            raise InputError(
                f"{file}: hyperparameters.{shortened(name)}: the model has no such hyperparameter"
                f" (did you mean '{meant[0]}'?)"
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


def _own_names(apart: SubmodelSettings, given: Sequence[str], model: Model, where: str) -> dict[str, str]:
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


def _own_device(device: str | None, context: Context, number: int) -> str | None:
    """The device of one submodel, checked against those that the site gives out."""
    there = list(dict.fromkeys(slot.device for slot in context.host.site.slots() if slot.device is not None))
    if device is not None and device not in ("none", *there):
        raise InputError(
            f"{context.file}: [cmp.{number}] device = '{shortened(device)}': site '{context.host.site.name}' gives out"
            f" {', '.join(there) or 'no devices'}; 'none' is allowed too"
        )
    return device


def _find_models(
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


def _check_fixed(model: Model, given: Sequence[str], source: Path) -> None:
    """Refuse to be told otherwise which variant of a model it is."""
    for name in given:
        if any(is_same(name, fixed) for fixed in model.fixed):
            raise InputError(f"{source}: {shortened(name)}: the model's name says it, {model.reference}; leave it out")


def _make_environments(models: Sequence[Model], context: Context) -> list[str]:
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


def _described(model: Model, context: Context) -> Model:
    """The model with the hyperparameters that its module tells, where that can be asked."""
    if not model.is_ready:
        return model
    return described(model, context.host.site.slots()[0], context.host.site.data_folder)


def _check_reach(
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


def _doubt_names(model: Model, given: Sequence[str]) -> list[str]:
    """That nobody knows whether a model takes what is varied, or set by hand, where it describes no hyperparameters."""
    if model.description.hyperparameters or not given or not model.is_ready:
        return []
    named = ", ".join(map(shortened, dict.fromkeys(given)))
    return [
        f"{model.name}: whether it takes {named} cannot be checked: no model.toml lists its hyperparameters, and it has"
        " no initialize_parameters(); a name that it does not know changes nothing, or ends its trainings"
    ]


def _doubt_unknown(model: Model, given: Sequence[str], where: str) -> list[str]:
    """That a model does not describe what it is given; one in three steps is not given what no step takes."""
    if model.stages is None:
        return check_names(given, model.description.hyperparameters, where)
    unknown = [name for name in dict.fromkeys(given) if name not in model.description.names and name not in COMMON]
    known = [*model.description.names, *sorted(COMMON)]
    return [
        f"{where}: no step of the model takes '{shortened(name)}'{nearest(name, known)}; it is not passed on"
        for name in unknown
        if name not in OF_PLACES
    ]


def _doubt_seed(model: Model, varied: Sequence[str]) -> list[str]:
    seed = model.description.seed
    if seed is None and not model.is_ready:
        return []
    if seed is None:
        return [f"{model.name} takes no seed that is known (its model.toml can name one): all its runs are alike to us"]
    if seed in varied:
        return [f"the space varies '{seed}', which is the seed of {model.name}: replicates vary it too"]
    return []


def _check_seed(model: Model, given: Mapping[str, Any], source: Path) -> None:
    parts = [name for name in (model.description.seeds or {}).values() if given.get(name) not in UNSET]
    for name in (model.description.seed or "rng_seed", *parts):
        value = given.get(name, DEFAULT_SEED)
        if not str(value).isdigit():
            raise InputError(f"{source}: {name} = {shown(value)}: must be a whole number from 0")


def _seeds(model: Model) -> dict[str, str] | None:
    """The hyperparameters that take a part of the seed; None where the model does not tell."""
    return None if model.description.seeds is None else dict(model.description.seeds.items())


def _controls(model: Model) -> dict[str, Any] | None:
    """How a study's rows are cut, as the model describes it."""
    controls = model.description.controls
    return None if controls is None else controls.model_dump(exclude_none=True)


def _split(model: Model, given: Mapping[str, Any], source: Path) -> str | None:
    """The hyperparameter that takes the seed of the data split; None where there is none, or it changes nothing."""
    name, fixed = model.description.split, model.description.split_fixed
    if name is None or any(given.get(key) == value for key, value in fixed.items()):
        return None
    if not str(given.get(name, DEFAULT_SEED)).isdigit():
        raise InputError(f"{source}: {name} = {shown(given[name])}: must be a whole number from 0")
    return name


def _reaching(varied: Sequence[str], settings: ExperimentSettings) -> list[list[str]]:
    """What is varied for each submodel, under the names that it sees."""
    if not settings.compares:
        return [list(varied)]
    return [list(own) for own in split_for_submodels(dict.fromkeys(varied))]


def _label(submodels: Sequence[Submodel], labels: Sequence[str] | None) -> None:
    """Call each submodel by what sets it apart from the other."""
    for submodel in submodels:
        others = [other for other in submodels if other is not submodel]
        if labels is not None:
            label = labels[submodel.submodel]
        elif others and others[0].path != submodel.path:
            label = submodel.name
        elif others and others[0].python != submodel.python:
            label = f"{submodel.name}, {_python_words(submodel.python, others[0].python)}"
        else:
            own = submodel.hyperparameters
            other = others[0].hyperparameters if others else own
            apart = [key for key in own if own[key] != other.get(spelling(key, other))]
            label = ", ".join(_words(key, own[key]) for key in apart if key != "run_id") or submodel.name
        submodel.label = label
    if len({submodel.label for submodel in submodels}) < len(submodels):
        for submodel in submodels:
            submodel.label = f"{submodel.label} ({submodel.submodel})"


def _python_words(own: PythonOfSubmodel | None, other: PythonOfSubmodel | None) -> str:
    """What tells a model's Python from another's: its version, a few packages that differ, or its place."""
    if own is None:
        return "the Comparator's Python"
    if other is None or own.version != other.version:
        return f"Python {own.version}"
    both = {name: (own.packages.get(name, ""), other.packages.get(name, "")) for name in own.packages | other.packages}
    apart = [
        f"{name} {one.split()[0]}" for name, (one, two) in both.items() if one and one.split()[:1] != two.split()[:1]
    ]
    return ", ".join(apart) if 1 <= len(apart) <= FEW_PACKAGES else Path(own.interpreter).parents[1].name


def _words(name: str, value: Any) -> str:
    """What tells two models apart: a text says it by itself, anything else needs its name."""
    if isinstance(value, list):
        return " + ".join(map(str, value))
    return value if isinstance(value, str) and value else f"{name} {value}"


# Data


def _inputs(model: Model, context: Context) -> dict[str, Any]:
    """What a model's code and data are, and why it cannot be told what its runs read; None where it can."""
    description, data_folder = model.description, context.host.site.data_folder
    manifest = {} if description.data_manifest is None else {"data_manifest": [description.data_manifest]}
    for key, names in {"reads": description.reads or [], **manifest}.items():
        for name in names:
            if not (data_folder / name).exists():
                raise InputError(
                    f"{model.description_file}: {key}: '{name}': there is none in the data folder {data_folder}"
                )
    inputs = inputs_of(model, data_folder)
    return {**inputs, "untold": model.untold(warm=context.host.serves_warm) or inputs["untold"]}


def _prepare(model: Model, given: Mapping[str, Any], context: Context) -> None:
    """Run the model's `preprocess.sh`, which prepares its data once and refuses what the data do not have."""
    data_folder = context.host.site.data_folder
    if model.stages is not None:  # each training's data are preprocessed when it needs them
        if model.image is None:
            check_raw_data(model, given, data_folder)
        return
    script = model.script("preprocess.sh")
    if (script is None and model.image is None) or not model.is_ready:
        return
    if model.image is not None and model.image.runtime is None and model.description.data_manifest is not None:
        _check_prepared(model, data_folder)
    asked = os.environ.get("CANDLE_DATA_DIR")
    if asked and home_written_out(asked).absolute() == data_folder and not data_folder.exists():
        raise InputError(f"CANDLE_DATA_DIR={data_folder}: no such folder; make it first, or leave the variable out")
    try:
        data_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{data_folder}: the data folder cannot be made: {error.strerror}") from None
    if script is None:
        return
    flags = as_flags(model.seen(dict(given), data_folder))
    inside = [*model.command(script.name), model.seen(str(data_folder), data_folder), *flags]
    command, environment = call(model, inside, Slot(0), data_folder)
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=data_folder,  # wherever the user is, something of a name that the script looks for may lie there
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    last = ""
    assert process.stdout is not None
    with process:
        try:
            for line in process.stdout:
                said = plain(line).strip()
                if said:
                    last = said[:LAST_WORDS]
                    context.say(last)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise _MissingData(f"{model.name}: {last or f'preprocess.sh ended with exit status {process.returncode}'}")


def _check_prepared(model: Model, data_folder: Path) -> None:
    """Where this host cannot run the image, what prepares its data has to have run on a node."""
    manifest = data_folder / str(model.description.data_manifest)
    if not manifest.is_file():
        raise InputError(
            f"{model.path.name}: {manifest} is missing, and this host has no container runtime to prepare the data;"
            f" on a node run: preprocess.sh {DATA_FOLDER} in the image"
        )
