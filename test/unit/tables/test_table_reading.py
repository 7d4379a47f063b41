"""Tables of users are read as they are meant: ids stay text, and what is wrong is named by file and line."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comparator.tables.reading import (
    TableError,
    header_rows,
    numbers,
    read_list,
    read_table,
    read_values,
    tidy_id,
)

#: Any text that a field of a table may hold.
fields = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("\t,;\"'"), max_size=12)
ids = st.one_of(
    fields.filter(lambda text: tidy_id(text) != ""),
    st.integers(0, 10**9).map(str),
    st.integers(0, 999).map(lambda number: f"{number:05}"),
    st.integers(0, 999).map(lambda number: f"{number}.0"),
    st.sampled_from(["NA", "None", "nan", "null", "N/A", "True", "1e5", "-", "#N/A", "\u03b2-lapachone"]),
)
#: What programs make of a text when they write a file of it.
writings: list[Callable[[str], bytes]] = [
    lambda text: text.encode(),
    lambda text: text.encode("utf-8-sig"),
    lambda text: text.encode("utf-16"),
    lambda text: gzip.compress(text.encode()),
]


def written(rows: list[list[str]], separator: str = "\t", ending: str = "\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=ending).writerows(rows)
    return text.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(ids, fields), min_size=1, max_size=8),
    st.sampled_from("\t,;"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(writings),
)
def test_whoever_wrote_a_table_its_ids_are_the_texts_that_were_written(
    tmp_path: Path, rows: list[tuple[str, str]], separator: str, ending: str, write: Callable[[str], bytes]
) -> None:
    path = tmp_path / "table.tsv"
    path.write_bytes(write(written([["id", "other"], *map(list, rows)], separator, ending)))
    table = read_table(path, ["other"], ids=["id"])
    assert table.columns["id"] == [tidy_id(name) for name, _ in rows]
    assert table.columns["other"] == [other.strip() for _, other in rows]
    assert table.lines == list(range(2, len(rows) + 2))
    assert table.tidied["id"] == sum(tidy_id(name) != name for name, _ in rows)


@given(fields)
def test_an_id_is_tidy_once(text: str) -> None:
    assert tidy_id(tidy_id(text)) == tidy_id(text)


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        *((same, same) for same in ("0001", "123", "NA", "None", "nan", "1.5", "1e5", "ACH-1 b", "12.00.0", "v1.0")),
        *(("123.0", "123"), ("0001.00", "0001"), (" ACH-1\u00a0", "ACH-1"), ("\ufeffACH-1", "ACH-1")),
        ("Mu\u0308ller", "M\u00fcller"),
    ],
)
def test_ids_keep_what_tells_them_apart(text: str, tidied: str) -> None:
    assert tidy_id(text) == tidied


def test_lines_are_those_of_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('\nid,name\n\nA,"two\nlines"\n\nB,one\n')
    table = read_table(path, ids=["id"])
    assert table.lines == [4, 7] and table.columns["name"] == ["two\nlines", "one"]


def test_r_writes_no_name_above_the_rows_own(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("TP53\tEGFR\nA\t1\t2\nB\t3\tNA\n")
    table = read_table(path, [], ids=[0])
    assert table.columns[0] == ["A", "B"] and table.names == ["", "TP53", "EGFR"]
    np.testing.assert_array_equal(read_values(table), [[1, 2], [3, np.nan]])


def test_a_header_of_three_rows_is_told_from_one(tmp_path: Path) -> None:
    three, one = tmp_path / "three.tsv", tmp_path / "one.tsv"
    three.write_text("\tENSG1\n\t7157\n\tTP53\nA\t1\n")
    one.write_text("\tTP53\nA\t1\n\t2\n")
    assert (header_rows(three), header_rows(one)) == (3, 1)
    assert read_table(three, [], ids=[0], header_rows=3).names == ["", "TP53"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "t.tsv: the file is empty"),
        (b"\n \n", "t.tsv: has no column 'id'"),
        (b"id\tauc\n", "t.tsv: has a header and no rows"),
        (b"id\tauc\nA\t1\nB\n", "t.tsv, line 3: 1 field where the header has 2"),
        (b"id\tauc\nA\t1\t2\t3\n", "t.tsv, line 2: 4 fields where the header has 2"),
        (b'id\tauc\nA\t1\n"B\t2\nC\t3\n', "t.tsv, line 3: 1 field where the header has 2 (a quotation mark"),
        ("id\tauc\nA\t1\nMüller\t2\n".encode("latin-1"), "t.tsv, line 3: the text is not UTF-8 (byte 0xfc in 'Müller"),
        (gzip.compress(b"id\tauc\nA\t1\n" * 500, mtime=0)[:-20], "t.tsv: the compressed file is not whole"),
        (b"PK\x03\x04xxxx", "t.tsv: is an Excel or zip file"),
        (b"PAR1xxxx", "t.tsv: is a Parquet file"),
        (b"ID\tauc\nA\t1\n", "t.tsv: has no column 'id' (did you mean 'ID'?); its columns are 'ID', 'auc'"),
        (b"id\tid\nA\t1\n", "t.tsv: has 2 columns 'id'"),
    ],
)
def test_what_is_no_table_is_one_line_that_says_where(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(content)
    with pytest.raises(TableError) as raised:
        read_table(path, ids=["id"])
    message = str(raised.value)
    assert said in message and str(tmp_path) in message and "\n" not in message


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"absent\.tsv: no such file"):
        read_table(tmp_path / "absent.tsv")
    with pytest.raises(TableError, match="cannot be read: Is a directory"):
        read_table(tmp_path)


def test_a_value_that_is_no_number_is_named_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\tauc\tic50\nA\t0.5\t0,7\nB\tNA\t0.8\nC\t\tx\n")
    table = read_table(path, ids=["id"])
    np.testing.assert_array_equal(numbers(table, "auc"), [0.5, np.nan, np.nan])
    with pytest.raises(TableError, match=r"t\.tsv, line 2: ic50 '0,7': a decimal comma"):
        numbers(table, "ic50")
    with pytest.raises(TableError, match=r"t\.tsv, line 2: ic50 '0,7': no number"):
        read_values(table)
    np.testing.assert_array_equal(read_values(table, strict=False)[:, 1], [np.nan, 0.8, np.nan])
    path.write_text(f"id\tauc\nA\t0\nB\t{'9' * 400}\n")
    with pytest.raises(TableError, match=r"t\.tsv: cannot be read: int(eger)? .*too large"):
        read_values(read_table(path, ids=["id"]), strict=False)


def test_a_list_is_read_with_the_line_of_each_entry(tmp_path: Path) -> None:
    path = tmp_path / "split.txt"
    path.write_bytes(b"\xef\xbb\xbf7\r\n\r\n8.0\r\n7\r\n")
    assert read_list(path) == {"7": 1, "8": 3}
