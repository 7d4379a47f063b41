"""Which modules of the package import which, wherever it stands: inside a function and for types alone too."""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "python" / "comparator"


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in PACKAGE.rglob("*.py") if "skeleton" not in path.parts}


def imports_of(name: str) -> Iterator[str]:
    """The modules of the package that one imports; of `from package import module`, the module."""
    path = MODULES[name]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            source = ".".join(filter(None, [above if node.level else "", node.module or ""]))
            for each in node.names:
                inner = f"{source}.{each.name}"
                if inner in MODULES or source in MODULES:
                    yield inner if inner in MODULES else source


IMPORTS = {name: {each for each in imports_of(name) if each != name} for name in MODULES}


def room_of(name: str) -> str:
    parts = name.split(".")
    is_room = len(parts) > 1 and (PACKAGE / parts[1]).is_dir()
    return parts[1] if is_room else name


def test_no_room_imports_one_that_imports_it() -> None:
    rooms: dict[str, set[str]] = {}
    for name, imported in IMPORTS.items():
        rooms.setdefault(room_of(name), set()).update(map(room_of, imported))
    for name, imported_rooms in rooms.items():
        imported_rooms.discard(name)
    order = list(graphlib.TopologicalSorter(rooms).static_order())  # raises `CycleError`, which names the circle
    assert order.index("results") < order.index("evidence") < order.index("findings") < order.index("report")


def test_no_module_imports_one_that_imports_it() -> None:
    # The command line hears Ctrl-C while it loads what runs a command.
    kept = {**IMPORTS, "comparator.cli": IMPORTS["comparator.cli"] - {"comparator.cli.command"}}
    list(graphlib.TopologicalSorter(kept).static_order())


def test_evidence_is_numbers_alone_and_knows_no_words_of_differences() -> None:
    known = {each for name, imported in IMPORTS.items() if room_of(name) == "evidence" for each in imported}
    assert "comparator.objective.amounts" not in known
    assert known.isdisjoint(name for name in MODULES if room_of(name) in ("findings", "report"))


@pytest.mark.parametrize("room", ["experiment", "findings", "model", "model.own_files", "model.runners"])
def test_the_table_of_a_room_names_its_modules(room: str) -> None:
    name = f"comparator.{room}"
    rows = [line for line in str(importlib.import_module(name).__doc__).splitlines() if line.startswith("|")]
    told = {word for row in rows for word in re.findall(r"\w+", row)}
    inside = {each.removeprefix(f"{name}.").partition(".")[0] for each in MODULES if each.startswith(f"{name}.")}
    assert inside and inside <= told
