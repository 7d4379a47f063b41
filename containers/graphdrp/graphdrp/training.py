"""GraphDRP's part of a training: its network, its batches, and what is kept of it on disk.

`model.npz` holds the network's weights and the running means and variances of its batch norms after the last epoch,
which the reported metrics are of, under their names in the network.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from drug_response.dataset import Part
from drug_response.epochs import train_epochs
from drug_response.errors import DataError
from drug_response.hyperparameters import data_folder, seed_of
from drug_response.output import SavedModel, no_model, write_model
from drug_response.tables import Source
from drug_response.training import Task, Trained
from graphdrp.molecules import MoleculeGraphs, read_graphs
from graphdrp.network import Molecules, Network, network_shape

#: Loss by name: from predictions and labels, both [rows], to one number.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": functional.mse_loss, "mae": functional.l1_loss}

#: Cell lines that are encoded, and rows that are predicted, at once; bounds memory.
ENCODED_AT_ONCE, PREDICTED_AT_ONCE = 256, 16384


def choose_device() -> torch.device:
    """Return the first device of CUDA_VISIBLE_DEVICES that PyTorch can use, else the processor.

    It computes in one thread: small networks lose by more. The environment may say otherwise, by OMP_NUM_THREADS.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Inputs:
    """The features that rows point into, on the device: drugs' graphs, and expression [cell lines, genes]."""

    def __init__(self, graphs: MoleculeGraphs, expression: NDArray[np.float32], device: torch.device) -> None:
        self.graphs = graphs
        self.atoms = torch.from_numpy(graphs.atoms).to(device)
        self.expression = torch.from_numpy(expression).to(device)
        self.device = device

    def with_expression(self, expression: NDArray[np.float32]) -> Inputs:
        """Return the same drugs with other expression."""
        other = copy.copy(self)
        other.expression = torch.from_numpy(expression).to(self.device)
        return other

    def index(self, numbers: NDArray[Any]) -> Tensor:
        """Return numbers of rows as int64 on the device."""
        return torch.from_numpy(numbers.astype(np.int64)).to(self.device)

    def molecules(self, drugs: NDArray[Any], rows: NDArray[Any]) -> Molecules:
        """Return distinct drugs, by their numbers in the source, that have so many rows each."""
        batch = self.graphs.choose(drugs)
        molecule, atom, neighbour = map(self.index, (batch.molecule, batch.atom, batch.neighbour))
        return Molecules(self.atoms[self.index(batch.atoms)], molecule, atom, neighbour, self.index(rows).float())


def fit(task: Task) -> Trained:
    """Train the network that the hyperparameters ask for. Raises `DataError` where the labels are of another range."""
    hyperparameters, dataset = task.hyperparameters, task.dataset
    if not 0 <= task.labels.training_mean <= 1:
        raise DataError(
            f"agg_dose = '{hyperparameters['agg_dose']}': the mean label is {task.labels.training_mean:.3g}, and "
            f"GraphDRP predicts between 0 and 1, as AUC is"
        )
    inputs = Inputs(read_graphs(dataset.source, data_folder()), dataset.tables[0], choose_device())
    learned, validated = (
        inputs.with_expression(tables[0]) for tables in (task.tables.training, task.tables.validation)
    )
    network = _network(hyperparameters, inputs)
    weights = sum(parameter.numel() for parameter in network.parameters())
    print(f"{weights} weights, on {inputs.device}")
    epochs_asked, batch_size = hyperparameters["epochs"], hyperparameters["batch_size"]
    loss_of = LOSSES[hyperparameters["loss"]]
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    steps = len(task.training) // batch_size
    wanted = torch.from_numpy(task.labels.training).to(inputs.device)

    def train_epoch(epoch: int, order: NDArray[np.int32]) -> float:
        network.train()
        total = torch.zeros((), device=inputs.device)
        for step in range(steps):
            rows = order[step * batch_size : (step + 1) * batch_size]
            done = (epoch * steps + step) / (epochs_asked * steps) if hyperparameters["lr_decay"] else 0.0
            optimizer.param_groups[0]["lr"] = hyperparameters["learning_rate"] * (1.0 - done)
            loss = loss_of(_forward(network, learned, task.training, rows), wanted[inputs.index(rows)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / steps

    def save(folder: Path) -> None:
        state = {name: value.cpu().numpy() for name, value in network.state_dict().items()}
        write_model(folder, hyperparameters, dataset, state, {})

    epochs = train_epochs(task, train_epoch, lambda epoch: predict(network, validated, task.validation))
    facts = {
        "epochs_done": len(epochs.history["loss"]),
        "timed_out": int(epochs.timed_out),
        "weights": weights,
    }
    return Trained(
        epochs.history,
        epochs.validated,
        training_rows=steps * batch_size,
        facts=facts,
        predict=lambda part: predict(network, inputs, part),
        save=save,
    )


def _network(hyperparameters: Mapping[str, Any], inputs: Inputs) -> Network:
    """Return a new network. The run's seed draws its weights and, after them, the dropout of its training.

    Where its weights have a seed of their own, the dropout is what it were without.
    """
    shape = network_shape(hyperparameters, inputs.expression.shape[1])
    dropouts = hyperparameters["drug_dropout"], hyperparameters["dropout"]
    torch.manual_seed(hyperparameters["rng_seed"])
    network = Network(shape, *dropouts)
    first_weights = seed_of(hyperparameters, "initialization_seed")
    if first_weights != hyperparameters["rng_seed"]:
        with torch.random.fork_rng():
            torch.manual_seed(first_weights)
            network = Network(shape, *dropouts)
    return network.to(inputs.device)


def _forward(network: Network, inputs: Inputs, part: Part, rows: NDArray[Any]) -> Tensor:
    """Return the network's output for some rows of a part, each drug and each cell line encoded once."""
    drugs, drug, counts = np.unique(part.drug[rows], return_inverse=True, return_counts=True)
    cell_lines, cell_line = np.unique(part.numbers[rows, 0], return_inverse=True)
    return network(
        inputs.molecules(drugs, counts),
        inputs.index(drug),
        inputs.expression[inputs.index(cell_lines)],
        inputs.index(cell_line),
    )


def predict(network: Network, inputs: Inputs, part: Part) -> NDArray[np.float32]:
    """Return predictions, float32 [rows], without dropout, by the batch norms' running means and variances."""
    network.eval()
    drugs, drug, counts = np.unique(part.drug, return_inverse=True, return_counts=True)
    cell_lines, cell_line = np.unique(part.numbers[:, 0], return_inverse=True)
    with torch.no_grad():
        encoded_drugs = network.drugs(inputs.molecules(drugs, counts))
        parts = inputs.index(cell_lines).split(ENCODED_AT_ONCE)
        encoded_cell_lines = torch.cat([network.cell_lines(inputs.expression[chosen]) for chosen in parts])
        rows = zip(
            inputs.index(drug).split(PREDICTED_AT_ONCE), inputs.index(cell_line).split(PREDICTED_AT_ONCE), strict=True
        )
        predictions = [network.respond(encoded_drugs[d], encoded_cell_lines[c]) for d, c in rows]
    return torch.cat(predictions).cpu().numpy()


def load(
    folder: Path, model: SavedModel, source: Source, tables: Sequence[NDArray[np.float32]]
) -> Callable[[Part], NDArray[np.float32]]:
    """Return what predicts with a saved network."""
    inputs = Inputs(read_graphs(source, data_folder()), tables[0], choose_device())
    network = _network(model.hyperparameters, inputs)
    try:
        state = {name: torch.from_numpy(model.arrays[name]) for name in network.state_dict()}
        network.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise no_model(folder, error) from None
    return lambda part: predict(network, inputs, part)
