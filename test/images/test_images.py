"""Small models in images, run by the container runtimes of this machine. Skipped where there is none."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import images
import pytest
from desk import Desk

from comparator.errors import InputError
from comparator.model.model import Model
from comparator.model.references import find_model
from comparator.model.runners.runner import make_runner
from comparator.model.training import Outcome, Training
from comparator.site.folders import project_root
from comparator.site.profile import Slot, read_site

MODELS = Path(__file__).parents[1] / "unit" / "models"
TELLS_ALL = """#!/bin/sh
for word in "$@"; do echo "word: $word"; done
env
echo kept > "$2/from-the-image.txt"
echo lost > /usr/elsewhere.txt || echo "its own files are read-only"
echo passing > /tmp/of-the-image.txt
echo "IMPROVE_RESULT val_loss: 0.25"
"""
SERVED = """
name = "Served"
module = "quick"
seed = "rng_seed"
[hyperparameters.noise]
[hyperparameters.size]
[hyperparameters.side]
[hyperparameters.rng_seed]
[hyperparameters.behave]
[hyperparameters.output_dir]
"""
COLD = """#!/bin/sh
cd "$IMPROVE_MODEL_DIR"
exec python3 -c '
import sys, quick
words = sys.argv[3:]
given = {name[2:]: value for name, value in zip(words[::2], words[1::2])}
made = quick.run({**quick.initialize_parameters(), **given, "rng_seed": int(given["rng_seed"])})
print("IMPROVE_RESULT val_r2:", made["val_r2"])
print("IMPROVE_RESULT val_loss:", made["val_loss"][-1])
' "$@"
"""
EXPERIMENT = """
model = "cmp"
space = "space.json"
[search]
strategy = "random"
evaluations = 3
[confirm]
points = 0
[cmp]
models = [{models}]
[set]
cmp_0_side = "left"
cmp_1_side = "right"
"""


@pytest.fixture(params=["apptainer", "charliecloud"])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Each of the runtimes that this machine has, as the site's."""
    name: str = request.param
    reason = images.why_not(name)
    if reason is not None:
        pytest.skip(reason)
    monkeypatch.setenv("SITE_CONTAINER_RUNTIME", name)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return name


@pytest.fixture
def desk(tmp_path: Path, runtime: str) -> Desk:
    folder = tmp_path / "a desk, with a comma"
    (folder / "data").mkdir(parents=True)
    return Desk(folder)


def find(name: str, folder: Path) -> Model:
    """The model in an image, as a plan at the site `local` finds it."""
    return find_model(name, folder, folder, "cmp.txt", read_site("local", project_root()))


def search(desk: Desk, identifier: str, *models: Path, words: tuple[str, ...] = (), **environment: str) -> Any:
    quoted = ", ".join(json.dumps(str(model)) for model in models)
    desk.write("images.toml", EXPERIMENT.format(models=quoted))
    done = desk.search("images.toml", "--id", identifier, *words, **environment)
    assert done.returncode == 0, done.stderr
    return {line["evaluation"]: line for line in desk.records(identifier)}


def log_of(desk: Desk, line: dict[str, Any], submodel: int = 0) -> str:
    return (desk.experiments / line["runs"][submodel]["log"]).read_text()


def test_an_image_is_called_as_candle_calls_it(desk: Desk) -> None:
    image = images.make_image(desk.folder / "alone.sif", {"/usr/local/bin/train.sh": TELLS_ALL})
    lines = search(desk, "called", image, image, CUDA_VISIBLE_DEVICES="", SECRET="of the host")
    assert [line["status"] for line in lines.values()] == ["ok"] * 3
    told = log_of(desk, lines[0])
    words = [line.removeprefix("word: ") for line in told.splitlines() if line.startswith("word: ")]
    assert words[:2] == ["-1", "/candle_data_dir"]
    flags = dict(zip(words[2::2], words[3::2], strict=True))
    assert flags["--experiment_id"] == "called" and flags["--run_id"] == "00000-0-0" and flags["--side"] == "left"
    assert "--output_dir" not in flags
    assert "\nCANDLE_DATA_DIR=/candle_data_dir\n" in told and "SECRET" not in told
    assert "its own files are read-only" in told
    assert not Path("/tmp/of-the-image.txt").exists() and not list(desk.experiments.glob("runs/*/*/.tmp"))
    assert (desk.folder / "data" / "from-the-image.txt").read_text() == "kept\n"


def test_warm_cold_and_outside_an_image_the_numbers_are_the_same(desk: Desk) -> None:
    files = {
        "/usr/local/bin/train.sh": COLD,
        "/model/quick.py": (MODELS / "quick.py").read_text(),
        "/model/model.toml": SERVED,
    }
    image = images.make_image(desk.folder / "served.sif", files, python=True)
    outside = MODELS / "quick.py"
    warm = search(desk, "warm", image, image)
    assert "warm server, run" in log_of(desk, warm[0])
    shutil.rmtree(desk.experiments / "runs")
    cold = search(desk, "cold", image, image, words=("--cold",))
    assert "a process of its own" in log_of(desk, cold[0])
    mixed = search(desk, "mixed", image, outside)
    for number, line in warm.items():
        losses = [run["metrics"]["val_loss"] for run in line["runs"]]
        for other in (cold[number], mixed[number]):
            assert [run["metrics"]["val_loss"] for run in other["runs"]] == losses


def test_an_images_digest_is_part_of_a_runs_identity(desk: Desk) -> None:
    one = images.make_image(desk.folder / "one.sif", {"/usr/local/bin/train.sh": TELLS_ALL})
    other = images.make_image(desk.folder / "other.sif", {"/usr/local/bin/train.sh": TELLS_ALL + "# changed\n"})
    runs = [line["runs"] for line in search(desk, "identity", one, other).values()]
    assert all(first["run"] != second["run"] for first, second in runs)
    frozen = json.loads((desk.experiments / "identity" / "experiment.json").read_text())["models"]
    assert frozen[0]["identity"] != frozen[1]["identity"]


def test_nothing_is_left_of_a_run_that_exceeds_its_limit(desk: Desk) -> None:
    mark = f"3600{time.time_ns() % 1000}"
    script = TELLS_ALL + f"sleep {mark}\n"
    image = images.make_image(desk.folder / "slow.sif", {"/usr/local/bin/train.sh": script})
    quoted = f"{json.dumps(str(image))}, {json.dumps(str(image))}"
    desk.write("slow.toml", "run_timeout = 3\n" + EXPERIMENT.format(models=quoted))
    done = desk.search("slow.toml", "--id", "slow", "--set", "search.evaluations=1")
    assert done.returncode == 1
    assert [line["status"] for line in desk.records("slow")] == ["timeout"]
    assert subprocess.run(["pgrep", "-f", f"sleep {mark}"], capture_output=True).stdout == b""


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("missing.sif", None, "no such file"),
        ("nonsense.sif", "this is no image", "image"),
        ("other.sif", {"/usr/local/bin/predict.sh": TELLS_ALL}, "there is no train.sh on its PATH"),
        (
            "described.sif",
            {"/usr/local/bin/train.sh": TELLS_ALL, "/model/model.toml": 'nmae = "X"'},
            "unknown key 'nmae' (did you mean 'name'?)",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(
    runtime: str, tmp_path: Path, name: str, files: Any, words: str
) -> None:
    if isinstance(files, str):
        (tmp_path / name).write_text(files)
    elif files is not None:
        images.make_image(tmp_path / name, files)
    with pytest.raises(InputError) as refused:
        find(name, tmp_path)
    assert words in str(refused.value) and "\n" not in str(refused.value) and name in str(refused.value)


def test_a_script_that_is_not_executable_is_named(runtime: str, tmp_path: Path) -> None:
    root = images.make_image(tmp_path / "locked", {"/usr/local/bin/train.sh": TELLS_ALL})
    (root / "usr/local/bin/train.sh").chmod(0o644)
    with pytest.raises(InputError, match=r"/usr/local/bin/train\.sh is not executable"):
        find("locked", tmp_path)


def test_without_a_runtime_the_programs_are_named(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = images.make_image(tmp_path / "alone.sif", {"/usr/local/bin/train.sh": TELLS_ALL})
    site = read_site("local", project_root())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"there is neither .* on the PATH"):
        find_model(str(image), tmp_path, tmp_path, "cmp.txt", site)
    of_nodes = replace(site, scheduler="slurm")
    with pytest.raises(InputError, match=r"nor a description beside the image \(.*alone\.sif\.toml\)"):
        find_model(str(image), tmp_path, tmp_path, "cmp.txt", of_nodes)
    image.with_name("alone.sif.toml").write_text('name = "Alone"')
    assert find_model(str(image), tmp_path, tmp_path, "cmp.txt", of_nodes).name == "Alone"


def test_an_image_need_not_be_executable_for_its_reader(runtime: str, tmp_path: Path) -> None:
    image = images.make_image(tmp_path / "alone.sif", {"/usr/local/bin/train.sh": TELLS_ALL})
    image.chmod(stat.S_IRUSR)
    assert find("alone.sif", tmp_path).script("infer.sh") is None


def test_an_unpacked_image_is_an_image(desk: Desk) -> None:
    folder = images.make_image(desk.folder / "unpacked", {"/usr/local/bin/train.sh": TELLS_ALL})
    lines = search(desk, "unpacked", folder, folder)
    assert [line["status"] for line in lines.values()] == ["ok"] * 3
    assert "/candle_data_dir" in log_of(desk, lines[0])


IMPROVES = """#!/bin/sh
for word in "$@"; do echo "word: $word"; done
echo "device: $CUDA_VISIBLE_DEVICES"
while [ $# -gt 1 ]; do case $1 in --output_dir) out=$2 ;; esac; shift; done
echo '{"mse": 0.25, "r2": 0.5}' > "$out/val_scores.json"
"""


def test_the_newer_convention_gives_flags_only(desk: Desk) -> None:
    description = 'convention = "improve"\n[hyperparameters.noise]\n[hyperparameters.size]\n[hyperparameters.side]\n'
    files = {"/usr/local/bin/train.sh": IMPROVES, "/model/model.toml": description}
    image = images.make_image(desk.folder / "improve.sif", files)
    lines = search(desk, "improve", image, image)
    assert lines[0]["runs"][0]["metrics"] == {"val_loss": 0.25, "val_r2": 0.5}
    told = log_of(desk, lines[0])
    words = [line.removeprefix("word: ") for line in told.splitlines() if line.startswith("word: ")]
    flags = dict(zip(words[::2], words[1::2], strict=True))
    assert flags["--input_dir"] == "/candle_data_dir" and flags["--side"] == "left"
    assert "--run_id" not in flags and "device: \n" in told


CANDLES = """#!/bin/sh
while [ $# -gt 1 ]; do case $1 in --experiment_id) e=$2 ;; --run_id) r=$2 ;; esac; shift; done
mkdir -p "$CANDLE_DATA_DIR/Old/Output/$e/$r"
echo 0.125 > "$CANDLE_DATA_DIR/Old/Output/$e/$r/result.txt"
"""


def test_a_result_is_found_where_candles_library_writes_it(desk: Desk) -> None:
    image = images.make_image(desk.folder / "old.sif", {"/usr/local/bin/train.sh": CANDLES})
    lines = search(desk, "old", image, image)
    assert [run["metrics"] for run in lines[0]["runs"]] == [{"val_loss": 0.125}] * 2


def test_each_model_has_its_own_names_environment_and_device(desk: Desk) -> None:
    image = images.make_image(desk.folder / "own.sif", {"/usr/local/bin/train.sh": TELLS_ALL})
    apart = (
        '[cmp.0]\nenvironment = { TOLD = "one, \\"two\\" = three" }\n'
        '[cmp.1]\nnames = { size = "width" }\ndevice = "none"\n'
    )
    quoted = json.dumps(str(image))
    desk.write("own.toml", EXPERIMENT.format(models=f"{quoted}, {quoted}") + apart)
    done = desk.search("own.toml", "--id", "own", SITE_DEVICES="1", CUDA_VISIBLE_DEVICES="3")
    assert done.returncode == 0, done.stderr
    line = desk.records("own")[0]
    first, second = log_of(desk, line, 0), log_of(desk, line, 1)
    assert 'TOLD=one, "two" = three' in first and "TOLD=" not in second
    assert "word: --size" in first and "word: --width" in second and "word: --size" not in second
    assert "word: 3\n" in first and "CUDA_VISIBLE_DEVICES=3" in first
    assert "word: -1\n" in second and "CUDA_VISIBLE_DEVICES=\n" in second
    assert [run["device"] for run in line["runs"]] == ["3", None]


def test_an_image_is_placed_on_the_node_once(desk: Desk) -> None:
    image = images.make_image(desk.folder / "placed.sif", {"/usr/local/bin/train.sh": TELLS_ALL})
    node = desk.folder.parent / "node"
    lines = search(desk, "placed", image, image, SITE_IMAGE_FOLDER=str(node))
    copies = [path for path in node.iterdir() if path.suffix != ".lock"]
    assert len(copies) == 1 and str(copies[0]) in log_of(desk, lines[0])


CHECKED = """#!/bin/sh
case "$*" in *nonsense*) echo "noise is wrong"; exit 2 ;; esac
echo "$2"
echo "IMPROVE_RESULT val_loss: 0.25"
"""


def test_an_image_can_be_checked(desk: Desk) -> None:
    description = 'convention = "candle"\n[metrics.val_loss]\nkind = "error"\n[hyperparameters.noise]\ntype = "float"\n'
    files = {"/usr/local/bin/train.sh": CHECKED, "/model/model.toml": description}
    image = images.make_image(desk.folder / "checked.sif", files)
    done = desk.run("model", "check", str(image), "--json")
    found = {each["what"]: each for each in json.loads(done.stdout)}
    assert not [each for each in found.values() if each["outcome"] == "FAILS"], found
    assert found["a bad value, train.sh"]["words"] == "refused: noise is wrong"
    assert found["train.sh"]["words"] == "on the image's PATH"


COMMAND_SCRIPT = """
import argparse, json, os, sys
from parts import doubled

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, default=0.5)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--data")
parser.add_argument("settings")
given = parser.parse_args()
width = json.load(open(given.settings))["width"]
words = open("words.txt").read().split()
os.mkdir("results/made")
print("data:", given.data, "in:", os.path.basename(os.getcwd()), "by:", sys.argv[0])
print("final mse =", doubled(given.learning_rate) + width + len(words) + given.seed)
"""
COMMAND = """
command = ["python3", "train.py", "--data", "{data}", "../config.json"]
start_in = "src"
settings = "config.json"
links = ["src/*.txt"]
folders = ["src/results"]
python_path = ["lib"]
reads = []
[metrics.mse]
kind = "error"
printed = "final mse"
"""
OF_COMMAND = {
    "src/train.py": COMMAND_SCRIPT,
    "src/words.txt": "a b c",
    "lib/parts.py": "def doubled(number):\n    return 2 * number\n",
    "config.json": '{"width": 10, "depth": 2}',
    "model.toml": COMMAND,
}


def by_its_command(image: str, folder: Path, **given: Any) -> tuple[Outcome, str]:
    """How one training of a model that its own command trains went, and its log."""
    model, run, data = find(image, folder), folder / f"run-{image}", folder / "data"
    run.mkdir()
    data.mkdir(exist_ok=True)
    runner = make_runner(model, Slot(0), data)
    try:
        outcome = runner.run(Training(given, run, run / "model.log", "mse", 60.0))
    finally:
        runner.close()
    return outcome, (run / "model.log").read_text()


def test_a_command_of_its_own_trains_a_model_in_an_image_as_in_a_folder(runtime: str, tmp_path: Path) -> None:
    for name, text in OF_COMMAND.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(text)
    in_image = {f"/model/{name}": text for name, text in OF_COMMAND.items()}
    images.make_image(tmp_path / "model.sif", in_image, python=True)
    model, as_folder = find("model.sif", tmp_path), find("folder", tmp_path)
    assert list(model.description.hyperparameters) == list(as_folder.description.hyperparameters)
    assert model.description.seed == "seed" and model.trained_by == "train.py"
    given = {"learning_rate": 0.25, "width": 20, "seed": 3}
    inside, log = by_its_command("model.sif", tmp_path, **given)
    outside, _ = by_its_command("folder", tmp_path, **given)
    assert inside.metrics == outside.metrics == {"mse": 0.5 + 20 + 3 + 3}, log
    assert "data: /candle_data_dir in: src by: /model/src/train.py" in log
    assert (tmp_path / "run-model.sif/src/results/made").is_dir()
    assert not (tmp_path / "run-model.sif/src/words.txt").is_symlink()


def test_an_image_that_knows_nothing_of_us_is_called_by_the_description_beside_it(runtime: str, tmp_path: Path) -> None:
    script = 'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("--lr", type=float)\n'
    script += 'print("final mse", parser.parse_args().lr, flush=True)\n'
    files = {"/.singularity.d/env/90-environment.sh": f"export PYTHONHOME={sys.base_prefix}\n", "/app/fit.py": script}
    image = images.make_image(tmp_path / "theirs.sif", files, python=True)
    with pytest.raises(InputError, match=r"no train.sh on its PATH, nor a command in its model.toml"):
        find("theirs.sif", tmp_path)
    beside = image.with_name("theirs.sif.toml")
    beside.write_text('command = ["python3", "/app/fit.py"]\n[metrics.mse]\nkind = "error"\nprinted = "final mse"\n')
    model = find("theirs.sif", tmp_path)
    assert list(model.description.hyperparameters) == ["lr"]
    assert by_its_command("theirs.sif", tmp_path, lr=0.5)[0].metrics == {"mse": 0.5}
    beside.write_text(beside.read_text().replace("final mse", "final"))
    assert find("theirs.sif", tmp_path).identity != model.identity
    beside.write_text('command = ["python3", "/app/fitt.py"]\n')
    with pytest.raises(InputError, match=r"theirs.sif.toml: command: '/app/fitt.py': no file /app/fitt.py"):
        find("theirs.sif", tmp_path)
