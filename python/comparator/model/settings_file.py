"""A model's file of settings, JSON, YAML or INI: what it names, and a copy of it with other values.

A setting of a table is named by the way to it, `optimizer.lr`, in a list of tables by their numbers too, `runs.0.lr`,
in an INI file by its section. YAML is read by PyYAML, to which `1e-4` is a text, as it is to most scripts that read it:
as a default it is known for the number that it stands for. What an INI file gives is read as Python writes it.
"""

from __future__ import annotations

import ast
import configparser
import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import LONGEST_MESSAGE, read_text, shortened

JSON, YAML, INI = (".json",), (".yaml", ".yml"), (".ini", ".cfg")
ENDINGS = (*JSON, *YAML, *INI)
#: A part of a name that a hyperparameter can have.
PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What YAML 1.1 takes for a text and people mean as a number.
NUMBER_AS_TEXT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


def is_settings_file(path: Path) -> bool:
    """Whether a file can be read here, by its ending."""
    return path.suffix.lower() in ENDINGS


def read_settings_file(path: Path) -> dict[str, Any]:
    """The tables and values of a file of settings; raises `InputError` where it is none."""
    text, ending = read_text(path), path.suffix.lower()
    content = _json(text, path) if ending in JSON else _ini(text, path) if ending in INI else _yaml(text, path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: has no names with values, so there are no settings in it")
    return content


def named_settings(content: Mapping[Any, Any], way: str = "") -> Iterator[tuple[str, Any]]:
    """The settings that a hyperparameter can be called by, each with its value: of a table those in it."""
    for key, value in content.items():
        if not isinstance(key, str) or not PART.fullmatch(key):
            continue
        tables = {f"{key}.": value}
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            tables = {f"{key}.{place}.": each for place, each in enumerate(value)}
        if all(isinstance(each, dict) for each in tables.values()):
            for more, table in tables.items():
                yield from named_settings(table, way + more)
        elif isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
            yield way + key, float(value)
        else:
            yield way + key, value


def with_values(content: Mapping[str, Any], given: Mapping[str, Any], ending: str) -> str:
    """The text of the same file with the values that are `given` by name; each is a setting of it."""
    copied: dict[str, Any] = copy.deepcopy(dict(content))
    for name, value in given.items():
        *way, last = name.split(".")
        table: Any = copied
        for key in way:
            table = table[int(key)] if isinstance(table, list) else table[key]
        table[last] = value
    if ending.lower() in JSON:
        return json.dumps(copied, indent=2) + "\n"
    if ending.lower() in INI:
        return "\n".join(_section(name, values) for name, values in copied.items())
    import yaml

    return yaml.safe_dump(copied, sort_keys=False, allow_unicode=True)


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON: {shortened(str(error), LONGEST_MESSAGE // 2)}") from None


def _yaml(text: str, path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        raise InputError(f"{path}: no YAML that can be read: {shortened(words, LONGEST_MESSAGE // 2)}") from None


class _Bare(str):
    """A text that an INI file has without quotes, and so is written again."""


def _ini(text: str, path: Path) -> dict[str, dict[str, Any]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    return {name: {key: _value(word) for key, word in parser.items(name)} for name in parser.sections()}


def _value(word: str) -> Any:
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return _Bare(word)


def _section(name: str, values: Mapping[str, Any]) -> str:
    words = {key: str(value) if isinstance(value, _Bare) else repr(value) for key, value in values.items()}
    return "".join([f"[{name}]\n", *(f"{key} = {word}\n" for key, word in words.items())])
