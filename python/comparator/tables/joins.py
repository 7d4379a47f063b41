"""Which responses have what a model learns from, with every row that is left out counted, by its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comparator.tables.reading import Column, Table, TableError, place_of, records

#: A study's name becomes part of names of files and of metrics, and a word of a command line.
_STUDY_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class Ids:
    """The ids of a column: `first` has each with the line where it first stands.

    `repeats` are the further lines of an id, each with its first one; `without` the lines that have none.
    """

    first: dict[str, int] = field(default_factory=dict)
    repeats: list[tuple[int, int]] = field(default_factory=list)
    without: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.first) + len(self.repeats) + len(self.without)


def collect_ids(rows: Iterable[tuple[int, str]]) -> Ids:
    """Return the ids of rows, given as line and id; an empty id is none."""
    ids = Ids()
    for line, name in rows:
        if not name:
            ids.without.append(line)
        elif ids.first.setdefault(name, line) != line:
            ids.repeats.append((line, ids.first[name]))
    return ids


def differing(
    path: Path, repeats: Sequence[tuple[int, int]], compared: Sequence[Column] | None
) -> list[tuple[int, int]]:
    """Return those of the repeats whose rows differ, in the `compared` columns, or in any."""
    lines = {line for pair in repeats for line in pair}
    found: dict[int, list[str]] = {}
    places: list[int] | None = None
    for number, (line, fields) in enumerate(records(path) if lines else ()):
        if number == 0 and compared is not None:
            places = [place_of(path, [name.strip() for name in fields], column) for column in compared]
        if line in lines:
            kept = fields if places is None else [fields[place] for place in places]
            found[line] = [value.strip() for value in kept]
    return [(line, first) for line, first in repeats if found[line] != found[first]]


def distinct_rows(table: Table, column: Column, compared: Sequence[Column] | None = None) -> list[int]:
    """Return the numbers of the rows with which each id of a column first stands.

    Raises `TableError` where a row has no id, or two of one id differ, in the `compared` columns or in any but the id.
    """
    names = table.columns[column]
    ids = collect_ids(zip(table.lines, names, strict=True))
    if ids.without:
        raise TableError(f"{table.path}, line {ids.without[0]}: {table.name(column)} is empty")
    others = [place for place, _ in enumerate(table.names) if place != place_of(table.path, table.names, column)]
    for line, first in differing(table.path, ids.repeats, others if compared is None else compared):
        told = names[table.lines.index(line)]
        words = f"{table.name(column)} '{told}' stands twice, with different values"
        raise TableError(f"{table.path}, lines {first} and {line}: {words}")
    repeated = {line for line, _ in ids.repeats}
    return [row for row, line in enumerate(table.lines) if line not in repeated]


@dataclass(frozen=True)
class LeftOut:
    """Rows that a step leaves out: why, how many, and whose ids, each once."""

    reason: str
    rows: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """What is left of a table after all steps: a mask of its rows, and what each step has left out.

    Every row is kept, or counted by one step, the first that leaves it out.
    """

    rows: NDArray[np.bool_]
    left_out: tuple[LeftOut, ...]

    def counts(self) -> dict[str, int]:
        """Return how many rows each step has left out, without the steps that left out none."""
        return {step.reason: step.rows for step in self.left_out if step.rows}


def keep(steps: Mapping[str, tuple[Sequence[str], NDArray[np.bool_]]], rows: NDArray[np.bool_]) -> Kept:
    """Take steps over the `rows`, in order: each has a reason, the ids that it looks at, and what it keeps."""
    left_out = []
    for reason, (ids, known) in steps.items():
        lost = np.flatnonzero(rows & ~known)
        names = tuple(dict.fromkeys(ids[row] for row in lost.tolist() if ids[row]))
        left_out.append(LeftOut(reason, len(lost), names))
        rows = rows & known
    return Kept(rows, tuple(left_out))


def keep_joined(
    cell_lines: Sequence[str],
    has_expression: NDArray[np.bool_],
    drugs: Sequence[str],
    has_structure: NDArray[np.bool_],
    rows: NDArray[np.bool_],
) -> Kept:
    """Keep those of the `rows` that have both ids, expression and a structure; one entry a row of the responses."""
    steps = {
        "no cell line's id": (cell_lines, np.array([bool(name) for name in cell_lines], dtype=bool)),
        "no drug's id": (drugs, np.array([bool(name) for name in drugs], dtype=bool)),
        "cell line without expression": (cell_lines, has_expression),
        "drug without structure": (drugs, has_structure),
    }
    return keep(steps, rows)


def study_mistake(name: str) -> str | None:
    """Say what is wrong with the name of a study, None where nothing is."""
    if not name:
        return "is empty, so that the row belongs to no study"
    if _STUDY_NAME.fullmatch(name):
        return None
    instead = re.sub(r"[^\w.-]+", "_", name).strip("_.-") or "STUDY"
    return f"'{name}': a study's name is letters, digits, '.', '_' and '-'; call it '{instead}', say"
