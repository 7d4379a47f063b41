"""Which rows a training sees: the measure that is learned, matched studies, filters.

**Matching.** Two studies differ in their cell lines and drugs before they differ in their measurements. With
`match_studies = ['CCLE', 'GDSC1']` only pairs that both have measured are kept, in one order for both: by
name of the cell line, then by structure of the drug. So both models see the same inputs in the same batches,
and only labels differ. Drugs are the same where the first blocks of their InChIKeys are, whatever they are
called; repeated measurements of a pair are averaged. `match_by = 'drug'` or `'cell'` keeps all rows of the drugs, or
of the cell lines, that every study has, as they are: each study keeps rows of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparator.errors import nearest
from drug_response.errors import DataError
from drug_response.preparation import PREPARED
from drug_response.studies import choose_measure
from drug_response.tables import Source, open_source


@dataclass(frozen=True)
class ResponseRows:
    """Rows of one study: numbers of cell lines and drugs in the source's tables, int32 [rows], and labels.

    `labels` is float32 [rows]; `record` is each row's number in the study's records, or -1 where several
    records were averaged.
    """

    study: str
    cell_line: NDArray[np.int32]
    drug: NDArray[np.int32]
    labels: NDArray[np.float32]
    record: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[Any]) -> ResponseRows:
        """Return the rows that a mask or row numbers choose."""
        columns = (self.cell_line, self.drug, self.labels, self.record)
        return ResponseRows(self.study, *(column[rows] for column in columns))


def open_prepared(data_folder: Path, source: str) -> Source:
    """Open a source of a prepared data folder, memory-mapped."""
    return open_source(data_folder / PREPARED / source)


def study_rows(source: Source, study: str, measure: str | None) -> ResponseRows:
    """Return the study's rows that have the measure, in the order of its records."""
    records = source.responses[study]
    labels = records[choose_measure(study, source.measures(study), measure)]
    known = np.flatnonzero(np.isfinite(labels))
    return ResponseRows(
        study,
        np.asarray(records["cell_line"][known]),
        np.asarray(records["drug"][known]),
        np.asarray(labels[known]),
        known,
    )


def match(source: Source, rows_by_study: dict[str, ResponseRows]) -> dict[str, ResponseRows]:
    """Keep the pairs that every study has, in one order; see the module's text.

    Raises `DataError` where the studies share no pair.
    """
    same_drug = first_drug_of_structure(source.structures)
    averaged = {study: _average_pairs(rows, same_drug) for study, rows in rows_by_study.items()}
    shared = reduce(np.intersect1d, [_pairs(rows, same_drug) for rows in averaged.values()])
    if not len(shared):
        raise DataError(f"match_studies: {', '.join(rows_by_study)} share no cell line and drug")
    cell_line, drug = np.divmod(shared, len(same_drug))
    shared = shared[np.lexsort((source.structures[drug], source.cell_lines[cell_line]))]
    return {study: rows.take(np.searchsorted(_pairs(rows, same_drug), shared)) for study, rows in averaged.items()}


def keep_shared(source: Source, rows_by_study: dict[str, ResponseRows], by: str) -> dict[str, ResponseRows]:
    """Keep the rows of the drugs (`by` "drug") or cell lines ("cell") that every study has, as they are.

    Raises `DataError` where the studies share none.
    """
    same_drug = first_drug_of_structure(source.structures)
    kinds = {study: same_drug[rows.drug] if by == "drug" else rows.cell_line for study, rows in rows_by_study.items()}
    shared = reduce(np.intersect1d, kinds.values())
    if not len(shared):
        raise DataError(f"match_studies: {', '.join(rows_by_study)} share no {'drug' if by == 'drug' else 'cell line'}")
    return {study: rows.take(np.isin(kinds[study], shared)) for study, rows in rows_by_study.items()}


def first_drug_of_structure(structures: NDArray[np.str_]) -> NDArray[np.int32]:
    """Return for each drug the first one of its structure, so that one structure has one set of features."""
    _, first, inverse = np.unique(structures, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int32)


def _pairs(rows: ResponseRows, same_drug: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return one number for each row's pair of cell line and structure."""
    return rows.cell_line.astype(np.int64) * len(same_drug) + same_drug[rows.drug]


def _average_pairs(rows: ResponseRows, same_drug: NDArray[np.int32]) -> ResponseRows:
    """Average repeated pairs; the result is ordered by pair."""
    pairs, first, inverse, counts = np.unique(
        _pairs(rows, same_drug), return_index=True, return_inverse=True, return_counts=True
    )
    means = np.bincount(inverse, weights=rows.labels.astype(np.float64)) / counts
    cell_line, drug = np.divmod(pairs, len(same_drug))
    return ResponseRows(
        rows.study,
        cell_line.astype(np.int32),
        drug.astype(np.int32),
        means.astype(np.float32),
        np.where(counts == 1, rows.record[first], -1),
    )


def keep_cell_types(source: Source, rows: ResponseRows, cell_types: Sequence[str] | None) -> ResponseRows:
    """Keep the rows whose cell line's tumour type contains one of the words, in any case; None keeps all.

    Raises `DataError` where the source tells no tumour types, or none fits.
    """
    if not cell_types:
        return rows
    if source.cell_types is None:
        raise DataError(f"cell_types = {list(cell_types)}: the '{source.name}' data tell no tumour types")
    known = np.char.lower(source.cell_types)
    fits = np.any([np.char.find(known, word.lower()) >= 0 for word in cell_types], axis=0)
    if not np.any(fits[rows.cell_line]):
        there = ", ".join(sorted(set(source.cell_types.tolist()) - {""}))
        raise DataError(f"cell_types = {list(cell_types)}: no cell line of {rows.study}; there are {there}")
    return rows.take(fits[rows.cell_line])


def keep_one(
    key: str, wanted: str | None, names: NDArray[np.str_], numbers: NDArray[np.int32], rows: ResponseRows
) -> ResponseRows:
    """Keep the rows of one cell line or drug, named in any case (`by_cell`, `by_drug`); None keeps all."""
    if wanted is None:
        return rows
    number = np.flatnonzero(np.char.lower(names) == wanted.lower())
    kept = np.isin(numbers, number)
    if not np.any(kept):
        there = sorted(set(names[np.unique(numbers)].tolist()))
        raise DataError(f"{key} = '{wanted}': not in {rows.study}{nearest(wanted, there)}")
    return rows.take(kept)
