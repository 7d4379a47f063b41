"""Whether Swift/T can run the ranks here."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from comparator.engine.swift_t_job import import_path
from comparator.formats.finding import FAILS, HOLDS, Finding
from comparator.site.programs import try_command

HELLO = """
import io; import python;
printf("the rank's Python: %s", python_persist("import sys; import comparator.ranks, deap, numpy",
                                               "'%i.%i' % sys.version_info[:2]"));
"""


def check_swift_t(surroundings: Mapping[str, str]) -> Iterator[Finding]:
    """Try its programs, and a program of three ranks, in the environment that a site sets up."""
    path = surroundings.get("PATH")
    programs = [(program, shutil.which(program, path=path)) for program in ("swift-t", "stc", "turbine", "java")]
    missing = [program for program, place in programs if place is None]
    if missing:
        yield Finding("Swift/T", FAILS, f"not on the PATH: {', '.join(missing)}; site_launch may load or export them")
        return
    asked = try_command(["swift-t", "-v"], surroundings)
    version = (asked.stdout or asked.stderr).strip().splitlines()
    said = f"{version[0].strip() if version else 'swift-t -v says nothing'} in {programs[0][1]}"
    yield Finding("Swift/T", HOLDS if asked.returncode == 0 else FAILS, said)
    yield _rank_python(surroundings)


def _rank_python(surroundings: Mapping[str, str]) -> Finding:
    """Compile and run a program of three ranks that imports what ours need."""
    what = "a rank's Python"
    with tempfile.TemporaryDirectory() as place:
        program = Path(place) / "hello.swift"
        program.write_text(HELLO, encoding="utf-8")
        environment = {**surroundings, "PYTHONPATH": os.pathsep.join(import_path())}
        done = try_command(["swift-t", "-n", "3", str(program)], environment)
    said = [line for line in done.stdout.splitlines() if "the rank's Python: " in line]
    if done.returncode != 0 or not said:
        reason = [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line or "error" in line]
        return Finding(what, FAILS, f"a program of 3 ranks did not run: {reason[0].strip() if reason else 'no output'}")
    version, own = said[0].rpartition(" ")[2], "{}.{}".format(*sys.version_info[:2])
    if version != own:
        words = f"it is {version}, this environment's {own}: PYTHON=python{version} scripts/setup.sh in a new checkout"
        return Finding(what, FAILS, words)
    return Finding(what, HOLDS, f"{version}; 3 ranks ran and import comparator, deap and numpy")
