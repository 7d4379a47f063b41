"""Parameter sets of mlrMBO, the `*.R` files of CANDLE's mlrMBO workflow, as entries of a space.

```R
param.set <- makeParamSet(
  makeDiscreteParam("activation", values = c("relu", "elu")),
  makeIntegerParam("batch_size", lower = 5, upper = 10, trafo = function(x) 2L^x),   # 32, 64, ..., 1024
  makeNumericParam("dropout", lower = 0, upper = 0.9),
  makeLogicalParam("residual")
)
```

Nothing is run: calls, numbers, texts and `c(...)` are read, which R and Python write alike but for a few words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from comparator.errors import InputError, nearest
from comparator.formats.kinds import PARAMETER_SET
from comparator.formats.python_source import expression_of
from comparator.formats.text import UNFIT, shortened
from comparator.space.entries import element_type_of
from comparator.space.parameters import Entry

#: What makes a parameter, and what may be said of it behind its name, in R's order.
_MAKERS = {
    "makeNumericParam": ("lower", "upper"),
    "makeIntegerParam": ("lower", "upper"),
    "makeDiscreteParam": ("values",),
    "makeLogicalParam": (),
}
#: What changes no value that a search may take.
_WITHOUT_EFFECT = ("default", "tunable")
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|#[^\n]*|\b\d+L\b|\b[A-Za-z_][\w.]*|.""", re.DOTALL)
_WORDS = {"TRUE": "True", "FALSE": "False", "T": "True", "F": "False", "NULL": "None"}
_FUNCTION = re.compile(r"\bfunction\s*\(\s*(\w+)\s*\)")
#: Steps of an exponent that a list can have.
_MOST_POWERS = 1000


def entries_of(text: str, where: str) -> list[Entry]:
    """The entries of a space; raises `InputError` with the line of what has no place in one."""
    begin = PARAMETER_SET.search(text)
    assert begin is not None
    above = text.count("\n", 0, begin.start(1))
    try:
        made = expression_of(_as_python(text[begin.start(1) :]))
    except SyntaxError as error:
        line = (error.lineno or 1) + above
        raise InputError(f"{where}, line {line}: no parameter set of mlrMBO that can be read: {error.msg}") from None
    assert isinstance(made, ast.Call)
    given = [*made.args, *(keyword.value for keyword in made.keywords)]
    return [_entry(each, f"{where}, line {each.lineno + above}") for each in given]


def _as_python(text: str) -> str:
    """The first call of an R text, in Python's words."""
    words, depth = [], 0
    for token in _TOKEN.findall(text):
        word = "" if token.startswith("#") else _WORDS.get(token, token)
        words.append(word.removesuffix("L") if word[:1].isdigit() else word)
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == ")" and depth == 0:
            break
    return _FUNCTION.sub(r"lambda \1:", "".join(words))


def _entry(call: ast.expr, where: str) -> Entry:
    """One parameter; `where` opens the line of what is refused."""
    maker = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
    if not isinstance(call, ast.Call) or maker not in _MAKERS:
        written = shortened(ast.unparse(call))
        raise InputError(f"{where}: {written} is none of {', '.join(_MAKERS)}{nearest(maker, _MAKERS)}")
    given = dict(_arguments(call, ("id", *_MAKERS[maker]), where))
    name, trafo = given.pop("id", None), given.pop("trafo", None)
    where = f"{where}: '{shortened(str(name))}'"
    if missing := [key for key in _MAKERS[maker] if key not in given]:
        raise InputError(f"{where}: '{missing[0]}' is missing")
    if maker == "makeLogicalParam":
        return {"name": name, "type": "logical"}
    if maker == "makeDiscreteParam":
        values = given["values"] if isinstance(given["values"], list) else [given["values"]]
        element_type = element_type_of(values) or "string"
        return {"name": name, "type": "categorical", "element_type": element_type, "values": values}
    kind = "int" if maker == "makeIntegerParam" else "float"
    ends = {"lower": given["lower"], "upper": given["upper"]}
    if trafo is None:
        return {"name": name, "type": kind, **ends}
    return {"name": name, **_powers(trafo, kind, ends, where)}


def _arguments(call: ast.Call, order: tuple[str, ...], where: str) -> Iterator[tuple[str, Any]]:
    """The arguments by name; `order` names those that stand without one."""
    free = [name for name in order if name not in {keyword.arg for keyword in call.keywords}]
    for name, value in zip(free, call.args, strict=False):
        yield name, _value(value, where)
    if len(call.args) > len(free):
        raise InputError(f"{where}: {shortened(ast.unparse(call.args[len(free)]))} is one argument too many")
    for keyword in call.keywords:
        if keyword.arg == "trafo":
            yield keyword.arg, keyword.value
        elif keyword.arg in order:
            yield str(keyword.arg), _value(keyword.value, where)
        elif keyword.arg not in _WITHOUT_EFFECT:
            known = (*order, "trafo")
            raise InputError(
                f"{where}: '{shortened(str(keyword.arg))}' has no place in a space{nearest(str(keyword.arg), known)}"
            )


def _value(given: ast.expr, where: str) -> Any:
    """A number, a text, a truth, or a list of these."""
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and given.func.id in ("c", "list"):
        return [_value(each, where) for each in [*given.args, *(keyword.value for keyword in given.keywords)]]
    try:
        return ast.literal_eval(given)
    except (ValueError, TypeError):
        raise InputError(f"{where}: {shortened(ast.unparse(given))} is no number, text or c(...) of these") from None


def _powers(trafo: Any, kind: str, ends: dict[str, Any], where: str) -> dict[str, Any]:
    """The range that `function(x) BASE^x` makes of whole exponents, or of any."""
    body = trafo.body if isinstance(trafo, ast.Lambda) else None
    power = body if isinstance(body, ast.BinOp) and isinstance(body.op, ast.BitXor) else None
    base: Any = _value(power.left, where) if power is not None and isinstance(power.right, ast.Name) else None
    if element_type_of([base, *ends.values()]) not in ("int", "float") or not base > 1:
        raise InputError(f"{where}: of a trafo only function(x) BASE^x has a place in a space, such as 2^x")
    lower, upper = ends["lower"], ends["upper"]
    try:
        powers = {"lower": float(base) ** lower, "upper": float(base) ** upper}
    except OverflowError:
        raise InputError(f"{where}: {base}^{upper} {UNFIT}") from None
    if kind == "float":
        return {"type": kind, **powers, "use_log_scale": True}
    if not 0 <= upper - lower < _MOST_POWERS or lower != int(lower):
        raise InputError(f"{where}: {lower} to {upper} are no exponents of a list of values")
    values = [base**exponent for exponent in range(int(lower), int(upper) + 1)]
    return {"type": "ordered", "element_type": element_type_of(values), "values": values}
