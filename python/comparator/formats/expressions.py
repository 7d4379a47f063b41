"""Expressions of constants in CANDLE's hyperparameter files, `2*10` or `[1000] * 3`, which its library computes.

What else Python could compute, by names or functions, is none. Standard library only.
"""

from __future__ import annotations

import ast
import builtins
import operator
import re
from collections.abc import Callable
from typing import Any

from comparator.formats.python_source import expression_of

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
#: Bits of the largest power, and elements of the longest list or text, that are computed.
LARGEST_POWER, LONGEST = 4096, 100_000


#: The width of what a text with `%` has in its place.
_WIDE = re.compile(r"%[^a-zA-Z%]*(\*|\d{5})")


class NoExpression(Exception):
    """A text is no expression of constants."""


class Fault(Exception):
    """An expression has no value; its words say why."""


def computed(text: str) -> Any:
    """The value of an expression; raises `NoExpression`, and `Fault` for one without a value."""
    try:
        return _value(expression_of(text.strip()))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise NoExpression from None
    except (TypeError, ArithmeticError) as error:
        raise Fault(str(error)) from None


def is_computed_by_python(text: str) -> bool:
    """Whether a text is an expression of constants, `1 << 4`, or calls what Python has built in, `int(1e3)` say."""
    try:
        body = expression_of(text.strip())
    except SyntaxError:
        return False
    nodes = list(ast.walk(body))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    others = {node.id for node in names} - own
    if not names:
        return not isinstance(body, ast.Constant)
    return any(isinstance(node, ast.Call) for node in nodes) and others <= set(dir(builtins))


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _both(node.op, _value(node.left), _value(node.right))
    raise NoExpression


def _both(sign: ast.operator, left: Any, right: Any) -> Any:
    """The value of two operands, as far as it is not too large to be computed."""
    is_power = isinstance(sign, ast.Pow) and isinstance(left, int) and isinstance(right, int)
    if is_power and left.bit_length() * abs(right) > LARGEST_POWER:
        raise Fault("is too large")
    if isinstance(sign, ast.Mult):
        for many, times in ((left, right), (right, left)):
            if isinstance(many, list | str) and isinstance(times, int) and _size(many) * times > LONGEST:
                raise Fault("is too long")
    if isinstance(sign, ast.Mod) and isinstance(left, str) and _WIDE.search(left):
        raise Fault("is too long")
    return _OPERATORS[type(sign)](left, right)


def _size(value: Any) -> int:
    """The characters of a text; of a list its elements, with what is in them."""
    if isinstance(value, list):
        return sum(max(1, _size(each)) for each in value)
    return len(value) if isinstance(value, str) else 1
