"""How the ranks of a Swift/T program are started from a job script that this package writes (`comparator.site.job`)."""

from __future__ import annotations

import shlex
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from comparator.errors import ComparatorError, InputError
from comparator.site.folders import shipped_folder
from comparator.site.job import Job, launch_options
from comparator.site.profile import Site, site_file
from comparator.site.programs import reason_in, try_command

#: The program of a search, of `swift/`.
PROGRAM = "search"


def compile_program(program: str, folder: Path, surroundings: Mapping[str, str]) -> None:
    """Have Swift/T compile one of our programs to `folder`; raises `ComparatorError`."""
    done = try_command(["stc", *compiling(program, folder)], surroundings, seconds=None)
    if done.returncode != 0:
        raise ComparatorError(f"stc: {reason_in(done.stderr + done.stdout)}")


def compiling(program: str, folder: Path) -> list[str]:
    """The words that have Swift/T compile one of our programs to `folder`."""
    swift = shipped_folder("swift")
    return ["-I", str(swift), "-r", str(swift), "-o", str(folder / f"{program}.tic"), str(swift / f"{program}.swift")]


def ranks_lines(
    site: Site, job: Job, values: Mapping[str, str], surroundings: Mapping[str, str], setup: Path, compiled: Path
) -> list[str]:
    """The lines of a job script that start the ranks of a compiled program, with `values` exported.

    `surroundings` is what the site sets up on the launch host, `setup` the file that sets up the nodes. What Swift/T
    needs it says itself, in the file that `turbine -c` names: its Tcl, its libraries, its launcher.
    """
    carried = {name: surroundings[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in surroundings}
    exports = sorted({**carried, **values}.items())
    launcher = site.batch.launcher
    words = [
        "$TURBINE_LAUNCHER",
        launch_options(site, job),
        "${TURBINE_INTERPOSER:-}",
        "$TCLSH",
        shlex.quote(str(compiled)),
    ]
    return [
        *(f"export {name}={shlex.quote(value)}" for name, value in exports),
        f". {shlex.quote(str(setup))}",
        *([f"export TURBINE_LAUNCHER=${{TURBINE_LAUNCHER:-{launcher}}}"] if launcher else []),
        f". {shlex.quote(turbine_settings(surroundings))}",
        "export PYTHONPATH=$TURBINE_HOME/py:$PYTHONPATH",
        " ".join(words),
    ]


def setup_lines(site: Site, root: Path) -> str:
    """The lines that set up the nodes of a job as its site says, in the shell of its job script."""
    exported = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in site.batch.environment.items())
    return (
        f"{exported}"
        f"export COMPARATOR_ROOT={shlex.quote(str(root))}\n"
        f". {shlex.quote(str(site_file(site.name, root)))}\n"
        "if declare -F site_worker >/dev/null; then site_worker; fi\n"
    )


def turbine_settings(surroundings: Mapping[str, str]) -> str:
    """The file with the settings of the Turbine that is on the PATH; raises `InputError`."""
    found = shutil.which("turbine", path=surroundings.get("PATH"))
    asked = None if found is None else try_command([found, "-c"], surroundings)
    if asked is None or asked.returncode != 0:
        reason = "there is no program turbine on the PATH" if asked is None else reason_in(asked.stderr + asked.stdout)
        raise InputError(f"{reason} (site_launch in the site's file may set it)")
    return asked.stdout.strip()


def import_path() -> list[str]:
    """Where a rank's own Python finds this package and what it needs."""
    package = str(Path(__file__).resolve().parents[2])
    return list(dict.fromkeys([package, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))
