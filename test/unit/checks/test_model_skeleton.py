"""The skeleton of a new model: it is whole, learns, and passes every step of the check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checked_models import findings

from comparator.checks.tiny_benchmark import write_tiny_benchmark
from comparator.errors import InputError
from comparator.formats.finding import FAILS, HOLDS
from comparator.model.scaffold import new_model


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_model("my_ridge", tmp_path_factory.mktemp("models"))


@pytest.mark.long
def test_the_skeleton_passes_every_step(skeleton, tmp_path) -> None:
    found = findings(skeleton, tmp_path)
    assert {each.outcome for each in found.values()} == {HOLDS}, [str(each) for each in found.values()]
    assert {"train.sh", "preprocess.sh", "infer.sh", "module", "data_manifest", "the same seed"} <= set(found)
    assert "DEVICE DATA_FOLDER" in found["train.sh runs"].words
    assert "result lines and val_scores.json: val_loss, val_r2" in found["result"].words
    assert "other numbers" in found["another seed"].words
    assert "noise = 'nonsense'" in found["a bad value, train.sh"].words
    assert "noise = 'nonsense'" in found["a bad value, run(params)"].words
    assert "MB in its largest process" in found["cost"].words


@pytest.mark.long
def test_the_skeleton_is_whole_and_learns(skeleton, tmp_path) -> None:
    files = {path.relative_to(skeleton).as_posix(): path for path in skeleton.rglob("*") if path.suffix != ".pyc"}
    assert {"my_ridge/__init__.py", "my_ridge/__main__.py", "my_ridge.def", "README.md"} <= set(files)
    assert not [name for name, path in files.items() if path.is_file() and "@NAME" in path.read_text()]
    assert all(os.access(path, os.X_OK) for name, path in files.items() if name.endswith(".sh"))
    write_tiny_benchmark(tmp_path)
    beside_ours = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    surroundings = {**os.environ, "IMPROVE_DATA_DIR": str(tmp_path), "PATH": beside_ours}
    surroundings.pop("CANDLE_DATA_DIR", None)
    subprocess.run([files["preprocess.sh"]], env=surroundings, check=True)
    said = {}
    for noise in ("0", "100"):
        done = subprocess.run(
            [files["train.sh"], "--noise", noise], env=surroundings, check=True, capture_output=True, text=True
        )
        said[noise] = {line.split()[1]: float(line.split()[2]) for line in done.stdout.splitlines()}
    assert said["0"]["val_r2:"] > 0.1
    assert said["0"]["val_loss:"] < said["100"]["val_loss:"]


def test_the_skeleton_says_when_the_data_have_no_such_study(skeleton, tmp_path) -> None:
    found = findings(skeleton, tmp_path, settings={"train_sources": ["GDSC9"]})
    assert found["data"].outcome == FAILS
    assert "study 'GDSC9': the data have CCLE, gCSI" in found["data"].words and "--data FOLDER" in found["data"].words
    assert "train.sh runs" not in found


@pytest.mark.parametrize("name", ["9lives", "my-model", "a b", "class", "", "json", "numpy", "../up", "naïve"])
def test_names_that_no_model_can_have(tmp_path, name) -> None:
    with pytest.raises(InputError, match="model '"):
        new_model(name, tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_model_that_is_there_is_left_alone(tmp_path) -> None:
    kept = tmp_path / "my_model"
    kept.mkdir()
    with pytest.raises(InputError, match="is there already"):
        new_model("my_model", tmp_path)
    assert not [*kept.iterdir()]
    with pytest.raises(InputError, match="no such folder"):
        new_model("my_model", tmp_path / "nowhere")
