"""`comparator model check` and `comparator model new`: the skeleton passes, and what breaks a model is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import long_but
from three_steps import write_model, write_raw_data

from comparator.checks.model import Bench, check_model
from comparator.checks.tiny_benchmark import SMILES, write_tiny_benchmark
from comparator.cli import main
from comparator.errors import InputError
from comparator.formats.finding import FAILS, HOLDS, UNTESTED, Finding
from comparator.model.scaffold import new_model
from comparator.model.trace import can_trace
from comparator.site.profile import Slot

QUICK = Path(__file__).parents[1] / "models" / "quick.py"
COMPARATOR = [sys.executable, "-c", "from comparator.cli import main; main()"]
BAD_VALUE = "a bad value, train.sh"
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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny data set for models that do not look at it."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_benchmark(folder)
    return folder


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


@pytest.mark.parametrize(
    ("script", "what", "words"),
    [
        ("echo done\n", "train.sh runs", "print a line 'IMPROVE_RESULT val_loss: NUMBER'"),
        (RESULT + "exit 3\n", "train.sh runs", "ends with exit status 3: it must be 0"),
        pytest.param("echo 'no such data' >&2; exit 2\n", "train.sh runs", "no such data", marks=pytest.mark.long),
        ("echo IMPROVE_RESULT val_loss: nan\n", "result", "no finite number"),
        ("echo IMPROVE_RESULT val_lose: 0.5\n", "result", "did you mean 'val_lose'"),
        (RESULT + 'echo x >> "$(dirname "$0")/history.log"\n', "files", "history.log"),
        pytest.param(RESULT + "echo x > ../beside.txt\n", "files", "beside.txt", marks=pytest.mark.long),
        (RESULT + "sleep 60 &\n", "processes", "still running a second after train.sh had ended: sleep"),
        (RESULT, BAD_VALUE, "trained as if nothing were wrong"),
        *long_but(
            (),
            [
                ('case "$*" in *nonsense*) echo wrong; exit 0;; esac\n' + RESULT, BAD_VALUE, "exit status is 0"),
                ('case "$*" in *nonsense*) kill -9 $$;; esac\n' + RESULT, BAD_VALUE, "killed by SIGKILL"),
            ],
        ),
        ("echo IMPROVE_RESULT val_loss: 0.$$\n", "the same seed", "must reach everything"),
    ],
)
def test_what_breaks_a_script(tmp_path, tiny, script, what, words) -> None:
    assert_found(shell_model(tmp_path, script, TELLING), tmp_path, what, FAILS, words, data_folder=tiny)


def test_a_script_that_hangs_is_ended_at_the_limit(tmp_path, tiny) -> None:
    words = "exceeded its limit of 0.5 seconds"
    model = shell_model(tmp_path, "sleep 600\n")
    assert_found(model, tmp_path, "train.sh runs", FAILS, words, limit=0.5, data_folder=tiny)


@pytest.mark.parametrize(
    ("stated", "needed"),
    long_but(
        [("", "improve")],
        [("", "improve"), ("convention = 'candle'\n", "improve"), ("convention = 'improve'\n", "candle")],
    ),
)
def test_a_model_of_the_other_convention_is_found_out(tmp_path, tiny, stated, needed) -> None:
    flags, device = ("result", "refuse") if needed == "improve" else ("refuse", "result")
    script = f"""
result() {{ {RESULT.strip()}; }}
refuse() {{ echo "usage: otherwise" >&2; exit 2; }}
case "$1" in --*) {flags};; *) {device};; esac
"""
    found = findings(shell_model(tmp_path, script, stated), tmp_path, data_folder=tiny)
    assert found["train.sh runs"].outcome == FAILS
    assert "usage: otherwise" in found["train.sh runs"].words
    assert f"needs the line convention = '{needed}'" in found["train.sh runs"].words
    assert found["result"].outcome == HOLDS


def test_a_model_says_by_which_convention_it_is_called(tmp_path, tiny) -> None:
    model = shell_model(tmp_path, f'case "$1" in --*) ;; *) exit 2;; esac\n{RESULT}', "convention = 'improve'\n")
    assert_found(model, tmp_path, "train.sh runs", HOLDS, "called with flags only", data_folder=tiny)


@pytest.mark.parametrize(
    ("script", "outcome", "words"),
    [
        ('echo "a configuration is required"; exit\n', UNTESTED, "left the data folder as it was: a configuration is"),
        ("true\n", HOLDS, "left the data folder as it was"),
        ('mkdir -p "$1/made"; date +%N > "$1/made/table"; echo made\n', HOLDS, "; prepared in "),
    ],
)
def test_that_nothing_was_prepared_is_said(tmp_path, script: str, outcome: str, words: str) -> None:
    model = shell_model(tmp_path, RESULT)
    (model / "preprocess.sh").write_text(script)
    assert_found(model, tmp_path, "data", outcome, words)


STRICT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--lr", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=1)
given = parser.parse_args()
print("epoch 1 of", given.epochs)
print("test mse:", given.lr / given.epochs)
"""


def test_a_script_with_flags_of_its_own_becomes_a_model_as_the_page_says(tmp_path, tiny) -> None:
    page = (Path(__file__).parents[3] / "docs" / "your-models.md").read_text()
    described = page.partition("### A script of its own")[2].partition("```toml\n")[2].partition("```")[0]
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.toml").write_text(described.replace('"train.py"]', '"train.py", "--data", "{data}"]'))
    (model / "train.py").write_text(STRICT)
    (model / "preprocess.py").touch()
    found = findings(model, tmp_path, data_folder=tiny, settings={"epochs": 2})
    assert found["command"].words == "called as python train.py --data '{data}'; it takes 3 flags, by its source"
    assert found["train.py runs"].outcome == HOLDS
    assert "test_mse = 0.25" in found["result"].words
    assert found["a bad value, train.py"].outcome == HOLDS
    assert found["preprocess.sh"].outcome == UNTESTED and "did you mean" not in found["preprocess.sh"].words


def test_of_a_script_that_misses_a_file_of_its_own_it_is_said_how_it_finds_it(tmp_path, tiny) -> None:
    model = tmp_path / "model"
    (model / "tables").mkdir(parents=True)
    (model / "tables" / "x.txt").write_text("0.5")
    (model / "model.toml").write_text('command = ["python", "train.py"]\n')
    (model / "train.py").write_text('print("IMPROVE_RESULT val_loss:", open("./tables/x.txt").read())\n')
    found = findings(model, tmp_path, data_folder=tiny)
    assert found["train.py runs"].words.endswith("links = ['tables'] in model.toml has it there")


def test_of_a_script_that_misses_a_folder_it_is_said_how_it_has_one(tmp_path, tiny) -> None:
    model = tmp_path / "model"
    (model / "src").mkdir(parents=True)
    (model / "model.toml").write_text('command = ["python", "train.py"]\nstart_in = "src"\n')
    (model / "src" / "train.py").write_text('open("../results/deep/x.txt", "w")\n')
    words = findings(model, tmp_path, data_folder=tiny)["train.py runs"].words
    assert words.endswith("folders = ['results/deep'] in model.toml has it there")


def test_of_a_script_whose_number_is_not_found_the_last_that_it_printed_is_said(tmp_path, tiny) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.toml").write_text('command = ["python", "train.py", "--data", "{data}"]\n')
    (model / "train.py").write_text(STRICT)
    words = findings(model, tmp_path, data_folder=tiny)["train.py runs"].words
    assert "[metrics.val_loss] printed = 'WORDS BEFORE IT' in model.toml says where it stands" in words
    assert words.endswith("the last that it printed: test mse: 0.5")


@pytest.mark.long
def test_a_script_of_another_name_is_no_script(tmp_path, tiny) -> None:
    folder = shell_model(tmp_path, RESULT)
    (folder / "Infer.sh").write_text("#!/bin/sh\n")
    found = findings(folder, tmp_path, data_folder=tiny)
    assert found["infer.sh"].outcome == FAILS and "It must be called infer.sh" in found["infer.sh"].words
    assert found["data"].outcome == UNTESTED


def test_three_steps_are_tried_one_by_one(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy")
    data = write_raw_data(tmp_path / "data")
    found = findings(folder, tmp_path, data_folder=data)
    assert "train.sh takes its first word for the device, which a flag would hide" in found["train"].words
    assert found["infer"].words.startswith("called as python toy_infer_improve.py --input_data_dir DATA")
    assert "every training of equal data reads them" in found["data"].words
    assert found["toy_train_improve.py runs"].outcome == HOLDS
    assert "val_scores.json: val_loss, val_r2" in found["result"].words
    assert found["a bad value, toy_train_improve.py"].outcome == HOLDS
    assert found["toy_infer_improve.py runs"].words == "test_scores.json is written"
    assert found["files"].outcome == HOLDS


def test_a_preprocessing_that_fails_is_told_with_its_log(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "toy")
    found = findings(folder, tmp_path, data_folder=write_raw_data(tmp_path / "data"), settings={"scaling": "broken"})
    words = "toy_preprocess_improve.py: scaling = broken: there is no such scaler (log: "
    assert found["data"].outcome == FAILS and words in found["data"].words
    assert "toy_train_improve.py runs" not in found


@pytest.mark.long
def test_scripts_that_do_not_start_by_themselves_are_run_by_a_shell(tmp_path, tiny) -> None:
    folder = shell_model(tmp_path, RESULT)
    (folder / "train.sh").chmod(0o644)
    (folder / "preprocess.sh").write_text("true\n")
    (folder / "preprocess.sh").chmod(0o755)
    found = findings(folder, tmp_path, data_folder=tiny)
    assert str(found["train.sh"]) == "holds    train.sh: not executable: /bin/sh runs it"
    assert found["preprocess.sh"].words == "no first line that says by what it is run: bash runs it"
    assert found["data"].outcome == found["train.sh runs"].outcome == HOLDS


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


@pytest.mark.parametrize(
    ("body", "what", "outcome", "words"),
    [
        ("return 0.5 + params['noise']", "the same seed", HOLDS, "run(params) twice: equal numbers"),
        ("return 0.5 + params['noise']", "another seed", HOLDS, "it changes nothing here"),
        ("return random.Random(params['rng_seed']).random() + float(params['noise'])", "another seed", HOLDS, "other"),
        ("return random.random()", "the same seed", FAILS, "must reach everything"),
        ("return 0.5", "a bad value, run(params)", FAILS, "raised as ValueError"),
        ("return 0.5 + params['noise']", "a bad value, run(params)", HOLDS, "it would help to name 'noise'"),
        ("return 'well'", "run(params)", FAILS, "expected a number"),
        ("time.sleep(600)", "run(params)", FAILS, "exceeded its limit"),
        ("open(__file__ + '.log', 'w'); return 0.5", "files", FAILS, "served.py.log"),
        ("return 0.5", "an unknown name", HOLDS, "ignored by run(params), without a word"),
        ("assert len(params) < 7; return 0.5 + params['noise']", "an unknown name", HOLDS, "ignored"),
        ("return {**params}['no_such_hyperparameter']", "run(params)", FAILS, "KeyError"),
    ],
)
def test_models_of_python_alone(tmp_path, tiny, body, what, outcome, words) -> None:
    limit = 0.5 if "sleep" in body else 60.0
    assert_found(python_model(tmp_path, body), tmp_path, what, outcome, words, limit=limit, data_folder=tiny)


#: A model of which trainings by one call are what follows.
TOGETHER = """
def train(params):
    return {{"val_loss": 0.5 + params["rng_seed"] / 8}}
run = train
def run_many(params_list):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("return [train(each) for each in params_list]", HOLDS, "each by run(params): equal numbers: val_loss"),
        (
            "return [train(each)['val_loss'] + 1e-6 for each in params_list]",
            HOLDS,
            "equal numbers, but for last digits: val_loss",
        ),
        (
            "return [train(params_list[0])] * len(params_list)",
            FAILS,
            "val_loss 0.75 and 0.625; each has to come out as",
        ),
        (
            "return [train(each)['val_loss'] + 0.01 for each in params_list]",
            UNTESTED,
            "val_loss 0.625 and 0.635, which is more than last digits, and less than two seeds differ by",
        ),
        ("return [train(each)['val_loss'] + 0.1 for each in params_list]", FAILS, "val_loss 0.625 and 0.725; each has"),
        ("return [train(each) for each in params_list][::-1]", FAILS, "val_loss 0.625 and 0.75; each has to come out"),
        ("return [train(each) for each in params_list[1:]]", FAILS, "a list of 1: expected a list of 2"),
        ("return [ValueError('not this one')] * len(params_list)", FAILS, "ValueError: not this one"),
        ("return params_list['first']", FAILS, "TypeError: list indices must be integers"),
        ("raise NotImplementedError('no GPU')", UNTESTED, "it takes none together here: no GPU"),
    ],
)
def test_trainings_by_one_call_are_what_they_are_by_themselves(tmp_path, tiny, body, outcome, words) -> None:
    model = tmp_path / "several.py"
    model.write_text(TOGETHER.format(body=body))
    assert_found(model, tmp_path, "run_many(params_list)", outcome, words, data_folder=tiny)


#: A training that is chaotic: what differs in the last digit grows with each epoch, and soon is all that there is.
CHAOTIC = """
def initialize_parameters():
    return {"epochs": 1, "rng_seed": 1}
def train(params, disturbed):
    x = 0.3 + params["rng_seed"] / 100 + disturbed
    for _ in range(params["epochs"]):
        x = 3.99 * x * (1 - x)
    return {"val_loss": x}
def run(params):
    return train(params, 0.0)
def run_many(params_list):
    return [train(DISTURBED, 1e-12) for each in params_list]
"""


@pytest.mark.parametrize(
    ("given", "outcome", "words"),
    [("each", HOLDS, "but for last digits"), ("params_list[0]", FAILS, "each has to come out as by itself")],
)
def test_a_chaotic_training_of_many_epochs_is_compared_after_one(tmp_path, tiny, given, outcome, words) -> None:
    model = tmp_path / "chaotic.py"
    model.write_text(CHAOTIC.replace("DISTURBED", given))
    long = {"settings": {"epochs": 200}}
    assert_found(model, tmp_path, "run_many(params_list)", outcome, words, data_folder=tiny, **long)


def test_trainings_by_one_call_that_no_search_would_see_are_told(tmp_path, tiny) -> None:
    model = tmp_path / "several.py"
    model.write_text("def run(params): return params['rng_seed']\nglobals()['run_many'] = lambda several: several\n")
    words = "it is there, and is not used: several.toml needs the line run_many = true"
    assert_found(model, tmp_path, "run_many(params_list)", UNTESTED, words, data_folder=tiny)


NOTHING = "nothing to compare: no val_loss; it reported r2, rmse: --metric rmse"


@pytest.mark.parametrize(
    ("body", "metric", "what", "outcome", "words"),
    [
        ("return {'r2': .5, 'rmse': .1}", None, "result", FAILS, "not among them; it reported r2, rmse: --metric rmse"),
        ("return {'r2': .5, 'rmse': .1}", None, "the same seed", UNTESTED, f"run(params) twice: {NOTHING}"),
        ("return {'r2': .5, 'rmse': random.random()}", None, "another seed", UNTESTED, f"run(params): {NOTHING}"),
        ("return {'r2': .5, 'rmse': params['rng_seed']}", "rmse", "another seed", HOLDS, "numbers: rmse 1.0 and 2.0"),
        ("return {'r2': .5, 'rmse': .1}", "rmse", "another seed", HOLDS, "rmse: it changes nothing here"),
        ("return {'r2': .5, 'rmse': .1}", "rmse", "the same seed", HOLDS, "run(params) twice: equal numbers: rmse"),
        ("return {'val_loss': float('nan')}", None, "the same seed", UNTESTED, "compare: val_loss is no finite number"),
        ("return {'val_loss': float('nan')}", None, "another seed", UNTESTED, "compare: val_loss is no finite number"),
    ],
)  # fmt: skip
def test_what_compared_nothing_does_not_hold(tmp_path, tiny, body, metric, what, outcome, words) -> None:
    assert_found(python_model(tmp_path, body), tmp_path, what, outcome, words, metric=metric, data_folder=tiny)


def test_metrics_that_the_description_lacks_cannot_be_asked_for(tmp_path, tiny) -> None:
    model = shell_model(tmp_path, "echo IMPROVE_RESULT rmse: 0.1\n", TELLING)
    words = "it reported rmse, of which the model describes none"
    assert_found(model, tmp_path, "the same seed", UNTESTED, words, data_folder=tiny)


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


@pytest.mark.long
@pytest.mark.parametrize(
    ("scores", "outcome", "words"),
    [
        ("{}", FAILS, "wrote a test_scores.json without a number"),
        ('{"mse": "n/a"}', FAILS, "wrote a test_scores.json without a number"),
        ("", FAILS, "wrote a test_scores.json without a number"),
        ('{"mse": 0.5, "study": "CCLE"}', HOLDS, "test_scores.json is written"),
    ],
)
def test_scores_without_a_number_are_no_inference(tmp_path, tiny, scores, outcome, words) -> None:
    model = shell_model(tmp_path, RESULT, TELLING)
    last_flag = 'for folder in "$@"; do :; done\n'
    (model / "infer.sh").write_text(f"#!/bin/sh\n{last_flag}echo '{scores}' > \"$folder/test_scores.json\"\n")
    (model / "infer.sh").chmod(0o755)
    assert_found(model, tmp_path, "infer.sh runs", outcome, words, data_folder=tiny)


@pytest.mark.parametrize(
    ("printed", "returned", "outcome", "words"),
    [
        ("0.5", "0.25", FAILS, "train.sh and run(params) twice: val_loss 0.5 and 0.25"),
        ("0.3333", "1 / 3", HOLDS, "equal numbers, but for rounding"),
        ("0.3335", "1 / 3", FAILS, "val_loss 0.3335 and 0.33333"),
        ("0.1", "globals().update(runs=runs + 1) or runs / 10", FAILS, "no run may depend on the one before"),
    ],
)
def test_a_module_must_give_the_numbers_of_its_script(tmp_path, tiny, printed, returned, outcome, words) -> None:
    folder = shell_model(tmp_path, f"echo IMPROVE_RESULT val_loss: {printed}\n", 'module = "served"\n' + TELLING)
    (folder / "served.py").write_text(MODULE.format(body=f"return {returned}"))
    assert_found(folder, tmp_path, "the same seed", outcome, words, data_folder=tiny)


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not on the PATH, or may not trace here")


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("return float(open('{numbers}').read())", HOLDS, "the model's files and the data folder, with {numbers}"),
        ("return float(open(os.environ['CANDLE_DATA_DIR'] + '/seen.txt').read())", HOLDS, "and the data folder"),
        (
            "import subprocess; return float(subprocess.check_output(['cat', '{numbers}']))",
            UNTESTED,
            "cat cannot be seen",
        ),
    ],
)
def test_what_a_module_reads_is_told(tmp_path, tiny, body, outcome, words) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("0.5")
    (tiny / "seen.txt").write_text("0.25")
    model = python_model(tmp_path, body.format(numbers=numbers))
    assert_found(model, tmp_path, "what run(params) reads", outcome, words.format(numbers=numbers), data_folder=tiny)


@needs_strace
def test_files_that_a_module_opens_past_python_are_found_and_named_they_count(tmp_path, tiny) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("0.5")
    body = f"import ctypes; ctypes.CDLL(None).fopen(b'{numbers}', b'r'); return 0.5"
    model = python_model(tmp_path, body)
    what = "what run(params) reads"
    words = f"opens past Python are not noticed: {numbers}; name them in code = [...] in {model.with_suffix('.toml')}"
    assert_found(model, tmp_path, what, FAILS, words, data_folder=tiny)
    model.with_suffix(".toml").write_text(f'code = ["{numbers}"]\n')
    shutil.rmtree(tmp_path / "bench")
    assert_found(model, tmp_path, what, HOLDS, "part of a run's identity", data_folder=tiny)


@needs_strace
def test_of_many_files_that_a_script_reads_the_folders_are_proposed(tmp_path, tiny) -> None:
    tables = tmp_path / "tables"
    for number in range(20):
        (tables / str(number % 4)).mkdir(parents=True, exist_ok=True)
        (tables / str(number % 4) / f"{number}.txt").write_text("0.1")
    files = " ".join(str(tables / str(number % 4) / f"{number}.txt") for number in range(20))
    model = shell_model(tmp_path, f"cat {files}\necho 'IMPROVE_RESULT val_loss: 0.1'\n", TELLING)
    words = findings(model, tmp_path, data_folder=tiny)["what train.sh reads"].words
    assert sorted(words.rpartition("code = ")[2].strip("[]").split(", ")) == [f'"{tables / name}"' for name in "0123"]


@pytest.mark.long
@needs_strace
def test_a_script_says_what_it_reads_by_the_lines_that_are_proposed(tmp_path, tiny) -> None:
    numbers, tool, what = tmp_path / "numbers.txt", tmp_path / "tool.sh", "what train.sh reads"
    numbers.write_text("0.5")
    tool.write_text(f'#!/bin/sh\necho "IMPROVE_RESULT val_loss: $(cat {numbers} "$1")"\n')
    tool.chmod(0o755)
    (tiny / "more").mkdir(exist_ok=True)
    (tiny / "more" / "digits.txt").write_text("25")
    model = shell_model(tmp_path, f'{tool} "$CANDLE_DATA_DIR/more/digits.txt"\n', TELLING)
    trial = findings(model, tmp_path, data_folder=tiny)[what]
    assert trial.outcome == UNTESTED
    lines = trial.words.rpartition(" it takes ")[2].removeprefix("the line ").split(" and the line ")
    assert lines == ['reads = ["more"]', f'code = ["{tool}", "{numbers}"]']

    for kept, outcome, words in (
        (lines[:1], FAILS, f"old numbers can pass for new ones: {tool}, {numbers}; name it there in code = [...]"),
        (lines, HOLDS, "nothing that is not part of a run's identity"),
    ):
        (model / "model.toml").write_text("\n".join(kept) + TELLING)
        shutil.rmtree(tmp_path / "bench")
        assert_found(model, tmp_path, what, outcome, words, data_folder=tiny)


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
