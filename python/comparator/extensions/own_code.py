"""Code of the user's own: a difference, a search algorithm."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

#: What the files held that were imported.
_loaded: dict[str, bytes] = {}


def own_file(folder: Path, module: str) -> Path | None:
    """The file that `module` is in `folder`; None where it is elsewhere on Python's path."""
    file = folder / f"{module}.py"
    return file if file.is_file() else None


def import_own(folder: Path, module: str) -> ModuleType:
    """Import `module` from `folder`, where it is a file there, else from Python's path.

    It may import what lies beside it. What lies there takes the place of no module of the same name that others import.
    Raises what the import raises.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    file = own_file(folder, module)
    if file is None:
        return importlib.import_module(module)
    present = sys.modules.get(module)
    content = file.read_bytes()
    if present is not None and getattr(present, "__file__", None) == str(file):
        if _loaded.get(str(file)) == content:
            return present
        present = None  # a notebook's user has changed it since
    specification = importlib.util.spec_from_file_location(module, file)
    assert specification is not None and specification.loader is not None
    made = importlib.util.module_from_spec(specification)
    if present is None:
        sys.modules[module] = made
    try:
        importlib.invalidate_caches()
        exec(compile(content, str(file), "exec"), vars(made))  # not what Python has kept of the file as it was
    except BaseException:
        if sys.modules.get(module) is made:
            del sys.modules[module]
        raise
    _loaded[str(file)] = content
    return made
