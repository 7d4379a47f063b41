"""A model's file of settings, JSON or YAML: what it names, and a copy of it with other values.

A setting of a table is named by the way to it, `optimizer.lr`. YAML is read by PyYAML, to which `1e-4` is a text, as it
is to most scripts that read such a file: as a default it is known for the number that it stands for.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import LONGEST_MESSAGE, read_text, shortened

JSON, YAML = (".json",), (".yaml", ".yml")
ENDINGS = (*JSON, *YAML)
#: A part of a name that a hyperparameter can have.
PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What YAML 1.1 takes for a text and people mean as a number.
NUMBER_AS_TEXT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


def is_settings_file(path: Path) -> bool:
    """Whether a file can be read here, by its ending."""
    return path.suffix.lower() in ENDINGS


def read_settings_file(path: Path) -> dict[str, Any]:
    """The tables and values of a file of settings; raises `InputError` where it is none."""
    text = read_text(path)
    content = _json(text, path) if path.suffix.lower() in JSON else _yaml(text, path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: has no names with values, so there are no settings in it")
    return content


def named_settings(content: Mapping[Any, Any], way: str = "") -> Iterator[tuple[str, Any]]:
    """The settings that a hyperparameter can be called by, each with its value: of a table those in it."""
    for key, value in content.items():
        if not isinstance(key, str) or not PART.fullmatch(key):
            continue
        if isinstance(value, dict):
            yield from named_settings(value, f"{way}{key}.")
        elif isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
            yield way + key, float(value)
        else:
            yield way + key, value


def with_values(content: Mapping[str, Any], given: Mapping[str, Any], ending: str) -> str:
    """The text of the same file with the values that are `given` by name; each is a setting of it."""
    copied: dict[str, Any] = copy.deepcopy(dict(content))
    for name, value in given.items():
        *way, last = name.split(".")
        table = copied
        for key in way:
            table = table[key]
        table[last] = value
    if ending.lower() in JSON:
        return json.dumps(copied, indent=2) + "\n"
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
