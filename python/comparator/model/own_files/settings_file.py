"""A model's file of settings, JSON, YAML, TOML, INI, a Python script: what it names, and a copy with other values.

A setting of a table is named by the way to it, `optimizer.lr`, in a list of tables by their numbers too, `runs.0.lr`,
in an INI file by its section. YAML is read by PyYAML, to which `1e-4` is a text, as it is to most scripts that read it:
as a default it is known for the number that it stands for. What an alias repeats is a setting of each of its places.
What an INI file gives is read as Python writes it. A copy of it, and of YAML (`yaml_copy`), has each word as it was
written, but for what is given. Of a script these are its constants (`script_constants`).
"""

from __future__ import annotations

import ast
import configparser
import copy
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import LONGEST_MESSAGE, read_text, shortened
from comparator.model.own_files.script_constants import constants_in, with_constants
from comparator.model.own_files.yaml_copy import with_yaml_values

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

JSON, YAML, TOML, INI = (".json",), (".yaml", ".yml"), (".toml",), (".ini", ".cfg")
ENDINGS = (*JSON, *YAML, *TOML, *INI)
SCRIPT = ".py"
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
    if ending == SCRIPT:
        return _constants(text, path)
    read = {**dict.fromkeys(JSON, _json), **dict.fromkeys(TOML, _toml), **dict.fromkeys(INI, _ini)}.get(ending, _yaml)
    content = read(text, path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: has no names with values, so there are no settings in it")
    return content


def named_settings(
    content: Mapping[Any, Any], way: str = "", *, of_any_name: bool = False
) -> Iterator[tuple[str, Any]]:
    """The settings that a hyperparameter can be called by, each with its value: of a table those in it.

    `of_any_name`: also those that none can, such as `val/loss`.
    """
    for key, value in content.items():
        if not isinstance(key, str) or not (of_any_name or PART.fullmatch(key)):
            continue
        tables = {f"{key}.": value}
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            tables = {f"{key}.{place}.": each for place, each in enumerate(value)}
        if isinstance(value, _Word):
            yield way + key, value.read()
        elif all(isinstance(each, dict) for each in tables.values()):
            for more, table in tables.items():
                yield from named_settings(table, way + more, of_any_name=of_any_name)
        elif isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
            yield way + key, float(value)
        else:
            yield way + key, value


def with_values(path: Path, content: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The text of a file of settings, whose `content` has been read, with the values that are `given` by name.

    Each of them is a setting of it.
    """
    ending = path.suffix.lower()
    if ending == SCRIPT:
        return with_constants(read_text(path), given)
    if ending in YAML:
        return with_yaml_values(read_text(path), content, given)
    copied = copy.deepcopy(dict(content))
    for name, value in given.items():
        *way, last = name.split(".")
        table: Any = copied
        for key in way:
            table = table[int(key)] if isinstance(table, list) else table[key]
        written = table[last]
        table[last] = written.with_value(value) if isinstance(written, _Word) else value
    if ending in JSON:
        return json.dumps(copied, indent=2) + "\n"
    if ending in TOML:
        return "".join(f"{_word_of_toml(key)} = {_in_toml(value)}\n" for key, value in copied.items())
    return "\n".join(_section(name, words) for name, words in copied.items())


def _constants(text: str, path: Path) -> dict[str, Any]:
    try:
        constants = dict(constants_in(text))
    except SyntaxError as error:
        raise InputError(f"{path}: no Python that can be read: {error}") from None
    if not constants:
        raise InputError(
            f"{path}: assigns no constant once, as LR = 0.1, that it reads, so there are no settings in it"
        )
    return constants


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON: {shortened(str(error), LONGEST_MESSAGE // 2)}") from None


def _toml(text: str, path: Path) -> Any:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no TOML: {shortened(str(error), LONGEST_MESSAGE // 2)}") from None


def _in_toml(value: Any) -> str:
    """A value in one line, a table in braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word_of_toml(key)} = {_in_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_in_toml, value)) + "]"
    if isinstance(value, str):
        return _word_of_toml(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _word_of_toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _yaml(text: str, path: Path) -> Any:
    import yaml

    try:
        return _unshared(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        raise InputError(f"{path}: no YAML that can be read: {shortened(words, LONGEST_MESSAGE // 2)}") from None


def _unshared(value: Any) -> Any:
    """The same with a table, and a list, of its own at each place: one that an alias repeats is else one object."""
    if isinstance(value, dict):
        return {key: _unshared(each) for key, each in value.items()}
    return [_unshared(each) for each in value] if isinstance(value, list) else value


class _Word(str):
    """What an INI file has behind a `=`, as it is written there."""

    def read(self) -> Any:
        """The literal of Python that it is, else the text."""
        try:
            return ast.literal_eval(self)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return str(self)

    def with_value(self, value: Any) -> _Word:
        """Another value in the same form: a text in quotes, and a list in brackets, where this one is so."""
        if isinstance(value, str):
            is_quoted = self.startswith(("'", '"')) and isinstance(self.read(), str)
            return _Word(repr(value) if is_quoted else value)
        if isinstance(value, list) and not self.startswith(("[", "(")):
            return _Word(", ".join(map(str, value)))
        return _Word(value)


def _ini(text: str, path: Path) -> dict[str, dict[str, _Word]]:
    # [DEFAULT] is a section as any other: its settings are not of those that inherit them.
    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="")
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    return {name: {key: _Word(word) for key, word in parser.items(name)} for name in parser.sections()}


def _section(name: str, words: Mapping[str, str]) -> str:
    # A line that goes on is known by its blanks.
    lines = [f"{key} = {word}".replace("\n", "\n    ") + "\n" for key, word in words.items()]
    return "".join([f"[{name}]\n", *lines])
