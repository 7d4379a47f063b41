"""JSON that users bring: read with its numbers and keys checked, and where it is none told what is to be mended."""

from __future__ import annotations

import json
import re
from typing import Any

from comparator.errors import InputError
from comparator.formats.text import json_hooks, shortened

#: Python's words for what JSON writes otherwise.
_OF_PYTHON = {"True": "true", "False": "false", "None": "null"}
_WORD = re.compile(r"[^\W\d]\w*")


def read_json(text: str, where: str) -> Any:
    """The content of a JSON text; raises `InputError` whose line `where` opens, with the number of the line."""
    try:
        return json.loads(text, **json_hooks(where))
    except json.JSONDecodeError as error:
        place, words = fault_in(text, error)
        raise InputError(f"{where}, line {1 + text.count(chr(10), 0, place)}: not JSON: {words}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None


def fault_in(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    """Where in a text, from 0, a fault stands that JSON's reader has found, and in words what is to be mended.

    The reader's own words differ from one version of Python to another; what stands around the place does not.
    """
    if "control character" in error.msg:  # the text goes on over the end of its line
        return error.pos, "a text lacks the double quote at its end"
    before = text[: error.pos].rstrip()
    place = error.pos + len(text[error.pos :]) - len(text[error.pos :].lstrip())
    if text[place : place + 1] == "," and text[place + 1 :].lstrip()[:1] in ("]", "}"):  # Python 3.13 on
        before, place = text[: place + 1], len(text) - len(text[place + 1 :].lstrip())
    found = text[place:]
    if before.endswith(",") and found[:1] in ("]", "}"):
        return len(before) - 1, f"a comma stands before '{found[0]}'; take it out"
    if found and not before and found[0] not in "[{":
        return place, "it begins with neither '{' nor '['"
    return place, _words(found, error)


def _words(found: str, error: json.JSONDecodeError) -> str:
    word = _WORD.match(found)
    if not found:
        return "it ends too early; a bracket is open, or something is missing"
    if found.startswith("'"):
        return "texts and names stand in double quotes, not in single ones"
    if found.startswith(("#", "//")):
        return "JSON knows no comments; take it out"
    if error.msg == "Extra data":
        return f"it is over before '{shortened(found.splitlines()[0], 30)}'; nothing may follow"
    if word is not None and word[0] in _OF_PYTHON:
        return f"'{word[0]}' is written {_OF_PYTHON[word[0]]}"
    if "delimiter" in error.msg:
        mark = "':'" if "':'" in error.msg else "a comma"
        return f"{mark} is missing before '{shortened(found.splitlines()[0], 30)}'"
    if error.msg.startswith("Unterminated string"):
        return "a text lacks the double quote at its end"
    if word is not None:
        return f"'{shortened(word[0])}' lacks its double quotes"
    return f"{error.msg[:1].lower()}{error.msg[1:]}"
