"""Which models there are in `containers/`, and what each lacks of the data; which files of a folder may be models."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from comparator.errors import InputError
from comparator.model.definitions import keys_of
from comparator.model.description import ModelDescription, read_description
from comparator.model.own_files.settings_file import read_settings_file
from comparator.model.own_files.source import tree_of_source
from comparator.model.own_files.told import MOST_FILES, told_by_script

#: What the name of a script says that trains, the more likely first.
LIKELY = ("train", "main", "run", "")


@dataclass(frozen=True)
class Known:
    """A model by the name that an experiment gives it.

    `lacks` are the inputs that its description says it needs and that the data folder does not have; `problem` is why
    its description cannot be read, in a line.
    """

    name: str
    description: str = ""
    lacks: tuple[str, ...] = ()
    problem: str = ""


def known_models(containers: Path, data_folder: Path) -> list[Known]:
    """The models of `containers`, each variant of a folder that has several by itself; those that can run first."""
    found = []
    for folder in model_folders(containers):
        try:
            file = folder / "model.toml"
            description = read_description(file) if file.is_file() else ModelDescription()
        except InputError as error:
            found.append(Known(folder.name, problem=str(error)))
            continue
        found += _of_folder(folder.name, description, data_folder)
    return found


def model_folders(containers: Path) -> list[Path]:
    """The folders of `containers` that are models, by what lies in them."""
    return sorted({file.parent for name in ("train.sh", "model.toml") for file in containers.glob(f"*/{name}")})


def _of_folder(name: str, description: ModelDescription, data_folder: Path) -> list[Known]:
    if not description.variants:
        return [Known(name, description.description)]
    variants = [
        Known(f"{name}:{variant}", each.description, tuple(description.missing_inputs(variant, data_folder)))
        for variant, each in description.variants.items()
    ]
    return sorted(variants, key=lambda each: bool(each.lacks))


def files_with_run(folder: Path) -> list[str]:
    """The Python files right in a folder that define `run` with one argument, which makes each a model by itself."""
    return sorted(path.name for path in folder.glob("*.py") if _defines_run(path))


def scripts_with_flags(folder: Path) -> list[str]:
    """The scripts of a folder, and of those in it, in Python or R, that take flags; those first that train by their
    name."""
    files = _files(folder, "*.py", "*.[Rr]")
    found = [path for path in files if path.name != "setup.py" and _is_script(path, folder)]
    ranked = sorted(found, key=lambda path: next(n for n, word in enumerate(LIKELY) if word in path.stem.lower()))
    return [str(path.relative_to(folder)) for path in ranked]


def scripts_of_constants(folder: Path) -> list[str]:
    """The Python scripts of a folder, and of those in it, that train by their name and set themselves by constants."""
    named = [path for path in _files(folder, "*.py") if any(word in path.stem.lower() for word in LIKELY[:-1])]
    return [str(path.relative_to(folder)) for path in named if _has_constants(path)]


def _files(folder: Path, *patterns: str) -> list[Path]:
    """The files of a folder, and of the folders in it, that are called so, as many as are looked at."""
    places = [place for pattern in patterns for place in (pattern, f"*/{pattern}")]
    return [path for place in places for path in sorted(folder.glob(place))][:MOST_FILES]


def _has_constants(path: Path) -> bool:
    try:
        return bool(read_settings_file(path))
    except InputError:
        return False


def _is_script(path: Path, folder: Path) -> bool:
    """Whether a file takes flags, and is run as it is or has a part that is."""
    if path.suffix != ".py":
        return any(told_by_script(path, [folder]))
    tree = tree_of_source(path)
    return tree is not None and _runs(tree) and any(each.flag for each in told_by_script(path, [folder]))


def _runs(tree: ast.Module) -> bool:
    """Whether a file does something where it is run: it parses flags, or has the usual last lines."""
    calls = {getattr(each.func, "attr", "") for each in ast.walk(tree) if isinstance(each, ast.Call)}
    names = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    return bool(calls & {"parse_args", "parse_known_args"}) or "__name__" in names


def _defines_run(path: Path) -> bool:
    """Whether a file has a `run` of one argument, or of one that it takes by name out of."""
    body = [] if (tree := tree_of_source(path)) is None else tree.body
    runs = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "run" and node.args.args]
    return any(len(node.args.args) == 1 or any(keys_of(node, node.args.args[0].arg)) for node in runs)
