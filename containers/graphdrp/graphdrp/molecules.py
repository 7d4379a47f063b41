"""Drugs as graphs: atoms with 78 features, bonds as pairs of atoms; by RDKit, once for a data folder.

Features of an atom, after Nguyen et al. 2021 (table of drug features; RDKit's properties): each of the first four is
one-hot, its last place for all that the others do not name.

| feature | places |
|---|---|
| element | 44: those of `ELEMENTS`, or another one |
| neighbours, hydrogens, implicit hydrogens (valence) | 11 each: 0 to 10 |
| aromatic | 1 |

They are divided by their sum, so that those of an atom add up to one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drug_response.preparation import PREPARED
from drug_response.tables import Source

ELEMENTS = (
    *("C", "N", "O", "S", "F", "Si", "P", "Cl", "Br", "Mg", "Na", "Ca", "Fe", "As", "Al", "I", "B", "V", "K", "Tl"),
    *("Yb", "Sb", "Sn", "Ag", "Pd", "Co", "Se", "Ti", "Zn", "H", "Li", "Ge", "Cu", "Au", "Ni", "Cd", "In", "Mn"),
    *("Zr", "Cr", "Pt", "Hg", "Pb"),
)
#: Numbers of neighbours and hydrogens go from 0 to this.
LARGEST_COUNT = 10
ATOM_FEATURES = len(ELEMENTS) + 1 + 3 * (LARGEST_COUNT + 1) + 1

#: To be raised when the features change, so that graphs made before are made again.
_FORMAT = 1


@dataclass(frozen=True)
class Batch:
    """Some drugs' graphs as one: `atoms` are rows of `MoleculeGraphs.atoms`, `molecule` each atom's drug, from 0.

    Atom `neighbour[i]`, an index into `atoms`, is bound to atom `atom[i]`; each bond is there in both directions.
    """

    atoms: NDArray[np.int64]
    molecule: NDArray[np.int64]
    atom: NDArray[np.int64]
    neighbour: NDArray[np.int64]


@dataclass(frozen=True)
class MoleculeGraphs:
    """The graphs of a source's drugs, one after another.

    `atoms` is float32 [atoms, 78]; `bonds` int64 [2, twice the bonds] holds pairs of atoms, counted within their
    drug; drug d has the atoms from `first_atom[d]` and the bonds from `first_bond[d]` on, to those of drug d + 1.
    """

    atoms: NDArray[np.float32]
    bonds: NDArray[np.int64]
    first_atom: NDArray[np.int64]
    first_bond: NDArray[np.int64]

    def choose(self, drugs: NDArray[Any]) -> Batch:
        """Return the graphs of some drugs as one graph."""
        atoms, molecule = _ranges(self.first_atom, drugs)
        bonds, molecule_of_bond = _ranges(self.first_bond, drugs)
        before = np.cumsum(np.diff(self.first_atom)[drugs]) - np.diff(self.first_atom)[drugs]
        atom, neighbour = self.bonds[:, bonds] + before[molecule_of_bond]
        return Batch(atoms, molecule, atom, neighbour)


def _ranges(first: NDArray[np.int64], chosen: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the chosen ranges' numbers one after another, and for each the place in `chosen` that it is of."""
    lengths = first[chosen + 1] - first[chosen]
    place = np.repeat(np.arange(len(chosen)), lengths)
    start_in_all = np.cumsum(lengths) - lengths
    return np.arange(len(place)) - start_in_all[place] + first[chosen][place], place


def read_graphs(source: Source, data_folder: Path) -> MoleculeGraphs:
    """Return the graphs of a source's drugs; made on first use, and kept beside the source's arrays.

    The file's name has a hash of the SMILES that it was made from. Where the folder cannot be written they are made
    each time, in about a second. Raises `DataError` that names a drug whose SMILES RDKit cannot read.
    """
    smiles = "\n".join([f"{_FORMAT}", *source.smiles.tolist()])
    path = data_folder / PREPARED / source.name / f"graphs_{hashlib.sha256(smiles.encode()).hexdigest()[:16]}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            return MoleculeGraphs(**stored)
    graphs = make_graphs(dict(zip(source.drugs.tolist(), source.smiles.tolist(), strict=True)))
    with contextlib.suppress(OSError):
        _write(path, graphs)
    return graphs


def _write(path: Path, graphs: MoleculeGraphs) -> None:
    """Write a file whole, then put it in its place, so that no reader sees half of it."""
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        np.savez(temporary, **vars(graphs))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def make_graphs(smiles_by_drug: dict[str, str]) -> MoleculeGraphs:
    """Return the graphs of drugs, in their order. Raises `DataError` that names a drug that RDKit cannot read."""
    from drug_response.chemistry import read_molecules

    molecules = read_molecules(smiles_by_drug)
    atoms = [atom_features(atom) for molecule in molecules for atom in molecule.GetAtoms()]
    pairs = [
        pair
        for molecule in molecules
        for bond in molecule.GetBonds()
        for pair in (
            (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()),
            (bond.GetEndAtomIdx(), bond.GetBeginAtomIdx()),
        )
    ]
    return MoleculeGraphs(
        np.stack(atoms),
        np.array(pairs, dtype=np.int64).reshape(-1, 2).T,
        np.cumsum([0, *(molecule.GetNumAtoms() for molecule in molecules)]),
        np.cumsum([0, *(2 * molecule.GetNumBonds() for molecule in molecules)]),
    )


def atom_features(atom: Any) -> NDArray[np.float32]:
    """Return the features of one of RDKit's atoms, float32 [78]."""
    element = ELEMENTS.index(atom.GetSymbol()) if atom.GetSymbol() in ELEMENTS else len(ELEMENTS)
    counts = (atom.GetDegree(), atom.GetTotalNumHs(), atom.GetNumImplicitHs())
    values = np.concatenate(
        [
            np.eye(len(ELEMENTS) + 1)[element],
            *(np.eye(LARGEST_COUNT + 1)[min(count, LARGEST_COUNT)] for count in counts),
            [atom.GetIsAromatic()],
        ]
    )
    return (values / values.sum()).astype(np.float32)
