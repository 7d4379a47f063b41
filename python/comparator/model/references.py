"""The model that a name stands for, in a file or on a command line: a folder, an image, a Python file, a module."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from comparator.errors import InputError, nearest
from comparator.formats.finding import listed
from comparator.formats.names import home_written_out
from comparator.formats.text import LONGEST_MESSAGE, shortened
from comparator.model.catalogue import files_with_run, scripts_of_constants, scripts_with_flags
from comparator.model.description import ModelDescription, description_beside_model, parse_description, read_description
from comparator.model.image import description_beside, is_image, look_into
from comparator.model.image_sources import copy_of_sources
from comparator.model.model import TRAIN, Model
from comparator.model.own_command import OwnCommand, folder_of_script, with_own_command
from comparator.model.python_environment import PythonChoice, own_python
from comparator.model.runtime import find_runtime
from comparator.model.stages import find_stages, models_of_scripts, with_stages
from comparator.site.profile import Site


def find_model(
    reference: str,
    relative_to: Path,
    containers: Path,
    where: str,
    site: Site | None = None,
    python: PythonChoice | None = None,
) -> Model:
    """Find what `reference` names: a path, a folder in `containers/`, or an importable Python module.

    Behind a colon stands which one of the models of a folder or an image that has several, `drevalpy:RandomForest`.
    `relative_to` is the folder of the file that names the model, `where` the words for that place in errors; `site`
    says which runtime images are for. A `python` that is chosen takes the place of what the model's description says of
    it; an environment that is to be made from a requirements file need not be there yet. Raises `InputError`.
    """
    return _with_python(_found(reference, relative_to, containers, where, site), containers, python)


def _found(reference: str, relative_to: Path, containers: Path, where: str, site: Site | None) -> Model:
    place, variant = split_variant(reference)
    if variant is None or (relative_to / home_written_out(reference)).exists():
        return _only_model(_model_at(reference, relative_to, containers, where, site), reference, where)
    return _variant_model(_model_at(place, relative_to, containers, where, site), variant, reference, where)


def split_variant(reference: str) -> tuple[str, str | None]:
    """What stands before the last colon of a reference, and the variant behind it; None where there is no colon."""
    place, _, variant = reference.rpartition(":")
    return (place, variant) if place else (reference, None)


def with_path_written(reference: str, write: Callable[[Path], str]) -> str:
    """A reference whose path, where there is something at it, `write` writes; a variant stays behind the colon."""
    place, variant = split_variant(reference)
    if variant is None or home_written_out(reference).exists():
        place, behind = reference, ""
    else:
        behind = f":{variant}"
    path = home_written_out(place)
    return write(path) + behind if path.exists() else reference


def _only_model(model: Model, reference: str, where: str) -> Model:
    known = model.description.variants
    if known:
        raise InputError(
            f"{where}: '{shortened(reference)}' is {len(known)} models: say which, as {shortened(reference)}:"
            f"{next(iter(known))}; comparator model list names them"
        )
    return model


def _variant_model(model: Model, variant: str, reference: str, where: str) -> Model:
    known = model.description.variants
    if not known:
        raise InputError(
            f"{where}: '{shortened(reference)}': {model.name} is one model; leave out what is behind the colon"
        )
    if variant not in known:
        raise InputError(
            f"{where}: '{shortened(reference)}': {model.name} has no '{shortened(variant)}'{nearest(variant, known)};"
            " comparator model list names what there is"
        )
    return replace(model, name=variant, description=model.description.of_variant(variant), variant=variant)


def _model_at(reference: str, relative_to: Path, containers: Path, where: str, site: Site | None) -> Model:
    path = (relative_to / home_written_out(reference)).resolve()
    if is_image(path):
        return _image_model(path, reference, where, site)
    if path.is_dir():
        return _folder_model(path, reference, where)
    if path.is_file():
        return _python_model(path, reference, where)
    if not any(separator in reference for separator in (os.sep, ".")) and (containers / reference).is_dir():
        return _folder_model(containers / reference, reference, where)
    if all(part.isidentifier() for part in reference.split(".")) and path.suffix != ".py":
        return _module_model(reference, where, containers)
    beside = (each.name for each in path.parent.glob("*")) if path.parent.is_dir() else ()
    raise InputError(f"{where}: no model at '{shortened(str(path), LONGEST_MESSAGE // 2)}'{nearest(path.name, beside)}")


def _folder_model(path: Path, reference: str, where: str) -> Model:
    description_file = path / "model.toml"
    description = read_description(description_file) if description_file.is_file() else ModelDescription()
    name, place = description.name or path.name, path.resolve()
    if description.command is not None:
        own = OwnCommand(place, description)
        own.check(str(place / "model.toml"))
        return _with_code(Model(name, place, with_own_command(description, own), own_command=own))
    stages = find_stages(place, description)
    if stages is None and not (path / TRAIN).is_file() and description.module is None:
        raise InputError(f"{where}: '{shortened(reference)}' is no model: {_why_none(path)}")
    return _with_code(Model(name, place, with_stages(description, stages), stages=stages))


def _why_none(folder: Path) -> str:
    """Why a folder is no model, and what of it may be one."""
    several = shortened(", ".join(models_of_scripts(folder)))
    scripts = "<model>_preprocess_improve.py and <model>_train_improve.py"
    lacks = f"{folder} has neither train.sh nor a command or a module in model.toml,"
    if several:
        return f"{lacks} and {scripts} of more than one: {several}"
    files = files_with_run(folder)
    if files:
        return f"{lacks} nor {scripts}; a file with run(params) is one by itself: {listed(files)}"
    own = scripts_with_flags(folder)
    if not own and (constant := scripts_of_constants(folder)):
        typed = f'command = ["python", "{constant[0]}"], and settings = "{constant[0]}" for its constants,'
        others = f" (or {listed(constant[1:])})" if constant[1:] else ""
        return f"{lacks} nor {scripts}; a model.toml with {typed} makes it one{others}"
    if not own:
        typed = 'command = ["PROGRAM", "WORD"], what one types to train it,'
        return f"{lacks} nor {scripts}; a model.toml with {typed} makes it one"
    others = f" (or {listed(own[1:])})" if own[1:] else ""
    program = "python" if own[0].endswith(".py") else "Rscript"
    return f'{lacks} nor {scripts}; a model.toml with command = ["{program}", "{own[0]}"] makes it one{others}'


def _image_model(path: Path, reference: str, where: str, site: Site | None) -> Model:
    if site is None:
        image = look_into(path, reference, where, find_runtime(), nodes_have_one=False)
    else:
        of_site = f"site '{site.name}': SITE_CONTAINER_RUNTIME"
        runtime = find_runtime(site.container_runtime, site.container_options, of_site)
        image = look_into(path, reference, where, runtime, nodes_have_one=site.has_nodes)
    described_in = str(description_beside(path))
    description = description_beside_model(description_beside(path))
    if description is None:
        described_in = f"{path.name}: model.toml"
        description = parse_description(image.description, described_in)
    name = description.name or path.stem
    if description.command is None:
        if image.lacks is not None:
            raise InputError(image.lacks)
        return Model(name, path, description, image)
    in_image = image.folder or folder_of_script(description.command)
    own = OwnCommand(copy_of_sources(image, in_image, f"{where}: image '{reference}'"), description, in_image)
    if image.runtime is not None:
        own.check(described_in)
    return Model(name, path, with_own_command(description, own), image, own_command=own)


def _python_model(path: Path, reference: str, where: str) -> Model:
    if path.suffix != ".py":
        raise InputError(
            f"{where}: '{shortened(reference)}' is no model: give a folder, or a Python file with run(params)"
        )
    description = description_beside_model(path.with_suffix(".toml")) or ModelDescription()
    return _with_code(Model(description.name or path.stem, path, description))


def _with_code(model: Model) -> Model:
    """The model, whose description names code that is there; raises `InputError` where it does not."""
    for name in model.description.code:
        if not model.beside(name).exists():
            raise InputError(f"{model.description_file}: code: '{shortened(name)}': there is no {model.beside(name)}")
    if model.description.command is not None and not model.is_folder:
        raise InputError(f"{model.description_file}: command: {model.path} is no folder, and called by itself")
    if (model.links or model.description.folders) and model.module is not None:
        raise InputError(f"{model.description_file}: links, folders: a module is given none; it knows where it lies")
    return model


def _with_python(model: Model, containers: Path, chosen: PythonChoice | None) -> Model:
    description = model.description
    described = PythonChoice(description.python, description.requirements, model.folder, str(model.description_file))
    choice = chosen or described
    if not choice:
        return model
    if model.image is not None and not chosen and description.python is None:
        return model  # what a folder's environment is made from, its image holds
    if model.image is not None:
        said = choice.said("requirements" if choice.python is None else "python")
        raise InputError(f"{said}: {model.path} is an image, which has a Python of its own; leave it out")
    # Variants have one environment.
    name = model.name if model.variant is None else model.path.stem
    return replace(model, python=own_python(choice, name, containers.parent / "environments"))


def _module_model(reference: str, where: str, containers: Path) -> Model:
    try:
        found = importlib.util.find_spec(reference)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        folders = sorted(entry.name for entry in containers.glob("*") if (entry / "model.toml").is_file())
        raise InputError(
            f"{where}: no model '{shortened(reference)}'{nearest(reference, folders)}; give a folder, a"
            " Python file or a module"
            f" with run(params), or one of: {', '.join(folders)}"
        )
    return _python_model(Path(found.origin), reference, where)
