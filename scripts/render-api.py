#!/usr/bin/env python3
"""Writes docs/api.md: the public interface as its docstrings say it."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import comparator

HEAD = """# The Python interface

`import comparator as cmp`. What is on this page stays; all else may change. `cfg/example.ipynb` shows it in use.

What the [command line](commands.md) has beside: `--cold`, `--dry-run` and `--full`; what a job is asked for (`--nodes`,
`--workers-per-node`, `--queue`, `--project`, `--resume-jobs`), which is as the site says here; and commands that have
no function, such as `sweep` and `recheck`, whose experiments `open` and `list` have like all others. Its `--set` is the
argument `settings`; `--focus` and `--avoid` are among the `options`.

Made from the docstrings by `scripts/render-api.py`.
"""
#: In the order in which a reader needs them.
ORDER = ("compare", "search", "Space", "Float", "Int", "Choice", "Ordered", "Flag", "Constant", "Experiment")


def page() -> str:
    """The whole page."""
    names = [*ORDER, *(name for name in sorted([*comparator.__all__, *comparator.BY_NAME]) if name not in ORDER)]
    return "\n".join([HEAD, *(section(name, getattr(comparator, name)) for name in names)])


def section(name: str, thing: Any) -> str:
    """One name of the interface: what is called, and what its docstring says."""
    call = "" if isinstance(thing, type) and issubclass(thing, Exception) else signature(thing)
    parts = [f"## `{name}`\n", *([f"```python\ncmp.{name}{call}\n```\n"] if call else []), text(thing)]
    if name in ("Experiment", "Space"):
        parts += [member(key, value) for key, value in vars(thing).items() if key[0] != "_"]
    return "\n".join(parts)


def member(name: str, thing: Any) -> str:
    """A property or a method of a class."""
    function = getattr(thing, "__func__", getattr(thing, "fget", thing))
    call = "" if isinstance(thing, property) else signature(function)
    return f"### `.{name}{call}`\n\n{text(function)}"


def signature(thing: Any) -> str:
    """The arguments, one a line where they are many."""
    written, star = [], False
    for each in inspect.signature(thing).parameters.values():
        if each.name in ("self", "cls"):
            continue
        if each.kind is each.KEYWORD_ONLY and not star:
            written.append("*")
            star = True
        written.append(str(each.replace(annotation=Written(each.annotation))) if each.annotation else str(each))
    given = inspect.signature(thing).return_annotation
    result = f" -> {given}" if isinstance(given, str) and given != "None" else ""
    short = f"({', '.join(written)}){result}"
    return short if len(short) < 90 else "(\n" + "".join(f"    {each},\n" for each in written) + f"){result}"


class Written:
    """An annotation as it stands in the code."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("'", "")

    def __repr__(self) -> str:
        return self._text


def text(thing: Any) -> str:
    """A docstring as Markdown: `Args`, `Raises` and the like are lists."""
    lines, is_list = [], False
    for line in (inspect.getdoc(thing) or "").split("\n"):
        if line in ("Args:", "Returns:", "Raises:"):
            lines += [f"**{line.replace('Args', 'Arguments')}**", ""]
            is_list = True
        elif is_list and line.startswith("    ") and not line.startswith("     "):
            name, colon, rest = line.strip().partition(": ")
            lines.append(f"- `{name}`: {rest}" if colon and len(name) < 40 else line.strip())
        elif is_list and line.startswith("     "):
            lines.append(f"  {line.strip()}")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "docs" / "api.md"
    if "--check" in sys.argv[1:]:
        sys.exit(0 if target.read_text() == page() else f"{target} is not what the docstrings say: {sys.argv[0]}")
    target.write_text(page())
