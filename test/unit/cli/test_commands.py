"""Each command stands in the module that is loaded for it, and no other is."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
import typer

from comparator.cli.app import app
from comparator.cli.command import MODULES


def modules_of(command: Any) -> set[str]:
    """The modules in which a command stands, or those of a group."""
    if hasattr(command, "commands"):
        return set().union(*map(modules_of, command.commands.values()))
    return {inspect.unwrap(command.callback).__module__}


def test_every_command_has_its_module() -> None:
    for module in MODULES.values():
        import_module(f"comparator.cli.{module}")
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {name: modules_of(command) for name, command in known.items()} == {
        name: {f"comparator.cli.{module}"} for name, module in MODULES.items()
    }


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        (["--version"], ("comparator.results", "numpy", "comparator.cli.carry_out")),
        (["site", "list"], ("comparator.results", "numpy", "comparator.cli.experiments")),
        (["list"], ("numpy", "comparator.cli.carry_out")),
    ],
)
def test_a_command_loads_nothing_of_the_others(words: list[str], lacks: tuple[str, ...]) -> None:
    program = (
        "import sys\nfrom comparator.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        f"print([name for name in {lacks} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
