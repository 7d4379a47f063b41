"""Where things are: the project's folders, and what the package brings itself.

The project's root holds `containers/`, `data/`, `experiments/` and, where there are any, `sites/` of its own. In a
checkout of the Comparator that is the checkout; where the package is installed without one, the folder in which the
command is typed. Site files and the Swift/T program come with the package: a wheel has them inside, a checkout at its
top.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from comparator.errors import InputError, nearest_path
from comparator.formats.names import home_written_out
from comparator.formats.text import shortened

PACKAGE = Path(__file__).resolve().parents[1]
#: In a wheel; a checkout has the folders of this one at its top.
SHIPPED = PACKAGE / "shipped"
PROGRAM = "comparator"


def checkout() -> Path | None:
    """The checkout that this package is part of; None where it was installed from a wheel."""
    return None if SHIPPED.is_dir() else PACKAGE.parents[1]


def shipped_folder(name: str) -> Path:
    """A folder that comes with the package: `sites`, `swift`."""
    return (checkout() or SHIPPED) / name


def project_root() -> Path:
    """The project's root: COMPARATOR_ROOT, else the package's checkout, else the current folder.

    Raises `InputError` where COMPARATOR_ROOT names no folder.
    """
    given = os.environ.get("COMPARATOR_ROOT")
    if not given:
        return checkout() or Path.cwd()
    root = home_written_out(given).absolute()
    if not root.is_dir():
        raise InputError(f"COMPARATOR_ROOT={shortened(given)}: no such folder")
    return root


def experiments_folder(given: Path | None, root: Path) -> Path:
    """Where experiments are kept: the command line's, else COMPARATOR_EXPERIMENTS, else `experiments/`."""
    chosen = given or Path(os.environ.get("COMPARATOR_EXPERIMENTS") or root / "experiments")
    return home_written_out(chosen).absolute()


def experiments_to_read(given: Path | None, root: Path) -> Path:
    """The same for a command that makes none of it: only the project's own may be missing, while nothing is in it.

    Raises `InputError` where one that is named is no folder.
    """
    folder = experiments_folder(given, root)
    named = given or os.environ.get("COMPARATOR_EXPERIMENTS")
    if named and not folder.is_dir():
        said = f"--experiments {shortened(str(given))}" if given else f"COMPARATOR_EXPERIMENTS={shortened(str(named))}"
        raise InputError(f"{said}: {no_such_folder(folder)}")
    return folder


def no_such_folder(experiments: Path) -> str:
    """That a folder of experiments is not there, with the nearest name; the project's own may come yet."""
    near = "" if experiments == project_root() / "experiments" else nearest_path(experiments)
    return f"no such folder{near or '; a search makes it'}"


def command_line(experiments: Path, root: Path, *words: str) -> str:
    """A `comparator` command as it can be typed here: with the program's path and the folder where needed."""
    folder = [] if experiments == experiments_folder(None, root) else ["--experiments", str(experiments)]
    return shlex.join([_program(), *words, *folder])


def typed_here(command: str, file: str = "") -> str:
    """A command of a record or a report, which has plain `comparator`, as it can be typed here.

    `file` is the whole path of a file that it names as it was called where the command was typed first.
    """
    if file and Path(file).is_file():
        words = (_from_here(word, file) for word in shlex.split(command))
        command = shlex.join(words)
    return re.sub(rf"^{PROGRAM}(?= )", lambda _: shlex.quote(_program()), command)


def _from_here(word: str, file: str) -> str:
    """The path of `file` in the place of a word that is another path to it, and leads elsewhere from here."""
    is_other = Path(word).name == Path(file).name and Path(word).resolve() != Path(file).resolve()
    return file if is_other and not word.startswith("-") else word


def _program() -> str:
    """This program's name where a shell finds it by that, else its path: relative where it lies below, or absolute."""
    typed = Path(sys.argv[0])
    own = (typed if typed.name == PROGRAM else Path(sys.executable).with_name(PROGRAM)).absolute()
    found = shutil.which(PROGRAM)
    if not own.is_file() or (found is not None and own.samefile(found)):
        return PROGRAM
    below = os.path.relpath(own)
    return str(own) if below.startswith(os.pardir) else below
