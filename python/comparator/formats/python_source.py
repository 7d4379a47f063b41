"""Python source, and expressions in it, as Python's own reader has them; nothing is run. Standard library only."""

from __future__ import annotations

import ast


def tree_of(source: str | bytes) -> ast.Module:
    """The tree of a source; raises `SyntaxError` where it is no Python, or goes deeper than Python reads."""
    try:
        return ast.parse(source)
    except (ValueError, MemoryError, RecursionError) as error:  # which of them, depends on the version of Python
        raise SyntaxError(str(error) or "nested too deep") from None


def expression_of(text: str) -> ast.expr:
    """The tree of an expression; raises `SyntaxError` as `tree_of` does."""
    try:
        return ast.parse(text, mode="eval").body
    except (ValueError, MemoryError, RecursionError) as error:
        raise SyntaxError(str(error) or "nested too deep") from None
