"""What source files say of the hyperparameters that they take, and by which words; read without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from comparator.formats.spelling import as_kept
from comparator.model.described import HyperparameterDescription, StageName
from comparator.model.own_files.source import last_name, literal_of

#: What the types of Python and of CANDLE are called in a description.
TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "string", "str2bool": "bool", "list": "list"}
Switch = Literal["on", "off", "both"]
#: The type of a number of which nobody says whether it is a whole one.
EITHER = "number"
#: The types of Python that do not read a word as their names say, see `Definition.builtin`.
BUILTINS: Mapping[str, Literal["bool", "list"]] = {"bool": "bool", "list": "list"}
#: What `nargs` is of an option that is one word at the most.
ONE_WORD = ("?", 1)
#: Calls that define an option: of `argparse`, and of `click`.
OPTION_CALLS = ("add_argument", "option")
#: Calls of `absl.flags` (TensorFlow 1 has it as `tf.flags`) that define a flag, and the type of what it takes.
FLAG_CALLS = {
    **{"DEFINE_integer": "int", "DEFINE_float": "float", "DEFINE_string": "string", "DEFINE_enum": "string"},
    **{"DEFINE_bool": "bool", "DEFINE_boolean": "bool", "DEFINE_list": "string"},
    **dict.fromkeys(("DEFINE_multi_integer", "DEFINE_multi_float", "DEFINE_multi_string"), "list"),
}
#: Actions of `argparse` that take no word, and when they are given: where the value is on, off, or either way.
SWITCHES: Mapping[str, Switch] = {"store_true": "on", "store_false": "off", "BooleanOptionalAction": "both"}
#: The keys of an entry of CANDLE's `additional_definitions` that tell it from any other dict with a name.
OF_A_DEFINITION = {"type", "default", "help", "nargs", "choices", "action"}


@dataclass(frozen=True)
class Definition:
    """One hyperparameter: what is not known is "any", None, or empty.

    `builtin` is the type of Python that a command line hands its word to, where that does not do what it is called:
    `bool` makes True of "False", and of every word but the empty one, `list` makes a list of a word's letters. `flag`
    is how a command line writes it, `--batch-size`, or `--batch-size=` where its value has to follow in the same word;
    empty: `--NAME`. A `switch` takes no word. Of what `is_repeated` each value has a flag of its own.
    """

    name: str
    type: str = "any"
    default: Any = None
    description: str = ""
    choices: tuple[Any, ...] = ()
    has_effect: bool = True
    builtin: Literal["bool", "list"] | None = None
    flag: str = ""
    switch: Switch | None = None
    is_repeated: bool = False

    def over(self, other: Definition) -> Definition:
        """This one, with what it lacks from another."""
        return replace(
            self,
            type=other.type if self.type == "any" else self.type,
            default=other.default if self.default is None else self.default,
            description=self.description or other.description,
            choices=self.choices or other.choices,
            builtin=other.builtin if self.type == "any" else self.builtin,
            flag=self.flag or other.flag,
            switch=self.switch or other.switch,
            is_repeated=self.is_repeated or other.is_repeated,
        )


def definitions_in(tree: ast.AST) -> Iterator[Definition]:
    """The hyperparameters that a source file defines: options of its command line, entries of CANDLE's lists, keys of a
    dict.

    Options are those of `argparse`, `click` and `absl.flags`. The dict is the argument of `run`, and its keys are those
    that are taken out of it by name.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Dict):
            yield from entry(node)
        elif isinstance(node, ast.FunctionDef) and node.name == "run" and node.args.args:
            yield from keys_of(node, node.args.args[0].arg)


def typed(definition: Definition) -> Definition:
    """The definition with the type of its default, where none is said; 0 and 1 may stand for a fraction too."""
    default = definition.default
    if definition.type != "any" or default is None:
        return definition
    if not isinstance(default, bool) and isinstance(default, int) and default in (0, 1):
        return replace(definition, type=EITHER)
    kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "string"), (list, "list"))
    return replace(definition, type=next((name for kind, name in kinds if isinstance(default, kind)), "any"))


def as_description(definition: Definition, stage: StageName | None = None) -> HyperparameterDescription:
    """What a definition tells, as `model.toml` would say it."""
    more: dict[str, Any] = {} if definition.default is None else {"default": definition.default}
    if definition.choices:
        more["choices"] = list(definition.choices)
    return HyperparameterDescription(type=definition.type, description=definition.description, stage=stage, **more)


def _of_call(call: ast.Call) -> Iterator[Definition]:
    """What a call defines: an option, a flag, or nothing."""
    called = last_name(call.func)
    if called in OPTION_CALLS:
        yield from option(call)
    elif called in FLAG_CALLS and call.args:
        yield from _flag(call, FLAG_CALLS[called])


def option(call: ast.Call) -> Iterator[Definition]:
    """The hyperparameter that a call of `add_argument`, or of click's `option`, defines, if it is one.

    Click's `--x/--no-x` is a switch.
    """
    flags = [
        flag for flag in map(literal_of, call.args) if isinstance(flag, str) and re.fullmatch(r"--?[^\W\d].*", flag)
    ]
    flag = chosen_flag(flags)
    if flag is None:
        return
    flag, _, off = flag.partition("/")
    keywords = _keywords(call.keywords)
    found = replace(_definition(name_of_flag(flag), keywords), flag=flag)
    if literal_of(keywords.get("multiple")) is True or _action(keywords.get("action")) == "append":
        found = replace(found, type="list", is_repeated=True)
    if (off or literal_of(keywords.get("is_flag")) is True) and found.switch is None:
        switch: Switch = "both" if off == f"--no-{flag.lstrip('-')}" else "on"
        found = replace(found, type="bool", default=found.default or False, switch=switch)
    yield found


def chosen_flag(flags: Sequence[str]) -> str | None:
    """The flag of several by which an option is called: the first that has two hyphens, else the first."""
    return next((each for each in flags if each.startswith("--")), next(iter(flags), None))


def name_of_flag(flag: str) -> str:
    """The hyperparameter of a flag: `batch_size` of `--batch-size`."""
    return flag.lstrip("-").replace("-", "_")


def _flag(call: ast.Call, kind: str) -> Iterator[Definition]:
    """The hyperparameter that a call such as `DEFINE_float("lr", 0.01, "step size")` defines."""
    arguments: list[Any] = [*map(literal_of, call.args), None]
    name, default, *more = arguments
    if isinstance(name, str) and name.isidentifier():
        choices = tuple(choice for each in more if isinstance(each, list) for choice in each)
        words = [each for each in more if isinstance(each, str)][:1]
        said = " ".join("".join(words).split())
        yield Definition(name, kind, default, said, choices, flag=f"--{name}=", is_repeated=kind == "list")


def entry(node: ast.Dict) -> Iterator[Definition]:
    """The hyperparameter that an entry of CANDLE's or IMPROVE's lists of definitions defines, if it is one."""
    keys = [literal_of(key) for key in node.keys if key is not None]
    if len(keys) == len(node.values) and "name" in keys and OF_A_DEFINITION & set(map(str, keys)):
        given = dict(zip(map(str, keys), node.values, strict=True))
        name = literal_of(given["name"])
        if isinstance(name, str) and name.isidentifier():
            yield _definition(name, given)


def keys_of(function: ast.FunctionDef, argument: str) -> Iterator[Definition]:
    """What a function takes by name out of the dict that is its argument, with the default of `get`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", None) == argument:
            key, default = literal_of(node.slice), None
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and getattr(node.func.value, "id", None) == argument
            and node.args
        ):
            key, default = literal_of(node.args[0]), literal_of(node.args[1]) if len(node.args) > 1 else None
        else:
            continue
        if isinstance(key, str) and key.isidentifier():
            yield Definition(as_kept(key), default=default)


def _definition(name: str, given: Mapping[str, ast.expr]) -> Definition:
    named = given.get("type")
    kind = last_name(named) or str(literal_of(named))
    action = _action(given.get("action"))
    is_switch = action in ("store_true", "store_false")
    default = literal_of(given.get("default"))
    has_words = "nargs" in given and (isinstance(default, list) or literal_of(given["nargs"]) not in ONE_WORD)
    words = literal_of(given.get("help"))
    return Definition(
        as_kept(name),
        "list" if has_words else "bool" if action in SWITCHES else TYPES.get(kind, "any"),
        action == "store_false" if is_switch else default,
        " ".join(words.split()) if isinstance(words, str) else "",
        _choices(given),
        builtin=BUILTINS.get(kind) if not (has_words or action in SWITCHES) else None,
        switch=SWITCHES.get(action),
    )


def _action(node: ast.AST | None) -> str:
    """The name of an option's action, which is a text or a class."""
    return str(literal_of(node) or last_name(node))


def _choices(given: Mapping[str, ast.expr]) -> tuple[Any, ...]:
    """The choices of a definition; those of `choice`, which no parser knows, have its default among them."""
    choices, default = literal_of(given.get("choices", given.get("choice"))), literal_of(given.get("default"))
    if not isinstance(choices, list | tuple):
        return ()
    is_told_alone = "choices" not in given and default is not None and default not in choices
    return (*choices, default) if is_told_alone else tuple(choices)


def _keywords(keywords: Sequence[ast.keyword]) -> dict[str, ast.expr]:
    return {each.arg: each.value for each in keywords if each.arg is not None}
