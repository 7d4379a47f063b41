"""Which rows train, validate and test.

| `split` | no ... stands on both sides |
|---|---|
| `cell` | cell line |
| `drug` | drug (Uno's own way on raw data) |
| `row` | row: cell lines and drugs mix |
| `file` | the source's own split files decide |

A split depends on the rows, the kind and its seed, and on nothing else: not on the model's seed, sizes or noise.
Drawn from all groups that the data have, rather than from those of the rows, it does not even depend on the
study: every study holds out the same cell lines or drugs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response.errors import DataError
from drug_response.tables import SPLIT_TEST, SPLIT_TRAINING, SPLIT_VALIDATION

KINDS = ("cell", "drug", "row", "file")

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Row numbers, rising, without overlap; `test` is empty unless the source's own files name test rows."""

    training: Rows
    validation: Rows
    test: Rows


def group_of_rows(kind: str, cell_line: NDArray[Any], drug: NDArray[Any]) -> NDArray[Any]:
    """Return for each row the number of its group: rows of one group stay together."""
    if kind == "cell":
        return np.asarray(cell_line, dtype=np.int64)
    if kind == "drug":
        return np.asarray(drug, dtype=np.int64)
    return np.arange(len(cell_line), dtype=np.int64)


def held_out(
    groups: NDArray[np.int64], seed: int, validation_fraction: float, folds: int = 1, fold: int = 0
) -> NDArray[np.int64]:
    """Shuffle the distinct groups with `seed` and return a fraction of them, at least one.

    With `folds` > 1 they are dealt into that many folds, of which number `fold` is returned, and
    `validation_fraction` is not used.
    """
    distinct = np.unique(groups)
    shuffled = np.random.default_rng([seed, 1]).permutation(distinct)
    if folds > 1:
        return np.array_split(shuffled, folds)[fold]
    return shuffled[: max(1, round(validation_fraction * len(distinct)))]


def split_by_group(
    groups: NDArray[np.int64],
    seed: int,
    validation_fraction: float,
    folds: int = 1,
    fold: int = 0,
    drawn_from: NDArray[np.int64] | None = None,
) -> Split:
    """Validate on the groups that are `held_out` of `drawn_from`, of the rows' own groups where it is None.

    Raises `DataError` where a side would have no rows.
    """
    chosen = held_out(groups if drawn_from is None else drawn_from, seed, validation_fraction, folds, fold)
    validates = np.isin(groups, chosen)
    if validates.all() or not validates.any():
        there = len(np.unique(groups))
        raise DataError(f"cannot be split: {there} group(s) do not make a training and a validation side")
    return Split(np.flatnonzero(~validates), np.flatnonzero(validates), np.empty(0, dtype=np.intp))


def split_by_file(parts: NDArray[np.int8]) -> Split:
    """Return the split that the source's files give; `parts` holds one of tables.SPLIT_... a row."""
    training, validation, test = (
        np.flatnonzero(parts == part) for part in (SPLIT_TRAINING, SPLIT_VALIDATION, SPLIT_TEST)
    )
    return Split(training, validation, test)


def limit_rows(rows: Rows, limit: int | None, seed: int) -> Rows:
    """Keep at most `limit` rows: the first of one seeded shuffle, so that a smaller limit keeps a subset."""
    if limit is None or limit >= len(rows):
        return rows
    return np.sort(np.random.default_rng([seed, 2]).permutation(rows)[:limit])
