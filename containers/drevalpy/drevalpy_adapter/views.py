"""The inputs of drevalpy's models, its "views", as far as the data of this project have them.

A view is what drevalpy knows of each cell line, or each drug, by its name. Genes and bits of the fingerprints are those
of the training's feature tables; their values are as the source has them, for drevalpy's models scale them themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from drevalpy.datasets.dataset import DrugResponseDataset, FeatureDataset
from drevalpy.datasets.utils import CELL_LINE_IDENTIFIER, DRUG_IDENTIFIER, TISSUE_IDENTIFIER
from numpy.typing import NDArray

from drug_response.dataset import Part
from drug_response.errors import DataError
from drug_response.tables import Source

EXPRESSION, FINGERPRINTS = "gene_expression", "fingerprints"


@dataclass(frozen=True)
class Views:
    """The views of a source's cell lines and drugs; `names` are the chosen columns by kind of feature table."""

    source: Source
    names: Mapping[str, Sequence[str]]

    def missing(self, cell_line_views: Sequence[str], drug_views: Sequence[str]) -> list[str]:
        """Return the views that the source does not have."""
        return [
            *(view for view in cell_line_views if view not in self._of_cell_lines()),
            *(view for view in drug_views if view not in self._of_drugs()),
        ]

    def cell_lines(self, views: Sequence[str], parts: Sequence[Part]) -> FeatureDataset:
        """Return what drevalpy knows of the cell lines of some rows: these views, their names, and their tissues.

        Raises `DataError` where the source does not have a view.
        """
        makers = self._of_cell_lines()
        known = [name for name in (CELL_LINE_IDENTIFIER, TISSUE_IDENTIFIER) if name in makers]
        numbers = np.unique(np.concatenate([part.cell_line for part in parts]))
        return _joined(self.source.cell_lines, numbers, makers, [*views, *known], self._meta(views))

    def drugs(self, views: Sequence[str], parts: Sequence[Part]) -> FeatureDataset:
        """Return what drevalpy knows of the drugs of some rows: these views, and their names."""
        numbers = np.unique(np.concatenate([part.drug for part in parts]))
        return _joined(self.source.drugs, numbers, self._of_drugs(), [*views, DRUG_IDENTIFIER], None)

    def responses(self, part: Part, labels: NDArray[Any]) -> DrugResponseDataset:
        """Return rows with the labels to learn, as drevalpy has them."""
        cell_lines, drugs = self.ids(part)
        tissues = None if self.source.cell_types is None else np.asarray(self.source.cell_types[part.cell_line])
        return DrugResponseDataset(np.asarray(labels, dtype=np.float64), cell_lines, drugs, tissues)

    def ids(self, part: Part) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
        """Return the names of the cell lines and of the drugs of some rows."""
        return np.asarray(self.source.cell_lines[part.cell_line]), np.asarray(self.source.drugs[part.drug])

    def _of_cell_lines(self) -> dict[str, _Maker]:
        source = self.source
        makers: dict[str, _Maker] = {
            CELL_LINE_IDENTIFIER: lambda numbers: [np.array([name]) for name in source.cell_lines[numbers]],
            EXPRESSION: lambda numbers: list(self._columns("rnaseq", source.genes, source.expression, numbers)),
        }
        types = source.cell_types
        if types is not None:
            makers[TISSUE_IDENTIFIER] = lambda numbers: [np.array([name]) for name in types[numbers]]
        return makers

    def _of_drugs(self) -> dict[str, _Maker]:
        source = self.source
        makers: dict[str, _Maker] = {
            DRUG_IDENTIFIER: lambda numbers: [np.array([name]) for name in source.drugs[numbers]],
            "smiles": lambda numbers: [np.array([smiles], dtype=object) for smiles in source.smiles[numbers].tolist()],
            "drug_graph": lambda numbers: _graphs(source.drugs[numbers].tolist(), source.smiles[numbers].tolist()),
        }
        bits = source.drug_features.get(FINGERPRINTS)
        if bits is not None:
            makers[FINGERPRINTS] = lambda numbers: list(self._columns(FINGERPRINTS, bits.names, bits.values, numbers))
        return makers

    def _columns(
        self, kind: str, names: NDArray[np.str_], values: NDArray[Any], numbers: NDArray[Any]
    ) -> NDArray[np.float64]:
        place = {name: column for column, name in enumerate(names.tolist())}
        missing = [name for name in self.names[kind] if name not in place]
        if missing:
            raise DataError(
                f"the '{self.source.name}' data lack {len(missing)} of the model's {kind} features,"
                f" {missing[0]} among them"
            )
        columns = [place[name] for name in self.names[kind]]
        return np.asarray(values[numbers][:, columns], dtype=np.float64)

    def _meta(self, views: Sequence[str]) -> dict[str, Any] | None:
        return {EXPRESSION: np.asarray(self.names["rnaseq"])} if EXPRESSION in views else None


#: Makes a view of some cell lines or drugs, which are given by their numbers in the source.
_Maker = Callable[[NDArray[Any]], list[Any]]


def _joined(
    ids: NDArray[np.str_],
    numbers: NDArray[Any],
    makers: Mapping[str, _Maker],
    views: Sequence[str],
    meta: dict[str, Any] | None,
) -> FeatureDataset:
    made = {view: makers[view](numbers) for view in dict.fromkeys(views)}
    features = {str(name): {view: made[view][place] for view in made} for place, name in enumerate(ids[numbers])}
    return FeatureDataset(features, meta)


def _graphs(drugs: Sequence[str], smiles: Sequence[str]) -> list[Any]:
    """Return drugs as drevalpy's graphs. Raises `DataError` that names a drug that RDKit cannot read."""
    from drevalpy.datasets.featurizer.create_drug_graphs import _smiles_to_graph

    graphs = [_smiles_to_graph(each) for each in smiles]
    for drug, graph, text in zip(drugs, graphs, smiles, strict=True):
        if graph is None:
            raise DataError(f"drug {drug!r}: RDKit cannot read its SMILES {text!r}")
    return graphs
