"""The first population of an evolutionary search."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from comparator.errors import InputError, nearest
from comparator.formats.spelling import check_once, spelling
from comparator.space import Constant, ParameterSpace, Point


def first_population(space: ParameterSpace, size: int, path: str | None, rng: random.Random) -> list[Point]:
    """`size` points: random ones, or the first rows of the table at `path`."""
    if path is None:
        return [space.initial(rng) for _ in range(size)]
    points = read_points(space, Path(path))
    if len(points) < size:
        raise InputError(f"{path}: {len(points)} rows are too few for a population of {size}")
    return points[:size]


def read_points(space: ParameterSpace, path: Path) -> list[Point]:
    """The points of a CSV table whose header names the space's parameters, in any case; further columns are ignored."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            written = [name.strip() for name in table.fieldnames or ()]
            check_once([name for name in written if spelling(name, space.names) in space.names], f"{path}, line 1")
            header = [spelling(name, space.names) for name in written]
            table.fieldnames = header
            for parameter in space.parameters:
                if parameter.name not in header and not isinstance(parameter, Constant):
                    raise InputError(f"{path}: no column '{parameter.name}'{nearest(parameter.name, header)}")
            return [space.parse(row, f"{path}, line {table.line_num}") for row in table]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a table of comma-separated values: {error}") from None
