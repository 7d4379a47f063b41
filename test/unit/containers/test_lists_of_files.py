"""A model's image and its identity hold what it imports of the Comparator: no file too few, none too many."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from comparator.model.description import read_toml

ROOT = Path(__file__).resolve().parents[3]
CONTAINERS = ROOT / "containers"
IN_IMAGES = "/usr/local/comparator/"
MODELS = sorted(path.parent.name for path in CONTAINERS.glob("*/model.toml"))

LOADED = """
import sys
for name in sys.argv[1:]:
    __import__(name)
print(*(module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "comparator"), sep="\\n")
"""


@cache
def imported(model: str) -> set[str]:
    """The files of the Comparator that a model's own modules load, from the project's root."""
    names = set()
    for file in [*(CONTAINERS / model).rglob("*.py"), *(CONTAINERS / "common").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module)
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    names = {name for name in names if name.split(".")[0] == "comparator"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, "-c", LOADED, *sorted(names)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return {Path(line).relative_to(ROOT).as_posix() for line in done.stdout.split()}


@pytest.mark.parametrize("model", MODELS)
def test_the_description_names_what_the_model_imports(model: str) -> None:
    folder = CONTAINERS / model
    named = [(folder / name).resolve() for name in read_toml(folder / "model.toml")["code"]]
    assert {path.relative_to(ROOT).as_posix() for path in named} == imported(model)


@pytest.mark.parametrize("model", MODELS)
def test_the_definition_file_puts_what_the_model_imports_where_it_is_imported_from(model: str) -> None:
    [definition] = (CONTAINERS / model).glob("*.def")
    section = definition.read_text().split("%files\n")[1].split("\n%")[0]
    copied = dict(line.split() for line in section.splitlines() if line.strip())
    packages = {source: target for source, target in copied.items() if source.startswith("python/")}
    assert packages == {name: IN_IMAGES + name for name in imported(model)}
    assert copied[f"containers/{model}"] == f"{IN_IMAGES}containers/{model}"
    assert copied["containers/common"] == f"{IN_IMAGES}containers/common"
