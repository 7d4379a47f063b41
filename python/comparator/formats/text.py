"""Read the text files that users bring, and show pieces of text that may hold anything. Standard library only."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from comparator.errors import InputError, nearest_path

LONGEST_SHOWN = 80  # characters of one piece of input
LONGEST_INTEGER = 309  # digits: one of more is larger than any float
UNFIT = "is not a number that can be computed with"
LONGEST_MESSAGE = 480  # characters: three lines of a wide terminal
#: Half of what UTF-16, and JSON, write as two; Python has bytes of names so that are no UTF-8.
HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
#: What stands for characters of ours where a terminal lacks them.
PLAIN = {"·": "-", "…": "...", "±": "+-", "━": "-", "╸": "-", "╺": "-"}


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; raises `InputError` that names the file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{nearest_path(path)}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def write_text_whole(path: Path, text: str) -> None:
    """Write a file, in UTF-8, so that there is the whole of it or what was there before.

    Raises `InputError` for a text that has bytes, of what was typed or of a file's name, that are no UTF-8.
    """
    if HALF_A_CHARACTER.search(text):
        line = next(filter(HALF_A_CHARACTER.search, text.split("\n")))
        raise InputError(f"{path}: cannot be written in UTF-8, since what was given cannot: {shortened(line.strip())}")
    with file_made_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def is_stream(path: Path) -> bool:
    """Whether a path is written as it goes: a pipe, a device, or what `/dev/` calls this process's own output."""
    return path.exists() and (not path.is_file() or path.parts[:2] == ("/", "dev"))


@contextmanager
def file_made_whole(path: Path) -> Iterator[Path]:
    """The path of a file that takes the place of the one at `path` when it is complete; if it fails, there is none.

    What is no file, as a pipe or `/dev/stdout`, is written itself.
    """
    if is_stream(path):
        yield path
        return
    place = path.resolve()
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(place)
    except OSError as error:
        if str(error.filename) != str(temporary):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):  # of the file, which is what is told
            temporary.unlink(missing_ok=True)


def json_hooks(where: str) -> dict[str, Any]:
    """What `json` is to read by: each key once, and numbers that can be computed with.

    Of other numbers the object that they stand in raises `InputError`; `where` opens its line.
    """
    return {
        "parse_constant": _Unfit,
        "parse_float": lambda word: float(word) if math.isfinite(float(word)) else _Unfit(word),
        "parse_int": lambda word: int(word) if len(word) < LONGEST_INTEGER else _Unfit(word),
        "object_pairs_hook": each_key_once(where),
    }


def unfit_number(value: Any) -> str | None:
    """The first number in a value that cannot be computed with, infinite or too large or none, as it is written.

    None where all can.
    """
    if isinstance(value, dict):
        return unfit_number(list(value.values()))
    if isinstance(value, (list, tuple)):
        return next((word for each in value if (word := unfit_number(each)) is not None), None)
    if isinstance(value, (_Unfit, float)):
        return None if isinstance(value, float) and math.isfinite(value) else str(value)
    is_large = isinstance(value, int) and not -sys.float_info.max <= value <= sys.float_info.max
    return shown(value) if is_large else None


def text_with(sought: re.Pattern[str], value: Any) -> str | None:
    """The first text in a value, or key of it, in which a pattern is found; None where it is in none."""
    if isinstance(value, dict):
        return text_with(sought, [*value, *value.values()])
    if isinstance(value, (list, tuple)):
        return next((text for each in value if (text := text_with(sought, each)) is not None), None)
    return value if isinstance(value, str) and sought.search(value) else None


class _Unfit(str):
    """A number of a JSON text that cannot be computed with, as it stands there."""


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
        for key, value in pairs:
            if (word := unfit_number(value)) is not None:
                raise InputError(f"{where}: '{shortened(key)}' = {shortened(word)}: {UNFIT}")
            if (half := text_with(HALF_A_CHARACTER, [key, value])) is not None:
                raise InputError(f"{where}: {shown(key)}: {shown(half)} has half a character; JSON writes it as two")
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


def in_lines(words: str, width: int) -> list[str]:
    """A message in lines of at most `width`, which break between words; all have the first one's indent.

    A word that is longer than a line is left whole, so that a path can be copied.
    """
    indent = " " * (len(words) - len(words.lstrip()))
    lines = textwrap.wrap(words, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return lines or [""]


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
