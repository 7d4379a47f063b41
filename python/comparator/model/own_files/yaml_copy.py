"""A YAML file with other values, in which all that is left is written as it was.

PyYAML reads YAML 1.1, other readers 1.2, and they make different things of `0644`, `no`, `on`, `1e-4` or `12:30:00`.
Which of them a model has is not known: so a word that is not changed stays as it is written, without quotes or with
them, and what is written anew means the same to both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

TEXT = "tag:yaml.org,2002:str"
#: Numbers of YAML 1.2 (its core schema); PyYAML takes some of them for texts.
NUMBER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
#: Words that are true or false in YAML 1.1 alone, with what says the other.
OTHER = {"yes": "no", "no": "yes", "on": "off", "off": "on"}


def with_yaml_values(text: str, content: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The `text` of a YAML file, whose `content` has been read of it, with the values that are `given` by name."""
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        root, version = _own(loader.get_single_node(), loader), loader.yaml_version
    finally:
        loader.dispose()
    for name, value in given.items():
        *way, last = name.split(".")
        node, read = root, content
        for key in way:
            place = _place(node, key)
            node, read = _value_at(node, place), read[int(key) if isinstance(read, list) else key]
        if not _same(read[last], value):
            place = _place(node, last)
            node.value[place] = (node.value[place][0], _written(value, node.value[place][1]))
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, version=version))


def _own(node: Any, loader: yaml.SafeLoader) -> Any:
    """The same with a node of its own at each place, an alias too, and what is merged (`<<`) in its table.

    All of it is in lines: between brackets PyYAML writes `12:30` with quotes and its type.
    """
    import yaml

    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        last = {(key.tag, str(key.value)): (key, value) for key, value in node.value}  # which is the one that counts
        pairs = [(_own(key, loader), _own(value, loader)) for key, value in last.values()]
        return yaml.MappingNode(node.tag, pairs, flow_style=False)
    if isinstance(node, yaml.SequenceNode):
        return yaml.SequenceNode(node.tag, [_own(each, loader) for each in node.value], flow_style=False)
    return yaml.ScalarNode(node.tag, node.value, style=node.style)


def _place(node: Any, key: str) -> int:
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return int(key)
    return next(place for place, (name, _) in enumerate(node.value) if (name.tag, name.value) == (TEXT, key))


def _value_at(node: Any, place: int) -> Any:
    found = node.value[place]
    return found[1] if isinstance(found, tuple) else found


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _written(value: Any, before: Any) -> yaml.Node:
    """A value as a node in the place of another."""
    import yaml

    is_plain = isinstance(before, yaml.ScalarNode) and not before.style
    if isinstance(value, bool) and is_plain and before.value.lower() in OTHER:
        return yaml.ScalarNode(before.tag, _in_case_of(before.value, OTHER[before.value.lower()]))
    node = yaml.representer.SafeRepresenter(sort_keys=False).represent_data(value)
    for each in _scalars(node):
        if each.tag == TEXT and NUMBER.fullmatch(each.value):
            each.style = "'"
    return node


def _in_case_of(model: str, word: str) -> str:
    return word.upper() if model.isupper() else word.capitalize() if model[0].isupper() else word


def _scalars(node: Any) -> list[Any]:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return [node]
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return [each for part in parts for each in _scalars(part)]
