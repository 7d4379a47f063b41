"""Where the project is: the folder with `sites/`, `containers/` and `cfg/`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.names import home_written_out


def project_root() -> Path:
    """The project's root: COMPARATOR_ROOT, else the checkout that this package is installed from."""
    given = os.environ.get("COMPARATOR_ROOT")
    root = home_written_out(given).absolute() if given else Path(__file__).resolve().parents[3]
    if not (root / "sites").is_dir():
        raise InputError(f"{root}: has no folder 'sites'; set COMPARATOR_ROOT to the Comparator's own folder")
    return root


def experiments_folder(given: Path | None, root: Path) -> Path:
    """Where experiments are kept: the command line's, else COMPARATOR_EXPERIMENTS, else `experiments/`."""
    chosen = given or Path(os.environ.get("COMPARATOR_EXPERIMENTS") or root / "experiments")
    return home_written_out(chosen).absolute()


def command_line(experiments: Path, root: Path, *words: str) -> str:
    """A `comparator` command as it can be typed here: with the program's path and the folder where needed."""
    program = "comparator"
    if shutil.which(program) is None and Path(sys.argv[0]).name == program:
        program = os.path.relpath(sys.argv[0])
    folder = [] if experiments == experiments_folder(None, root) else ["--experiments", str(experiments)]
    return shlex.join([program, *words, *folder])
