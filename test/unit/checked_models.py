"""Models of a few lines, and what the check of a model finds in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comparator.checks.model import Bench, check_model
from comparator.formats.finding import Finding
from comparator.site.profile import Slot

RESULT = 'echo "IMPROVE_RESULT val_loss: 0.5"\n'
TELLING = """
seed = "rng_seed"
[metrics.val_loss]
kind = "error"
[hyperparameters.noise]
type = "float"
[hyperparameters.rng_seed]
type = "int"
"""
#: A warm model whose run is the body of `run(params)`.
MODULE = """
import os, random, time
def initialize_parameters():
    return {{"noise": 0.0, "rng_seed": 1}}
runs = 0
def run(params):
    {body}
"""


def bench(tmp_path: Path, **settings: Any) -> Bench:
    place = tmp_path / "bench"
    place.mkdir()
    return Bench(tmp_path / "containers", Slot(0, None, {"CUDA_VISIBLE_DEVICES": ""}), place, **settings)


def steps(model: Path, tmp_path: Path, **settings: Any) -> Iterator[Finding]:
    return check_model(str(model), bench(tmp_path, **settings))


def findings(model: Path, tmp_path: Path, **settings: Any) -> dict[str, Finding]:
    return {each.what: each for each in steps(model, tmp_path, **settings)}


def assert_found(model: Path, tmp_path: Path, what: str, outcome: str, words: str, **settings: Any) -> None:
    """Go as far as the step `what`, and no further."""
    trial = steps(model, tmp_path, **settings)
    found = next(each for each in trial if each.what == what)
    trial.close()  # type: ignore[attr-defined]
    assert (found.outcome, words in found.words) == (outcome, True), str(found)


def shell_model(tmp_path: Path, script: str, description: str = "", *, name: str = "train.sh") -> Path:
    folder = tmp_path / "shell"
    folder.mkdir()
    (folder / name).write_text("#!/bin/sh\n" + script)
    (folder / name).chmod(0o755)
    if description:
        (folder / "model.toml").write_text(description)
    return folder


def python_model(tmp_path: Path, body: str) -> Path:
    folder = tmp_path / "python"
    folder.mkdir()
    path = folder / "served.py"
    path.write_text(MODULE.format(body=body))
    return path
