"""What a run has read beside what its identity holds already, and whether all of that is still as it was."""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comparator.formats.names import home_written_out
from comparator.model.fingerprint import names_in, state_of
from comparator.site.packages import version_of

#: Variables that change where things are shown or put, or are set by whatever starts a run, and no result.
NEUTRAL_VARIABLES = frozenset(
    {"PATH", "PWD", "OLDPWD", "SHLVL", "TERM", "COLUMNS", "LINES", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP"}
    | {"DISPLAY", "HOSTNAME", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PAGER", "EDITOR", "BROWSER"}
    | {"CANDLE_DATA_DIR", "IMPROVE_DATA_DIR", "IMPROVE_MODEL_DIR"}
    | {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"}
    | {"TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE", "SOURCE_DATE_EPOCH"}
    | {"PYTHONHOME", "PYTHONUSERBASE", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    | {"PYTHONIOENCODING", "PYTHONSTARTUP", "PYTHONTZPATH", "PYTHONDOCS", "HOME"}  # paths below HOME are told by it
    | {"MPLBACKEND", "MPLCONFIGDIR", "COLORTERM", "COLORFGBG", "TERMINFO", "TERM_PROGRAM", "TERM_PROGRAM_VERSION"}
    | {"TERM_SESSION_ID", "TERMINAL_EMULATOR", "TMUX", "TMUX_PANE", "TMUX_TMPDIR", "WINDOWID", "STY", "XAUTHORITY"}
    | {"LESS", "LESSOPEN", "LESSCLOSE", "LESSCHARSET", "LS_COLORS", "MAIL", "MAILCHECK", "SESSION_MANAGER"}
    | {"HISTFILE", "HISTSIZE", "HISTFILESIZE", "HISTCONTROL", "HISTIGNORE", "HISTTIMEFORMAT"}
    | {"PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "PROMPT_DIRTRIM", "INVOCATION_ID", "JOURNAL_STREAM"}
    | {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "GOTO_NUM_THREADS"}
    | {"NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"}
    | {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}  # scikit-learn and threadpoolctl set them as they are imported
    | {"TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"}
)
NEUTRAL_BEGINNINGS = (
    *("LC_", "XDG_", "SSH_", "SLURM_", "PBS_", "PMI_", "PALS_", "OMPI_", "_PYTHON", "COMPARATOR_", "JUPYTER_", "JPY_"),
    *("VSCODE_", "DBUS_", "LESS_TERMCAP_", "GPG_", "SYSTEMD_", "GNOME_", "KDE_", "WAYLAND_", "SUDO_", "GIT_"),
    *("PYTEST_", "DEBUGINFOD_"),
)
TELLING_VARIABLES = frozenset({"SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX"})
#: Variables that libraries ask for past Python: all that begin so count together, under the beginning and a star.
LIBRARY_BEGINNINGS = (
    *("TF_", "XLA_", "CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "KMP_", "MKL_", "OMP_", "OPENBLAS_", "GOTO_", "BLIS_"),
    *("NVPL_", "ONEDNN_", "DNNL_", "ROCBLAS_", "MIOPEN_"),
    *("PYTHONHASHSEED", "PYTHONPATH"),
)
#: Files that libraries make for themselves.
CACHES = ("/.cache/matplotlib/", "/.cache/fontconfig/")
WORDS = {
    **dict.fromkeys(("files", "noticed", "folders", "places"), "{}"),
    **{"variables": "${}", "packages": "the package {}"},
}
EVERY_VARIABLE = "*"
IMPORTS, OF_MODULES = "imports", (".py", ".pyc", ".so", ".pyd")
#: Of what a server says, that from which `imports` is made.
OF_IMPORTS = ("import_folders", "imported", "package_folders", "missed")
HOME = "~/"
TOLD_AT_MOST = 3  # names of what reads unseen


@dataclass(frozen=True)
class Reads:
    """What a run has read: None is that there was none.

    `files` have the SHA-256 of their contents (large ones size and time), and so have `noticed`, which it may have read
    itself; `folders` have that of the names in them, `variables` that of their values, `packages` their versions.
    `places` say of what was asked for whether it is a file or a folder; what was not there is among `files`.
    `imports` has by folder the modules that were looked for there first and are elsewhere; `unseen` names what may have
    read more. Paths below the user's home begin with `~/`.
    """

    files: dict[str, str | None] = field(default_factory=dict)
    noticed: dict[str, str | None] = field(default_factory=dict)
    folders: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, str | None] = field(default_factory=dict)
    variables: dict[str, str | None] = field(default_factory=dict)
    packages: dict[str, str | None] = field(default_factory=dict)
    imports: dict[str, list[str]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    def now(self, environment: Mapping[str, str]) -> Reads:
        """The same as it is now, for a run in `environment`; of `imports` those modules that are there now."""
        return Reads(
            {path: state_of(_found(path, environment)) for path in self.files},
            {path: state_of(_found(path, environment)) for path in self.noticed},
            {path: names_in(_found(path, environment)) for path in self.folders},
            {path: _place(_found(path, environment)) for path in self.places},
            {name: _value_of(name, environment) for name in self.variables},
            {name: version_and_files(name) for name in self.packages},
            {path: _modules_in(_found(path, environment), names) for path, names in self.imports.items()},
            self.unseen,
        )

    def change(self, now: Reads, kinds: Iterable[str] = (*WORDS, IMPORTS)) -> str | None:
        """The first thing of these kinds that is not as it was, in words; None where all is."""
        for kind in kinds:
            if kind == IMPORTS:
                there = next((f"{path}/{names[0]}" for path, names in now.imports.items() if names), None)
                if there is not None:
                    return there
                continue
            was, is_now = getattr(self, kind), getattr(now, kind)
            for name, state in was.items():
                if is_now.get(name) != state:
                    return WORDS[kind].format(name)
        return None

    def conflict(self, other: Reads) -> str | None:
        """The path of a file that both have read, with other contents; None where there is none."""
        return next((path for path, state in self.files.items() if other.files.get(path, state) != state), None)

    def as_record(self) -> dict[str, Any]:
        return dict(vars(self))

    def copied(self) -> Reads:
        return Reads(**{name: copy.copy(value) for name, value in vars(self).items()})


class Reading:
    """What a server says it has read, run after run, in an environment.

    `covered` is what the identity of its runs holds already; `packages` says whether those that were loaded count, or
    it holds all that are installed.
    """

    def __init__(
        self, covered: Sequence[tuple[str, int | None]], environment: Mapping[str, str], *, packages: bool = True
    ) -> None:
        self._packages = packages
        self._together = {f"{each}*": _value_of(f"{each}*", environment) for each in LIBRARY_BEGINNINGS}
        self._every = {EVERY_VARIABLE: _value_of(EVERY_VARIABLE, environment)}
        self._covered = [(form, until) for root, until in covered for form in (root, os.path.realpath(root))]
        self._opened: dict[str, list[int] | None] = {}
        self._rewritten: list[str] = []
        self._import_folders: set[str] = set()
        self._imported: set[str] = set()
        self._package_folders: set[str] = set()
        self._missed: set[str] = set()
        self._seen = Reads()

    def add(self, news: Mapping[str, Any] | None) -> None:
        """Take what was read since the last run; None where it cannot be seen, and need not be."""
        if news is None:
            return
        files = {path: opened for path, opened in news["files"].items() if not self._counts(path, opened)}
        self._opened |= files
        # A file that was looked for, and made because there was none, counts as it was made.
        made = [path for path in news["made"] if self._opened.get(path, []) is None]
        self._opened |= {path: _status(path) for path in made}
        self._rewritten += [path for path in news["rewritten"] if path in self._opened]
        seen = self._seen
        seen.files.update({_told(path): state_of(path) for path in [*files, *made]})
        for path in news["logged"]:  # a log that begins anew reads nothing
            self._opened.pop(path, None)
            seen.files.pop(_told(path), None)
        noticed = [path for path, opened in news["noticed"].items() if not self._counts(path, opened)]
        seen.noticed.update({_told(path): state_of(path) for path in noticed})
        folders = [path for path, time in news["folders"].items() if not self._counts(path, [0, time or 0])]
        seen.folders.update({_told(path): names_in(path) for path in folders})
        seen.places.update({_told(k): v for k, v in news["places"].items() if not self._counts(k, None)})
        seen.variables.update({k: v for k, v in news["variables"].items() if not _is_neutral(k)})
        seen.variables.update(self._together)
        seen.variables.update(self._every if EVERY_VARIABLE in news["variables"] else {})
        seen.packages.update(news["packages"] if self._packages else {})
        if any(news[kind] for kind in OF_IMPORTS):
            self._add_imports(news)
        seen.unseen.extend(news["unseen"])

    def _add_imports(self, news: Mapping[str, Any]) -> None:
        self._import_folders |= set(news["import_folders"])
        self._imported |= set(news["imported"])
        self._package_folders |= set(news["package_folders"])
        self._missed |= set(news["missed"])
        imports = self._seen.imports
        for path in self._import_folders:
            imports[_told(path)] = sorted(self._imported - set(_modules_in(path, self._imported)))
        for path in self._package_folders if self._missed else ():
            imports[_told(path)] = sorted(self._missed - set(_modules_in(path, self._missed)))

    def so_far(self) -> Reads:
        """What was read until now. What changed in the meantime, by whose hand ever, is only `noticed`."""
        seen = self._seen.copied()
        for path in {*self._rewritten, *(path for path, opened in self._opened.items() if _status(path) != opened)}:
            if _told(path) in seen.files:
                del seen.files[_told(path)]
                seen.noticed[_told(path)] = state_of(path)
        return seen

    def untold(self, where: str | None) -> str | None:
        """Why more may have gone into the numbers than is known, None where nothing has.

        `where` is how the model's author may say what is read unseen; None where that is said.
        """
        if self._rewritten:
            return f"it reads {self._rewritten[0]}, and writes it"
        for path, opened in self._opened.items():
            if _status(path) != opened:
                return f"{path} changed while it was in use: trainings before and after that may differ"
        if self._seen.unseen and where is not None:
            return f"what it read by {', '.join(self._seen.unseen[:TOLD_AT_MOST])} cannot be seen; {where} says it"
        return None

    def _counts(self, path: str, opened: list[int] | None) -> bool:
        """Whether the identity holds a file as it was when it was opened."""
        if any(cache in path for cache in CACHES):
            return True
        forms = [f"{form}/" for form in {path, os.path.realpath(path)}]
        return any(
            form.startswith(f"{root}/") and (until is None or (opened is not None and opened[1] <= until))
            for form in forms
            for root, until in self._covered
        )


@functools.lru_cache
def version_and_files(package: str) -> str | None:
    """The version of an installed package, with a part of the SHA-256 of the list of its files; None: not installed."""
    if package == "Python":
        return platform.python_version()
    try:
        found = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return None
    files = found.read_text("RECORD")
    return version_of(found) + ("" if files is None else " " + hashlib.sha256(files.encode()).hexdigest()[:16])


def _told(path: str) -> str:
    """A path as it is told: below the user's home by that."""
    home = f"{os.path.expanduser('~')}/"  # noqa: PTH111  (asked of each path)
    return HOME + path[len(home) :] if path.startswith(home) else path


def _found(path: str, environment: Mapping[str, str]) -> str:
    return f"{environment.get('HOME') or home_written_out('~')}/{path[len(HOME) :]}" if path.startswith(HOME) else path


def _modules_in(folder: str, names: Iterable[str]) -> list[str]:
    """Those of the names that are modules or packages in a folder."""
    try:
        entries = os.listdir(folder)  # noqa: PTH208  (names alone)
    except OSError:
        return []
    there = {name.partition(".")[0] for name in entries if "." not in name or name.endswith(OF_MODULES)}
    return sorted(there & set(names))


def _is_neutral(variable: str) -> bool:
    if variable == "_":  # a shell's last word
        return True
    if variable in TELLING_VARIABLES or variable.startswith(LIBRARY_BEGINNINGS):
        return variable not in TELLING_VARIABLES  # a library's count together
    return variable in NEUTRAL_VARIABLES or variable.startswith(NEUTRAL_BEGINNINGS)


def _value_of(variable: str, environment: Mapping[str, str]) -> str | None:
    """The SHA-256 of a variable's value, or of those of all that begin as `NAME*` says; None where there is none."""
    if not variable.endswith("*"):
        return _digest(environment.get(variable))
    beginning = variable.removesuffix("*")
    counted = {
        name: value
        for name, value in environment.items()
        if name.startswith(beginning) and name not in NEUTRAL_VARIABLES and (beginning or not _is_neutral(name))
    }
    return _digest(repr(sorted(counted.items()))) if counted else None


def _place(path: str) -> str | None:
    place = Path(path)
    return "folder" if place.is_dir() else "file" if place.exists() else None


def _status(path: str) -> list[int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  (asked of each path)
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]


def _digest(value: str | None) -> str | None:
    return None if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()
