"""A source of drug-response data as arrays, and its place on disk.

A prepared source is a folder of `.npy` files, opened memory-mapped, so that all runs on a machine share one
copy in memory:

| file | holds |
|---|---|
| `cell_lines.npy` | names of the cell lines, text [cell lines] |
| `cell_types.npy` | tumour type of each cell line, text [cell lines]; only where the source tells it |
| `genes.npy` | gene symbols by falling variance, text [genes] |
| `expression.npy` | expression, float32 [cell lines, genes] |
| `drugs.npy`, `structures.npy` | drug names and first blocks of their InChIKeys, text [drugs] |
| `smiles.npy` | SMILES of each drug, text [drugs] |
| `drug_KIND.npy`, `drug_KIND_names.npy` | drug features [drugs, features] and their names; KIND `descriptors`, ... |
| `responses_STUDY.npy` | one record a measured pair: `cell_line`, `drug` (row numbers) and the measures, float32 |
| `splits_STUDY.npy` | the source's own splits, int8 [splits, rows]: 0 none, 1 training, 2 validation, 3 test |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The parts of a split file row, as stored in `splits_STUDY.npy`.
SPLIT_TRAINING, SPLIT_VALIDATION, SPLIT_TEST = 1, 2, 3


@dataclass(frozen=True)
class DrugFeatures:
    """One kind of drug features: `values` [drugs, features], with the features' names."""

    names: NDArray[np.str_]
    values: NDArray[Any]


@dataclass(frozen=True)
class Responses:
    """The records of one study, and how many rows that its source gives are none of them, by the reason."""

    records: NDArray[Any]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Source:
    """Everything that is known about one source's cell lines, drugs and studies.

    `left_out` counts, for each study, the given rows that are no records, by the reason; `counts`, for each table of
    features, its rows and those that were not taken. Both are known while preparing, and the manifest keeps them.
    """

    name: str
    cell_lines: NDArray[np.str_]
    genes: NDArray[np.str_]
    expression: NDArray[np.float32]
    drugs: NDArray[np.str_]
    structures: NDArray[np.str_]
    smiles: NDArray[np.str_]
    drug_features: dict[str, DrugFeatures]
    responses: dict[str, NDArray[Any]]
    splits: dict[str, NDArray[np.int8]] = field(default_factory=dict)
    cell_types: NDArray[np.str_] | None = None
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def studies(self) -> list[str]:
        """The names of the studies, sorted."""
        return sorted(self.responses)

    def measured(self, study: str) -> dict[str, int]:
        """How many records of a study have a finite value of each measure."""
        return {name: int(np.isfinite(self.responses[study][name]).sum()) for name in self.measures(study)}

    def measures(self, study: str) -> list[str]:
        """The measures that a study has, such as AUC and IC50."""
        return [name for name in self.responses[study].dtype.names or () if name not in ("cell_line", "drug")]


def response_records(cell_line: NDArray[Any], drug: NDArray[Any], measures: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Join row numbers and measures into records: fields `cell_line`, `drug` (int32) and each measure (float32)."""
    record = [("cell_line", "<i4"), ("drug", "<i4"), *((name, "<f4") for name in measures)]
    records = np.empty(len(cell_line), dtype=record)
    records["cell_line"], records["drug"] = cell_line, drug
    for name, values in measures.items():
        records[name] = values
    return records


def sort_genes(
    genes: NDArray[np.str_], expression: NDArray[np.float32]
) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
    """Order genes by falling variance over the cell lines; equal ones by name."""
    variance = expression.astype(np.float64).var(axis=0)
    order = np.lexsort((genes, -variance))
    return genes[order], np.ascontiguousarray(expression[:, order])


_PLAIN_ARRAYS = ("cell_lines", "genes", "expression", "drugs", "structures", "smiles")


def write_source(source: Source, folder: Path) -> None:
    """Write a source into an existing, empty folder."""
    arrays: dict[str, NDArray[Any]] = {name: getattr(source, name) for name in _PLAIN_ARRAYS}
    if source.cell_types is not None:
        arrays["cell_types"] = source.cell_types
    for kind, features in source.drug_features.items():
        arrays[f"drug_{kind}"] = features.values
        arrays[f"drug_{kind}_names"] = features.names
    arrays.update({f"responses_{study}": records for study, records in source.responses.items()})
    arrays.update({f"splits_{study}": splits for study, splits in source.splits.items()})
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def open_source(folder: Path) -> Source:
    """Open a prepared source, memory-mapped and read-only; its name is the folder's."""

    def read(name: str) -> NDArray[Any]:
        return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def named(prefix: str) -> dict[str, NDArray[Any]]:
        paths = sorted(folder.glob(f"{prefix}_*.npy"))
        return {path.stem.removeprefix(f"{prefix}_"): read(path.stem) for path in paths}

    arrays: dict[str, Any] = {name: read(name) for name in _PLAIN_ARRAYS}
    kinds = [path.stem[len("drug_") : -len("_names")] for path in sorted(folder.glob("drug_*_names.npy"))]
    return Source(
        name=folder.name,
        **arrays,
        drug_features={kind: DrugFeatures(read(f"drug_{kind}_names"), read(f"drug_{kind}")) for kind in kinds},
        responses=named("responses"),
        splits=named("splits"),
        cell_types=read("cell_types") if (folder / "cell_types.npy").exists() else None,
    )
