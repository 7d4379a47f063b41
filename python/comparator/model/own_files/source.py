"""Python source of models, which is read and not run."""

from __future__ import annotations

import ast
from pathlib import Path

from comparator.formats.python_source import tree_of


def tree_of_source(file: Path) -> ast.Module | None:
    """A source file as Python reads it, in its own encoding; None where it cannot be read, or is no Python."""
    try:
        return tree_of(file.read_bytes())
    except (OSError, SyntaxError):
        return None
