"""What a model's own files tell of the hyperparameters that it takes: its scripts, and the files of settings that these
name. They are read, not run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.spelling import as_kept
from comparator.model.definitions import Definition, definitions_in
from comparator.model.own_files.r_options import options_in_r
from comparator.model.own_files.settings_file import ENDINGS, is_settings_file, named_settings, read_settings_file
from comparator.model.own_files.signatures import definitions_of_signatures
from comparator.model.own_files.source import tree_of_source

#: Source files of a folder that are read, at the most: more are no model's own.
MOST_FILES = 200
#: What a shell script names: a file, without the variable of its folder, `"$IMPROVE_MODEL_DIR"/train.py`, or a module.
FILE = re.compile(r"(?:\$\{?\w+\}?\"?/)?([\w.-][\w./-]*\.(?:py|sh|json|ya?ml))\b")
MODULE = re.compile(r"(?<!\S)-m\s+[\"']?([A-Za-z_][\w.]*)")
#: What the path of a file of settings says, or the option that takes one.
SAYS_SETTINGS = re.compile(r"conf|cfg|setting|param|option|args", re.IGNORECASE)


def _settings_in(called: Sequence[Path], folder: Path) -> list[Definition]:
    """What the files of settings say that are among those that a `train.sh` calls, or that such a script names."""
    return [each for file in _settings_files(called, folder) for each in settings_of(file)]


def _settings_files(called: Sequence[Path], folder: Path) -> list[Path]:
    files = [path for path in called if is_settings_file(path)]
    for script in with_imports(_python(called), [folder]):
        files += [path for path in _settings_named(script, folder) if path not in files]
    return files


def unreadable_settings(folder: Path) -> Iterator[str]:
    """Why a file of settings that the scripts of a folder name tells nothing: a line for each that cannot be read."""
    for file in _settings_files(_called(folder), folder):
        try:
            read_settings_file(file)
        except InputError as error:
            yield str(error)


def settings_of(file: Path) -> Iterator[Definition]:
    """The settings of a file as hyperparameters; none where it cannot be read."""
    try:
        content = read_settings_file(file)
    except InputError:
        return
    for name, value in named_settings(content):
        yield Definition(as_kept(name), default=value)


def told_by_file(file: Path) -> Iterator[Definition]:
    """What a Python file that is a model defines, with what it imports of its folder."""
    yield from _of_files([file, *_imported(file, [file.parent])])


def told_by_folder(folder: Path, python: Path | None = None) -> Iterator[Definition]:
    """What the files of a model's folder tell that its `train.sh` calls: settings, then scripts with what they import.

    Other scripts take flags of the same names with other defaults: all are read where those define nothing, and no file
    of settings does. The folder of the `python` that runs the model is none of its own.
    """
    files = _called(folder)
    called = [*_settings_in(files, folder), *told_by_scripts(_python(files), [folder])]
    yield from called
    if called:
        return
    files = [file for file in sorted(folder.rglob("*.py")) if python is None or python not in file.parents]
    yield from _of_files(files[:MOST_FILES])


def told_by_scripts(scripts: Sequence[Path], folders: Sequence[Path]) -> Iterator[Definition]:
    """What Python scripts define, with all that they import of their own folders, or below one of `folders`.

    A script of Hydra's takes its settings as `NAME=VALUE`.
    """
    files = with_imports(scripts, folders)
    yield from _of_files(files)
    yield from definitions_of_signatures([tree for tree in map(tree_of_source, files) if tree is not None])
    for tree, file in ((tree_of_source(file), file) for file in files):
        for config in _hydra(tree, file.parent) if tree is not None else ():
            for each in composed_settings(config):
                yield replace(each, flag=f"{each.name}=")


def told_by_script(script: Path, folders: Sequence[Path]) -> Iterator[Definition]:
    """What a script that a command names defines, in Python, with what it imports, or in R; of others nothing."""
    if script.suffix == ".py":
        yield from told_by_scripts([script], folders)
    elif script.suffix.lower() == ".r":
        yield from options_in_r(script.read_text(encoding="utf-8", errors="replace"))


def composed_settings(config: Path) -> Iterator[Definition]:
    """The settings of a file of Hydra's, with those that its list of defaults takes from groups: `model: small`.

    What stands for another value (`${...}`), or for nothing, has no default that is known.
    """
    found = [each for each in settings_of(config) if each.name.partition(".")[0] not in ("defaults", "hydra")]
    for group, name in _defaults_list(config):
        chosen = config.parent / group / f"{name.removesuffix('.yaml')}.yaml"
        found += [replace(each, name=f"{group.replace('/', '.')}.{each.name}") for each in settings_of(chosen)]
    for each in found:
        if not any(part.startswith("_") for part in each.name.split(".")):
            yield replace(each, default=None) if "${" in str(each.default) else each


def _defaults_list(config: Path) -> Iterator[tuple[str, str]]:
    try:
        entries = read_settings_file(config).get("defaults")
    except InputError:
        return
    for entry in entries if isinstance(entries, list) else ():
        for group, name in entry.items() if isinstance(entry, dict) else ():
            if isinstance(name, str):
                yield str(group).removeprefix("optional ").removeprefix("override ").strip("/"), name


def module_file(name: str, folder: Path) -> Path | None:
    """The file that `python -m NAME` runs, where that is one below a folder."""
    place = folder.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__main__.py") if path.is_file()), None)


def _python(files: Iterable[Path]) -> list[Path]:
    return [file for file in files if file.suffix == ".py"]


def _of_files(files: Iterable[Path]) -> Iterator[Definition]:
    for tree in filter(None, map(tree_of_source, files)):
        yield from definitions_in(tree)


def _called(folder: Path) -> list[Path]:
    """The files of a folder that its `train.sh` names, or a shell script that it names, in the order of their lines."""
    found = [folder / "train.sh"]
    for script in found:  # which grows
        if script.suffix != ".sh" or not script.is_file():
            continue
        text = script.read_text(errors="replace")
        named = [path for name in FILE.findall(text) for path in _places(name, folder)]
        named += [path for name in MODULE.findall(text) if (path := module_file(name, folder)) is not None]
        found += [path for path in dict.fromkeys(named) if path not in found]
    return found[1:]


def _places(name: str, folder: Path) -> list[Path]:
    """Where in a folder a file lies that a script names; behind a `cd`, where the only one of that name is."""
    paths = [path for path in (folder / name, folder / Path(name).name) if path.is_file()]
    if paths or Path(name).is_absolute() or ".." in Path(name).parts:
        return paths
    below = [path for path in folder.glob(f"*/{name}") if path.is_file()]
    return below if len(below) == 1 else []


def _settings_named(script: Path, folder: Path) -> list[Path]:
    """The files of settings that a script names: by a text whose words say so, or as the default of such an option."""
    tree = tree_of_source(script)
    texts: list[str] = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and any(
            SAYS_SETTINGS.search(text) for text in map(_text, node.args) if text[:1] == "-"
        ):
            texts += [_text(each.value) for each in node.keywords if each.arg == "default"]
        elif SAYS_SETTINGS.search(_text(node)):
            texts.append(_text(node))
    paths = [place / text for text in texts if text.endswith(ENDINGS) for place in (script.parent, folder)]
    return list(dict.fromkeys(path.resolve() for path in paths if path.is_file()))


def _hydra(tree: ast.Module, folder: Path) -> Iterator[Path]:
    """The file of settings that a decorator of Hydra's names, `hydra.main(config_path=..., config_name=...)`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        keywords = {each.arg: _text(each.value) for each in call.keywords if each.arg is not None}
        if "config_name" in keywords:
            stem = folder / (keywords.get("config_path") or ".") / keywords["config_name"]
            places = [stem, stem.with_name(f"{stem.name}.yaml"), stem.with_name(f"{stem.name}.yml")]
            yield from [path.resolve() for path in places if path.is_file() and is_settings_file(path)][:1]


def _text(node: ast.AST) -> str:
    value: Any = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else ""


def with_imports(files: Sequence[Path], folders: Sequence[Path]) -> list[Path]:
    """Files with all that they import of their own folders, or below one of `folders`, and what these import."""
    found = list(dict.fromkeys(files))
    for file in found:  # which grows
        places = [file.parent, *(each.parent for each in files), *folders]
        found += [each for each in _imported(file, list(dict.fromkeys(places))) if each not in found]
        if len(found) > MOST_FILES:
            break
    return found[:MOST_FILES]


def _imported(file: Path, folders: Sequence[Path]) -> list[Path]:
    """The modules that a source file imports, by their names, below the first of the folders that has them."""
    tree = tree_of_source(file)
    found: dict[Path, None] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            names, places = [each.name for each in node.names], folders
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            names = [".".join([*base, *more]) for more in ((), *((each.name,) for each in node.names))]
            places = folders if not node.level else [file.parents[min(node.level, len(file.parents)) - 1]]
        else:
            continue
        for name in filter(None, names):
            found.update(dict.fromkeys(_module_files(name, places)))
    return list(found)


def _module_files(name: str, folders: Sequence[Path]) -> list[Path]:
    for folder in folders:
        place = folder.joinpath(*name.split("."))
        files = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
        if files:
            return files
    return []
