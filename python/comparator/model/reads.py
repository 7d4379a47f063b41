"""What a run has read beside what its identity holds already, and whether all of that is still as it was."""

from __future__ import annotations

import copy
import functools
import hashlib
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from comparator.model.fingerprint import names_in, state_of
from comparator.model.model import version_of

#: Variables that change where things are shown or put, or are set by whatever starts a run, and no result.
NEUTRAL_VARIABLES = frozenset(
    {"PATH", "PWD", "OLDPWD", "SHLVL", "TERM", "COLUMNS", "LINES", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP", "TZ"}
    | {"DISPLAY", "HOSTNAME", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PAGER", "EDITOR", "BROWSER"}
    | {"CANDLE_DATA_DIR", "IMPROVE_DATA_DIR", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"}
    | {"TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE", "SOURCE_DATE_EPOCH"}
)
NEUTRAL_BEGINNINGS = (
    *("LC_", "XDG_", "SSH_", "SLURM_", "PBS_", "PMI_", "PALS_", "OMPI_", "MPL", "PYTHON", "_PYTHON"),
    *("COMPARATOR_", "JUPYTER", "JPY_", "VSCODE_", "COLORTERM", "TERM_", "TERMINAL_"),
)
NEUTRAL_ENDINGS = ("_NUM_THREADS", "_NUM_INTRAOP_THREADS", "_NUM_INTEROP_THREADS")
WORDS = {"files": "{}", "folders": "{}", "variables": "${}", "packages": "the package {}"}
#: Files that libraries make for themselves.
CACHES = ("/.cache/matplotlib/", "/.cache/fontconfig/")


@dataclass(frozen=True)
class Reads:
    """What a run has read: None is that there was none.

    `files` have the SHA-256 of their contents (large ones size and time), `folders` that of the names in them,
    `variables` that of their values, `packages` their versions. `unseen` names what may have read more.
    """

    files: dict[str, str | None] = field(default_factory=dict)
    folders: dict[str, str | None] = field(default_factory=dict)
    variables: dict[str, str | None] = field(default_factory=dict)
    packages: dict[str, str | None] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    def now(self, environment: Mapping[str, str]) -> Reads:
        """The same as it is now, for a run in `environment`."""
        return Reads(
            {path: state_of(path) for path in self.files},
            {path: names_in(path) for path in self.folders},
            {name: _digest(environment.get(name)) for name in self.variables},
            {name: _version(name) for name in self.packages},
            self.unseen,
        )

    def change(self, now: Reads, kinds: Iterable[str] = WORDS) -> str | None:
        """The first thing of these kinds that is not as it was, in words; None where all is."""
        for kind in kinds:
            was, is_now = getattr(self, kind), getattr(now, kind)
            for name, state in was.items():
                if is_now.get(name) != state:
                    return WORDS[kind].format(name)
        return None

    def conflict(self, other: Reads) -> str | None:
        """The path of a file that both have read, with other contents; None where there is none."""
        return next((path for path, state in self.files.items() if other.files.get(path, state) != state), None)

    def as_record(self) -> dict[str, Any]:
        return asdict(self)


class Reading:
    """What a server says it has read, run after run; `covered` are paths that the identity of its runs holds."""

    def __init__(self, covered: Callable[[str], bool]) -> None:
        self._covered = covered
        self._opened: dict[str, list[int] | None] = {}
        self._seen = Reads()

    def add(self, news: Mapping[str, Any] | None) -> None:
        """Take what was read since the last run; None where it cannot be seen, and need not be."""
        if news is None:
            return
        paths = {path: opened for path, opened in news["files"].items() if not self._is_covered(path)}
        self._opened |= paths
        # A file that was looked for, and made because there was none, counts as it was made.
        made = [path for path in news["made"] if self._opened.get(path, []) is None]
        self._opened |= {path: _status(path) for path in made}
        self._seen.files.update({path: state_of(path) for path in [*paths, *made]})
        self._seen.folders.update({path: names_in(path) for path in news["folders"] if not self._is_covered(path)})
        self._seen.variables.update({k: v for k, v in news["variables"].items() if not _is_neutral(k)})
        self._seen.packages.update(news["packages"])
        self._seen.unseen.extend(news["unseen"])

    def so_far(self) -> Reads:
        return copy.deepcopy(self._seen)

    def changed_meanwhile(self) -> str | None:
        """The path of a file that has changed since it was opened; None where none has."""
        return next((path for path, opened in self._opened.items() if _status(path) != opened), None)

    def _is_covered(self, path: str) -> bool:
        return self._covered(path) or any(cache in path for cache in CACHES)


def _is_neutral(variable: str) -> bool:
    return (
        variable in NEUTRAL_VARIABLES or variable.startswith(NEUTRAL_BEGINNINGS) or variable.endswith(NEUTRAL_ENDINGS)
    )


def _status(path: str) -> list[int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]


def _digest(value: str | None) -> str | None:
    return None if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()


@functools.lru_cache
def _version(package: str) -> str | None:
    return platform.python_version() if package == "Python" else version_of(package)
