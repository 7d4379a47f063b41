"""What hyperparameters name: files and folders count with what is there, not with their names alone."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from comparator.formats.names import home_written_out
from comparator.model.fingerprint import Recent, Tree, content_of, tree_of

#: Folders that a hyperparameter names are looked through up to so many files.
MOST_FILES_NAMED = 100_000
MOST_WORDS = 100  # of a text that may hold paths


class NamedPaths:
    """What hyperparameters name: files and folders, as they stand, under the data folder or beside the model.

    `covered` says of a path whether the identity holds what lies there anyway. Folders are looked at again no more
    often than can be afforded, as `Recent` has it.
    """

    def __init__(self, folders: Sequence[Path], covered: Callable[[str], bool] = lambda path: False) -> None:
        self._folders, self._covered = folders, covered
        self._trees: dict[Path, Recent[Tree]] = {}

    def state(self, value: str) -> tuple[list[str] | None, str | None]:
        """What is at the paths that `value` may be or hold, None where nothing is; and why it cannot be told."""
        states = []
        for path in self._paths_in(value):
            try:
                mode = path.stat().st_mode
            except (OSError, ValueError):  # nothing is there, or it is no name that a file can have
                continue
            if not stat.S_ISDIR(mode):
                states += [content] if (content := content_of(path)) is not None else []
            elif not self._covered(str(path)) and not self._holds_everything(path):
                tree = self._tree(path)
                if tree.digest is None:
                    return None, tree.unknown
                states.append(tree.digest)
        return states or None, None

    def _paths_in(self, value: str) -> list[Path]:
        """Paths that a text may be, or hold between signs and blanks; `~`, variables and patterns are written out."""
        words = dict.fromkeys([value, *re.split(r"[\s,;]+", value), *re.split(r"[\s,;=:|]+", value)])
        paths = []
        for word in [os.path.expandvars(word.removeprefix("file://")) for word in words if word][:MOST_WORDS]:
            for folder in self._folders:
                path = home_written_out(word) if word.startswith("~") else folder / word
                found = glob.glob(str(path)) if glob.has_magic(word) else []  # noqa: PTH207  (paths may be absolute)
                paths += [Path(each) for each in sorted(found)] or [path]
        return list(dict.fromkeys(paths))

    def _holds_everything(self, path: Path) -> bool:
        """Whether the data or the model lie below a folder: a text such as `/` or `.` means no such thing."""
        root = f"{str(path.absolute()).rstrip('/')}/"
        return any(f"{folder.absolute()}/".startswith(root) for folder in self._folders)

    def _tree(self, path: Path) -> Tree:
        look = partial(tree_of, [("", path)], limit=MOST_FILES_NAMED)
        return self._trees.setdefault(path, Recent(look))()


def canonical(value: Any, named: NamedPaths, unknown: list[str], *, is_number: bool) -> Any:
    """`value` with what lies at the paths that it names, and 50.0 as 50 where a model takes any number for the same."""
    if isinstance(value, str) and value:
        state, reason = named.state(value)
        unknown += [] if reason is None else [reason]
        return [value, state]
    if is_number and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [canonical(each, named, unknown, is_number=is_number) for each in value]
    if isinstance(value, Mapping):
        return {key: canonical(each, named, unknown, is_number=is_number) for key, each in value.items()}
    return value
