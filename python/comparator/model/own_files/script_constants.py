"""The constants that a Python script sets itself by: what it assigns once, and what a copy of it may assign instead.

```python
BATCH_SIZE = 32                            # BATCH_SIZE
CONFIG = {"lr": 1e-3, "epochs": 200}       # CONFIG.lr, CONFIG.epochs

if __name__ == "__main__":
    dropout = 0.2                          # dropout
```
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any


def constants_in(text: str) -> dict[str, Any]:
    """The constants of a source, tables of them by name; raises `ValueError` where it is no Python."""
    found: dict[str, Any] = {}
    for name, node in _constants(ast.parse(text)):
        *tables, last = name
        table = found
        for each in tables:
            table = table.setdefault(each, {})
        table[last] = ast.literal_eval(node)
    return found


def with_constants(text: str, given: Mapping[str, Any]) -> str:
    """The source with other values of the constants that are `given` by name, `CONFIG.lr`."""
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    source = b"".join(lines)
    nodes = [(node, given[".".join(name)]) for name, node in _constants(ast.parse(text)) if ".".join(name) in given]
    for node, value in sorted(nodes, key=lambda each: (each[0].lineno, each[0].col_offset), reverse=True):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        source = source[:begin] + repr(value).encode() + source[end:]
    return source.decode()


def _constants(tree: ast.Module) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    """The name of each constant, with the tables that it is in, and its literal; one that is set anew is none."""
    main = [each for node in tree.body if isinstance(node, ast.If) and _is_main(node) for each in node.body]
    statements = [*tree.body, *main]
    assigned = [named for node in statements if (named := _assigned(node)) is not None]
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    count = Counter(node.id for node in names if isinstance(node.ctx, ast.Store))
    for name, value in assigned:
        if count[name] == 1:
            yield from _literals((name,), value)


def _is_main(node: ast.If) -> bool:
    return "__name__" in ast.unparse(node.test)


def _assigned(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """The name and the value of a statement that assigns one."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    target = node.target if isinstance(node, ast.AnnAssign) else target
    value = getattr(node, "value", None)
    return (target.id, value) if isinstance(target, ast.Name) and value is not None else None


def _literals(name: tuple[str, ...], node: ast.expr) -> Iterator[tuple[tuple[str, ...], ast.expr]]:
    if isinstance(node, ast.Dict) and node.keys:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _literals((*name, key.value), value)
        return
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
    if value is None or isinstance(value, bool | int | float | str | list):
        yield name, node
