"""Read a folder in the layout of the IMPROVE cross-study benchmark: `x_data`, `y_data`, `splits`.

| file | columns |
|---|---|
| `y_data/response.tsv` | `source`, `improve_sample_id`, `improve_chem_id`, `auc`, `ic50`, ...; newer: `split_id` |
| `x_data/cancer_gene_expression.tsv` | cell lines by genes; one header row, or three (Ensembl, Entrez, symbol) |
| `x_data/drug_SMILES.tsv` | `improve_chem_id`, `canSMILES` |
| `x_data/drug_mordred.tsv`, `drug_ecfp4_nbits512.tsv` | drug features as given; either may be absent |
| `x_data/cell_info.tsv` | tumour type (`site`); optional |
| `splits/STUDY_split_N_{train,val,test}.txt` | 0-based row numbers of `response.tsv`, or values of `split_id` |

RDKit descriptors are computed from the SMILES. Rows stay as they are given, repeated pairs too, because the
split files count them; rows without expression or SMILES are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drug_response import chemistry
from drug_response.errors import DataError
from drug_response.tables import (
    SPLIT_TEST,
    SPLIT_TRAINING,
    SPLIT_VALIDATION,
    DrugFeatures,
    Source,
    response_records,
    sort_genes,
)

CELL_LINE, DRUG, STUDY = "improve_sample_id", "improve_chem_id", "source"
#: Columns of response.tsv that are no measures.
_NO_MEASURES = frozenset({STUDY, CELL_LINE, DRUG, "study", "split_id"})
#: Drug feature files by kind.
_FEATURE_FILES = {"mordred": "drug_mordred.tsv", "fingerprints": "drug_ecfp4_nbits512.tsv"}
_PARTS = {"train": SPLIT_TRAINING, "val": SPLIT_VALIDATION, "test": SPLIT_TEST}
_SPLIT_FILE = re.compile(r"(?P<study>.+)_split_(?P<number>\d+)_(?P<part>train|val|test)\.txt")


def read(folder: Path) -> Source:
    """Read a benchmark folder, the one that holds `x_data`. Raises `DataError` that names the file at fault."""
    cell_lines, genes, expression = _read_expression(folder / "x_data" / "cancer_gene_expression.tsv")
    genes, expression = sort_genes(genes, expression)
    smiles_by_drug = _read_smiles(folder / "x_data" / "drug_SMILES.tsv")
    molecules = chemistry.read_molecules(smiles_by_drug)
    names, descriptors = chemistry.descriptors(molecules)
    drugs = pd.Index(list(smiles_by_drug))
    responses, rows = _read_responses(folder / "y_data" / "response.tsv", pd.Index(cell_lines), drugs)
    return Source(
        name="improve",
        cell_lines=cell_lines,
        genes=genes,
        expression=expression,
        drugs=np.array(drugs, dtype=str),
        structures=np.array(chemistry.structure_keys(molecules)),
        smiles=np.array(list(smiles_by_drug.values())),
        drug_features={
            "descriptors": DrugFeatures(np.array(names), descriptors),
            **_read_drug_features(folder / "x_data", drugs),
        },
        responses=responses,
        splits={study: splits for study in responses if len(splits := _read_splits(folder, study, rows[study]))},
        cell_types=_read_cell_types(folder / "x_data" / "cell_info.tsv", cell_lines),
    )


def _read_table(path: Path, **options: Any) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep="\t", **options)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _read_expression(path: Path) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.float32]]:
    """Return cell lines, gene names (symbols where the file has them) and expression [cell lines, genes]."""
    header = _read_table(path, header=None, nrows=3, index_col=0, dtype=str, keep_default_na=False)
    # The header rows of the older form have an empty first field, and so has every gene name's own column.
    header_rows = 3 if all(label == "" for label in header.index) else 1
    table = _read_table(path, header=None, skiprows=header_rows, index_col=0)
    names = header.iloc[header_rows - 1].to_numpy(dtype=str)
    values = table.to_numpy(dtype=np.float64)
    if values.shape[1] != len(names):
        raise DataError(f"{path}: {len(names)} genes in the header, {values.shape[1]} columns of values")
    values = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    return table.index.to_numpy(dtype=str), names, values.astype(np.float32)


def _read_smiles(path: Path) -> dict[str, str]:
    table = _read_table(path, dtype=str).dropna()
    return dict(zip(table[DRUG], table["canSMILES" if "canSMILES" in table else "improve_smiles"], strict=True))


def _read_drug_features(folder: Path, drugs: pd.Index) -> dict[str, DrugFeatures]:
    """Return the drug features that the folder has; a drug that a file lacks gets the column means."""
    found = {}
    for kind, file in _FEATURE_FILES.items():
        if (folder / file).exists():
            table = _read_table(folder / file, index_col=0).reindex(drugs)
            numbers = table.apply(pd.to_numeric, errors="coerce")
            names, values = chemistry.keep_varying(list(numbers.columns), numbers.to_numpy(dtype=np.float64))
            found[kind] = DrugFeatures(np.array(names), values)
    return found


def _read_cell_types(path: Path, cell_lines: NDArray[np.str_]) -> NDArray[np.str_] | None:
    if not path.exists():
        return None
    table = _read_table(path, dtype=str, index_col=0)
    if "site" not in table:
        return None
    return table["site"].reindex(cell_lines).fillna("").to_numpy(dtype=str)


def _read_responses(
    path: Path, cell_lines: pd.Index, drugs: pd.Index
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return each study's records, and the labels by which the split files name its rows."""
    table = _read_table(path, low_memory=False)
    missing = [column for column in (STUDY, CELL_LINE, DRUG) if column not in table]
    if missing:
        raise DataError(f"{path}: has no column '{missing[0]}'")
    labels = table["split_id"].to_numpy() if "split_id" in table else np.arange(len(table))
    measures = [str(name) for name in table if name not in _NO_MEASURES and pd.api.types.is_numeric_dtype(table[name])]
    cell_line = cell_lines.get_indexer(pd.Index(table[CELL_LINE]))
    drug = drugs.get_indexer(pd.Index(table[DRUG]))
    known = (cell_line >= 0) & (drug >= 0)
    responses, rows = {}, {}
    for study in sorted(table[STUDY].unique()):
        chosen = known & (table[STUDY] == study).to_numpy()
        values = {name.upper(): table[name].to_numpy()[chosen] for name in measures}
        responses[str(study)] = response_records(cell_line[chosen], drug[chosen], values)
        rows[str(study)] = labels[chosen]
    return responses, rows


def _read_splits(folder: Path, study: str, labels: NDArray[Any]) -> NDArray[np.int8]:
    """Return the study's own splits, int8 [splits, rows]; no rows where it has none."""
    files = [
        (match, path)
        for path in sorted((folder / "splits").glob(f"{study}_split_*.txt"))
        if (match := _SPLIT_FILE.fullmatch(path.name)) and match["study"] == study
    ]
    count = 1 + max((int(match["number"]) for match, _ in files), default=-1)
    splits = np.zeros((count, len(labels)), dtype=np.int8)
    for match, path in files:
        named = np.array(path.read_text(encoding="utf-8").split(), dtype=labels.dtype)
        splits[int(match["number"]), np.isin(labels, named)] = _PARTS[match["part"]]
    return splits
