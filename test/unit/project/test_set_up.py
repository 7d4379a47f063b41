"""`scripts/setup.sh` where it cannot make its virtual environment: one line, and nothing written elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
#: A Python of the right version that makes no virtual environment: it says `{said}` instead.
PYTHON = '#!/bin/sh\n[ "$1" = -c ] && echo 11 && exit 0\n[ "$1" = --version ] && exit 0\necho \'{said}\'\nexit 1\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in ("pyproject.toml", "scripts/setup.sh", "scripts/constraints.txt", "scripts/data-requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def set_up(checkout: Path, said: str = "") -> str:
    """What a set-up that must fail says last."""
    python = checkout.parent / "python"
    python.write_text(PYTHON.format(said=said))
    python.chmod(0o755)
    done = subprocess.run(
        [checkout / "scripts" / "setup.sh"],
        env={**os.environ, "PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    return done.stderr.splitlines()[-1]


def test_a_link_in_the_place_of_the_environment_is_refused_and_nothing_is_written_through_it(checkout: Path) -> None:
    elsewhere = checkout.parent / "elsewhere"
    elsewhere.mkdir()
    (checkout / ".venv").symlink_to(elsewhere)
    assert set_up(checkout).endswith(f".venv is a link to {elsewhere}; remove it, or work in the checkout that has it")
    assert list(elsewhere.iterdir()) == []


def test_a_file_in_the_place_of_the_environment_is_refused(checkout: Path) -> None:
    (checkout / ".venv").touch()
    assert set_up(checkout).endswith(".venv is no folder; remove it")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_environment_that_cannot_be_written_is_refused(checkout: Path) -> None:
    (checkout / ".venv").mkdir(mode=0o555)
    assert set_up(checkout).endswith(".venv cannot be written")


def test_a_failure_is_what_python_said_last(checkout: Path) -> None:
    said = set_up(checkout, "first\nNo space left on device")
    assert "cannot make a virtual environment: No space left on device; see" in said
    assert "apt install python3-venv" in set_up(checkout, "not created successfully because ensurepip is not")
