"""Which rows train, validate and test.

| `split` | no ... stands on both sides |
|---|---|
| `cell` | cell line |
| `drug` | drug (Uno's own way on raw data) |
| `row` | row: cell lines and drugs mix |
| `file` | the source's own split files decide |

A split depends on the rows, the kind and its seed, and on nothing else: not on the model's seed, sizes or noise.
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


def split_by_group(
    groups: NDArray[np.int64], seed: int, validation_fraction: float, folds: int = 1, fold: int = 0
) -> Split:
    """Shuffle the groups with `seed` and give a fraction of them, at least one, to validation.

    With `folds` > 1 the groups are dealt into that many folds, of which number `fold` validates, and
    `validation_fraction` is not used. Raises `DataError` where there are too few groups for both sides.
    """
    distinct = np.unique(groups)
    shuffled = np.random.default_rng([seed, 1]).permutation(distinct)
    if folds > 1:
        chosen = np.array_split(shuffled, folds)[fold]
    else:
        chosen = shuffled[: max(1, round(validation_fraction * len(distinct)))]
    if not 0 < len(chosen) < len(distinct):
        raise DataError(f"cannot be split: {len(distinct)} group(s) do not make a training and a validation side")
    validates = np.isin(groups, chosen)
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
