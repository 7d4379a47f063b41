"""Find what a model takes: its hyperparameters with their types, defaults and what is said of them.

Told by, the more certain later: its source (`argparse`, the lists of definitions of CANDLE and IMPROVE, what `run`
takes out of its dict), the files of settings that its `train.sh` names, its default-model file, its
`initialize_parameters()`, and its description.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.hyperparameters import read_hyperparameters
from comparator.formats.spelling import as_kept, is_same, spelling
from comparator.model.definitions import TYPES, Definition, definitions_in
from comparator.model.model import Model
from comparator.model.probe import cannot_be_run
from comparator.model.source import tree_of_source
from comparator.model.warm import ServerEnded, WarmRunner
from comparator.site.profile import Slot

#: The type of a number of which nobody says whether it is a whole one.
EITHER = "number"
#: Source files of a folder that are read, at the most: more are no model's own.
MOST_FILES = 200
#: Files that a shell script names, without the variable of their folder: `"$IMPROVE_MODEL_DIR"/train.py`.
SCRIPT = re.compile(r"(?:\$\{?\w+\}?\"?/)?([\w.-][\w./-]*\.py)\b")
SETTINGS = re.compile(r"(?:\$\{?\w+\}?\"?/)?([\w.-][\w./-]*\.json)\b")


def find_definitions(model: Model, slot: Slot, data_folder: Path) -> dict[str, Definition]:
    """The hyperparameters of a model by name, as it writes them, in the order of the most certain source.

    Raises `InputError` where its module cannot be imported.
    """
    sources: list[Iterable[Definition]] = [_described(model)]
    if model.stages is None:  # else they have told what they take
        settings = _of_settings(model)
        sources += [_defaults(model, slot, data_folder), _of_file(model), settings, _of_source(model, settings)]
    found: dict[str, Definition] = {}
    for source in sources:
        for definition in source:
            name = spelling(definition.name, found)
            found[name] = found[name].over(definition) if name in found else definition
    if model.variant is not None:  # its module and its files tell of the other variants too
        found = {name: found[name] for name in found if name in model.description.names}
    # To a module values come as they are, and to steps as the words that they read.
    has_words = model.module is None and model.stages is None
    return {name: _typed(each if has_words else replace(each, builtin=None)) for name, each in found.items()}


def _described(model: Model) -> Iterator[Definition]:
    for name, each in model.description.hyperparameters.items():
        more = each.model_extra or {}
        values = more.get("values") or more.get("choices") or ()
        yield Definition(
            name,
            TYPES.get(each.type, each.type),
            more.get("default"),
            each.description,
            tuple(values) if isinstance(values, list | tuple) else (),
            each.effect != "none",
        )


def _defaults(model: Model, slot: Slot, data_folder: Path) -> list[Definition]:
    """What `initialize_parameters()` tells, by a server that imports the module."""
    if model.module is None:
        return []
    runner = WarmRunner(model, slot, data_folder)
    with tempfile.TemporaryDirectory() as folder:
        try:
            defaults = runner.defaults(Path(folder) / "model.log") or {}
        except ServerEnded as ended:
            raise cannot_be_run(model, ended) from None
        finally:
            runner.close()
    return [Definition(as_kept(name), default=value) for name, value in defaults.items()]


def _of_file(model: Model) -> list[Definition]:
    """What CANDLE's default-model file says, one that lies in the model's folder and is called after it."""
    if not model.is_folder:
        return []
    names = ("*default_model*.txt", "*_model.txt", "*_params.txt")
    for path in (path for pattern in names for path in sorted(model.path.glob(pattern))):
        try:
            given = read_hyperparameters(path)
        except InputError:
            continue
        return [Definition(name, default=value) for name, value in given.items()]
    return []


def _of_settings(model: Model) -> list[Definition]:
    """What the files of settings say that `train.sh` names, JSON of the model's folder."""
    found = []
    for path in _called(model.path, SETTINGS) if model.is_folder else ():
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(given, dict):
            found += [Definition(as_kept(name), default=value) for name, value in given.items() if name.isidentifier()]
    return found


def _of_source(model: Model, settings: Sequence[Definition]) -> Iterator[Definition]:
    """What the model's Python files define; an image's cannot be seen.

    Of a folder those that its `train.sh` calls, with what they import: other scripts take flags of the same names with
    other defaults. All of them where those define nothing, and no file of settings does.
    """
    if model.image is not None:
        return
    if not model.is_folder:
        yield from _of_files([model.path, *_imported(model.path, model.path.parent)])
        return
    called = list(_of_files(_with_imports(_called(model.path, SCRIPT))))
    yield from called
    if called or settings:
        return
    files = sorted(model.path.rglob("*.py"))
    if model.python is not None:
        files = [file for file in files if model.python.folder not in file.parents]
    yield from _of_files(files[:MOST_FILES])


def _of_files(files: Iterable[Path]) -> Iterator[Definition]:
    for tree in filter(None, map(tree_of_source, files)):
        yield from definitions_in(tree)


def _called(folder: Path, kind: re.Pattern[str]) -> list[Path]:
    """The files of a kind in a folder that its `train.sh` names, in the order of their lines."""
    script = folder / "train.sh"
    if not script.is_file():
        return []
    named = kind.findall(script.read_text(errors="replace"))
    paths = [path for name in named for path in (folder / name, folder / Path(name).name) if path.is_file()]
    return list(dict.fromkeys(paths))


def _with_imports(files: Sequence[Path]) -> list[Path]:
    """Files with all that they import of their own folders, and what these import, each once."""
    found = list(dict.fromkeys(files))
    for file in found:  # which grows
        found += [each for each in _imported(file, file.parent) if each not in found]
    return found[:MOST_FILES]


def _imported(file: Path, folder: Path) -> list[Path]:
    """The modules below a folder that a source file imports, by their names from there on."""
    tree = tree_of_source(file)
    named: list[str] = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            named += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            named += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
    places = [folder.joinpath(*name.split(".")) for name in dict.fromkeys(named)]
    paths = [path for place in places for path in (place.with_suffix(".py"), place / "__init__.py")]
    return [path for path in paths if path.is_file()]


def _typed(definition: Definition) -> Definition:
    """The definition with the type of its default, where none is said; 0 and 1 may stand for a fraction too."""
    default = definition.default
    if definition.type != "any" or default is None:
        return definition
    if not isinstance(default, bool) and isinstance(default, int) and default in (0, 1):
        return replace(definition, type=EITHER)
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (list, "list"))
    return replace(definition, type=next((name for kind, name in kinds if isinstance(default, kind)), "any"))


def shared(known: Sequence[Mapping[str, Definition]]) -> dict[str, Definition]:
    """What all models take; of those of which nothing is known it is not doubted that they take it too."""
    telling = [each for each in known if each]
    if not telling:
        return {}
    first, *others = telling
    found = {}
    for name, definition in first.items():
        alike = [each[other] for each in others for other in each if is_same(name, other)]
        if len(alike) == len(others):
            for each in alike:
                definition = definition.over(each)
            found[name] = definition
    return found
