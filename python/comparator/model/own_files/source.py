"""Python source of models, which is read and not run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from comparator.formats.python_source import tree_of

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree_of_source(file: Path) -> ast.Module | None:
    """A source file as Python reads it, in its own encoding; None where it cannot be read, or is no Python."""
    try:
        return tree_of(file.read_bytes())
    except (OSError, SyntaxError):
        return None


def last_name(node: ast.AST | None) -> str:
    """What a name, or an attribute by itself, is called: `Fire` of `fire.Fire`; empty for anything else."""
    return str(getattr(node, "id", None) or getattr(node, "attr", None) or "")


def literal_of(node: ast.AST | None) -> Any:
    """The value of an expression that is a literal; None where it is none, as for None itself."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
