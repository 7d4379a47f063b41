"""JSON that is none is told by its line and by what is to be mended, alike by every version of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparator.errors import InputError
from comparator.formats.json_text import read_json
from comparator.formats.upf import read_upf
from comparator.space import ParameterSpace
from comparator.space.boxes import read_box, written_box


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[\n  {"a": 1},\n]\n', "f, line 2: not JSON: a comma stands before ']'; take it out"),
        ('[\n  {"a": 1,}\n]\n', "f, line 2: not JSON: a comma stands before '}'; take it out"),
        ('[\n  {"a": 1,\n}\n]\n', "f, line 2: not JSON: a comma stands before '}'; take it out"),
        ('[{"a": [1, 2,]}]', "f, line 1: not JSON: a comma stands before ']'; take it out"),
        ("[\n{'a': 1}]", "f, line 2: not JSON: texts and names stand in double quotes, not in single ones"),
        ('[{"a":\n True}]', "f, line 2: not JSON: 'True' is written true"),
        ('[{"a": None}]', "f, line 1: not JSON: 'None' is written null"),
        ('[{"a": relu}]', "f, line 1: not JSON: 'relu' lacks its double quotes"),
        ("[{a: 1}]", "f, line 1: not JSON: 'a' lacks its double quotes"),
        ('[{"a": 1}\n {"b": 2}]', "f, line 2: not JSON: a comma is missing before '{\"b\": 2}]'"),
        ('[{"a" 1}]', "f, line 1: not JSON: ':' is missing before '1}]'"),
        ('[{"a": 1}, # why\n {"b": 2}]', "f, line 1: not JSON: JSON knows no comments; take it out"),
        ('[{"a": "x}]', "f, line 1: not JSON: a text lacks the double quote at its end"),
        ('[{"a": "x\n"}]', "f, line 1: not JSON: a text lacks the double quote at its end"),
        ('[{"a": 1}\n', "f, line 2: not JSON: it ends too early; a bracket is open, or something is missing"),
        ("", "f, line 1: not JSON: it ends too early; a bracket is open, or something is missing"),
        ("a,b\n1,2\n", "f, line 1: not JSON: it begins with neither '{' nor '['"),
        ("[1] 2", "f, line 1: not JSON: it is over before '2'; nothing may follow"),
        ('{"a": 1}\n and more', "f, line 2: not JSON: it is over before 'and more'; nothing may follow"),
    ],
)
def test_a_fault_is_told_by_its_line_and_what_to_do(text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        read_json(text, "f")
    assert str(raised.value) == words


def test_every_file_of_json_that_users_bring_is_told_so(tmp_path: Path) -> None:
    words = "a comma stands before '}'; take it out"
    (tmp_path / "f").write_text('{"id": "a"}\n{"id": "b", "noise": 2,}\n')
    with pytest.raises(InputError, match=f"line 2: not JSON: {words}"):
        read_upf(tmp_path / "f")
    (tmp_path / "f").write_text('[{"name": "noise",\n}]\n')
    with pytest.raises(InputError, match=f"line 1: not JSON: {words}"):
        ParameterSpace.read(tmp_path / "f")
    (tmp_path / "f").write_text('{"noise": [0, 20],}\n')
    with pytest.raises(InputError, match=f"line 1: not JSON: {words}"):
        read_box(str(tmp_path / "f"))
    with pytest.raises(InputError, match=f"not JSON: {words}"):
        written_box('{"noise": [0, 20],}')
