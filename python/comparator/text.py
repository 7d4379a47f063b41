"""Read the text files that users bring. Standard library only, as `hyperparameters` is."""

from __future__ import annotations

from pathlib import Path

from comparator.errors import InputError


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
