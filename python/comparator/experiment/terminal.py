"""Where commands print what people read: a terminal, or a log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from comparator.formats.text import in_lines, message, one_line

LONGEST_TITLE = 160  # characters of an experiment's title that are shown


class Terminal(Console):
    """A console on which a text is one line, and shows as it is: it may be a name or a reason from anywhere."""

    def __init__(self, **how: Any) -> None:
        surroundings = {**os.environ}
        if not surroundings.get("COLUMNS", "").lstrip("0"):  # no width to show anything in
            surroundings.pop("COLUMNS", None)
        super().__init__(markup=False, emoji=False, highlight=False, _environ=surroundings, **how)

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(one_line(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=_without_orders(segment.text))


def in_notebook() -> bool:
    """Whether this process is a notebook's, whose cells show what is printed."""
    return "IPython" in sys.modules and hasattr(sys.modules["IPython"].get_ipython(), "kernel")


def is_redrawn(console: Console) -> bool:
    """Whether what stands on a console can be written anew: neither a log nor a terminal without orders."""
    return console.is_terminal and not console.is_dumb_terminal


def has_blocks(console: Console) -> bool:
    """Whether a console shows characters beyond ASCII."""
    return not console.options.ascii_only


def tell(console: Console, words: str, style: str | None = None, *, whole: bool = False) -> None:
    """Print a message, on a terminal in lines that break between words; a log has it in one line.

    A word that is longer than a line, a path say, is left whole, so that it can be copied. A message that is more than
    three lines of a terminal loses its middle, unless `whole` says that it is an answer, which has to be read in full.
    """
    words = one_line(words) if whole else message(words)
    lines = in_lines(words, console.width) if console.is_terminal else [words]
    for line in lines:
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def copyable(console: Console, line: str) -> None:
    """Print a path or a command, a line of its own whatever its length."""
    console.print(one_line(line), markup=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """`1:05` for 65 seconds, `2:00:00` for two hours."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def note(console: Console, words: str) -> None:
    """Print what a user should know, and need not act on."""
    tell(console, f"note: {words}", style="yellow")


def _without_orders(text: str) -> str:
    return "\n".join(map(one_line, text.split("\n")))
