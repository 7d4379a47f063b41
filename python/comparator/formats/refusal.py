"""What a check of a form has found, in the project's own words: which key, what was given, what is allowed.

Forms are checked by pydantic. Its words ("Input should be a valid integer, unable to parse string as an integer") are
for programmers; here they are "must be a whole number", with the nearest of the words that are allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from comparator.errors import nearest
from comparator.formats.text import shortened, shown

NUMBER, WHOLE, TEXT, LIST, TABLE = "a number", "a whole number", "text", "a list", "a table of keys and values"
#: What is allowed, by the type of pydantic's finding.
ALLOWED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), NUMBER),
    "finite_number": "a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), TEXT),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "iterable_type"), LIST),
    **dict.fromkeys(("dict_type", "model_type", "mapping_type", "model_attributes_type", "dataclass_type"), TABLE),
    "path_type": "the path of a file",
    "none_required": "left out",
}
#: What pydantic calls a form: `int`, `constrained-str`, `list[str]`. A person's own key may be called so too.
_FORM = re.compile(
    r"int|float|str|bool|none|path|(constrained|finite|function|lax-or-strict|json-or-python|is-instance)\b.*"
    r"|(literal|list|dict|tuple|set|nullable|union)\[.*"
)
_QUOTED = re.compile(r"'([^']*)'")


def refusal(error: ValidationError, where: str, known: Sequence[str] = ()) -> str:
    """The first finding in a line that `where` opens; `known` are the keys that were possible where one is unknown."""
    finding = error.errors()[0]
    key = key_of(error)
    if finding["type"] == "extra_forbidden":
        listed = f"; known: {', '.join(known)}" if known else ""
        return f"{where}: unknown key '{shortened(key)}'{nearest(str(finding['loc'][-1]), known)}{listed}"
    if finding["type"] == "missing":
        return f"{where}: '{shortened(key)}' is missing"
    said = allowed(error)
    if not key:
        return f"{where}: {said}"
    return f"{where}: '{shortened(key)}' = {shown(finding['input'])}: {said[:1].lower()}{said[1:]}"


def key_of(error: ValidationError) -> str:
    """The key that the first finding is of, with dots; empty where it is of the whole."""
    place = error.errors()[0]["loc"]
    place = place[:-1] if _is_of_a_form(error) else place
    return ".".join(str(part) for part in place if part != "[key]")


def allowed(error: ValidationError) -> str:
    """What is allowed where the first finding is; of several forms that a value may have each."""
    found = _of_one_value(error)
    if len(found) == 1:
        return _words(found[0])
    words = dict.fromkeys(_words(each) for each in found)
    forms = [each for each in words if each.startswith("must be ")]
    return f"must be {', or '.join(each.removeprefix('must be ') for each in forms)}" if forms else next(iter(words))


def _of_one_value(error: ValidationError) -> list[Mapping[str, Any]]:
    """The first finding, and those of other forms that the same value may have: their places end with the form."""
    first, *others = error.errors()
    if not _is_of_a_form(error):
        return [first]
    last = len(first["loc"]) - 1
    return [first, *(each for each in others if each["loc"][:-1] == first["loc"][:-1] and _is_form(each["loc"][last]))]


def _is_of_a_form(error: ValidationError) -> bool:
    """Whether the first finding's place ends with one of several forms that a value may have, and not with a key.

    Then there is a finding of another form of the same value.
    """
    first, *others = (each["loc"] for each in error.errors())
    if not first or not _is_form(first[-1]):
        return False
    last = len(first) - 1
    return any(len(each) > last and each[:last] == first[:last] and _is_form(each[last]) for each in others)


def _is_form(part: int | str) -> bool:
    return isinstance(part, str) and _FORM.fullmatch(part) is not None


def _words(finding: Mapping[str, Any]) -> str:
    """What is wrong by one finding."""
    kind, context = finding["type"], finding.get("ctx", {})
    if kind in ("value_error", "assertion_error"):  # of our own; it names its keys
        return str(context.get("error", finding["msg"]))
    if kind in ("literal_error", "enum"):
        given = finding["input"]
        near = nearest(given, _QUOTED.findall(context["expected"])) if isinstance(given, str) else ""
        return f"must be {context['expected']}{near}"
    bounds = {
        "greater_than": "must be above {gt:,}",
        "greater_than_equal": "must be {ge:,} or more",
        "less_than": "must be below {lt:,}",
        "less_than_equal": "must be {le:,} or less",
        "multiple_of": "must be a multiple of {multiple_of:,}",
        "string_pattern_mismatch": "must be of the form {pattern}",
    }
    if kind in bounds:
        return bounds[kind].format(**context)
    if kind in ("too_short", "string_too_short"):
        fewest = context["min_length"]
        what = "characters" if kind == "string_too_short" else "entries"
        return "must not be empty" if fewest == 1 else f"must have {fewest} {what} or more"
    if kind in ("too_long", "string_too_long"):
        what = "characters" if kind == "string_too_long" else "entries"
        return f"must have {context['max_length']} {what} at most"
    if kind in ALLOWED:
        return f"must be {ALLOWED[kind]}"
    if kind == "is_instance_of":
        return f"must be an object of {context['class']}"
    return f"is not allowed ({kind.replace('_', ' ')})"
