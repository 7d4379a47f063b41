"""What a script changes within tables that it has assigned, by whatever name it calls them.

`CONFIG["lr"] = 0.1`, `CONFIG.lr = 0.1`, `setattr(CONFIG, "lr", 0.1)`, `CONFIG.update(...)`, `CONFIG |= ...`; a table
is known by its other names too: `cfg = CONFIG`, `self.cfg = CONFIG`, and what a function, or a class, of the script
calls it that is handed it.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from comparator.model.own_files.source import Function

#: A name, and the keys and attributes of the tables behind it; None is any key.
Way = tuple[str | None, ...]
#: Names that stand for each other, `node = node["next"]`, have ways without an end.
MOST_WAYS = 100


def changed_ways(nodes: Sequence[ast.AST]) -> Counter[Way]:
    """How often what is on each way is changed, or may be, by the nodes of a source."""
    aliases = _aliases(nodes)
    written = Counter(way for node in nodes if (way := _set_anew(node)))
    found: Counter[Way] = Counter()
    for each, times in written.items():
        found.update(dict.fromkeys(_ways(each, aliases), times))
    return found


def changes(changed: Way, way: Way, literal: ast.expr) -> bool:
    """Whether the literal on this `way` is another one where what is on the way `changed` is."""
    if len(changed) > len(way) and not isinstance(literal, ast.List):  # nothing can be changed within it
        return False
    return all(key is None or key == own for key, own in zip(changed, way, strict=False))


def way_of(node: ast.expr) -> Way:
    """The way that `CONFIG["a"].b` goes; empty where it begins at no name."""
    keys: list[str | None] = []
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Attribute):
            keys.insert(0, node.attr)
        else:
            keys.insert(0, _key(node.slice))
        node = node.value
    return (node.id, *keys) if isinstance(node, ast.Name) else ()


def _key(node: ast.expr) -> str | None:
    return str(node.value) if isinstance(node, ast.Constant) else None


def _set_anew(node: ast.AST) -> Way:
    """The way to what a node changes within a table; empty for another."""
    match node:
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            return way_of(node)
        case ast.Call(func=ast.Attribute(value=table, attr="update" | "clear")) if way := way_of(table):
            return (*way, None)
        case ast.Call(func=ast.Name(id="setattr"), args=[table, key, _]) if way := way_of(table):
            return (*way, _key(key))
        case ast.AugAssign(target=ast.Name(id=name), op=ast.BitOr()):
            return (name, None)
    return ()


def _aliases(nodes: Sequence[ast.AST]) -> Mapping[str, set[Way]]:
    """The ways to what else a name may stand for, wherever in the source it does: `cfg = CONFIG`, `train(CONFIG)`.

    An attribute's name has a dot before it, whatever it is of.
    """
    functions: dict[str, list[list[str]]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, Function):
            functions[node.name].append(_arguments(node))
        elif isinstance(node, ast.ClassDef):
            inits = [each for each in node.body if isinstance(each, Function) and each.name == "__init__"]
            functions[node.name] += (_arguments(each)[1:] for each in inits)
    found: dict[str, set[Way]] = defaultdict(set)
    for node in nodes:
        for target, value in _given(node, functions):
            found[target] |= set(_tables(value))
    return found


def _arguments(function: Function) -> list[str]:
    """The names of what it is given by place."""
    return [each.arg for each in [*function.args.posonlyargs, *function.args.args]]


def _given(node: ast.AST, functions: Mapping[str, Sequence[Sequence[str]]]) -> Iterator[tuple[str, ast.expr]]:
    """The names that a node gives values, and these: an assignment, or a call of one of the script's `functions`.

    Of these, and of classes, it is known what they are given by place.
    """
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs = list(zip(target.elts, value.elts, strict=False))
                else:
                    pairs = [(target, value)]
                yield from ((name.id, each) for name, each in pairs if isinstance(name, ast.Name))
                yield from ((f".{name.attr}", each) for name, each in pairs if isinstance(name, ast.Attribute))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.Call(func=ast.Name(id=called), args=values, keywords=keywords):
            for names in functions.get(called, ()):
                yield from zip(names, values, strict=False)
                yield from ((each.arg, each.value) for each in keywords if each.arg is not None)


def _tables(value: ast.expr) -> Iterator[Way]:
    """The ways to what a value may be itself, and no copy of it."""
    match value:
        case ast.IfExp(body=one, orelse=other):
            yield from [*_tables(one), *_tables(other)]
        case ast.BoolOp(values=values):
            yield from (way for each in values for way in _tables(each))
        case ast.Name() | ast.Subscript() | ast.Attribute():
            yield way_of(value)


def _ways(way: Way, aliases: Mapping[str, set[Way]]) -> set[Way]:
    """A way, and those to the same by what its names stand for, and what that stands for in its turn."""
    found, todo = {way}, [way]
    while todo and len(found) < MOST_WAYS:
        name, *keys = todo.pop(0)
        further = {(*each, *keys) for each in aliases.get(str(name), ()) if each}
        for place, key in enumerate(keys[:-1], start=1):  # the last is what is set anew
            further |= {(*each, *keys[place:]) for each in aliases.get(f".{key}", ()) if each}
        todo += sorted(further - found, key=lambda each: (len(each), repr(each)))  # the same in every process
        found |= further
    return found
