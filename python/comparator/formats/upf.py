"""Unrolled parameter files: one JSON object a line, each a point to evaluate, with an `id`.

```
# comments stand on lines of their own, or behind a line
{"id": "small", "epochs": 3, "dense": [128, 512]}
{"id": "large", "epochs": 3, "dense": [1000, 1000]}   # a '#' inside a JSON text is part of it
```

The format is that of CANDLE/Supervisor's UPF workflows. `id` is a text that can name a folder, or a whole number, and
stands once. Where no line has one, as in the files whose workflow numbers the runs, each is called after its number in
the file: `line-1`. Names keep their case: lines that write one in several ways have it as the first of them does, and a
line with two names that differ in case alone is refused (see `spelling`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.json_text import fault_in
from comparator.formats.kinds import UPF, other_kind
from comparator.formats.names import check_name
from comparator.formats.spelling import as_kept, check_once
from comparator.formats.text import json_hooks, read_text, shortened, shown


@dataclass(frozen=True)
class Line:
    """One line of a UPF: its id, and the hyperparameters that it sets; `is_named`: the id stands in the file."""

    identifier: str
    hyperparameters: dict[str, Any]
    is_named: bool = True


#: What a line without an `id` is called, before its number.
UNNAMED = "line"


def read_upf(path: Path) -> list[Line]:
    """Read a UPF; raises `InputError` with the number of the line that is wrong."""
    try:
        return _read_lines(path)
    except InputError as error:
        raise InputError(f"{error}{other_kind(path, UPF)}") from None


def _read_lines(path: Path) -> list[Line]:
    text = read_text(path)
    lines: dict[str, Line] = {}
    spellings: dict[str, str] = {}
    for number, content in enumerate(text.split("\n"), start=1):
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        identifier, given = _read_line(content.strip(), f"{path}, line {number}", spellings)
        line = Line(identifier or f"{UNNAMED}-{number}", given, is_named=identifier is not None)
        if lines and line.is_named != next(iter(lines.values())).is_named:
            other = "no line before has one" if line.is_named else "the lines before have one"
            raise InputError(f"{path}, line {number}: has {'an' if line.is_named else 'no'} 'id'; {other}")
        if line.identifier in lines:
            raise InputError(f"{path}, line {number}: the id '{line.identifier}' stands twice")
        lines[line.identifier] = line
    if not lines:
        raise InputError(f"{path}: has no line with a point")
    return list(lines.values())


def doubt_ids(lines: Sequence[Line], where: str) -> list[str]:
    """That the lines have no ids of their own; `where` opens the line."""
    if all(line.is_named for line in lines):
        return []
    first = lines[0].identifier
    return [f"{where}: no line has an 'id'; each is called after its number in the file, the first {first}"]


def names_in(lines: Iterable[Line]) -> list[str]:
    """The hyperparameters that any of the lines sets, in the order of their first appearance."""
    return list(dict.fromkeys(name for line in lines for name in line.hyperparameters))


def write_upf(points: Iterable[Mapping[str, Any]], prefix: str) -> str:
    """The text of a UPF with the given points; ids are `prefix` and a number, as wide as the last one's."""
    listed = list(points)
    width = len(str(len(listed)))
    lines = [
        json.dumps({"id": f"{prefix}-{number:0{width}d}", **point}) for number, point in enumerate(listed, start=1)
    ]
    return "".join(f"{line}\n" for line in lines)


def _read_line(content: str, where: str, spellings: dict[str, str]) -> tuple[str | None, dict[str, Any]]:
    """The id of one line, where it has one, and its hyperparameters.

    `spellings` has the names of the lines before by their lower case, and gets those that are new.
    """
    decoder = json.JSONDecoder(**json_hooks(where))
    try:
        entry, end = decoder.raw_decode(content)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON: {fault_in(content, error)[1]}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
    rest = content[end:].strip()
    if rest and not rest.startswith("#"):
        raise InputError(f"{where}: '{shortened(rest)}' stands behind the JSON object; one object a line")
    if not isinstance(entry, dict):
        raise InputError(f"{where}: {shown(entry)} is not a JSON object of hyperparameters")
    check_once(entry, where)
    entry = {as_kept(name): value for name, value in entry.items()}
    given = {spellings.setdefault(name.casefold(), name): value for name, value in entry.items() if name != "id"}
    if "id" not in entry:
        return None, given
    identifier = entry["id"]
    if isinstance(identifier, bool) or not isinstance(identifier, str | int):
        raise InputError(f"{where}: 'id' = {shown(identifier)}: must be a text")
    return check_name(str(identifier), f"{where}: id"), given
