"""A tiny data set in the layout of the IMPROVE benchmark, for trying models: a second or two is enough to train on it.

The drugs are real, by their SMILES; every other number is drawn, always the same: 30 cell lines with 1,000 genes, 16
drugs, two studies called CCLE (480 responses) and gCSI (240). The response depends on both sides, so that there is
something to learn; nothing else is meant by it.

| file of `raw_data/` | columns |
|---|---|
| `y_data/response.tsv` | `source`, `improve_sample_id`, `improve_chem_id`, `study`, `auc`, `ic50`, ... |
| `x_data/cancer_gene_expression.tsv` | three header rows (Ensembl, Entrez, symbol), then cell lines by genes |
| `x_data/drug_SMILES.tsv`, `drug_mordred.tsv`, `drug_ecfp4_nbits512.tsv` | `improve_chem_id`, then features |
| `x_data/cell_info.tsv` | `improve_sample_id`, `name`, `norm`, `site` |
| `splits/STUDY_split_N_{train,val,test}.txt`, `STUDY_all.txt` | 0-based row numbers of `response.tsv`, N from 0 to 9 |
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SMILES = {
    "fluorouracil": "C1=C(C(=O)NC(=O)N1)F",
    "erlotinib": "COCCOC1=C(C=C2C(=C1)C(=NC=N2)NC3=CC=CC(=C3)C#C)OCCOC",
    "gefitinib": "COC1=C(C=C2C(=C1)N=CN=C2NC3=CC(=C(C=C3)F)Cl)OCCCN4CCOCC4",
    "imatinib": "CC1=C(C=C(C=C1)NC(=O)C2=CC=C(C=C2)CN3CCN(CC3)C)NC4=NC=CC(=N4)C5=CN=CC=C5",
    "sorafenib": "CNC(=O)C1=NC=CC(=C1)OC2=CC=C(C=C2)NC(=O)NC3=CC(=C(C=C3)Cl)C(F)(F)F",
    "lapatinib": "CS(=O)(=O)CCNCC1=CC=C(O1)C2=CC3=C(C=C2)N=CN=C3NC4=CC(=C(C=C4)OCC5=CC(=CC=C5)F)Cl",
    "methotrexate": "CN(CC1=CN=C2C(=N1)C(=NC(=N2)N)N)C3=CC=C(C=C3)C(=O)NC(CCC(=O)O)C(=O)O",
    "tamoxifen": "CCC(=C(C1=CC=CC=C1)C2=CC=C(C=C2)OCCN(C)C)C3=CC=CC=C3",
    "temozolomide": "CN1C(=O)N2C=NC(=C2N=N1)C(=O)N",
    "vorinostat": "C1=CC=C(C=C1)NC(=O)CCCCCCC(=O)NO",
    "hydroxyurea": "C(=O)(N)NO",
    "gemcitabine": "C1=CN(C(=O)N=C1N)C2C(C(C(O2)CO)O)(F)F",
    "cytarabine": "C1=CN(C(=O)N=C1N)C2C(C(C(O2)CO)O)O",
    "mercaptopurine": "C1=NC2=C(N1)C(=S)N=CN2",
    "aspirin": "CC(=O)OC1=CC=CC=C1C(=O)O",
    "ibuprofen": "CC(C)CC1=CC=C(C=C1)C(C)C(=O)O",
}
CELL_LINES, GENES, FINGERPRINT_BITS, SPLITS = 30, 1000, 512, 10
#: Cell lines and drugs of each study, the first ones of all.
STUDIES = {"CCLE": (30, 16), "gCSI": (20, 12)}
SITES = ("lung", "breast", "skin", "ovary", "stomach")
#: Descriptors that can be read off a SMILES as it is written here; the others are drawn.
COUNTED = {"nC": "Cc", "nN": "N", "nO": "O", "nS": "S", "nF": "F", "nRing": "12345", "nB": "="}
DRAWN = ("ABC", "SpAbs_A", "SpMax_A", "LogEE_A", "VE1_A", "VR1_A", "ATS0dv", "ATS1dv", "GATS1c", "SLogP", "TPSA", "MW")
FACTORS = 4


def write_tiny_benchmark(folder: Path) -> None:
    """Write `raw_data/` into an existing folder."""
    random = np.random.default_rng(1)
    cell_lines = [f"ACH-{900000 + number}" for number in range(CELL_LINES)]
    drugs = [f"Drug_{number:03}" for number in range(1, len(SMILES) + 1)]
    bits = np.array([_fingerprint(smiles) for smiles in SMILES.values()])
    of_cell_lines = random.normal(size=(CELL_LINES, FACTORS))
    of_drugs = (bits - bits.mean(axis=0)) @ random.normal(size=(FINGERPRINT_BITS, FACTORS)) / 5
    noise = random.normal(size=(CELL_LINES, GENES))
    expression = of_cell_lines @ random.normal(size=(FACTORS, GENES)) + 0.5 * noise
    for part in ("x_data", "y_data", "splits"):
        (folder / "raw_data" / part).mkdir(parents=True)
    features = folder / "raw_data" / "x_data"
    _write_expression(features / "cancer_gene_expression.tsv", cell_lines, expression)
    _write(features / "drug_SMILES.tsv", ["improve_chem_id", "canSMILES"], zip(drugs, SMILES.values(), strict=True))
    names = [f"ecfp4.{bit}" for bit in range(FINGERPRINT_BITS)]
    _write(features / "drug_ecfp4_nbits512.tsv", ["improve_chem_id", *names], _rows(drugs, bits))
    _write(features / "drug_mordred.tsv", ["improve_chem_id", *COUNTED, *DRAWN], _rows(drugs, _descriptors(random)))
    told = [(each, f"line {each[-2:]}", f"LINE{each[-2:]}", SITES[n % len(SITES)]) for n, each in enumerate(cell_lines)]
    _write(features / "cell_info.tsv", ["improve_sample_id", "name", "norm", "site"], told)
    mean = 0.7 + 0.15 * np.tanh(of_cell_lines @ of_drugs.T) + 0.1 * np.tanh(of_drugs[:, 0])
    _write_responses(folder / "raw_data", cell_lines, drugs, mean, random)


def _fingerprint(smiles: str) -> list[int]:
    """Bits for the pieces of up to six characters that the text consists of."""
    bits = [0] * FINGERPRINT_BITS
    for length in range(1, 7):
        for start in range(len(smiles) - length + 1):
            digest = hashlib.sha256(smiles[start : start + length].encode()).digest()
            bits[int.from_bytes(digest[:4], "big") % FINGERPRINT_BITS] = 1
    return bits


def _descriptors(random: np.random.Generator) -> NDArray[np.float64]:
    counted = [[sum(smiles.count(sign) for sign in signs) for signs in COUNTED.values()] for smiles in SMILES.values()]
    return np.hstack([np.array(counted, dtype=float), random.normal(size=(len(SMILES), len(DRAWN)))])


def _write_expression(path: Path, cell_lines: Sequence[str], expression: NDArray[np.float64]) -> None:
    genes = range(1, GENES + 1)
    headers = [("", *(f"ENSG{gene:011}" for gene in genes)), ("", *map(str, genes)), ("", *(f"GENE{g}" for g in genes))]
    _write(path, headers[0], [*headers[1:], *_rows(cell_lines, expression)])


def _write_responses(
    folder: Path,
    cell_lines: Sequence[str],
    drugs: Sequence[str],
    mean: NDArray[np.float64],
    random: np.random.Generator,
) -> None:
    columns = ["source", "improve_sample_id", "improve_chem_id", "study", "auc", "ic50", "ec50", "ec50se", "r2fit"]
    rows: list[list[str]] = []
    for study, (lines_of_it, drugs_of_it) in STUDIES.items():
        first = len(rows)
        for cell_line in range(lines_of_it):
            for drug in range(drugs_of_it):
                auc = float(np.clip(mean[cell_line, drug] + random.normal(scale=0.05), 0.0, 1.0))
                measures = [auc, 4 + 3 * auc, 4 + 2 * auc, 0.3, 0.9]
                names = [study, cell_lines[cell_line], drugs[drug], f"{study}_{len(rows) - first}"]
                rows.append([*names, *(f"{measure:.4f}" for measure in measures)])
        _write_splits(folder / "splits", study, np.arange(first, len(rows)), random)
    _write(folder / "y_data" / "response.tsv", columns, rows)


def _write_splits(folder: Path, study: str, rows: NDArray[np.int64], random: np.random.Generator) -> None:
    """Eight tenths train, one validates, one tests."""
    files = {"all": rows}
    for number in range(SPLITS):
        order = random.permutation(rows)
        tenth = len(rows) // 10
        parts = {"val": order[:tenth], "test": order[tenth : 2 * tenth], "train": order[2 * tenth :]}
        files.update({f"split_{number}_{part}": np.sort(chosen) for part, chosen in parts.items()})
    for name, chosen in files.items():
        (folder / f"{study}_{name}.txt").write_text("".join(f"{row}\n" for row in chosen), encoding="utf-8")


def _rows(names: Sequence[str], values: NDArray[np.float64]) -> list[list[str]]:
    return [[name, *(f"{value:.5g}" for value in row)] for name, row in zip(names, values, strict=True)]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in [header, *rows]), encoding="utf-8")
