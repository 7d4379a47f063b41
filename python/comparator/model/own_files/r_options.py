"""What a script in R says of its options, by its packages optparse, argparse or argparser; read without running it.

```r
make_option(c("-s", "--size"), type = "integer", default = 3L, help = "hidden units")    # optparse, and add_option
parser$add_argument("--size", type = "integer", default = 3)                             # argparse
add_argument(parser, "--skip", flag = TRUE, help = "skip-layer connections")             # argparser
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from comparator.formats.spelling import as_kept
from comparator.model.definitions import SWITCHES, Definition, chosen_flag, name_of_flag

#: Texts, comments, and marks of R's that take an expression apart.
TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|#[^\n]*|[()\[\]{},]|(?<![<>=!])=(?!=)", re.DOTALL)
CALL = re.compile(r"\b(?:make_option|add_option|add_argument)\s*\(")
FLAG = re.compile(r"--?[^\W\d][\w.-]*")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?L?")
TYPES = {
    **{"integer": "int", "int": "int", "double": "float", "numeric": "float", "float": "float"},
    **{"logical": "bool", "character": "string", "str": "string"},
}
WORDS = {"TRUE": True, "T": True, "FALSE": False, "F": False}


def options_in_r(source: str) -> Iterator[Definition]:
    """The options that a source defines, in their order."""
    source = _without_comments(source)
    for call in CALL.finditer(source):
        positional, named = _arguments(source, call.end())
        given = [*positional, named.get("opt_str", "")]
        flags = [flag for text in given for flag in _texts(text) if FLAG.fullmatch(flag)]
        flag = chosen_flag(flags)
        if flag is not None:
            yield _definition(flag, named)


def _definition(flag: str, named: dict[str, str]) -> Definition:
    default = _value(named.get("default", ""))
    action = "store_true" if _value(named.get("flag", "")) is True else str(_value(named.get("action", "")))
    kind = TYPES.get(str(_value(named.get("type", ""))), "any")
    if action in SWITCHES:
        kind, default = "bool", action == "store_false"
    elif "nargs" in named and _value(named["nargs"]) not in (1, "?"):
        kind = "list"
    words = _value(named.get("help", ""))
    return Definition(
        as_kept(name_of_flag(flag)),
        kind,
        default,
        " ".join(words.split()) if isinstance(words, str) else "",
        tuple(_texts(named.get("choices", ""))),
        flag=flag,
        switch=SWITCHES.get(action),
    )


def _without_comments(source: str) -> str:
    return TOKEN.sub(lambda found: " " if found[0].startswith("#") else found[0], source)


def _arguments(source: str, start: int) -> tuple[list[str], dict[str, str]]:
    """The texts of the arguments of a call that begins there: those without a name, and those with one."""
    positional: list[str] = []
    named: dict[str, str] = {}
    depth, begun, name = 0, start, ""
    for token in TOKEN.finditer(source, start):
        mark = token[0]
        if mark == "=" and depth == 0:
            name, begun = source[begun : token.start()].strip(), token.end()
        elif (mark == "," and depth == 0) or (mark in ")]}" and depth == 0):
            text = source[begun : token.start()].strip()
            named |= {name: text} if name else {}
            positional += [] if name else [text]
            begun, name = token.end(), ""
            if mark != ",":
                break
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
    return positional, named


def _texts(expression: str) -> list[str]:
    """The texts in an expression: one, or those that `c` puts together."""
    return [str(_value(found[0])) for found in TOKEN.finditer(expression) if found[0][0] in "'\""]


def _value(expression: str) -> Any:
    """The text, number or truth that an expression is; None where it is nothing else."""
    expression = expression.strip()
    if NUMBER.fullmatch(expression):
        is_whole = re.fullmatch(r"[+-]?\d+L?", expression) is not None
        return int(expression.rstrip("L")) if is_whole else float(expression.rstrip("L"))
    if len(expression) > 1 and expression[0] in "'\"" and TOKEN.fullmatch(expression):
        return re.sub(r"\\(.)", r"\1", expression[1:-1])
    return WORDS.get(expression)
