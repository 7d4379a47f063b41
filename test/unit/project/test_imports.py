"""What is imported where nothing is computed: by commands that tell, and by each of thousands of workers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from desk import QUICK, Desk

COMPUTING = {"numpy", "scipy", "pandas", "sklearn", "deap", "optuna", "jinja2", "threadpoolctl", "tensorflow"}
#: Runs a command and writes what was imported for it.
COMMAND = """
import atexit, json, pathlib, sys
file = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: file.write_text(json.dumps(sorted(sys.modules))))
from comparator.cli import main
main()
"""


def imported(desk: Desk, folder: Path, *words: str) -> set[str]:
    file = folder / "modules.json"
    command = [sys.executable, "-c", COMMAND, str(file), *words]
    done = subprocess.run(command, cwd=desk.folder, env=desk.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(file.read_text()))


@pytest.mark.parametrize("words", [["--help"], ["list"], ["sweep", "points.txt", "--model", str(QUICK), "--dry-run"]])
def test_a_command_that_tells_imports_nothing_that_computes(words: list[str], tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "experiments").mkdir()
    desk.write("points.txt", '{"id": "a", "size": 20}\n')
    assert not imported(desk, tmp_path, *words) & COMPUTING


def test_a_worker_imports_neither_what_computes_nor_what_hosts_a_search() -> None:
    told = "import json, sys; from comparator import ranks; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    names = set(json.loads(done.stdout))
    assert not names & COMPUTING
    assert not [name for name in names if name.startswith(("comparator.report", "comparator.experiment.session"))]
