"""Read a folder in the layout of the IMPROVE cross-study benchmark: `x_data`, `y_data`, `splits`.

| file | columns |
|---|---|
| `y_data/response.tsv` | `source`, `improve_sample_id`, `improve_chem_id`, `auc`, `ic50`, ...; newer: `split_id` |
| `x_data/cancer_gene_expression.tsv` | cell lines by genes; one header row, or three (Ensembl, Entrez, symbol) |
| `x_data/drug_SMILES.tsv` | `improve_chem_id`, `canSMILES` |
| `x_data/drug_mordred.tsv`, `drug_ecfp4_nbits512.tsv` | drug features as given; either may be absent |
| `x_data/cell_info.tsv` | tumour type (`site`); optional |
| `splits/STUDY_split_N_{train,val,test}.txt` | 0-based row numbers of `response.tsv`, or values of `split_id` |

A file may be compressed, `NAME.gz`, and is read as `comparator.tables.reading` says: ids are text.

RDKit descriptors are computed from the SMILES. Rows stay as they are given, repeated pairs too, because the
split files count them; rows without expression or SMILES are left out, and counted. Of a cell line or a drug that
stands twice with the same values one is taken, with different ones the folder is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from comparator.tables.joins import distinct_rows, keep_joined, study_mistake
from comparator.tables.reading import (
    Table,
    TableError,
    find_table,
    header_rows,
    numbers,
    read_header,
    read_list,
    read_table,
    read_values,
    tidy_id,
)
from drug_response import chemistry
from drug_response.errors import DataError
from drug_response.tables import (
    SPLIT_TEST,
    SPLIT_TRAINING,
    SPLIT_VALIDATION,
    DrugFeatures,
    Responses,
    Source,
    response_records,
    sort_genes,
)

CELL_LINE, DRUG, STUDY = "improve_sample_id", "improve_chem_id", "source"
#: The column of cell line ids, which has no name in some files.
FIRST = 0
#: Columns of response.tsv that are no measures; one without a name is a program's own count of the rows.
_NO_MEASURES = frozenset({"", STUDY, CELL_LINE, DRUG, "study", "split_id"})
#: Measures of the benchmark: their columns hold numbers, and nothing else.
MEASURES = frozenset({"auc", "ic50", "ec50", "ec50se", "r2fit", "einf", "hs", "aac1", "auc1", "dss1"})
#: Drug feature files by kind.
_FEATURE_FILES = {"mordred": "drug_mordred.tsv", "fingerprints": "drug_ecfp4_nbits512.tsv"}
#: What the manifest says of each feature table.
Counts = dict[str, dict[str, int]]
_PARTS = {"train": SPLIT_TRAINING, "val": SPLIT_VALIDATION, "test": SPLIT_TEST}
_SPLIT_FILE = re.compile(r"(?P<study>.+)_split_(?P<number>\d+)_(?P<part>train|val|test)\.txt")


def read(folder: Path) -> Source:
    """Read a benchmark folder, the one that holds `x_data`. Raises `DataError` that names the file at fault."""
    try:
        return _read(folder)
    except TableError as error:
        raise DataError(str(error)) from None


def _read(folder: Path) -> Source:
    features = folder / "x_data"
    counts: Counts = {}
    cell_lines, genes, expression = _read_expression(_table_file(features, "cancer_gene_expression.tsv"), counts)
    genes, expression = sort_genes(genes, expression)
    structures = _table_file(features, "drug_SMILES.tsv")
    smiles_by_drug = _read_smiles(structures, counts)
    molecules = chemistry.read_molecules(smiles_by_drug, structures)
    names, descriptors = chemistry.descriptors(molecules)
    drugs = pd.Index(list(smiles_by_drug), dtype=object)
    responses, rows, labels = _read_responses(_table_file(folder / "y_data", "response.tsv"), cell_lines, drugs)
    return Source(
        name="improve",
        cell_lines=cell_lines.to_numpy(dtype=str),
        genes=genes,
        expression=expression,
        drugs=drugs.to_numpy(dtype=str),
        structures=np.array(chemistry.structure_keys(molecules)),
        smiles=np.array(list(smiles_by_drug.values())),
        drug_features={
            "descriptors": DrugFeatures(np.array(names), descriptors),
            **_read_drug_features(features, drugs, counts),
        },
        responses={study: of_study.records for study, of_study in responses.items()},
        left_out={study: of_study.left_out for study, of_study in responses.items()},
        counts=counts,
        splits={
            study: splits for study in responses if len(splits := _read_splits(folder, study, rows[study], labels))
        },
        cell_types=_read_cell_types(find_table(features, "cell_info.tsv"), cell_lines),
    )


def _table_file(folder: Path, name: str) -> Path:
    path = find_table(folder, name)
    if path is None:
        raise DataError(f"{folder / name}: no such file")
    return path


def _read_expression(path: Path, counts: Counts) -> tuple[pd.Index, NDArray[np.str_], NDArray[np.float32]]:
    """Return cell lines, gene names (symbols where the file has them) and expression [cell lines, genes]."""
    table = read_table(path, [], ids=[FIRST], header_rows=header_rows(path))
    rows = distinct_rows(table, FIRST)
    values = read_values(table)[rows]
    values = np.where(np.isfinite(values), values, np.nan)
    known = ~np.isnan(values).all(axis=0)
    counts["cancer_gene_expression.tsv"] = _counts(table, rows, genes_without_values=int(np.sum(~known)))
    values = values[:, known]
    values = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    return _index(table, FIRST, rows), np.array(table.names[1:])[known], values.astype(np.float32)


def _counts(table: Table, rows: Sequence[int], **further: int) -> dict[str, int]:
    """Return how many rows a table has and how many only repeat another, with the `further` counts that are not 0."""
    found = {"repeated": len(table) - len(rows), **further}
    return {"rows": len(table), **{name: count for name, count in found.items() if count}}


def _index(table: Table, column: str | int, rows: Sequence[int]) -> pd.Index:
    names = table.columns[column]
    return pd.Index([names[row] for row in rows], dtype=object)


def _read_smiles(path: Path, counts: Counts) -> dict[str, str]:
    """Return the SMILES of each drug that has one."""
    column = "canSMILES" if "canSMILES" in (names := read_header(path)) else "improve_smiles"
    if column not in names:
        column = "canSMILES"
    table = read_table(path, [column], ids=[DRUG])
    smiles = table.columns[column]
    rows = distinct_rows(table, DRUG, [column])
    found = {table.columns[DRUG][row]: smiles[row] for row in rows if smiles[row]}
    counts["drug_SMILES.tsv"] = _counts(table, rows, without_structure=len(rows) - len(found))
    return found


def _read_drug_features(folder: Path, drugs: pd.Index, counts: Counts) -> dict[str, DrugFeatures]:
    """Return the drug features that the folder has; a drug that a file lacks gets the column means."""
    found = {}
    for kind, file in _FEATURE_FILES.items():
        path = find_table(folder, file)
        if path is None:
            continue
        table = read_table(path, [], ids=[FIRST])
        rows = distinct_rows(table, FIRST)
        place = _index(table, FIRST, rows).get_indexer(drugs)
        values = read_values(table, strict=False)[rows]
        if not np.any(place >= 0):
            raise DataError(f"{path}: has no drug of drug_SMILES.tsv, '{drugs[0]}' is not there either")
        counts[file] = _counts(table, rows, drugs_with_means=int(np.sum(place < 0)))
        names, kept = chemistry.keep_varying(table.names[1:], np.where((place >= 0)[:, None], values[place], np.nan))
        found[kind] = DrugFeatures(np.array(names), kept)
    return found


def _read_cell_types(path: Path | None, cell_lines: pd.Index) -> NDArray[np.str_] | None:
    if path is None or "site" not in read_header(path):
        return None
    table = read_table(path, ["site"], ids=[FIRST])
    rows = distinct_rows(table, FIRST, ["site"])
    sites = {table.columns[FIRST][row]: table.columns["site"][row] for row in rows}
    return np.array([sites.get(name, "") for name in cell_lines], dtype=str)


def _read_responses(
    path: Path, cell_lines: pd.Index, drugs: pd.Index
) -> tuple[dict[str, Responses], dict[str, pd.Index], pd.Index]:
    """Return each study's records, the labels by which the split files name its rows, and those of all rows."""
    table = read_table(path, ids=[STUDY, CELL_LINE, DRUG])
    studies = np.array(table.columns[STUDY], dtype=object)
    _check_studies(table)
    labels = pd.Index(_row_labels(table), dtype=object)
    measures = {
        name: measured
        for name in table.names
        if name not in _NO_MEASURES and (measured := _measure(table, name)) is not None
    }
    cell_line, drug = (
        known.get_indexer(pd.Index(table.columns[column], dtype=object))
        for known, column in ((cell_lines, CELL_LINE), (drugs, DRUG))
    )
    responses, rows, lost = {}, {}, []
    for study in sorted(set(table.columns[STUDY])):
        kept = keep_joined(table.columns[CELL_LINE], cell_line >= 0, table.columns[DRUG], drug >= 0, studies == study)
        chosen = kept.rows
        values = {name.upper(): column[chosen] for name, column in measures.items()}
        responses[study] = Responses(response_records(cell_line[chosen], drug[chosen], values), kept.counts())
        rows[study] = labels[chosen]
        lost += [step for step in kept.left_out if step.rows]
    if not any(len(each) for each in rows.values()):
        told = "; ".join(f"{step.rows} rows: {step.reason}{_example(step.ids)}" for step in lost)
        raise DataError(f"{path}: none of its {len(table)} rows can be used ({told})")
    return responses, rows, labels


def _example(ids: Sequence[str]) -> str:
    return f", '{ids[0]}'" if ids else ""


def _check_studies(table: Table) -> None:
    """Raise `TableError` where a row names no study, or one by a name that cannot be used."""
    mistakes = {name: study_mistake(name) for name in set(table.columns[STUDY])}
    for row, name in enumerate(table.columns[STUDY]):
        if mistakes[name] is not None:
            pair = f"'{table.columns[CELL_LINE][row]}' with '{table.columns[DRUG][row]}'"
            raise table.error(row, f"{pair}: {STUDY} {mistakes[name]}")


def _measure(table: Table, name: str) -> NDArray[np.float64] | None:
    """Return a measure's values; None where the column is none. A column of a known measure must be one."""
    try:
        return numbers(table, name)
    except TableError:
        if name in MEASURES:
            raise
        return None


def _row_labels(table: Table) -> list[str]:
    if "split_id" in table.columns:
        return [tidy_id(label) for label in table.columns["split_id"]]
    return [str(row) for row in range(len(table))]


def _read_splits(folder: Path, study: str, labels: pd.Index, of_all: pd.Index) -> NDArray[np.int8]:
    """Return the study's own splits, int8 [splits, rows]; no rows where it has none."""
    files = [
        (match, path)
        for path in sorted((folder / "splits").glob(f"{study}_split_*.txt"))
        if (match := _SPLIT_FILE.fullmatch(path.name)) and match["study"] == study
    ]
    count = 1 + max((int(match["number"]) for match, _ in files), default=-1)
    splits = np.zeros((count, len(labels)), dtype=np.int8)
    for match, path in files:
        named = read_list(path)
        unknown = next((label for label in named if label not in of_all), None)
        if unknown is not None:
            words = f"'{unknown}' is no row of response.tsv, which has {len(of_all)}"
            raise DataError(f"{path}, line {named[unknown]}: {words}")
        splits[int(match["number"]), labels.isin(list(named))] = _PARTS[match["part"]]
    return splits
