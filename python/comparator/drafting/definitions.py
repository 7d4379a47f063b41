"""Find what a model takes: its hyperparameters with their types, defaults and what is said of them.

Told by, the more certain later: its source (`argparse`, the lists of definitions of CANDLE and IMPROVE, what `run`
takes out of its dict), its default-model file, its `initialize_parameters()`, and its description.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.hyperparameters import read_hyperparameters
from comparator.formats.spelling import as_kept, is_same, spelling
from comparator.model.model import Model
from comparator.model.warm import ServerEnded, WarmRunner
from comparator.site.profile import Slot

#: Source files of a folder that are read, at the most: more are no model's own.
MOST_FILES = 200
#: What the types of Python and of CANDLE are called in a description.
TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "string", "str2bool": "bool", "list": "list"}
#: The keys of an entry of CANDLE's `additional_definitions` that tell it from any other dict with a name.
OF_A_DEFINITION = {"type", "default", "help", "nargs", "choices", "action"}


@dataclass(frozen=True)
class Definition:
    """One hyperparameter: what is not known is "any", None, or empty."""

    name: str
    type: str = "any"
    default: Any = None
    description: str = ""
    choices: tuple[Any, ...] = ()
    has_effect: bool = True

    def over(self, other: Definition) -> Definition:
        """This one, with what it lacks from another."""
        return replace(
            self,
            type=other.type if self.type == "any" else self.type,
            default=other.default if self.default is None else self.default,
            description=self.description or other.description,
            choices=self.choices or other.choices,
        )


def find_definitions(model: Model, slot: Slot, data_folder: Path) -> dict[str, Definition]:
    """The hyperparameters of a model by name, as it writes them, in the order of the most certain source.

    Raises `InputError` where its module cannot be imported.
    """
    sources = [_described(model), _defaults(model, slot, data_folder), _of_file(model), _of_source(model)]
    found: dict[str, Definition] = {}
    for source in sources:
        for definition in source:
            name = spelling(definition.name, found)
            found[name] = found[name].over(definition) if name in found else definition
    if model.variant is not None:  # its module and its files tell of the other variants too
        found = {name: found[name] for name in found if name in model.description.names}
    return {name: _typed(each) for name, each in found.items()}


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
            raise InputError(f"{model.path}: cannot be run: {ended.reason}") from None
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


def _of_source(model: Model) -> Iterator[Definition]:
    """What the model's Python files define; an image's cannot be seen."""
    if model.image is not None:
        return
    files = sorted(model.path.rglob("*.py"))[:MOST_FILES] if model.is_folder else [model.path]
    for file in files:
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        yield from definitions_in(tree)


def definitions_in(tree: ast.AST) -> Iterator[Definition]:
    """The hyperparameters that a source file defines: options of `argparse`, entries of CANDLE's lists, keys of a dict.

    The dict is the argument of `run`, and its keys are those that are taken out of it by name.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "add_argument":
            yield from _option(node)
        elif isinstance(node, ast.Dict):
            yield from _entry(node)
        elif isinstance(node, ast.FunctionDef) and node.name == "run" and node.args.args:
            yield from keys_of(node, node.args.args[0].arg)


def _option(call: ast.Call) -> Iterator[Definition]:
    flags = [str(flag) for flag in map(_value, call.args) if isinstance(flag, str) and flag.startswith("--")]
    if flags:
        yield _definition(flags[0].removeprefix("--").replace("-", "_"), _keywords(call.keywords))


def _entry(node: ast.Dict) -> Iterator[Definition]:
    keys = [_value(key) for key in node.keys if key is not None]
    if len(keys) == len(node.values) and "name" in keys and OF_A_DEFINITION & set(map(str, keys)):
        given = dict(zip(map(str, keys), node.values, strict=True))
        name = _value(given["name"])
        if isinstance(name, str) and name.isidentifier():
            yield _definition(name, given)


def keys_of(function: ast.FunctionDef, argument: str) -> Iterator[Definition]:
    """What a function takes by name out of the dict that is its argument, with the default of `get`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", None) == argument:
            key, default = _value(node.slice), None
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and getattr(node.func.value, "id", None) == argument
            and node.args
        ):
            key, default = _value(node.args[0]), _value(node.args[1]) if len(node.args) > 1 else None
        else:
            continue
        if isinstance(key, str) and key.isidentifier():
            yield Definition(as_kept(key), default=default)


def _definition(name: str, given: Mapping[str, ast.expr]) -> Definition:
    kind = getattr(given.get("type"), "id", None) or _value(given.get("type"))
    is_switch = _value(given.get("action")) in ("store_true", "store_false")
    choices = _value(given.get("choices"))
    words = _value(given.get("help"))
    return Definition(
        as_kept(name),
        "list" if "nargs" in given else "bool" if is_switch else TYPES.get(str(kind), "any"),
        _value(given.get("action")) == "store_false" if is_switch else _value(given.get("default")),
        " ".join(words.split()) if isinstance(words, str) else "",
        tuple(choices) if isinstance(choices, list | tuple) else (),
    )


def _keywords(keywords: Sequence[ast.keyword]) -> dict[str, ast.expr]:
    return {each.arg: each.value for each in keywords if each.arg is not None}


def _value(node: ast.AST | None) -> Any:
    """The literal that an expression is, None where it is none."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _typed(definition: Definition) -> Definition:
    """The definition with the type of its default, where none is said."""
    if definition.type != "any" or definition.default is None:
        return definition
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (list, "list"))
    return replace(definition, type=next((name for kind, name in kinds if isinstance(definition.default, kind)), "any"))


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
