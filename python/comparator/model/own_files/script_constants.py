"""The constants that a Python script sets itself by: what it assigns once, and what a copy of it may assign instead.

```python
BATCH_SIZE = 32                            # BATCH_SIZE
CONFIG = {"lr": 1e-3, "epochs": 200}       # CONFIG.lr, CONFIG.epochs
forest = RandomForest(n_estimators=100)    # forest.n_estimators: a number that a call is given by its name
cfg.TRAIN.LR = 0.1                         # cfg.TRAIN.LR

class Config:
    width = 64                             # Config.width

def main(folds=5):                         # main.folds, where it is called without
    dropout = 0.2                          # main.dropout

if __name__ == "__main__":
    main()
```

What is set anew, by another assignment, an import, a key (`CONFIG["lr"] = ...`), an attribute or an `update`, by any
name of the table, is none of them, nor is what a script does not read; of a file that runs nothing others read all.
What another file sets is not seen.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from comparator.formats.python_source import tree_of
from comparator.model.own_files.changed_tables import Way as ChangedWay
from comparator.model.own_files.changed_tables import changed_ways, changes, way_of
from comparator.model.own_files.source import Function, last_name

#: A name, and the keys of the tables behind it.
Way = tuple[str, ...]
#: By these a script reads names that do not stand in it.
READ_ALL = {"globals", "locals", "vars", "exec", "eval"}
#: Calls that make a table of what they are given by name.
TABLES = {"dict", "Namespace", "SimpleNamespace", "EasyDict", "edict", "Munch", "ConfigDict", "OmegaConf"}
#: What is run whenever the statements around it are.
STRAIGHT = (ast.With, ast.Try)


def constants_in(text: str) -> dict[str, Any]:
    """The constants of a source, tables of them by name; raises `SyntaxError` where it is no Python."""
    return _tables(_constants(tree_of(text)))


def constants_in_function(function: Function) -> dict[str, Any]:
    """What a function assigns once, tables of it by name, whether or not it reads that itself."""
    own = list(_straight(function.body))
    return _tables(_of_scope(own, list(ast.walk(function)), needs_reader=False))


def table_of(nodes: Sequence[ast.expr]) -> dict[str, Any]:
    """The literals of tables by name."""
    return _tables(found for node in nodes for found in _literals((), node))


def _tables(constants: Iterable[tuple[Way, ast.expr]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, node in constants:
        *tables, last = name
        table = found
        for each in tables:
            inner = table.setdefault(each, {})
            table = inner if isinstance(inner, dict) else {}
        table.setdefault(last, ast.literal_eval(node))
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
    """The way to each constant and its literal."""
    main = [each for node in tree.body if isinstance(node, ast.If) and _is_main(node) for each in node.body]
    own = [*_straight(tree.body), *_straight(main)]
    runs_itself = bool(main) or any(isinstance(each, ast.Expr) and isinstance(each.value, ast.Call) for each in own)
    nodes = list(ast.walk(tree))
    anew, read = changed_ways(nodes), _read(nodes)
    yield from _of_scope(own, nodes, needs_reader=runs_itself, anew=anew)
    for each in tree.body:
        if isinstance(each, Function):
            for way, node in _of_function(each, nodes, anew):
                yield (each.name, *way), node
        elif isinstance(each, ast.ClassDef) and (each.name in read or not runs_itself):
            for way, node in _of_class(each, nodes, anew):
                yield (each.name, *way), node


def _of_scope(
    own: Sequence[ast.stmt], nodes: Sequence[ast.AST], *, needs_reader: bool, anew: Counter[ChangedWay] | None = None
) -> Iterator[tuple[Way, ast.expr]]:
    """The constants that its `own` statements assign; one that some node sets anew is none, nor is one unread.

    `anew` is what of tables is changed, where more than these `nodes` may do so.
    """
    count = Counter(name for node in nodes for name in _bound(node))
    read = _read(nodes)
    anew = changed_ways(nodes) if anew is None else anew
    imports = [node.lineno for node in nodes if isinstance(node, ast.alias) and node.name == "*"]
    for statement in own:
        way, value = _assigned(statement) or ((), None)
        if value is None or count[way[0]] > 1 or statement.lineno < max(imports, default=0):
            continue
        if way[0].startswith("__") or (needs_reader and way[0] not in read and not read & READ_ALL):
            continue
        others = anew - Counter([way] if len(way) > 1 else [])
        for each, literal in _literals(way, value):
            if not any(changes(other, each, literal) for other in others):
                yield each, literal


def _of_function(
    function: Function, source: Sequence[ast.AST], anew: Counter[ChangedWay]
) -> Iterator[tuple[Way, ast.expr]]:
    """The constants of a function, and the defaults of arguments that no call of it in the source gives.

    `anew` is what the source changes of tables: it may do so in another function that is handed one.
    """
    nodes = list(ast.walk(function))
    named, arguments = function.args, function.args.args
    given = {each.arg for each in (*named.posonlyargs, *arguments, *named.kwonlyargs)}
    shared = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    for way, node in _of_scope(list(_straight(function.body)), nodes, needs_reader=True, anew=anew):
        if way[0] not in given | shared:
            yield way, node
    calls = [each for each in source if isinstance(each, ast.Call) and getattr(each.func, "id", None) == function.name]
    bound = Counter(name for node in nodes for name in _bound(node))
    # Of arguments by place alone (`/`), which stand before the others, the defaults come first.
    defaults = zip(arguments[::-1], named.defaults[::-1], strict=False)
    keywords = zip(named.kwonlyargs, named.kw_defaults, strict=True)
    for argument, default in [*defaults, *keywords] if calls else ():
        place = arguments.index(argument) if argument in arguments else len(arguments)
        is_given = any(_gives(call, argument.arg, place) for call in calls)
        if default is not None and not is_given and not bound[argument.arg]:
            yield from _literals((argument.arg,), default)


def _of_class(
    own: ast.ClassDef, source: Sequence[ast.AST], anew: Counter[ChangedWay]
) -> Iterator[tuple[Way, ast.expr]]:
    """The fields of a class, and what its `__init__` makes of itself, that nothing in the source sets anew.

    Of one that it sets by names that it reads, `setattr(Config, key, value)`, there are none.
    """
    stored = Counter(
        node.attr for node in source if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    )
    calls = [each for each in source if isinstance(each, ast.Call) and last_name(each.func) == own.name]
    made = [each.targets for each in source if isinstance(each, ast.Assign) and each.value in calls]
    names = {own.name, *(getattr(target, "id", None) for targets in made for target in targets)}
    if any(way[0] in names and way[1:2] == (None,) for way in anew):
        return
    inits = [each for each in own.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    bound = Counter(way[0] for way, _ in filter(None, map(_assigned, own.body)))
    fields = [(way[0], value, 0) for way, value in filter(None, map(_assigned, own.body)) if len(way) == 1]
    for init in inits:  # each of its own is stored once, by itself
        fields += [
            (way[1], value, 1)
            for way, value in filter(None, map(_assigned, _straight(init.body)))
            if len(way) == 2 and way[0] == "self" and not bound[way[1]]
        ]
    for place, (name, value, times) in enumerate(fields):
        is_given = any(_gives(call, name, place if not inits else len(call.args)) for call in calls)
        if bound[name] < 2 and stored[name] == times and not is_given:
            yield from _literals((name,), _field_default(value))


def _gives(call: ast.Call, name: str, place: int) -> bool:
    """Whether a call gives an argument, by its name or its place."""
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    return starred or len(call.args) > place or any(each.arg in (name, None) for each in call.keywords)


def _field_default(value: ast.expr) -> ast.expr:
    """The default of a field, `field(default=0.1)` of a dataclass or what is assigned."""
    given = {each.arg: each.value for each in value.keywords} if isinstance(value, ast.Call) else {}
    return given.get("default", value)


def _read(nodes: Iterator[ast.AST] | Sequence[ast.AST]) -> set[str]:
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _straight(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements with those within that are run whenever they are."""
    for each in body:
        yield each
        if isinstance(each, STRAIGHT):
            yield from _straight(each.body)


def _is_main(node: ast.If) -> bool:
    test = ast.unparse(node.test)
    return "__name__ == '__main__'" in test or "'__main__' == __name__" in test


def _assigned(node: ast.stmt) -> tuple[Way, ast.expr] | None:
    """The way to what a statement assigns, a name or an attribute, and its value."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    target = node.target if isinstance(node, ast.AnnAssign) else target
    value = getattr(node, "value", None)
    way = way_of(target) if isinstance(target, ast.Name | ast.Attribute) else ()
    named = tuple(key for key in way if key is not None)
    return (named, value) if way and named == way and value is not None else None


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


def _literals(way: Way, node: ast.expr) -> Iterator[tuple[Way, ast.expr]]:
    """The literals below a value: itself, those of its table, or the numbers that its calls are given by name."""
    if isinstance(node, ast.Dict) and node.keys:
        # What `**` brings, and a key that stands again, count for more than what is before them.
        last = len(node.keys) - [*reversed(node.keys), None].index(None)
        pairs = zip(node.keys[last:], node.values[last:], strict=True)
        named = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        for key, value in named.items():
            if isinstance(key, str):
                yield from _literals((*way, key), value)
        return
    if isinstance(node, ast.Call):
        calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
        keywords = [(each, call) for call in calls for each in call.keywords if each.arg is not None]
        count = Counter(each.arg for each, _ in keywords)
        for each, call in keywords:
            if each.arg is None or count[each.arg] > 1:
                continue
            if (last_name(call.func) in TABLES and call is node) or _is_number(each.value):
                yield from _literals((*way, each.arg), each.value)
        return
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
    is_list = isinstance(value, list) and not any(isinstance(each, dict) for each in value)
    if value is None or is_list or isinstance(value, bool | int | float | str):
        yield way, node


def _is_number(node: ast.expr) -> bool:
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)
