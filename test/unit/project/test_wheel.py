"""The package as pip installs it: a wheel in an environment of its own, far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from comparator.model.description import read_toml

ROOT = Path(__file__).resolve().parents[3]
MODEL = """
def initialize_parameters():
    return {"noise": 0.0, "side": "left", "rng_seed": 1}

def run(params):
    slope = 0.004 if params["side"] == "left" else 0.002
    return {"val_loss": 0.1 + slope * params["noise"]}
"""
EXPERIMENT = """
space = "space.json"
[search]
evaluations = 4
pilot = 0
[cmp]
metric = "val_loss"
models = ["model.py", "model.py"]
[confirm]
points = 0
[set]
cmp_0_side = "left"
cmp_1_side = "right"
"""


class Installed:
    """The commands of an installed wheel, typed in a folder that has nothing of the project's."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self.folder = folder

    def __call__(self, *words: str) -> str:
        """What a command prints; it has to succeed."""
        theirs = ("COMPARATOR_ROOT", "COMPARATOR_EXPERIMENTS", "CANDLE_DATA_DIR", "PYTHONPATH")
        environment = {name: value for name, value in os.environ.items() if name not in theirs}
        done = subprocess.run(
            [str(self._program), *words], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, and with what it depends on from the one that runs the tests."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "env")
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    [packages] = (folder / "env" / "lib").glob("*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "env"


@pytest.fixture
def comparator(environment: Path, tmp_path: Path) -> Installed:
    return Installed(environment / "bin" / "comparator", tmp_path)


@pytest.mark.long
def test_an_installed_wheel_says_its_version_and_the_sites_that_it_brings(comparator: Installed) -> None:
    version = read_toml(ROOT / "pyproject.toml")["project"]["version"]
    assert comparator("--version") == f"comparator {version}\n"
    assert {"local", "polaris"} <= {line.split()[0] for line in comparator("site", "list").splitlines()}
    (comparator.folder / "sites").mkdir()
    (comparator.folder / "sites" / "mine.sh").write_text("SITE_DESCRIPTION='of my own'\n")
    assert "mine  of my own" in comparator("site", "list").splitlines()


@pytest.mark.long
def test_an_installed_wheel_searches_in_the_current_folder_and_goes_on(comparator: Installed) -> None:
    (comparator.folder / "model.py").write_text(MODEL)
    (comparator.folder / "space.json").write_text('[{"name": "noise", "type": "float", "lower": 0, "upper": 50}]')
    (comparator.folder / "mine.toml").write_text(EXPERIMENT)
    comparator("search", "mine.toml", "--id", "first", "--no-report")
    record = comparator.folder / "experiments" / "first" / "evaluations.jsonl"
    assert len(record.read_text().splitlines()) == 4
    record.write_text("".join(record.read_text().splitlines(keepends=True)[:2]))
    comparator("search", "--resume", "first")
    assert len(record.read_text().splitlines()) == 4
    assert (record.parent / "report.html").exists()


@pytest.mark.long
def test_an_installed_wheel_begins_a_new_model_in_the_current_folder(comparator: Installed) -> None:
    comparator("model", "new", "my_ridge")
    assert os.access(comparator.folder / "my_ridge" / "train.sh", os.X_OK)


@pytest.mark.long
def test_the_wheel_brings_the_program_of_swift_t_and_the_queues_of_resident_algorithms(environment: Path) -> None:
    [packages] = environment.glob("lib/*/site-packages")
    assert (packages / "eqpy.py").exists()
    swift = packages / "comparator" / "shipped" / "swift"
    there = {path.name for path in swift.iterdir()}
    assert there == {path.name for path in (ROOT / "swift").iterdir()}
    assert os.access(swift / "rank.sh", os.X_OK)
