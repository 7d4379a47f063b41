"""Texts that are read and written: what is none is said in a line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.formats.text import read_text, write_text_whole


def test_bytes_that_are_no_utf_8_are_not_written_and_what_was_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    file.write_text("before")
    with pytest.raises(InputError, match=r"new\.toml: cannot be written in UTF-8, since what was given cannot: act = "):
        write_text_whole(file, "a = 1\n  act = " + os.fsdecode(b"\xe9") + "\n")
    assert file.read_text() == "before" and list(tmp_path.iterdir()) == [file]


def test_a_name_that_no_file_has_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be read: embedded null"):
        read_text(Path("a\0b"))
