"""Where the lines of a page may break: never within an amount, an interval, or a word of a command."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

_PERCENT = re.compile(r"(?<=[0-9]) %")
_DEVIATION = re.compile(r"(?<=[0-9]) ± (?=[0-9])")
_NUMBER = r"-?[0-9][0-9.e+-]*(?:\u00a0%)?"
#: An interval behind the number that it belongs to; a list of numbers is none, which may be copied from a page.
_INTERVAL = re.compile(rf"(?<=[0-9%] )\[{_NUMBER}, {_NUMBER}\]")
_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\S)+""")


def whole_numbers(said: Any) -> Any:
    """Return text with its amounts and intervals whole, as markup where it has intervals; all else as it is."""
    if not isinstance(said, str) or isinstance(said, Markup):
        return said
    text = _DEVIATION.sub("\u00a0±\u00a0", _PERCENT.sub("\u00a0%", said))
    if not _INTERVAL.search(text):
        return text
    return Markup(_INTERVAL.sub(lambda found: f'<span class="whole">{found[0]}</span>', str(escape(text))))


def words_apart(command: str) -> Markup:
    """Return a command as markup that breaks between its words; what stands in quotes is one."""
    return Markup(" ").join(Markup("<span>{}</span>").format(word) for word in _WORD.findall(command))
