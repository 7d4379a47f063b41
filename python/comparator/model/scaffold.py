"""Write a new model's folder: a small model that works at once, for its author to put another in its place."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from pathlib import Path

from comparator.errors import InputError
from comparator.formats.text import shortened

SKELETON = Path(__file__).parent / "skeleton"
#: What stands for the model's name in the skeleton's files.
PLACE = "@NAME@"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def new_model(name: str, parent: Path) -> Path:
    """Write the folder `parent/name` and return it; raises `InputError` where the name will not do, or is taken.

    The name is that of a Python package too, which nothing else that Python imports may have.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InputError(
            f"model '{shortened(name)}': must be a letter, then letters, digits and '_', as Python names a package"
        )
    if name in sys.stdlib_module_names or (importlib.util.find_spec(name) is not None):
        raise InputError(f"model '{name}': Python has a module of that name already; take another, such as my_{name}")
    folder = parent / name
    if folder.exists():
        raise InputError(f"{folder}: is there already; take another name, or --folder DIR")
    if not parent.is_dir():
        raise InputError(f"--folder {parent}: no such folder")
    for source in sorted(SKELETON.rglob("*")):
        if source.is_file() and source.suffix != ".pyc":
            _write(source, folder / _target(source.relative_to(SKELETON), name), name)
    return folder


def _target(path: Path, name: str) -> Path:
    renamed = {"package": name, "container.def": f"{name}.def"}
    return Path(*(renamed.get(part, part) for part in path.parts))


def _write(source: Path, target: Path, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source.read_text(encoding="utf-8").replace(PLACE, name), encoding="utf-8")
    if target.suffix == ".sh":
        target.chmod(0o755)
