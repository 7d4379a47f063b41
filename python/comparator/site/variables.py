"""The variables that a site's file leaves behind: what is made of them, and where a wrong one comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from comparator.errors import InputError, nearest
from comparator.formats.text import shortened

Value = TypeVar("Value")
#: More nodes, devices or cores than any machine has; places for trainings are made of them one by one.
MOST = 100_000


@dataclass(frozen=True)
class Variables:
    """The variables that a site's file leaves behind, which are read one by one; what is wrong is an `InputError`."""

    file: Path
    values: Mapping[str, str]

    def read(self, name: str, read: Callable[[str], Value]) -> Value:
        """What `read` makes of a variable; it raises `ValueError`, which says what is allowed."""
        try:
            return read(self.values[name])
        except ValueError as error:
            raise InputError(f"{said(name, self.values[name], self.file)}: {error}") from None

    def choice(self, name: str, allowed: Collection[str]) -> str:
        def read(text: str) -> str:
            if text not in allowed:
                raise ValueError(f"must be one of {', '.join(allowed)}{nearest(text, allowed)}")
            return text

        return self.read(name, read)

    def count(self, name: str, *, smallest: int = 1) -> int:
        def read(text: str) -> int:
            if not text.isdecimal() or len(text) > len(str(MOST)) or not smallest <= int(text) <= MOST:
                raise ValueError(f"must be a whole number from {smallest} to {MOST:,}")
            return int(text)

        return self.read(name, read)


def said(name: str, value: str, file: Path) -> str:
    """A variable's value with where it comes from, for an error: the environment, or a line of the site's `file`."""
    words = f"{name}='{shortened(value)}'"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    sets = re.compile(rf"^[^#]*(?<![\w$]){name}=(?P<value>.*)")
    found = [(number, match) for number, line in enumerate(lines, 1) if (match := sets.match(line)) is not None]
    keeps = not found or re.search(rf"\$\{{?{name}\b", found[-1][1]["value"]) is not None
    if keeps and os.environ.get(name, "").split() == value.split():
        return f"{words} in the environment"
    return f"{file}:{found[-1][0]}: {words}" if found else f"{file}: {words}"
