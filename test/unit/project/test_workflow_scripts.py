"""The one-command workflows of `test/`: the site first, or none, then options of the command; from any folder."""

import os
import subprocess
from pathlib import Path

import pytest

TEST = Path(__file__).parents[2]
SCRIPTS = sorted(path.name for path in TEST.glob("*.sh") if path.name != "all.sh")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose set-up does nothing, and whose `comparator` prints what it is given."""
    root = tmp_path / "the project"
    for folder in ("test", "scripts", ".venv/bin"):
        (root / folder).mkdir(parents=True)
    for name in SCRIPTS:
        (root / "test" / name).write_bytes((TEST / name).read_bytes())
    for name, text in (("scripts/setup.sh", "exit 0"), (".venv/bin/comparator", "printf '%s\\n' \"$@\"")):
        (root / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (root / name).chmod(0o755)
    return root


def given_by(script: str, words: list[str], folder: Path) -> list[str]:
    # A folder of CDPATH that has what the script's own folder is called as well.
    (folder / "elsewhere" / "test").mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CDPATH": str(folder / "elsewhere")}
    done = subprocess.run(
        ["bash", script, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_first_word_is_the_site_and_all_others_are_options(project: Path, script: str) -> None:
    file = f"{project}/cfg/{script.removesuffix('.sh')}.toml"
    for words, site, options in (
        ([], "local", []),
        (["polaris"], "polaris", []),
        (["--seed", "7"], "local", ["--seed", "7"]),
        (["polaris", "--set", "title=a b"], "polaris", ["--set", "title=a b"]),
    ):
        command, *given = given_by(f"test/{script}", words, project)
        assert given == [file, "--site", site, *options]
        assert command in ("search", "sweep", "cross-study", "learning-curve", "cross-hpo", "all-pairs", "left-out")
    assert given_by(f"{project}/test/{script}", [], project.parent)[1:] == [file, "--site", "local"]
