"""Read the text files that users bring. Standard library only, as `hyperparameters` is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from comparator.errors import InputError

LONGEST_SHOWN = 100


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
            raise InputError(f"{where}: {twice!r} stands twice in {{{text[:LONGEST_SHOWN]}}}")
        return content

    return checked
