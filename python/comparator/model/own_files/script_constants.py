"""The constants that a Python script sets itself by: what it assigns once, and what a copy of it may assign instead.

```python
BATCH_SIZE = 32                            # BATCH_SIZE
CONFIG = {"lr": 1e-3, "epochs": 200}       # CONFIG.lr, CONFIG.epochs

if __name__ == "__main__":
    dropout = 0.2                          # dropout
```

What is set anew, by another assignment, an import, a key (`CONFIG["lr"] = ...`) or an `update`, is none of them, nor is
what the script does not read. A table is known by its other names too: `cfg = CONFIG`, and what a function of the
script calls it that is handed it. What is changed through an attribute (`self.config`), or in another file, is not
seen.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: A name, and the keys of the tables behind it.
Way = tuple[str, ...]
#: The same of what is changed; None is any key.
Changed = tuple[str | None, ...]
#: By these a script reads names that do not stand in it.
READ_ALL = {"globals", "locals", "vars", "exec", "eval"}


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
        # A source may say that it is in another encoding.
        source = source[:begin] + ascii(value).encode() + source[end:]
    return source.decode()


def _constants(tree: ast.Module) -> Iterator[tuple[Way, ast.expr]]:
    """The way to each constant and its literal; one that is, or may be, set anew is none, nor is one unread."""
    main = [each for node in tree.body if isinstance(node, ast.If) and _is_main(node) for each in node.body]
    nodes = list(ast.walk(tree))
    count = Counter(name for node in nodes for name in _bound(node))
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    aliases = _aliases(nodes)
    anew = {way for node in nodes if (written := _set_anew(node)) for way in _ways(written, aliases)}
    imports = [node.lineno for node in nodes if isinstance(node, ast.alias) and node.name == "*"]
    for statement in [*tree.body, *main]:
        name, value = _assigned(statement) or ("", None)
        if value is None or count[name] != 1 or statement.lineno < max(imports, default=0):
            continue
        if name not in read and not read & READ_ALL:
            continue
        for way, literal in _literals((name,), value):
            if not any(_changes(each, way, literal) for each in anew):
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


def _set_anew(node: ast.AST) -> Changed:
    """The way to what a node changes within a table, `CONFIG["lr"] = 1` or `CONFIG.update(...)`; empty for another."""
    match node:
        case ast.Subscript(ctx=ast.Store() | ast.Del()):
            return _way(node)
        case ast.Call(func=ast.Attribute(value=table, attr="update" | "clear")) if way := _way(table):
            return (*way, None)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.BitOr()):
            return (name, None)
    return ()


def _changes(changed: Changed, way: Way, literal: ast.expr) -> bool:
    """Whether the literal on this `way` is another one where what is on the way `changed` is."""
    if len(changed) > len(way) and not isinstance(literal, ast.List):  # nothing can be changed within it
        return False
    return all(key is None or key == own for key, own in zip(changed, way, strict=False))


def _way(node: ast.expr) -> Changed:
    """The way that `CONFIG["a"]["b"]` goes; empty where it begins at no name."""
    keys: list[str | None] = []
    while isinstance(node, ast.Subscript):
        keys.insert(0, str(node.slice.value) if isinstance(node.slice, ast.Constant) else None)
        node = node.value
    return (node.id, *keys) if isinstance(node, ast.Name) else ()


def _aliases(nodes: Sequence[ast.AST]) -> Mapping[str, set[Changed]]:
    """The ways to what else a name may stand for, wherever in the source it does: `cfg = CONFIG`, `train(CONFIG)`."""
    functions: dict[str, list[ast.arguments]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions[node.name].append(node.args)
    found: dict[str, set[Changed]] = defaultdict(set)
    for node in nodes:
        for target, value in _given(node, functions):
            found[target] |= set(_tables(value))
    return found


def _given(node: ast.AST, functions: Mapping[str, Sequence[ast.arguments]]) -> Iterator[tuple[str, ast.expr]]:
    """The names that a node gives values, and these: an assignment, or a call of one of the script's `functions`."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs = list(zip(target.elts, value.elts, strict=False))
                else:
                    pairs = [(target, value)]
                yield from ((name.id, each) for name, each in pairs if isinstance(name, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.Call(func=ast.Name(id=called), args=values, keywords=keywords):
            for own in functions.get(called, ()):
                names = [each.arg for each in [*own.posonlyargs, *own.args]]
                yield from zip(names, values, strict=False)
                yield from ((each.arg, each.value) for each in keywords if each.arg is not None)


def _tables(value: ast.expr) -> Iterator[Changed]:
    """The ways to what a value may be itself, and no copy of it."""
    match value:
        case ast.IfExp(body=one, orelse=other):
            yield from [*_tables(one), *_tables(other)]
        case ast.BoolOp(values=values):
            yield from (way for each in values for way in _tables(each))
        case ast.Name() | ast.Subscript():
            yield _way(value)


def _ways(way: Changed, aliases: Mapping[str, set[Changed]]) -> set[Changed]:
    """A way, and those to the same by what its name stands for, and what that stands for in its turn."""
    found, todo, names = {way}, [way], set[str | None]()
    while todo:
        name, *keys = todo.pop()
        if name in names:  # a loop goes from one to the next of its kind
            continue
        names.add(name)
        further = {(*each, *keys) for each in aliases.get(str(name), ()) if each}
        found |= further
        todo += further
    return found


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
