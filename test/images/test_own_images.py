"""The project's own images: checked, run warm and cold, and compared across kinds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import images
import pytest
from desk import Desk

from comparator.model.reads import LIBRARY_BEGINNINGS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(images.why_not("apptainer") is not None, reason=str(images.why_not("apptainer")))

HYPERPARAMETERS = """
[Global_Params]
model_name = 'cmp'
cmp_0_train_sources = 'CCLE'
cmp_1_train_sources = 'GDSC1'
match_studies = ['CCLE', 'GDSC1']
split = 'cell'
batch_size = 64
learning_rate = 0.003
lr_decay = True
warmup_lr = False
reduce_lr = False
epochs = 2
gene_count = 100
row_limit = 640
"""
SPACE = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "layer_force", "type": "int", "lower": 25, "upper": 60},
]
SAME_STUDY = ("--set", "hyperparameters.cmp_1_train_sources=CCLE")
EXPERIMENT = """
model = "cmp"
hyperparameters = "cmp.txt"
space = "space.json"
[search]
strategy = "random"
evaluations = 2
[confirm]
points = 0
[cmp]
models = [{models}]
"""


class OwnDesk(Desk):
    """A desk at the project's own data."""

    def __init__(self, folder: Path, data: Path) -> None:
        super().__init__(folder)
        self._data = data
        self.write("cmp.txt", HYPERPARAMETERS)
        self.write("own-space.json", json.dumps(SPACE))

    @property
    def environment(self) -> dict[str, str]:
        """Without what this machine says to numeric libraries, which the inside of an image does not know."""
        kept = {name: value for name, value in super().environment.items() if not name.startswith(LIBRARY_BEGINNINGS)}
        return {**kept, "CANDLE_DATA_DIR": str(self._data)}

    def compare(self, identifier: str, first: Path, second: Path, *words: str) -> list[dict[str, Any]]:
        """The records of two evaluations of a comparison, each with its two runs."""
        models = f"{json.dumps(str(first))}, {json.dumps(str(second))}"
        self.write(f"{identifier}.toml", EXPERIMENT.format(models=models).replace("space.json", "own-space.json"))
        done = self.run("search", f"{identifier}.toml", "--id", identifier, "--no-report", *words)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return sorted(self.records(identifier), key=lambda line: line["evaluation"])

    def forget_runs(self) -> None:
        """Empty the store, so that nothing is found that was trained another way."""
        shutil.rmtree(self.experiments / "runs", ignore_errors=True)


@pytest.fixture
def desk(tmp_path: Path, data_folder: Path) -> OwnDesk:
    return OwnDesk(tmp_path, data_folder)


def numbers(lines: list[dict[str, Any]]) -> list[list[dict[str, float]]]:
    assert [line["status"] for line in lines] == ["ok"] * len(lines), lines
    return [[run["metrics"] for run in line["runs"]] for line in lines]


def ways(desk: OwnDesk, lines: list[dict[str, Any]]) -> set[str]:
    """Which ways the runs took, as their logs say: warm, cold, in an image or not."""
    logs = [(desk.experiments / run["log"]).read_text() for line in lines for run in line["runs"]]
    return {"warm" if "comparator: warm server" in log else "cold" for log in logs}


@pytest.mark.parametrize("name", ["uno", "lgbm"])
def test_warm_cold_and_outside_the_image_the_numbers_are_the_same(
    desk: OwnDesk, name: str, request: pytest.FixtureRequest
) -> None:
    image, folder = request.getfixturevalue(name), ROOT / "containers" / name
    warm = desk.compare("warm", image, image)
    assert ways(desk, warm) == {"warm"}
    desk.forget_runs()
    cold = desk.compare("cold", image, image, "--cold")
    assert ways(desk, cold) == {"cold"}
    mixed = desk.compare("mixed", image, folder)
    main = [[run["val_loss"], run["val_r2"]] for pair in numbers(warm) for run in pair]
    for other in (cold, mixed):
        assert [[run["val_loss"], run["val_r2"]] for pair in numbers(other) for run in pair] == main


def test_models_of_other_kinds_are_compared(desk: OwnDesk, uno: Path, lgbm: Path) -> None:
    lines = desk.compare("kinds", uno, lgbm, *SAME_STUDY, "--set", "hyperparameters.cmp_1_n_estimators=20")
    for first, second in numbers(lines):
        # The same rows, whatever learns from them.
        assert first["validation_rows"] == second["validation_rows"]
        assert first["val_label_variance"] == pytest.approx(second["val_label_variance"])
        assert first["val_loss"] != second["val_loss"]


def test_graphdrp_is_compared_with_uno(desk: OwnDesk, uno: Path, graphdrp: Path) -> None:
    small = "conv_channels=[4,8]", "gin_layers=2", "gin_width=16", "drug_features=['none']", "learning_rate=0.001"
    given = [word for each in small for word in ("--set", f"hyperparameters.cmp_1_{each}")]
    lines = desk.compare("graph", uno, graphdrp, *SAME_STUDY, *given, "--set", "search.evaluations=1")
    (first, second), *_ = numbers(lines)
    assert first["training_rows"] == second["training_rows"]
    assert 0 < second["val_loss"] < 1


@pytest.mark.parametrize("name", ["uno", "lgbm", "graphdrp"])
def test_each_image_passes_the_check(desk: OwnDesk, name: str, request: pytest.FixtureRequest) -> None:
    image = request.getfixturevalue(name)
    done = desk.run("model", "check", str(image), "--data", str(desk.environment["CANDLE_DATA_DIR"]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILS" not in done.stdout


def test_another_runtime_runs_the_same_image(desk: OwnDesk, lgbm: Path, tmp_path: Path) -> None:
    reason = images.why_not("charliecloud")
    if reason is not None:
        pytest.skip(reason)
    one = desk.compare("one", lgbm, lgbm)
    desk.forget_runs()
    words = ("search", "one.toml", "--id", "other")
    folder = str(tmp_path / "node")
    done = desk.run(*words, SITE_CONTAINER_RUNTIME="charliecloud", SITE_IMAGE_FOLDER=folder)
    assert done.returncode == 0, done.stderr
    other = sorted(desk.records("other"), key=lambda line: line["evaluation"])
    losses = [[[run["val_loss"] for run in pair] for pair in numbers(lines)] for lines in (one, other)]
    assert losses[0] == losses[1]
