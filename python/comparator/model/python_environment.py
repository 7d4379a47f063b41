"""The Python that a model runs in, where it is not the Comparator's: a virtual environment, one of conda's, any other.

`find_environment` finds what a user names, `PythonEnvironment` says how a command is started in it, as if it were
activated: its programs come first on the PATH, so that `python` in a model's script is its own.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.names import home_written_out
from comparator.formats.text import one_line, shortened

INSTALLED = Path(__file__).with_name("installed.py")
PYTHON = "Python"
NAMES = ("python", "python3")
START_LIMIT_SECONDS = 120.0
#: What `server.py` is written for.
OLDEST = (3, 6)
#: Since then a server can tell what a model reads (`sys.addaudithook`).
SEES_READS = (3, 8)
#: What another activation has set, or what belongs to the Comparator's own Python.
OF_ANOTHER_PYTHON = frozenset(
    {"PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"}
    | {"CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_SHLVL"}
)


@dataclass(frozen=True)
class Interpreter:
    """What a Python says of itself, see `installed.py`."""

    executable: str
    prefix: str
    base_prefix: str
    version: str
    packages: dict[str, str] = field(hash=False)

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")[:2]))


@dataclass(frozen=True)
class PythonEnvironment:
    """A Python and what is installed in it, as it is on this machine; `where` opens the lines of errors.

    It is asked once in a process what it is, when that is first needed; this raises `InputError` where it does not
    start.
    """

    python: Path  # the interpreter, absolute; a link that it is stays one, for that is what a virtual environment is
    where: str = field(default="", compare=False)

    @property
    def interpreter(self) -> Interpreter:
        return _ask(self.python, self.where)

    @property
    def folder(self) -> Path:
        """Where the environment is."""
        return Path(self.interpreter.prefix)

    @property
    def sees_reads(self) -> bool:
        """Whether a server in it can tell what a model reads."""
        return self.interpreter.release >= SEES_READS

    def installed(self) -> dict[str, str]:
        """The packages that are installed, and Python itself, with their versions."""
        return {PYTHON: self.interpreter.version, **self.interpreter.packages}

    def version_of(self, package: str) -> str | None:
        """The version of a package that is installed; None where it is not."""
        return self.installed().get(package if package == PYTHON else re.sub("[-_.]+", "-", package).lower())

    def variables(self, host: Mapping[str, str], path: str | None = None) -> dict[str, str]:
        """The variables of a command in the environment, from those of a `host`, as its activation would leave them.

        `path` takes the place of the host's PATH.
        """
        kept = {name: value for name, value in host.items() if name not in OF_ANOTHER_PYTHON}
        behind = _without_own_programs(host) if path is None else path
        return {
            **kept,
            **self._activation(),
            "PATH": os.pathsep.join([str(Path(self.interpreter.executable).parent), behind]),
        }

    def _activation(self) -> dict[str, str]:
        if (self.folder / "pyvenv.cfg").is_file():
            return {"VIRTUAL_ENV": str(self.folder)}
        if (self.folder / "conda-meta").is_dir():
            return {"CONDA_PREFIX": str(self.folder), "CONDA_DEFAULT_ENV": self.folder.name, "CONDA_SHLVL": "1"}
        return {}


def find_environment(given: str, folder: Path, where: str) -> PythonEnvironment:
    """The environment that `given` names: its folder, or an interpreter, relative to `folder`; or one on the PATH.

    Raises `InputError`, which `where` opens, where there is none.
    """
    said = f"{where} = '{shortened(given)}'"
    # A link is not followed: the interpreter of a virtual environment is a link to another.
    path = Path(os.path.abspath(folder.resolve() / home_written_out(given)))  # noqa: PTH100
    if path.is_dir():
        found = next((path / "bin" / name for name in NAMES if os.access(path / "bin" / name, os.X_OK)), None)
        if found is None:
            raise InputError(f"{said}: is no environment of Python: there is no bin/python in {path}")
        return PythonEnvironment(found, said)
    if path.is_file():
        if not os.access(path, os.X_OK):
            raise InputError(f"{said}: is no interpreter: {path} is not executable; give an environment's folder")
        return PythonEnvironment(path, said)
    on_path = shutil.which(given) if os.sep not in given else None
    if on_path is None:
        raise InputError(
            f"{said}: there is no {shortened(str(path))}; give the folder of an environment (venv, conda), or an"
            " interpreter"
        )
    return PythonEnvironment(Path(on_path).absolute(), said)


@functools.cache
def _ask(python: Path, where: str) -> Interpreter:
    """Start an interpreter, and have it say what it is; raises `InputError`."""
    host = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_PYTHON}
    try:
        done = subprocess.run(
            [str(python), str(INSTALLED)],
            env={**host, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=START_LIMIT_SECONDS,
            check=False,
        )
        found = Interpreter(**json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{where}: {python} does not start: {_words(error)}") from None
    except (ValueError, TypeError, IndexError):
        found = None
    if found is None:
        last = one_line(done.stderr.strip().rpartition("\n")[2]) or f"exit status {done.returncode}"
        raise InputError(f"{where}: {python} is no Python, or does not start: {shortened(last)}")
    if found.release < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise InputError(f"{where}: {python} is Python {found.version}; a model's has to be {oldest} or newer")
    return found


def _words(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"nothing was heard of it for {START_LIMIT_SECONDS:g} seconds"


def _without_own_programs(host: Mapping[str, str]) -> str:
    """The PATH of a host without the programs of the Comparator's own Python, as its deactivation would leave it."""
    own = {str(Path(sys.executable).parent), str(Path(host.get("VIRTUAL_ENV") or sys.prefix) / "bin")}
    if sys.prefix == sys.base_prefix:
        own = set()  # the system's, whose folder has programs of everybody's
    folders = host.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if folder not in own)
