"""Ask a model that does not describe itself what it takes: its module is imported once, before anything starts."""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from comparator.errors import InputError, nearest
from comparator.formats.spelling import is_same
from comparator.model.described import HyperparameterDescription
from comparator.model.description import ModelDescription, SeedPart
from comparator.model.model import Model
from comparator.model.own_files.source import tree_of_source
from comparator.model.runners.warm import ServerEnded, WarmRunner
from comparator.site.profile import Slot

#: What Python says of a module that imports what is not installed.
MISSING_PACKAGE = "No module named"
USUAL_SEED, USUAL_SPLIT = "rng_seed", "split_seed"
#: What libraries call it, after the usual name.
LIKELY_SEEDS = (USUAL_SEED, "random_state", "seed", "random_seed")
#: The usual names of what seeds a part of it, in this order.
USUAL_SEEDS: dict[SeedPart, tuple[str, ...]] = {
    "initialisation": ("initialization_seed", "initialisation_seed", "init_seed"),
    "order": ("order_seed", "shuffle_seed"),
}


def described(model: Model, slot: Slot, data_folder: Path) -> Model:
    """The model with the hyperparameters that `initialize_parameters()` tells.

    `rng_seed` takes the seed, `split_seed` that of the data split; those of `USUAL_SEEDS` take a part of the seed. Of
    a Python file that tells none, `rng_seed` takes the seed where its source has that name. A model that describes
    its hyperparameters, or has no Python module, comes back as it is. Raises `InputError` where the module cannot be
    imported, has no `run`, or its `initialize_parameters()` fails.
    """
    if model.module is None or model.description.hyperparameters:
        return model
    runner = WarmRunner(model, slot, data_folder)
    with tempfile.TemporaryDirectory() as folder:
        try:
            defaults = runner.defaults(Path(folder) / "probe.log")
        except ServerEnded as ended:
            raise cannot_be_run(model, ended) from None
        finally:
            runner.close()
    if defaults is None:
        return with_read_seed(model)
    known = {name: HyperparameterDescription() for name in defaults}
    _refuse_slips(model, known)
    return replace(model, description=with_defaults(model.description, known))


def cannot_be_run(model: Model, ended: ServerEnded) -> InputError:
    """The words for a module that could not be imported, and how that is mended, where it can be told."""
    by = "" if model.python is None else f" by {model.interpreter}"
    return InputError(f"{model.path}: cannot be run{by}: {ended.reason}{how_to_mend(model, ended.reason)}")


def how_to_mend(model: Model, reason: str) -> str:
    """What mends a model that cannot be run for this reason: of a missing package another Python, of a script that has
    no `run` a folder that says how it is started; empty where nobody can tell."""
    if model.python is None and model.image is None and MISSING_PACKAGE in reason:
        return f"; a Python that has it is named by python = 'ENVIRONMENT' in {model.description_file}"
    if model.is_folder or model.image is not None or _may_have_run(model.path):
        return ""
    command = json.dumps(["python", model.path.name])
    words = "a script that one starts is a model by its folder"
    return f"; {words}, with command = {command} in {model.folder / 'model.toml'}"


def _may_have_run(file: Path) -> bool:
    """Whether a Python file defines `run`, or may get it from what it imports or assigns."""
    tree = tree_of_source(file)
    if tree is None:
        return True
    names = {getattr(each, key, None) for each in ast.walk(tree) for key in ("name", "asname", "id")}
    return not names.isdisjoint({"run", "*"})


def _refuse_slips(model: Model, known: Iterable[str]) -> None:
    """Raise `InputError` for what is said to take a seed where that nearly is a hyperparameter that the model has."""
    description, known = model.description, list(known)
    parts = (description.seeds or {}).items()
    for key, name in (("seed", description.seed), ("split", description.split), *parts):
        meant = "" if name is None or _called(name, known) is not None else nearest(name, known)
        if meant:
            raise InputError(f"{model.path}: {key} = '{name}': the model has no such hyperparameter{meant}")


def with_defaults(description: ModelDescription, known: dict[str, HyperparameterDescription]) -> ModelDescription:
    """The description of a model whose `initialize_parameters()` tells the hyperparameters `known`."""
    seed, split = description.seed or usual_seed(known), description.split or _called(USUAL_SPLIT, known)
    seeds = description.seeds if description.seeds is not None else _usual_seeds(known) or None
    update = {"seed": seed, "seeds": seeds, "split": split}
    return description.model_copy(update=update).with_hyperparameters(known)


def usual_seed(known: Iterable[str]) -> str | None:
    """The one of the hyperparameters that is `rng_seed`, as the model writes it; None where none is."""
    return _called(USUAL_SEED, known)


def likely_seed(known: Iterable[str]) -> str | None:
    """The first of the hyperparameters that by its name takes a seed, as the model writes it; None where none does."""
    known = list(known)
    return next((name for likely in LIKELY_SEEDS if (name := _called(likely, known)) is not None), None)


def _usual_seeds(known: Iterable[str]) -> dict[SeedPart, str]:
    """The hyperparameters that seed a part of what the seed decides, by their usual names."""
    known = list(known)
    named = {part: [_called(usual, known) for usual in names] for part, names in USUAL_SEEDS.items()}
    return {part: name for part, names in named.items() for name in names[::-1] if name is not None}


def _called(usual: str, known: Iterable[str]) -> str | None:
    return next((name for name in known if is_same(name, usual)), None)


def with_read_seed(model: Model) -> Model:
    """A Python file that names no seed with the one that its source reads by its usual name; any other as it is."""
    if model.description.seed is not None or model.is_folder or model.image is not None:
        return model
    tree = tree_of_source(model.path)
    if tree is None:
        return model
    texts = [each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return replace(model, description=model.description.model_copy(update={"seed": usual_seed(texts)}))
