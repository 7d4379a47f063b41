"""Files of hyperparameters however they are written: with remarks, tabs, lines of Windows, in several sections."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comparator.errors import InputError
from comparator.formats.hyperparameters import read_hyperparameters

#: '%' begins what another hyperparameter stands for, which a test of its own draws.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%"), max_size=12)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2), max_leaves=4
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
ENTRIES = st.lists(st.tuples(NAMES, VALUES), max_size=5, unique_by=lambda entry: entry[0])
BLANKS = st.sampled_from(["", " ", "\t", "  "])
REMARKS = st.sampled_from(["", " ", "\t# a remark: x = 1", "  ; [another"])
BETWEEN = st.sampled_from(["", "\n", "# a line [of\n", "; its = own\n", "  \t\n"])


def as_read(value: Any) -> Any:
    """A value as the reader gives it: a number in quotes, with a point or an exponent, is one."""
    is_quoted = isinstance(value, str) and value.isascii() and any(each in value for each in ".eE")
    if not is_quoted or set(value) - set("0123456789+-.eE"):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return value if number in (float("inf"), float("-inf")) else number


def written(value: Any, spelling: str) -> str:
    """A value as Python writes it; `true` and `false` in another way, too."""
    return str(value).lower() if isinstance(value, bool) and spelling == "lower" else repr(value)


@given(ENTRIES, st.data())
def test_what_is_written_in_any_way_is_read(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, Any]], data: st.DataObject
) -> None:
    lines = ["[Global_Params]\n"]
    for name, value in entries:
        before, behind, remark = data.draw(BLANKS), data.draw(BLANKS), data.draw(REMARKS)
        text = written(value, data.draw(st.sampled_from(["python", "lower"])))
        lines.append(f"{data.draw(BETWEEN)}{name}{before}{data.draw(st.sampled_from('=:'))}{behind}{text}{remark}\n")
    content = "".join(lines).replace("\n", data.draw(st.sampled_from(["\n", "\r\n"])))
    path = tmp_path_factory.getbasetemp() / "written.txt"
    path.write_bytes(data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + content.encode())
    assert read_hyperparameters(path) == {name: as_read(value) for name, value in entries}


def as_candle_reads(path: Path) -> dict[str, Any]:
    """The first value of each key by sections in their order, of which each has what [DEFAULT] has and it has not."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    found: dict[str, Any] = {}
    for section in parser.sections():
        for name, text in parser.items(section):
            found.setdefault(name, as_read(ast.literal_eval(text)))
    return found


OWN_SECTIONS = st.lists(st.sampled_from(["Global_Params", "Monitor Params", "Train"]), min_size=1, unique=True)
#: Of several sections beside [DEFAULT] the first would have its values, before those of the others.
SECTIONS = OWN_SECTIONS | st.permutations(["DEFAULT", "Train"])


@given(st.lists(ENTRIES, min_size=3, max_size=3), SECTIONS)
@example([[("a", 1)], [("a", 2), ("b", 3)], []], ["DEFAULT", "Train"])
@example([[("a", ["'\"(", "it's"])], [("a", "[")], []], ["Global_Params", "Train"])
def test_sections_count_as_python_has_them(
    tmp_path_factory: pytest.TempPathFactory, entries: Sequence[list[tuple[str, Any]]], sections: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "sections.txt"
    text = "".join(
        f"[{section}]\n" + "".join(f"{name} = {value!r}\n" for name, value in listed)
        for section, listed in zip(sections, entries, strict=False)
    )
    path.write_text(text, encoding="utf-8", newline="")
    assert read_hyperparameters(path) == as_candle_reads(path)


#: Texts of which most hold what `configparser` reads as something else than what stands there.
REFERRING = st.lists(
    st.sampled_from(["%", "%%", "%(", "%(a)s", "%(b)s", "%(B)s", "%(c)s", ")s", "x", "#", " ", "2"]), max_size=5
).map("".join)


@given(REFERRING, REFERRING)
@example("50%", "%(")
@example("50%", "%%%%")
@example("%%%%", "%(a)s")
def test_percent_signs_mean_what_they_do_in_python(
    tmp_path_factory: pytest.TempPathFactory, first: str, second: str
) -> None:
    """What Python cannot read is refused, but for a text with a '%' that users mean as it stands."""
    path = tmp_path_factory.getbasetemp() / "percent.txt"
    path.write_text(f"[Global_Params]\na = {first!r}\nb = {second!r}\n")
    parser = configparser.ConfigParser()
    parser.read(path)
    meant = {}
    for name, text in (("a", first), ("b", second)):
        try:
            meant[name] = ast.literal_eval(parser.get("Global_Params", name))
        except (configparser.InterpolationError, SyntaxError, ValueError):
            if "%(" in text:
                with pytest.raises(InputError):
                    read_hyperparameters(path)
                return
            meant[name] = text
    assert read_hyperparameters(path) == meant
