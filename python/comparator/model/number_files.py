"""The numbers that a training leaves in a file, by their names; of what was written again and again the last.

| file | its numbers |
|---|---|
| JSON, YAML, INI, TOML | by the way to them, `test.mse`; the last of a list, and of the tables in a list |
| JSON in lines (`.jsonl`) | the same, of the last line that has it |
| events of TensorBoard | scalars by their tag |
| MLflow's database (`.db`), or its folder of files | metrics by their key |
| a table (`.csv`, `.tsv`, else with commas) | by columns |
| a text, or JSON, that is a number alone, or a list of them | by the empty name |
"""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import read_text
from comparator.model.own_files.settings_file import is_settings_file, named_settings, read_settings_file
from comparator.model.tensorboard_events import EVENTS, scalars_in

#: A line of a metric of MLflow's in a file: milliseconds since 1970, the number, the step.
OF_MLFLOW = re.compile(r"\d{12,14} (\S+) -?\d+")


def numbers_in(path: Path) -> dict[str, float]:
    """The numbers in a file by name; raises `InputError`, or `OSError`, where it cannot be read."""
    read = _reader(path)
    if read is not None:
        return read(path)
    text = read_text(path)
    if (alone := _as_number(text)) is not None:
        return {"": alone}
    of_mlflow = [found and _as_number(found[1]) for found in map(OF_MLFLOW.fullmatch, text.splitlines())]
    if of_mlflow and of_mlflow[-1] is not None and None not in of_mlflow:
        return {"": of_mlflow[-1]}
    try:
        return _in_table(text, path)
    except csv.Error as error:
        raise InputError(f"{path}: {error}") from None


def _reader(path: Path) -> Callable[[Path], dict[str, float]] | None:
    if path.name.startswith(EVENTS):
        return scalars_in
    ending = path.suffix.lower()
    if ending in (".jsonl", ".ndjson"):
        return _in_lines
    if ending in (".db", ".sqlite", ".sqlite3"):
        return _in_database
    return _in_settings if is_settings_file(path) else None


def _in_settings(path: Path) -> dict[str, float]:
    try:
        return _in_content(read_settings_file(path))
    except InputError:
        content = _list_or_number(path) if path.suffix.lower() == ".json" else None
        if content is None:
            raise
    return _in_content({"of": content}, "of.")


def _list_or_number(path: Path) -> Any:
    """The content of a file of JSON that is no table; None of one, and where it cannot be read."""
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError):
        return None
    return None if isinstance(content, dict) else content


def _in_content(content: Mapping[str, Any], way: str = "") -> dict[str, float]:
    """Its numbers by the way to them, and without the places in lists; without what they have before them, a `way`."""
    found: dict[str, float] = {}
    for name, value in named_settings(content, of_any_name=True):
        number = value[-1] if isinstance(value, list) and value else value
        known = None if isinstance(number, bool) or not isinstance(number, int | float) else _as_number(number)
        if known is not None:
            for each in (name, re.sub(r"\.\d+(?=\.)", "", name)):
                found["" if f"{each}." == way else each.removeprefix(way)] = known
    return found


def _in_lines(path: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in read_text(path).splitlines():
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            continue
        found |= _in_content(content) if isinstance(content, dict) else {}
    return found


def _in_database(path: Path) -> dict[str, float]:
    """The metrics in a database of MLflow's."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT key, value, is_nan FROM metrics ORDER BY timestamp, step").fetchall()
    except sqlite3.Error as error:
        raise InputError(f"{path}: has no metrics of MLflow's: {error}") from None
    return {str(key): math.nan if is_nan else float(value) for key, value, is_nan in rows}


def _in_table(text: str, path: Path) -> dict[str, float]:
    table = csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    found: dict[str, float] = {}
    for row in table:
        cells = {str(name).strip(): _as_number(text) for name, text in row.items() if isinstance(text, str)}
        found |= {name: number for name, number in cells.items() if number is not None}
    return found


def _as_number(given: str | float) -> float | None:
    try:
        return float(given)
    except (ValueError, OverflowError):  # an integer of hundreds of digits
        return None
