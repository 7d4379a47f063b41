"""Read the text files that users bring, and show pieces of text that may hold anything. Standard library only."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError

LONGEST_SHOWN = 80  # characters of one piece of input
LONGEST_MESSAGE = 480  # characters: three lines of a wide terminal
#: What stands for characters of ours where a terminal lacks them.
PLAIN = {"·": "-", "…": "...", "±": "+-", "━": "-", "╸": "-", "╺": "-"}


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; raises `InputError` that names the file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def each_key_once(where: str) -> Callable[[Sequence[tuple[str, Any]]], dict[str, Any]]:
    """An `object_pairs_hook` for `json`, which would keep the last of a key that stands twice and say nothing.

    It raises `InputError`; `where` opens its line.
    """

    def checked(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            text = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs)
            raise InputError(f"{where}: {shown(twice)} stands twice in {{{shortened(text)}}}")
        return content

    return checked


def one_line(text: str) -> str:
    """Text as terminals and logs may have it: in one line, with nothing that they would take for an order.

    White space becomes blanks; escape sequences, what turns the direction of writing, and bytes of a file's name that
    are no UTF-8 are spelt out (`\\x1b`).
    """
    return text if text.isprintable() else "".join(map(_in_line, text))


def shortened(text: str, most: int = LONGEST_SHOWN) -> str:
    """A piece of text for a message: with `...` in its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    end = (most - 3) // 3
    return f"{text[: most - 3 - end]}...{text[-end:]}"


def shown(value: object) -> str:
    """A value that was given, as Python writes it, for a message."""
    try:
        return shortened(repr(value))
    except ValueError:  # Python does not write out integers of thousands of digits
        return "a number of thousands of digits"


def message(words: str) -> str:
    """A whole message, as it may be shown: in one line, and of no more than three on a terminal."""
    return shortened(one_line(words), LONGEST_MESSAGE)


def plain_character(character: str) -> str:
    """What stands for a character in ASCII."""
    if character in PLAIN:
        return PLAIN[character]
    if "\N{BRAILLE PATTERN BLANK}" <= character <= "\N{BRAILLE PATTERN DOTS-12345678}":  # a spinner
        return "*"
    letter, *marks = list(unicodedata.normalize("NFD", character))
    return letter if letter.isascii() and all(map(unicodedata.combining, marks)) else _spelt_out(character)


def _in_line(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else _spelt_out(character)


def _spelt_out(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode()
