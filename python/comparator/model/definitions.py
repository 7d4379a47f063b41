"""What source files say of the hyperparameters that they take, read without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from comparator.formats.spelling import as_kept

#: What the types of Python and of CANDLE are called in a description.
TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "string", "str2bool": "bool", "list": "list"}
#: The types of Python that do not read a word as their names say, see `Definition.builtin`.
BUILTINS: Mapping[str, Literal["bool", "list"]] = {"bool": "bool", "list": "list"}
#: What `nargs` is of an option that is one word at the most.
ONE_WORD = ("?", 1)
#: The keys of an entry of CANDLE's `additional_definitions` that tell it from any other dict with a name.
OF_A_DEFINITION = {"type", "default", "help", "nargs", "choices", "action"}


@dataclass(frozen=True)
class Definition:
    """One hyperparameter: what is not known is "any", None, or empty.

    `builtin` is the type of Python that a command line hands its word to, where that does not do what it is called:
    `bool` makes True of "False", and of every word but the empty one, `list` makes a list of a word's letters.
    """

    name: str
    type: str = "any"
    default: Any = None
    description: str = ""
    choices: tuple[Any, ...] = ()
    has_effect: bool = True
    builtin: Literal["bool", "list"] | None = None

    def over(self, other: Definition) -> Definition:
        """This one, with what it lacks from another."""
        return replace(
            self,
            type=other.type if self.type == "any" else self.type,
            default=other.default if self.default is None else self.default,
            description=self.description or other.description,
            choices=self.choices or other.choices,
            builtin=other.builtin if self.type == "any" else self.builtin,
        )


def definitions_in(tree: ast.AST) -> Iterator[Definition]:
    """The hyperparameters that a source file defines: options of `argparse`, entries of CANDLE's lists, keys of a dict.

    The dict is the argument of `run`, and its keys are those that are taken out of it by name.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "add_argument":
            yield from option(node)
        elif isinstance(node, ast.Dict):
            yield from entry(node)
        elif isinstance(node, ast.FunctionDef) and node.name == "run" and node.args.args:
            yield from keys_of(node, node.args.args[0].arg)


def option(call: ast.Call) -> Iterator[Definition]:
    """The hyperparameter that a call of `add_argument` defines, if it is one."""
    flags = [str(flag) for flag in map(_value, call.args) if isinstance(flag, str) and flag.startswith("--")]
    if flags:
        yield _definition(flags[0].removeprefix("--").replace("-", "_"), _keywords(call.keywords))


def entry(node: ast.Dict) -> Iterator[Definition]:
    """The hyperparameter that an entry of CANDLE's or IMPROVE's lists of definitions defines, if it is one."""
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
    named = given.get("type")
    kind = str(getattr(named, "id", None) or getattr(named, "attr", None) or _value(named))
    is_switch = _value(given.get("action")) in ("store_true", "store_false")
    default = _value(given.get("default"))
    has_words = "nargs" in given and (isinstance(default, list) or _value(given["nargs"]) not in ONE_WORD)
    words = _value(given.get("help"))
    return Definition(
        as_kept(name),
        "list" if has_words else "bool" if is_switch else TYPES.get(kind, "any"),
        _value(given.get("action")) == "store_false" if is_switch else default,
        " ".join(words.split()) if isinstance(words, str) else "",
        _choices(given),
        builtin=BUILTINS.get(kind) if not (has_words or is_switch) else None,
    )


def _choices(given: Mapping[str, ast.expr]) -> tuple[Any, ...]:
    """The choices of a definition; those of `choice`, which no parser knows, have its default among them."""
    choices, default = _value(given.get("choices", given.get("choice"))), _value(given.get("default"))
    if not isinstance(choices, list | tuple):
        return ()
    is_told_alone = "choices" not in given and default is not None and default not in choices
    return (*choices, default) if is_told_alone else tuple(choices)


def _keywords(keywords: Sequence[ast.keyword]) -> dict[str, ast.expr]:
    return {each.arg: each.value for each in keywords if each.arg is not None}


def _value(node: ast.AST | None) -> Any:
    """The literal that an expression is, None where it is none."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
