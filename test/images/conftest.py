"""The project's own images, built from a root file system when a test asks for them.

`images/base` at the project's root is that file system, made where it is missing; COMPARATOR_BASE_TREE names another.
An image is built once, and again when what goes into it has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INGREDIENTS = (
    *("containers", "scripts/build-container.sh", "scripts/data-requirements.txt"),
    *("python/comparator/__init__.py", "python/comparator/errors.py"),
    *("python/comparator/formats", "python/comparator/tables"),
)


@pytest.fixture(scope="session")
def base_tree() -> Path:
    """A root file system to build images from."""
    named = os.environ.get("COMPARATOR_BASE_TREE")
    folder = Path(named) if named else ROOT / "images" / "base"
    if not folder.is_dir():
        if shutil.which("mmdebstrap") is None:
            pytest.skip("there is no mmdebstrap on the PATH to make a root file system with (Debian: mmdebstrap)")
        subprocess.run([str(ROOT / "scripts" / "base-tree.sh"), str(folder)], check=True)
    return folder


def built(name: str, base: Path) -> Path:
    """The image of a model in `containers/`, built if it is not there or older than what goes into it."""
    image = ROOT / "images" / f"{name}.sif"
    places = [path for each in INGREDIENTS for path in (ROOT / each, *(ROOT / each).rglob("*"))]
    newest = max(path.stat().st_mtime for path in places if path.is_file() and path.suffix not in (".pyc", ".md"))
    if not image.exists() or image.stat().st_mtime < newest:
        command = [str(ROOT / "scripts" / "build-container.sh"), name, "--base", str(base)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return image


@pytest.fixture(scope="session")
def uno(base_tree: Path) -> Path:
    return built("uno", base_tree)


@pytest.fixture(scope="session")
def lgbm(base_tree: Path) -> Path:
    return built("lgbm", base_tree)


@pytest.fixture(scope="session")
def graphdrp(base_tree: Path) -> Path:
    return built("graphdrp", base_tree)
