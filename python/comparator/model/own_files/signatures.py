"""What scripts take whose command line is made of their functions and classes; they are read, not run.

| made by | of | is written |
|---|---|---|
| typer | a command's arguments with a default, `typer.Option` | `--batch-size 8`, `--deep`, `--no-deep` |
| fire | the arguments of a function, or of a class when it is made | `--batch_size=8` |
| HfArgumentParser, simple_parsing, pyrallis, draccus | the fields of dataclasses | `--batch_size 8` |
| tyro, Tap | those fields, or arguments; those of a class of `Tap` | a truth as a switch |
| jsonargparse | the arguments of a function, or the fields of a class | `--batch_size=8` |
| Lightning's command line | the arguments of its two classes | `--model.width=8`, `--data.batch_size=8` |
| sacred | what a function of `@ex.config` assigns, behind the word `with` | `batch_size=8` |
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from comparator.formats.python_source import expression_of
from comparator.model.definitions import TYPES, Definition
from comparator.model.own_files.script_constants import constants_in_function, table_of
from comparator.model.own_files.source import Function, last_name, literal_of

#: How a command line writes a name.
PLAIN, WITH_EQUALS = "--{}", "--{}="
#: Calls that make a command line of what they are given, and how it writes names.
MAKERS: Mapping[str, str] = {
    **dict.fromkeys(("Fire", "CLI", "auto_cli"), WITH_EQUALS),
    **dict.fromkeys(("HfArgumentParser", "add_arguments", "parse", "wrap"), PLAIN),
}
#: Those of the names above that others have too: they count where one of these is imported.
COMMON = {"parse": ("simple_parsing", "pyrallis", "draccus"), "wrap": ("pyrallis", "draccus")}
SEED_OF_LIGHTNING = "seed_everything"


def definitions_of_signatures(trees: Sequence[ast.Module]) -> Iterator[Definition]:
    """What the sources of a script, its own first, define of its command line by functions and classes."""
    known = {
        node.name: node for tree in reversed(trees) for node in tree.body if isinstance(node, Function | ast.ClassDef)
    }
    for tree in trees:
        modules = _imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _of_call(node, known, modules)
            elif isinstance(node, Function):
                yield from _of_function(node, known, modules)
            elif isinstance(node, ast.ClassDef) and "Tap" in map(last_name, node.bases):
                for each in _parameters(node, known):
                    yield _switched(each, on_alone=True)


def _of_call(call: ast.Call, known: Mapping[str, ast.stmt], modules: set[str]) -> Iterator[Definition]:
    called = last_name(call.func)
    if called == "cli" and "tyro" in modules:
        for each in _named(call, known):
            for parameter in _parameters(each, known):
                yield _switched(parameter)
    elif called == "run" and "typer" in modules:
        for each in _named(call, known):
            yield from _of_typer(each)
    elif called.endswith("LightningCLI"):
        for place, each in zip(("model", "data"), _named(call, known), strict=False):
            for parameter in _parameters(each, known):
                yield _flagged(replace(parameter, name=f"{place}.{parameter.name}"), WITH_EQUALS)
        yield Definition(SEED_OF_LIGHTNING, "int", flag=f"--{SEED_OF_LIGHTNING}=")
    elif called == "add_config" and "sacred" in modules:
        yield from _settings(table_of([each for each in call.args if isinstance(each, ast.Dict)]))
        yield from _settings(table_of([ast.Call(call.func, [], call.keywords)]) if call.keywords else {})
    elif called in MAKERS and (called not in COMMON or modules & set(COMMON[called])):
        for each in _named(call, known):
            for parameter in _parameters(each, known):
                yield _flagged(parameter, MAKERS[called])


def _of_function(function: Function, known: Mapping[str, ast.stmt], modules: set[str]) -> Iterator[Definition]:
    """What a decorator makes a command line, or settings, of."""
    for decorator in function.decorator_list:
        called = last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if called in ("command", "callback") and "typer" in modules:
            yield from _of_typer(function)
        elif called in ("config", "named_config") and "sacred" in modules:
            yield from _settings(constants_in_function(function))
            yield Definition("seed", "int", flag="seed=")
        elif called == "wrap" and modules & set(COMMON["wrap"]):
            for argument in function.args.args[:1]:
                for each in _classes(argument.annotation, known):
                    for parameter in _parameters(each, known):
                        yield _flagged(parameter, PLAIN)


def _of_typer(function: ast.stmt) -> Iterator[Definition]:
    """A command's options; an argument without a default, or of `typer.Argument`, is a word by its place."""
    for argument, default in _arguments(function):
        options = [each for each in ast.walk(argument.annotation or argument) if _is_call(each, "Option", "Argument")]
        options += [default] if default is not None and _is_call(default, "Option", "Argument") else []
        call = options[-1] if options else None
        if (default is None and call is None) or (isinstance(call, ast.Call) and last_name(call.func) == "Argument"):
            continue
        literal, flags = default, []
        if isinstance(call, ast.Call):
            words = list(call.args)
            if call is default:
                given = {each.arg: each.value for each in call.keywords}
                literal, words = (words[0], words[1:]) if words else (given.get("default"), [])
            flags = [flag for flag in map(literal_of, words) if isinstance(flag, str) and flag.startswith("--")]
        found = _parameter(argument.arg, argument.annotation, literal)
        flag, _, off = (flags[0] if flags else f"--{argument.arg.replace('_', '-')}").partition("/")
        if found.type == "bool":
            both = not flags or bool(off)
            yield replace(found, flag=flag, switch="both" if both else "on", default=bool(found.default))
        else:
            yield replace(found, flag=flag, is_repeated=found.type == "list")


def _flagged(found: Definition, form: str) -> Definition:
    """A parameter with its flag; behind a `=` a list is one word, in brackets."""
    is_one_word = form.endswith("=") and found.type == "list"
    return replace(found, flag=form.format(found.name), type="any" if is_one_word else found.type)


def _switched(found: Definition, *, on_alone: bool = False) -> Definition:
    """A parameter whose flag is a switch where it is a truth; `on_alone`: one that turns its default round."""
    found = _flagged(found, PLAIN)
    if found.type != "bool":
        return found
    return replace(found, switch=("off" if found.default else "on") if on_alone else "both")


def _settings(table: Mapping[str, Any], way: str = "") -> Iterator[Definition]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _settings(value, f"{way}{name}.")
        else:
            yield Definition(way + name, default=value, flag=f"{way}{name}=")


def _named(call: ast.Call, known: Mapping[str, ast.stmt]) -> Iterator[ast.stmt]:
    """The functions and classes that a call is given, by themselves, in a list or in a table."""
    given = [*call.args, *(each.value for each in call.keywords if (each.arg or "").endswith(("class", "types")))]
    for each in given:
        parts = each.elts if isinstance(each, ast.Tuple | ast.List) else [each]
        parts = each.values if isinstance(each, ast.Dict) else parts
        yield from (known[name] for part in parts if (name := last_name(part)) in known)


def _parameters(
    node: ast.stmt, known: Mapping[str, ast.stmt], way: str = "", within: Sequence[ast.stmt] = ()
) -> Iterator[Definition]:
    """The arguments of a function or of a class when it is made; of a class without `__init__` its fields.

    Those of a field that is such a class itself have its name before them. What this is `within`, by its name a base
    (`class Config(other.Config)`) or a field of itself, is not gone into again.
    """
    if node in within:
        return
    within = [*within, node]
    if isinstance(node, ast.ClassDef):
        inits = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
        if not inits:
            for base in filter(None, map(known.get, map(last_name, node.bases))):
                yield from _parameters(base, known, way, within)
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    inner = list(_classes(field.annotation, known))
                    if inner:
                        yield from _parameters(inner[0], known, f"{way}{field.target.id}.", within)
                    else:
                        yield _parameter(way + field.target.id, field.annotation, field.value)
            return
        node = inits[0]
    for argument, default in _arguments(node):
        if argument.arg not in ("self", "cls"):
            yield _parameter(way + argument.arg, argument.annotation, default)


def _classes(annotation: ast.expr | None, known: Mapping[str, ast.stmt]) -> Iterator[ast.ClassDef]:
    found = known.get(last_name(annotation)) if isinstance(annotation, ast.Name | ast.Attribute) else None
    if isinstance(found, ast.ClassDef) and any(isinstance(each, ast.AnnAssign) for each in found.body):
        yield found


def _arguments(node: ast.stmt) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    if isinstance(node, Function):
        own = node.args
        given = [*own.posonlyargs, *own.args]
        yield from zip(given, [*[None] * (len(given) - len(own.defaults)), *own.defaults], strict=True)
        yield from zip(own.kwonlyargs, own.kw_defaults, strict=True)


def _parameter(name: str, annotation: ast.expr | None, default: ast.expr | None) -> Definition:
    """One of an annotation and a default, which may be a `field(default=..., metadata={"help": ...})`."""
    words = ""
    if isinstance(default, ast.Call):
        given = {each.arg: each.value for each in default.keywords}
        said = literal_of(given.get("metadata", given.get("help")))
        words = str(said.get("help", "")) if isinstance(said, dict) else said if isinstance(said, str) else ""
        default = given.get("default")
    kind, choices = _type(annotation)
    value = literal_of(default)
    value = None if value is ... else list(value) if isinstance(value, tuple) else value
    return Definition(name, kind, value, " ".join(words.split()), choices)


def _type(annotation: ast.expr | None) -> tuple[str, tuple[Any, ...]]:
    """The type that an annotation says, `int` of `Optional[int]`, and its choices where it is a `Literal`."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = expression_of(annotation.value)
        except SyntaxError:
            return "any", ()
    if isinstance(annotation, ast.BinOp):
        return _type(annotation.left)
    if isinstance(annotation, ast.Subscript):
        outer, inner = last_name(annotation.value), annotation.slice
        if outer == "Literal":
            value = literal_of(inner)
            return "any", tuple(value) if isinstance(value, tuple) else (value,)
        if outer.lower() in ("list", "tuple", "sequence"):
            return "list", ()
        first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
        return _type(first) if outer in ("Optional", "Union", "Annotated") else ("any", ())
    return TYPES.get(last_name(annotation), "any"), ()


def _imported(tree: ast.Module) -> set[str]:
    """The names of the modules that a source imports, without their parts."""
    nodes = list(ast.walk(tree))
    names = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def _is_call(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in names
