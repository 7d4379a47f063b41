"""A function of a Python file as a model: a small file beside the experiment that calls it as a model is called."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from comparator.errors import InputError, nearest
from comparator.formats.python_source import tree_of
from comparator.formats.text import read_text, shortened
from comparator.model.definitions import keys_of
from comparator.model.probe import LIKELY_SEEDS

REFERENCE = re.compile(r"(?P<file>.+\.py):(?P<function>\w+)")

_HEAD = '''"""The function {function} of {file} as a model, written by comparator init."""

import inspect  # noqa: F401
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / {folder!r}))
import {module} as source

'''
_OF_A_DICT = """SEED = {seed!r}


def initialize_parameters():
    return {defaults!r}


def run(params):
    given = dict(params)
    if SEED is not None:
        given[SEED] = given.pop("rng_seed", 1)
    return source.{function}(given)
"""
_WITH_DEFAULTS = """initialize_parameters = source.initialize_parameters
run = source.{function}
"""
_OF_ARGUMENTS = """ARGUMENTS = inspect.signature(source.{function}).parameters
SEED = {seed!r}


def initialize_parameters():
    defaults = {{name: each.default for name, each in ARGUMENTS.items() if each.default is not each.empty}}
    return defaults if SEED is None else {{**defaults, "rng_seed": defaults.pop(SEED, 1) or 1}}


def run(params):
    given = dict(params)
    if SEED is not None:
        given[SEED] = given.pop("rng_seed", 1)
    return source.{function}(**{{name: value for name, value in given.items() if name in ARGUMENTS}})
"""


def model_of_function(reference: str, folder: Path) -> tuple[Path, str] | None:
    """The path and the text of a model's file for `FILE.py:FUNCTION`, which would lie in `folder`.

    None where the reference is none of a function. A function of one argument without a default is given a dict,
    another one what it names. Raises `InputError` where there is no such file or function.
    """
    found = REFERENCE.fullmatch(reference)
    if found is None:
        return None
    file, function = Path(found["file"]), found["function"]
    try:
        tree = tree_of(read_text(file))
    except SyntaxError as error:
        at = "" if error.lineno is None else f", line {error.lineno}"
        raise InputError(f"{file}{at}: not Python: {error.msg}") from None
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if function not in functions:
        known = f"; it has {', '.join(functions)}" if functions else ""
        raise InputError(f"{file}: has no function '{shortened(function)}'{nearest(function, functions)}{known}")
    if not file.stem.isidentifier():
        raise InputError(f"{file}: cannot be imported: its name is no name of a module; rename it")
    where = os.path.relpath(file.resolve().parent, folder.resolve())
    head = _HEAD.format(function=function, file=file.name, folder=where, module=file.stem)
    return folder / f"{file.stem}_{function}.py", head + _body(functions, function)


def _body(functions: Mapping[str, ast.FunctionDef], function: str) -> str:
    arguments = functions[function].args
    names = [each.arg for each in (*arguments.args, *arguments.kwonlyargs)]
    if len(names) != 1 or arguments.defaults or arguments.kw_defaults:
        return _OF_ARGUMENTS.format(function=function, seed=_seed_of(names))
    if "initialize_parameters" in functions:
        return _WITH_DEFAULTS.format(function=function)
    known = {each.name: each.default for each in keys_of(functions[function], names[0])}
    seed = _seed_of(list(known))
    defaults = {name: default for name, default in known.items() if name != seed}
    return _OF_A_DICT.format(
        function=function, seed=seed, defaults=defaults if seed is None else {**defaults, "rng_seed": known[seed] or 1}
    )


def _seed_of(names: Sequence[str]) -> str | None:
    return next((each for each in LIKELY_SEEDS if each in names), None)
