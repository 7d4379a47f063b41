"""The one-command workflows of `test/`: the site first, or none, then options of the command; from any folder."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TEST = Path(__file__).parents[2]
SCRIPTS = sorted(path.name for path in TEST.glob("*.sh") if path.name != "all.sh")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose set-up does nothing, and whose `comparator` prints what it is given."""
    root = tmp_path / "the project"
    for folder in ("test", "scripts", "sites", ".venv/bin"):
        (root / folder).mkdir(parents=True)
    sites = [f"sites/{path.name}" for path in (TEST.parent / "sites").glob("*.sh")]
    for name in ("scripts/known-site.sh", *sites, *(f"test/{name}" for name in SCRIPTS)):
        shutil.copy(TEST.parent / name, root / name)
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


def test_a_site_that_there_is_not_is_said_before_the_set_up(project: Path) -> None:
    (project / "scripts" / "setup.sh").write_text("#!/bin/sh\necho set up; exit 1\n")
    for script in SCRIPTS:
        done = subprocess.run([project / "test" / script, "polariss"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("comparator: no site 'polariss'; there are: aurora, ")
        assert ", polaris, " in done.stderr and "template" not in done.stderr and done.stderr.count("\n") == 1


def test_a_site_of_ones_own_is_known_before_the_set_up(project: Path) -> None:
    own = project.parent / "own"
    (own / "sites").mkdir(parents=True)
    (own / "sites" / "basement.sh").write_text("SITE_CORES=2\n")
    known = [project / "scripts" / "known-site.sh", "basement"]
    assert subprocess.run(known, env={**os.environ, "COMPARATOR_ROOT": str(own)}, check=False).returncode == 0
    assert subprocess.run(known, capture_output=True, check=False).returncode == 2
