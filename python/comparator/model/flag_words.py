"""By which words of a command line a script is given a hyperparameter."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from comparator.errors import InputError
from comparator.model.definitions import Definition

#: The words for False.
FALSE = ("false", "f", "no", "n", "0")


def is_false(value: Any) -> bool:
    return str(value).lower() in FALSE


def flag_words(takes: Definition, value: Any) -> list[str]:
    """The words by which a script is given a value of what it `takes`.

    A switch is there or not; False of a `type=bool` is the empty word, which is the one that is false to Python. None
    is no word: the script has a default of its own. Raises `InputError` for a list that would become the letters of a
    word.
    """
    flag = takes.flag or f"--{takes.name}"
    if value is None:
        return []
    if takes.switch is not None:
        is_on = not is_false(value)
        if takes.switch == "both":
            return [flag if is_on else f"--no-{flag.lstrip('-')}"]
        return [flag] if is_on == (takes.switch == "on") else []
    if takes.builtin == "list":
        raise InputError(f"{takes.name} cannot be set: its script makes a list of a word's letters (type=list)")
    if takes.builtin == "bool" and is_false(value):
        return [flag, ""]
    values = _values(takes, value)
    if takes.is_repeated:
        return [word for each in values for word in _with_flag(flag, [each])]
    return _with_flag(flag, values)


def as_taken(takes: Definition, value: Any) -> Any:
    """A value as a script takes it: a list as one text where it takes one word, a text as words where more."""
    takes_several = takes.type == "list"
    if isinstance(value, list | tuple) and not takes_several:
        return str(list(value))
    return value.split() if isinstance(value, str) and takes_several else value


def _values(takes: Definition, value: Any) -> list[str]:
    """A value as words: several where the script takes several."""
    taken = as_taken(takes, value)
    return list(map(_word, taken if isinstance(taken, list | tuple) else [taken]))


def _word(value: Any) -> str:
    """A value as a word: a number below 0 without an exponent, since `argparse` takes `-1e-05` for a flag."""
    is_below_0 = isinstance(value, float) and value < 0 and math.isfinite(value)
    return format(Decimal(str(value)), "f") if is_below_0 else str(value)


def _with_flag(flag: str, words: list[str]) -> list[str]:
    """Words behind their flag; joined to it where the flag wants that, or the word looks like a flag."""
    if flag.endswith("="):
        return [flag + ",".join(words)]
    if len(words) == 1 and words[0].startswith("-") and flag.startswith("--"):
        return [f"{flag}={words[0]}"]
    return [flag, *words]
