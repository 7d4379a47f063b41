"""GraphDRP's network: molecules through graph isomorphism layers, expression through convolutions.

```
atoms, bonds ─► [sum over neighbours, Dense ReLU Dense, ReLU, batch norm] x 5 ─► sum ─► Dense ReLU dropout ─┐
expression ───► [convolution, max-pool, ReLU] x 3 ─► Dense ─────────────────────────────────────────────────┴─► joined

joined ─► [Dense ReLU dropout] x 2 ─► Dense(1) ─► sigmoid
```

Sources: T. Nguyen, G. T. T. Nguyen, T. Nguyen, D.-H. Le, "Graph convolutional networks for drug response
prediction", IEEE/ACM Transactions on Computational Biology and Bioinformatics, 2021, whose drug network with
graph isomorphism layers this is; the layer is equation 4.1 of K. Xu, W. Hu, J. Leskovec, S. Jegelka, "How powerful are
graph neural networks?", 2019, with epsilon 0. First weights are drawn as PyTorch's layers draw them.

**Speed.** A batch has each cell line and each drug many times. Each is encoded once, and rows look the encodings up.
Batch norm weighs an atom by the rows that its drug has, so the numbers are those of a network that encodes every row.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from drug_response.errors import DataError
from graphdrp.molecules import ATOM_FEATURES


@dataclass(frozen=True)
class Shape:
    """Sizes of a network; `encoding` is the size of a drug's and of a cell line's, `dense` are the joint layers'."""

    genes: int
    gin_layers: int
    gin_width: int
    conv_channels: tuple[int, ...]
    conv_width: int
    conv_pool: int
    encoding: int
    dense: tuple[int, ...]

    @property
    def convolved(self) -> int:
        """The number of places that are left of the genes after the convolutions.

        Raises `DataError` where there are too few genes for them.
        """
        places = self.genes
        for _ in self.conv_channels:
            places = (places - self.conv_width + 1) // self.conv_pool
            if places < 1:
                raise DataError(
                    f"gene_count: {self.genes} genes are too few for {len(self.conv_channels)} conv_channels with "
                    f"conv_width = {self.conv_width} and conv_pool = {self.conv_pool}"
                )
        return places


def network_shape(hyperparameters: Mapping[str, Any], genes: int) -> Shape:
    """Return the network's sizes. `layer_force` sets the dense layers: both encodings and the joint layers."""
    forced = hyperparameters["layer_force"]
    return Shape(
        genes,
        hyperparameters["gin_layers"],
        hyperparameters["gin_width"],
        tuple(hyperparameters["conv_channels"]),
        hyperparameters["conv_width"],
        hyperparameters["conv_pool"],
        forced or hyperparameters["encoding_size"],
        tuple(forced or size for size in hyperparameters["dense"]),
    )


@dataclass(frozen=True)
class Molecules:
    """Distinct drugs of a batch, as one graph.

    `features` is float32 [atoms, 78], `molecule` int64 [atoms] each atom's drug, `rows` float32 [drugs] the number of
    the batch's rows that each drug has; atom `neighbour[i]` is bound to atom `atom[i]`, int64 [twice the bonds].
    """

    features: Tensor
    molecule: Tensor
    atom: Tensor
    neighbour: Tensor
    rows: Tensor


class WeightedBatchNorm(nn.Module):
    """Batch norm of values of which each stands for a number of equal ones.

    The same as `torch.nn.BatchNorm1d` on the values repeated: biased variance in the batch, unbiased in the running
    one, momentum 0.1, epsilon 1e-5.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_variance", torch.ones(width))

    def forward(self, values: Tensor, counts: Tensor) -> Tensor:
        """Normalise values [rows, width] that stand for `counts` [rows] rows each."""
        mean, variance = self.running_mean, self.running_variance
        if self.training:
            total = counts.sum()
            shares = counts / total
            mean = shares @ values
            variance = shares @ (values - mean).square()
            with torch.no_grad():
                self.running_mean.lerp_(mean, 0.1)
                self.running_variance.lerp_(variance * total / (total - 1).clamp(min=1), 0.1)
        return (values - mean) * (self.scale * (variance + 1e-5).rsqrt()) + self.shift


class GraphIsomorphismLayer(nn.Module):
    """Add each atom's neighbours to it, then Dense, ReLU, Dense, ReLU, batch norm."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width)
        self.norm = WeightedBatchNorm(width)

    def forward(self, values: Tensor, molecules: Molecules) -> Tensor:
        """Take and return values of the atoms, [atoms, width]."""
        summed = values.index_add(0, molecules.atom, values[molecules.neighbour])
        values = functional.relu(self.second(functional.relu(self.first(summed))))
        return self.norm(values, molecules.rows[molecules.molecule])


class DrugEncoder(nn.Module):
    """Encode drugs: [drugs, encoding]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [ATOM_FEATURES, *[shape.gin_width] * shape.gin_layers]
        self.layers = nn.ModuleList(map(GraphIsomorphismLayer, widths[:-1], widths[1:]))
        self.dense = nn.Linear(widths[-1], shape.encoding)

    def forward(self, molecules: Molecules) -> Tensor:
        """Sum the atoms of each drug after the last layer, then Dense, ReLU."""
        values = molecules.features
        for layer in self.layers:
            values = layer(values, molecules)
        pooled = values.new_zeros(len(molecules.rows), values.shape[1]).index_add(0, molecules.molecule, values)
        return functional.relu(self.dense(pooled))


class CellLineEncoder(nn.Module):
    """Encode expression [cell lines, genes]: [cell lines, encoding]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = [1, *shape.conv_channels]
        self.layers = nn.ModuleList(
            nn.Conv1d(inputs, outputs, shape.conv_width) for inputs, outputs in itertools.pairwise(channels)
        )
        self.pool = shape.conv_pool
        self.dense = nn.Linear(channels[-1] * shape.convolved, shape.encoding)

    def forward(self, expression: Tensor) -> Tensor:
        """Convolve, pool, ReLU in every layer; then one dense layer, without activation."""
        values = expression[:, None]
        for layer in self.layers:
            # The order of the two changes no number, and ReLU after the pool has less to do.
            values = functional.relu(functional.max_pool1d(layer(values), self.pool))
        return self.dense(values.flatten(1))


class Network(nn.Module):
    """Both encoders and the joint layers; `drug_dropout` acts on drugs' encodings, `dropout` in the joint layers."""

    def __init__(self, shape: Shape, drug_dropout: float, dropout: float) -> None:
        super().__init__()
        self.drugs = DrugEncoder(shape)
        self.cell_lines = CellLineEncoder(shape)
        widths = [2 * shape.encoding, *shape.dense, 1]
        self.joint = nn.ModuleList(map(nn.Linear, widths[:-1], widths[1:]))
        self.drug_dropout, self.dropout = drug_dropout, dropout

    def forward(self, molecules: Molecules, drug: Tensor, expression: Tensor, cell_line: Tensor) -> Tensor:
        """Return predictions [rows] between 0 and 1.

        `molecules` and `expression` [cell lines, genes] hold each drug and cell line once; `drug` and `cell_line`,
        int64 [rows], tell which of them a row has.
        """
        return self.respond(self.drugs(molecules)[drug], self.cell_lines(expression)[cell_line])

    def respond(self, drugs: Tensor, cell_lines: Tensor) -> Tensor:
        """Return predictions [rows] from the encodings of each row's drug and cell line, [rows, encoding]."""
        values = torch.cat([functional.dropout(drugs, self.drug_dropout, self.training), cell_lines], 1)
        *hidden, output = self.joint
        for layer in hidden:
            values = functional.dropout(functional.relu(layer(values)), self.dropout, self.training)
        return torch.sigmoid(output(values))[:, 0]
