"""What is wrong, in the words of Python: arguments in the place of the command line's options and of a file's keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from comparator.errors import ComparatorError

#: Options that are no arguments, and what says the same.
INSTEAD = {"workers-per-node": "SITE_WORKERS_PER_NODE"}
#: What is said, and what is said of it in Python; the first that fits goes first.
WORDS = (
    (re.compile(r"'?--resume (?P<id>[\w.-]+)'?"), r"resume('\g<id>')"),
    (re.compile(r"--resume\b"), "resume()"),
    (re.compile(r"(?:\S*/)?\bcomparator (?:watch|open) (?P<id>[\w.-]+)"), r"comparator.open('\g<id>')"),
    (re.compile(r"--set (?:\w+\.)?(?P<key>\w+)="), r"\g<key>="),
    (re.compile(r"it needs model = 'cmp'"), "compare() answers that"),
    (re.compile(r"\[cmp\] models\b"), "first, second"),
    (re.compile(r"'search' = \{.*?\}: "), ""),
    (re.compile(r"\[(?:search|cmp)\](?:: | )"), ""),
    (re.compile(r"'?\b(?:search|cmp)\.(?P<key>[a-z]\w*)'?"), r"\g<key>"),
)
OPTION = re.compile(
    r"--(?P<name>engine|workers(?:-per-node)?|together|walltime|site|id|experiments)\b(?: (?P<value>[^\s:;,)]+))?"
)


@contextmanager
def python_words() -> Iterator[None]:
    """Have what is raised within, to say what is wrong, name the arguments of a call."""
    try:
        yield
    except ComparatorError as error:
        error.args = (in_python(str(error)), *error.args[1:])
        raise


def in_python(words: str) -> str:
    """Words on what is wrong, for somebody who calls functions."""
    for pattern, said in WORDS:
        words = pattern.sub(said, words)
    return OPTION.sub(_argument, words)


def _argument(found: re.Match[str]) -> str:
    name, value = INSTEAD.get(found["name"], found["name"]), found["value"]
    if value is None:
        return name
    return f"{name} = {value if value.isdigit() else repr(value)}"
