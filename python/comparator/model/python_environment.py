"""The Python that a model runs in, where it is not the Comparator's: a virtual environment, one of conda's, any other.

`own_python` finds what a user names, or says where what a requirements file asks for is made (`environment_making`
makes it). `PythonEnvironment` says how a command is started in it, as if it were activated: its programs come first on
the PATH, so that `python` in a model's script is its own.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from comparator.errors import InputError
from comparator.formats.names import as_file_name, home_written_out
from comparator.formats.text import LONGEST_MESSAGE, one_line, read_text, shortened
from comparator.model.fingerprint import content_of, digest_of
from comparator.site.programs import try_command

INSTALLED = Path(__file__).with_name("installed.py")
PYTHON = "Python"
NAMES = ("python", "python3")
#: What `server.py` is written for.
OLDEST = (3, 6)
#: Since then a server can tell what a model reads (`sys.addaudithook`).
SEES_READS = (3, 8)
#: What another activation has set, or what belongs to the Comparator's own Python.
OF_ANOTHER_PYTHON = frozenset(
    {"PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"}
    | {"CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_SHLVL"}
)
#: Conda's packages, and users, leave scripts here that its activation runs.
ACTIVATION_SCRIPTS = "etc/conda/activate.d"
ACTIVATE = 'list=$(command -v env); for script in "$0"/*.sh; do . "$script" >&2; done; exec "$list" -0'
OF_A_SHELL = ("_", "SHLVL", "PWD", "OLDPWD", "PATH")
#: In an environment that was made from a requirements file, and whole.
COMPLETE = ".complete"
#: A line of a requirements file that names another, and what `pip` reads in it: words of a shell, variables, a comment.
INCLUDED = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S.*?)(?:\s+#.*)?$", re.MULTILINE)
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
OF_CONDA = (".yml", ".yaml")
#: Of an installation of Python's.
PARTS = ("bin", "lib", "lib64", "share")
#: Of the file's digest, in the name of a folder.
DIGITS = 12


@dataclass(frozen=True)
class Interpreter:
    """What a Python says of itself, see `installed.py`."""

    executable: str
    prefix: str
    base_prefix: str
    version: str
    packages: dict[str, str]
    folders: list[str]

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")[:2]))


@dataclass(frozen=True)
class PythonEnvironment:
    """A Python and what is installed in it; `where` opens the lines of errors.

    It is asked once in a process what it is, when that is first needed; that raises `InputError` where it does not
    start.
    """

    python: Path  # the interpreter, absolute; a link that it is stays one, for that is what a virtual environment is
    where: str = field(compare=False)
    #: Where the project's environments are.
    environments: Path = field(compare=False)
    #: The file that it is made from, and the Python that makes it; None: it is somebody else's.
    requirements: Path | None = None
    base: Path | None = None

    @property
    def folder(self) -> Path:
        """Where it is, above `bin`."""
        return self.python.parents[1]

    @property
    def is_there(self) -> bool:
        """Whether it need not be made first."""
        return self.requirements is None or (self.folder / COMPLETE).is_file()

    @property
    def interpreter(self) -> Interpreter:
        return _ask(self.python, self.where)

    def places(self) -> set[str]:
        """Where what counts with Python and with what is installed is: as `watching/whose` has it, from without."""
        own = self.interpreter
        found = {*own.folders, str(Path(own.prefix, "pyvenv.cfg"))}
        found |= {str(Path(prefix, part)) for prefix in (own.prefix, own.base_prefix) for part in PARTS}
        return {form for place in found for form in (place, os.path.realpath(place))}

    def check(self) -> None:
        """Raises `InputError` where it does not start, or its activation fails."""
        self._activation()

    @property
    def sees_reads(self) -> bool:
        """Whether a server in it can tell what a model reads."""
        return not self.is_there or self.interpreter.release >= SEES_READS

    def installed(self) -> dict[str, str]:
        """The packages that are installed, and Python itself, with their versions; none where it is not made yet."""
        return {PYTHON: self.interpreter.version, **self.interpreter.packages} if self.is_there else {}

    def state(self) -> list[int | None]:
        """What changes when something is installed or removed, and is found out in no time: its folders' times."""
        return [_time_of(folder) for folder in self.interpreter.folders]

    def change(self) -> str | None:
        """Say in a line how what is installed now is not what it was when this process first asked; None: it is."""
        try:
            now = _ask.__wrapped__(self.python, self.where)
        except InputError as error:
            return str(error)
        return None if now == self.interpreter else f"what is installed in {self.folder} has changed"

    def version_of(self, package: str) -> str | None:
        """The version of a package that is installed; None where it is not."""
        return self.installed().get(package if package == PYTHON else re.sub("[-_.]+", "-", package).lower())

    def words(self) -> str:
        """What it is, for people: its version, how much is installed, and where."""
        number = len(self.interpreter.packages)
        return f"Python {self.interpreter.version} with {number} package{'' if number == 1 else 's'}, {self.folder}"

    def variables(self, host: Mapping[str, str], path: str | None = None) -> dict[str, str]:
        """The variables of a command in the environment, from those of a `host`, as its activation would leave them.

        `path` takes the place of the host's PATH.
        """
        behind = _without_own_programs(host) if path is None else path
        programs = [*self._links(), str(Path(self.interpreter.executable).parent), behind]
        return {**without_activation(host), **self._activation(), "PATH": os.pathsep.join(programs)}

    def _activation(self) -> dict[str, str]:
        prefix = Path(self.interpreter.prefix)
        if (prefix / "pyvenv.cfg").is_file():
            return {"VIRTUAL_ENV": str(prefix)}
        if (prefix / "conda-meta").is_dir():
            return _conda_activation(prefix)
        return {}

    def _links(self) -> list[str]:
        """A folder in which it goes by Python's usual names, where it does not where it is: `/usr/bin/python3.9`."""
        own = Path(self.interpreter.executable)
        if all((own.parent / name).exists() and own.samefile(own.parent / name) for name in NAMES):
            return []
        folder = self.environments / f"{own.name}-{digest_of([str(own)])[:DIGITS]}" / "bin"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                if not (folder / name).is_symlink():
                    (folder / name).symlink_to(own)
        except FileExistsError:  # made by another process meanwhile
            pass
        except OSError as error:
            raise InputError(f"{self.where}: {folder} cannot be made: {error.strerror}") from None
        return [str(folder)]


@dataclass(frozen=True)
class PythonChoice:
    """`python` and `requirements` as a file gives them: paths relative to `folder`; `where` is the file, for errors."""

    python: str | None
    requirements: str | None
    folder: Path
    where: str

    def __bool__(self) -> bool:
        return self.python is not None or self.requirements is not None

    def said(self, key: Literal["python", "requirements"]) -> str:
        """The words that open an error on a key."""
        return f"{self.where}: {key} = '{shortened(getattr(self, key))}'"


def without_activation(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables but for those of an activated environment, and of the Comparator's own Python."""
    return {name: value for name, value in variables.items() if name not in OF_ANOTHER_PYTHON}


def own_python(choice: PythonChoice, model: str, environments: Path) -> PythonEnvironment:
    """The environment that is chosen for the model of a name; what is made for it lies in `environments`.

    Raises `InputError` where there is none, or no such requirements file.
    """
    found = None if choice.python is None else _find(choice, environments)
    if choice.requirements is None:
        assert found is not None
        return found
    file = _requirements_file(choice)
    base = sys.executable if found is None else found.interpreter.executable
    version = platform.python_version() if found is None else found.interpreter.version
    digest = digest_of([*map(content_of, _with_included(file, choice)), version])[:DIGITS]
    return PythonEnvironment(
        environments / f"{as_file_name(model)}-{digest}" / "bin" / "python",
        choice.said("requirements"),
        environments,
        file,
        Path(base),
    )


def _find(choice: PythonChoice, environments: Path) -> PythonEnvironment:
    """What `python` names: an environment's folder, or an interpreter, perhaps one on the PATH."""
    given, said = str(choice.python), choice.said("python")
    path = _below(choice.folder, given)
    if path.is_dir():
        found = next((path / "bin" / name for name in NAMES if os.access(path / "bin" / name, os.X_OK)), None)
        if found is None:
            raise InputError(f"{said}: is no environment of Python: there is no bin/python in {path}")
        return PythonEnvironment(found, said, environments)
    if path.is_file():
        if not os.access(path, os.X_OK):
            raise InputError(f"{said}: is no interpreter: {path} is not executable; give an environment's folder")
        return PythonEnvironment(path, said, environments)
    on_path = shutil.which(given) if os.sep not in given else None
    if on_path is None:
        meant = "give an environment's folder (venv, conda), or an interpreter"
        raise InputError(f"{said}: there is no {shortened(str(path), LONGEST_MESSAGE // 2)}; {meant}")
    return PythonEnvironment(Path(on_path).absolute(), said, environments)


def _below(folder: Path, given: str) -> Path:
    """A path without links being followed: the interpreter of a virtual environment is a link to another."""
    return Path(os.path.abspath(folder.resolve() / home_written_out(given)))  # noqa: PTH100


def _requirements_file(choice: PythonChoice) -> Path:
    said, path = choice.said("requirements"), _below(choice.folder, str(choice.requirements))
    if not path.is_file():
        raise InputError(f"{said}: there is no file {shortened(str(path), LONGEST_MESSAGE // 2)}")
    if path.suffix in OF_CONDA:
        raise InputError(
            f"{said}: a file of conda's is none of pip's; make its environment by: conda env create --file {path}"
            " --prefix FOLDER, and give python = 'FOLDER'"
        )
    return path


def _with_included(file: Path, choice: PythonChoice) -> list[Path]:
    """A requirements file and those that it names, and these in turn."""
    files = [file]
    for each in files:
        try:
            names = [_first_word(line) for line in INCLUDED.findall(read_text(each))]
        except InputError as error:
            raise InputError(f"{choice.said('requirements')}: {error}") from None
        named = [_below(each.parent, name) for name in names if "://" not in name]
        files += [path for path in dict.fromkeys(named) if path not in files]
    return files


def _first_word(line: str) -> str:
    """The file that a line names: its name may be in quotes, with `${NAME}` of the environment in it."""
    written_out = VARIABLE.sub(lambda found: os.environ.get(found[1]) or found[0], line)
    try:
        return shlex.split(written_out)[0]
    except ValueError:  # a quote that is not closed
        return written_out


@functools.cache
def _ask(python: Path, where: str) -> Interpreter:
    """Start an interpreter, and have it say what it is; raises `InputError`."""
    environment = {**without_activation(os.environ), "PYTHONDONTWRITEBYTECODE": "1"}
    done = try_command([str(python), str(INSTALLED)], environment)
    try:
        found = Interpreter(**json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None
    except (ValueError, TypeError, IndexError):
        found = None
    if found is None:
        last = one_line(done.stderr.strip().rpartition("\n")[2]) or f"exit status {done.returncode}"
        raise InputError(f"{where}: {python} is no Python, or does not start: {shortened(last)}")
    if found.release < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise InputError(f"{where}: {python} is Python {found.version}; a model's has to be {oldest} or newer")
    return found


def _time_of(folder: str) -> int | None:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return None


def _without_own_programs(host: Mapping[str, str]) -> str:
    """The PATH of a host without the programs of the Comparator's own Python, as its deactivation would leave it."""
    own = {str(Path(sys.executable).parent), str(Path(host.get("VIRTUAL_ENV") or sys.prefix) / "bin")}
    if sys.prefix == sys.base_prefix:
        own = set()  # the system's, whose folder has programs of everybody's
    folders = host.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if folder not in own)


@functools.cache
def _conda_activation(prefix: Path) -> dict[str, str]:
    """What the activation of an environment of conda's sets, its packages' scripts included."""
    own = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": prefix.name, "CONDA_SHLVL": "1"}
    scripts = prefix / ACTIVATION_SCRIPTS
    if not any(scripts.glob("*.sh")):
        return own
    host = without_activation(os.environ)
    environment = {**host, **own, "PATH": os.pathsep.join([str(prefix / "bin"), host.get("PATH", os.defpath)])}
    done = try_command(["bash", "-c", ACTIVATE, str(scripts)], environment, exactly=True)
    if done.returncode != 0:
        last = one_line(done.stderr.strip().rpartition("\n")[2])
        raise InputError(f"{scripts}: these scripts of the environment fail: {shortened(last)}")
    pairs = (entry.partition("=") for entry in done.stdout.split("\0") if "=" in entry)
    after = {name: value for name, _, value in pairs if name not in OF_A_SHELL}
    return {name: value for name, value in after.items() if host.get(name) != value}
