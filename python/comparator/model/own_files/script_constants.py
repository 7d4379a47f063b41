"""The constants that a Python script sets itself by: what it assigns once, and what a copy of it may assign instead.

```python
BATCH_SIZE = 32                            # BATCH_SIZE
CONFIG = {"lr": 1e-3, "epochs": 200}       # CONFIG.lr, CONFIG.epochs

if __name__ == "__main__":
    dropout = 0.2                          # dropout
```

What is set anew, by another assignment, an import, a key (`CONFIG["lr"] = ...`) or an `update`, is none of them, nor is
what the script does not read. What a function changes that is handed the table is not seen.
"""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from comparator.formats.python_source import tree_of

#: A name, and the keys of the tables behind it.
Way = tuple[str, ...]
#: By these a script reads names that do not stand in it.
READ_ALL = {"globals", "locals", "vars", "exec", "eval"}


def constants_in(text: str) -> dict[str, Any]:
    """The constants of a source, tables of them by name; raises `SyntaxError` where it is no Python."""
    found: dict[str, Any] = {}
    for name, node in _constants(tree_of(text)):
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
    nodes = [(node, given[".".join(name)]) for name, node in _constants(tree_of(text)) if ".".join(name) in given]
    for node, value in sorted(nodes, key=lambda each: (each[0].lineno, each[0].col_offset), reverse=True):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        # A source may say that it is in another encoding.
        source = source[:begin] + ascii(value).encode() + source[end:]
    return source.decode()


def _constants(tree: ast.Module) -> Iterator[tuple[Way, ast.expr]]:
    """The way to each constant and its literal; one that is, or may be, set anew is none, nor is one unread."""
    main = [each for node in tree.body if isinstance(node, ast.If) and _is_main(node) for each in node.body]
    nodes = list(ast.walk(tree))
    count = Counter(name for node in nodes for name in _bound(node))
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    anew = {way for node in nodes if (way := _set_anew(node))}
    imports = [node.lineno for node in nodes if isinstance(node, ast.alias) and node.name == "*"]
    for statement in [*tree.body, *main]:
        name, value = _assigned(statement) or ("", None)
        if value is None or count[name] != 1 or statement.lineno < max(imports, default=0):
            continue
        if name not in read and not read & READ_ALL:
            continue
        for way, literal in _literals((name,), value):
            if not any(all(map(operator.eq, way, each)) for each in anew):
                yield way, literal


def _is_main(node: ast.If) -> bool:
    test = ast.unparse(node.test)
    return "__name__ == '__main__'" in test or "'__main__' == __name__" in test


def _assigned(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """The name and the value of a statement that assigns one."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    target = node.target if isinstance(node, ast.AnnAssign) else target
    value = getattr(node, "value", None)
    return (target.id, value) if isinstance(target, ast.Name) and value is not None else None


def _bound(node: ast.AST) -> list[str]:
    """The names that a node gives a value, or takes it away: an assignment, an import, a definition, a pattern."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.alias(name=name, asname=other):
            return [other or name.partition(".")[0]]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return [name]
    return []


def _set_anew(node: ast.AST) -> Way:
    """The way to what a node changes within a table, `CONFIG["lr"] = 1` or `CONFIG.update(...)`; empty for another."""
    match node:
        case ast.Subscript(ctx=ast.Store() | ast.Del()):
            return _way(node)
        case ast.Call(func=ast.Attribute(value=table, attr="update" | "clear")):
            return _way(table)
    return ()


def _way(node: ast.expr) -> Way:
    """The way that `CONFIG["a"]["b"]` goes, as far as its keys are literals; empty where it begins at no name."""
    keys: list[str] = []
    while isinstance(node, ast.Subscript):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        keys = [] if key is None else [str(key), *keys]
        node = node.value
    return (node.id, *keys) if isinstance(node, ast.Name) else ()


def _literals(way: Way, node: ast.expr) -> Iterator[tuple[Way, ast.expr]]:
    if isinstance(node, ast.Dict) and node.keys:
        # What `**` brings, and a key that stands again, count for more than what is before them.
        last = len(node.keys) - [*reversed(node.keys), None].index(None)
        pairs = zip(node.keys[last:], node.values[last:], strict=True)
        named = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        for key, value in named.items():
            if isinstance(key, str):
                yield from _literals((*way, key), value)
        return
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
    is_list = isinstance(value, list) and not any(isinstance(each, dict) for each in value)
    if value is None or is_list or isinstance(value, bool | int | float | str):
        yield way, node
