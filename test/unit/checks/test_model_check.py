"""`comparator model check`: its command, and what holds for every model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from checked_models import RESULT, TELLING, assert_found, findings, python_model, shell_model

from comparator.checks.tiny_benchmark import SMILES, write_tiny_benchmark
from comparator.cli import main
from comparator.errors import InputError
from comparator.formats.finding import FAILS, HOLDS, UNTESTED

QUICK = Path(__file__).parents[1] / "models" / "quick.py"
COMPARATOR = [sys.executable, "-c", "from comparator.cli import main; main()"]


@pytest.mark.parametrize(
    ("description", "what", "words"),
    [
        ("nam = 'x'\n", "found", "unknown key 'nam' (did you mean 'name'?)"),
        (TELLING.replace('seed = "rng_seed"', 'seed = "rng_sed"'), "seed", "did you mean 'rng_seed'"),
        (TELLING.replace('seed = "rng_seed"', ""), "seed", "add the line seed = 'rng_seed'"),
        ("python_path = ['elsewhere']\n", "python_path", "elsewhere"),
        ("module = 'no_such_module'\n", "module", "No module named 'no_such_module'"),
        ("data_manifest = 'made/manifest.json'\n", "data_manifest", "no such file"),
    ],
)
def test_what_is_wrong_in_a_description(tmp_path, tiny, description, what, words) -> None:
    assert_found(shell_model(tmp_path, RESULT, description), tmp_path, what, FAILS, words, data_folder=tiny)


def test_a_seed_that_nothing_lists_is_untested(tmp_path, tiny) -> None:
    model = shell_model(tmp_path, RESULT, 'seed = "rng_seed"\n')
    assert_found(model, tmp_path, "seed", UNTESTED, "no hyperparameters are known", data_folder=tiny)


def test_an_empty_manifest_tells_no_data_from_others(tmp_path, tiny) -> None:
    model = shell_model(tmp_path, RESULT, "data_manifest = 'empty.json'\n" + TELLING)
    (model / "preprocess.sh").write_text('#!/bin/sh\n: > "$1"/empty.json\n')
    (model / "preprocess.sh").chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    assert_found(model, tmp_path, "data_manifest", FAILS, "this file is empty", data_folder=data)


def test_settings_and_the_seed_are_the_models_in_any_case(tmp_path, tiny) -> None:
    model = python_model(tmp_path, "return params['noise'] + params['RNG_Seed'] / 100")
    model.write_text(model.read_text().replace('"rng_seed"', '"RNG_Seed"'))
    settings = {"NOISE": 3, "rng_seed": 7}
    found = findings(model, tmp_path, data_folder=tiny, settings=settings)
    assert "val_loss = 3.07" in found["result"].words and found["seed"].words == "RNG_Seed takes it"
    assert "3.07 and 3.08" in found["another seed"].words


def test_no_such_model_and_no_such_metric_are_mistakes(tmp_path) -> None:
    with pytest.raises(InputError, match="no model at"):
        findings(tmp_path / "nowhere", tmp_path)
    shutil.rmtree(tmp_path / "bench")
    with pytest.raises(InputError, match="did you mean 'val_loss'"):
        findings(shell_model(tmp_path, RESULT, TELLING), tmp_path, metric="val_los")


@pytest.mark.long
def test_the_command_and_its_exit_status(tmp_path) -> None:
    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
        return subprocess.run(
            [*COMPARATOR, "model", *words], cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False
        )

    (tmp_path / "tmp").mkdir()
    (tmp_path / "quick.py").write_text(QUICK.read_text())
    held = typed("check", "quick.py", "--json", "--set", "noise=3")
    assert held.returncode == 0
    assert {each["what"]: each["outcome"] for each in json.loads(held.stdout)}["result"] == HOLDS
    assert not [*(tmp_path / "tmp").iterdir()]
    failed = typed("check", "quick.py", "--set", "behave=raise")
    assert failed.returncode == 1
    assert "FAILS    run(params): RuntimeError: the model broke" in failed.stdout
    kept = Path(failed.stdout.splitlines()[-1].removeprefix("what was tried, and its logs: "))
    assert "Traceback" in next(kept.glob("runs/*-serve/model.log")).read_text()


def test_what_is_typed_wrong(tmp_path, monkeypatch, capsys) -> None:
    for words, said in (
        (["check", "quick.py", "--data", str(tmp_path / "nowhere")], f"--data {tmp_path / 'nowhere'}: no such folder"),
        (["check", "quick.py", "--set", "noise"], "'noise' is not KEY=VALUE, such as epochs=10"),
        (["check", "quick.py", "--set", "a=1", "--set", "A=2"], "--set A=2: 'A' is set twice: 'a' is 1 already"),
        (["new", "my-model"], "model 'my-model': must be a letter, then"),
    ):
        monkeypatch.setattr(sys, "argv", ["comparator", "model", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


def test_the_tiny_data_set_is_a_benchmark(tmp_path) -> None:
    from drug_response.improve import read

    places = tmp_path / "one", tmp_path / "two"
    for place in places:
        place.mkdir()
        write_tiny_benchmark(place)
    for path in places[0].rglob("*.t?t"):
        assert path.read_bytes() == (places[1] / path.relative_to(places[0])).read_bytes()
    source = read(places[0] / "raw_data")
    assert {study: len(rows) for study, rows in source.responses.items()} == {"CCLE": 480, "gCSI": 240}
    assert source.expression.shape == (30, 1000) and len(set(source.structures)) == len(SMILES) == 16
    assert {"descriptors", "fingerprints", "mordred"} == set(source.drug_features)
    assert [np.count_nonzero(source.splits["CCLE"][0] == part) for part in (1, 2, 3)] == [384, 48, 48]
