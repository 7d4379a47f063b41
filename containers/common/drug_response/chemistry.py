"""Drug features from SMILES, by RDKit. Imported while preparing only: RDKit takes a second to load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, rdFingerprintGenerator

from drug_response.errors import DataError

#: Morgan radius 2 in 512 bits, the form of the benchmark's own fingerprint file.
FINGERPRINT_RADIUS = 2
FINGERPRINT_BITS = 512

#: The information content Ipc grows exponentially with the molecule (up to 1e23): its logarithm is kept.
LOGARITHMIC_DESCRIPTORS = frozenset({"Ipc"})


def read_molecules(smiles_by_drug: dict[str, str], path: Path | None = None) -> list[Any]:
    """Parse SMILES, those of a file. Raises `DataError` that names the drug whose SMILES RDKit cannot read."""
    molecules = []
    # RDKit would tell of a bad SMILES in several lines; the error here is one.
    rdBase.DisableLog("rdApp.*")
    for drug, smiles in smiles_by_drug.items():
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None:
            raise DataError(f"{f'{path}: ' if path else ''}drug {drug!r}: RDKit cannot read its SMILES {smiles!r}")
        molecules.append(molecule)
    return molecules


def structure_keys(molecules: Sequence[Any]) -> list[str]:
    """Return the first block of each InChIKey: the skeleton, without stereochemistry, charge or isotopes."""
    return [Chem.MolToInchiKey(molecule).split("-")[0] for molecule in molecules]


def descriptors(molecules: Sequence[Any]) -> tuple[list[str], NDArray[np.float32]]:
    """Return RDKit's descriptor names and their values, float32 [drugs, descriptors].

    A value that RDKit cannot compute is its column's mean; columns that are equal for all drugs are left out.
    """
    names = [name for name, _ in Descriptors.descList]
    values = np.array(
        [[_descriptor(function, molecule) for _, function in Descriptors.descList] for molecule in molecules],
        dtype=np.float64,
    )
    for column, name in enumerate(names):
        if name in LOGARITHMIC_DESCRIPTORS:
            values[:, column] = np.log10(1.0 + np.maximum(values[:, column], 0.0))
    return keep_varying(names, values)


def _descriptor(function: Any, molecule: Any) -> float:
    try:
        return float(function(molecule))
    except (ValueError, ZeroDivisionError, OverflowError):
        return float("nan")


def keep_varying(names: Sequence[str], values: NDArray[Any]) -> tuple[list[str], NDArray[np.float32]]:
    """Fill missing and infinite values with their column's mean, and drop the columns that do not vary."""
    finite = np.where(np.isfinite(values), values, np.nan)
    known = ~np.all(np.isnan(finite), axis=0)
    finite = finite[:, known]
    filled = np.where(np.isnan(finite), np.nanmean(finite, axis=0), finite).astype(np.float32)
    varying = np.ptp(filled, axis=0) > 0
    known_names = np.asarray(names, dtype=object)[known]
    return [str(name) for name in known_names[varying]], filled[:, varying]


def fingerprints(molecules: Sequence[Any]) -> NDArray[np.uint8]:
    """Return Morgan fingerprints, uint8 [drugs, 512]."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=FINGERPRINT_RADIUS, fpSize=FINGERPRINT_BITS)
    return np.array([generator.GetFingerprintAsNumPy(molecule) for molecule in molecules], dtype=np.uint8)
