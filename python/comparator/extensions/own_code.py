"""Code of the user's own: a difference, a search algorithm."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

#: What code of others raises where it fails. `sys.exit()` in it ends no process that is not its own; Ctrl-C does.
FAILURES = (Exception, SystemExit)


@dataclass(frozen=True)
class _Imported:
    module: ModuleType
    file: Path
    content: bytes

    @property
    def is_as_it_was(self) -> bool:
        return self.file.is_file() and self.file.read_bytes() == self.content


#: What was imported from each folder, by name: the files that were asked for, and what lies beside them.
_imported: dict[Path, dict[str, _Imported]] = {}


def own_file(folder: Path, module: str) -> Path | None:
    """The file that `module` is in `folder`; None where it is elsewhere on Python's path."""
    file = folder / f"{module}.py"
    return file if file.is_file() else None


def import_own(folder: Path, module: str) -> ModuleType:
    """Import `module` from `folder`, where it is a file there, else from Python's path.

    It may import what lies beside it. What lies there takes the place of no module of the same name that others import.
    Where any of it was changed since, in a notebook say, all is imported anew. Raises what the import raises.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    _forget_changed(folder)
    file, known = own_file(folder, module), _imported.setdefault(folder, {})
    if module in known:
        return known[module].module
    with _noting(folder):
        if file is None:
            return importlib.import_module(module)
        content = file.read_bytes()
        made = _executed(module, file, content)
        known[module] = _Imported(made, file, content)
        return made


def _executed(name: str, file: Path, content: bytes) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, file)
    assert specification is not None and specification.loader is not None
    made = importlib.util.module_from_spec(specification)
    present = sys.modules.get(name)
    if present is None or getattr(present, "__file__", None) == str(file):
        sys.modules[name] = made
    try:
        exec(compile(content, str(file), "exec"), vars(made))  # not what Python has kept of the file as it was
    except BaseException:
        if sys.modules.get(name) is made:
            del sys.modules[name]
        raise
    return made


def _forget_changed(folder: Path) -> None:
    """Forget all that was imported from a folder, where any of it is not as it was: what imports it is older too."""
    known = _imported.get(folder, {})
    if all(each.is_as_it_was for each in known.values()):
        return
    for name, each in known.items():
        if sys.modules.get(name) is each.module:
            del sys.modules[name]
    known.clear()


@contextmanager
def _noting(folder: Path) -> Iterator[None]:
    """Note which modules that lie in `folder` are imported within, for the first time."""
    before, keeps_bytecode = set(sys.modules), sys.dont_write_bytecode
    importlib.invalidate_caches()
    sys.dont_write_bytecode = True  # which is taken for that of a file changed within the same second
    try:
        yield
    finally:
        sys.dont_write_bytecode = keeps_bytecode
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            file = Path(getattr(module, "__file__", None) or folder)
            if file.is_file() and _lies_in(folder, name) and file.is_relative_to(folder):
                _imported[folder].setdefault(name, _Imported(module, file, file.read_bytes()))


def _lies_in(folder: Path, name: str) -> bool:
    """Whether a module is one of a folder's own, not of packages that are installed somewhere below it."""
    top = name.partition(".")[0]
    return (folder / f"{top}.py").is_file() or (folder / top).is_dir()
