"""The examples of docs/extend-engines.md, as they stand there, in a package that is installed beside this one."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from desk import HYPERPARAMETERS, QUICK, Desk

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "extend-engines.md").read_text()
SITE = """
SITE_DESCRIPTION="a machine with all of it"
SITE_ENGINES="{engines}"
SITE_CORES=2
SITE_SCHEDULER={scheduler}
SITE_CONTAINER_RUNTIME={runtime}
"""
TRAIN = """#!/bin/sh
for word; do
  if [ "$last" = --side ]; then side=$word; fi
  last=$word
done
case $side in left) echo "IMPROVE_RESULT val_loss: 0.1";; *) echo "IMPROVE_RESULT val_loss: 0.2";; esac
"""
FEW = ("--no-report", "--set", "search.evaluations=4", "--set", "search.pilot=0", "--set", "confirm.points=0")


class ExtendedDesk(Desk):
    """A desk of a project with a site of its own, where the packages of the page are installed."""

    def __init__(self, folder: Path, **of_site: str) -> None:
        super().__init__(folder)
        self.package, self.root, self.programs = (folder / name for name in ("package", "root", "programs"))
        for made in (self.root / "sites", self.root / "containers", self.programs, self.package / "mine-1.dist-info"):
            made.mkdir(parents=True)
        site = {"engines": "local", "scheduler": "none", "runtime": "", **of_site}
        (self.root / "sites" / "local.sh").write_text(SITE.format(**site))
        (self.root / "swift").symlink_to(ROOT / "swift")
        (folder / "data").mkdir()
        for name, text in re.findall(r"```python\n# (\w+\.py)\n(.+?)```", PAGE, re.DOTALL):
            (self.package / name).write_text(text)
        entries = re.findall(r'```toml\n\[project\.entry-points\."(.+?)"\]\n(.+?)```', PAGE, re.DOTALL)
        lines = [f"[{group}]\n{line}".replace('"', "") for group, line in entries]
        (self.package / "mine-1.dist-info" / "entry_points.txt").write_text("\n".join(lines))
        (self.package / "mine-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.package), *filter(None, sys.path)])
        found = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return {**super().environment, "PYTHONPATH": path, "PATH": found, "COMPARATOR_ROOT": str(self.root)}

    def call(self, *words: str) -> str:
        """What a command says that does what it is to."""
        process = self.start(*words)
        said, errors = process.communicate(timeout=120)
        assert process.returncode == 0, said + errors
        return said

    def program(self, name: str, script: str) -> None:
        """Put a program on the PATH of all commands."""
        (self.programs / name).write_text(f"#!/bin/bash\n{script}\n")
        (self.programs / name).chmod(0o755)


@pytest.mark.long
def test_a_program_searches_by_processes(tmp_path: Path) -> None:
    desk = ExtendedDesk(tmp_path)
    program = [sys.executable, str(desk.package / "by_processes.py"), str(QUICK), str(QUICK)]
    done = subprocess.run(program, env=desk.environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0 and "trainings: " in done.stdout, done.stdout + done.stderr
    assert sum(line["stage"] == "search" for line in desk.records("compare-1")) >= 6


@pytest.mark.long
def test_an_engine_of_another_package_searches(tmp_path: Path) -> None:
    desk = ExtendedDesk(tmp_path, engines="local one-by-one")
    assert "engines: local, one-by-one" in desk.call("site", "show", "local")
    assert "engine one-by-one: 1 workers" in desk.call("search", "quick.toml", "--engine", "one-by-one", "--dry-run")
    desk.call("search", "quick.toml", "--id", "mine", "--engine", "one-by-one", *FEW)
    assert [line["status"] for line in desk.records("mine")] == ["ok"] * 4
    refused = desk.start("search", "quick.toml", "--engine", "one-by-one", "--workers", "2")
    words = "--workers: the one-by-one engine evaluates one after another; --engine local takes it"
    assert words in refused.communicate(timeout=300)[1] and refused.returncode == 2


@pytest.mark.long
def test_a_scheduler_of_another_package_is_asked_and_told(tmp_path: Path) -> None:
    desk = ExtendedDesk(tmp_path, scheduler="lsf", engines="swift-t local")
    output = desk.folder / "of-bsub.txt"
    desk.program("bsub", f'echo "$@" > {output}; echo "Job <17> is submitted to queue <normal>."\nbash "$1" >"$(sed -n'
                 ' "s/^#BSUB -o //p" "$1")" 2>&1')  # fmt: skip
    desk.program("bjobs", 'case "$*" in *17) echo DONE;; *) echo "Job <18> is not found" >&2; exit 255;; esac')
    desk.program("bkill", "exit 0")
    desk.program("bqueues", "exit 0")
    said = desk.call("site", "show", "local")
    assert "scheduler: lsf" in said and "1 nodes, walltime 01:00:00" in said
    checked = desk.start("site", "check", "local", "--job").communicate(timeout=120)[0]
    assert "holds    scheduler: LSF answers to bqueues" in checked
    assert "job 17; its output" in checked and "holds    SITE_CORES" in checked.partition("job 17")[2], checked
    planned = desk.call("search", "quick.toml", "--queue", "night", "--dry-run")
    assert "scheduler lsf: 1 nodes" in planned and "swift-t -m lsf -n 4" in planned and "QUEUE=night" in planned


@pytest.mark.long
def test_a_runtime_of_another_package_runs_an_image(tmp_path: Path) -> None:
    if (reason := why_not_bubblewrap()) is not None:
        pytest.skip(reason)
    desk = ExtendedDesk(tmp_path, runtime="bubblewrap")
    make_image = runpy.run_path(str(ROOT / "test" / "images" / "images.py"))["make_image"]
    image = make_image(desk.folder / "image", {"/usr/bin/train.sh": TRAIN})
    desk.write("quick.txt", HYPERPARAMETERS.replace(str(QUICK), str(image)))
    desk.call("search", "quick.toml", "--id", "packed", *FEW)
    assert [line["value"] for line in desk.records("packed")] == [-0.5] * 4


def why_not_bubblewrap() -> str | None:
    """Why bwrap cannot run anything here; None where it can."""
    if shutil.which("bwrap") is None:
        return "there is no bwrap on the PATH (Debian: bubblewrap)"
    tried = subprocess.run(["bwrap", "--unshare-pid", "--bind", "/", "/", "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"bwrap cannot run here: {tried.stderr.strip()}"
