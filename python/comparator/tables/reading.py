"""Tables that users bring, read line by line as text; what is wrong is named with its file and line.

Ids are text, whatever they look like: `0001`, `123`, `NA` and `None` are ids. Blanks around one are no part of it, and
a whole number that a program has written as a fraction, `123.0`, is that number.

Tabs, commas or semicolons stand between columns. A file may be compressed by gzip, and its lines may end as Windows
ends them; its text is UTF-8, or UTF-16 where it begins with a mark.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import itertools
import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from comparator.errors import InputError, nearest, nearest_path

#: How programs write a value that is missing. No id is: a cell line may be called NA.
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")
SEPARATORS = "\t,;"
COMPRESSED = b"\x1f\x8b"
#: How files begin that are often taken for tables of text.
NO_TEXT = {b"PK\x03\x04": "an Excel or zip file", b"PAR1": "a Parquet file", b"\x89HDF": "an HDF5 file"}
_FRACTION = re.compile(r"(\d+)\.0+", re.ASCII)
#: Characters without a width that str.strip() leaves.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
_SHOWN = 12

#: A column by its name, or by its place where it has none.
Column = str | int


class TableError(InputError):
    """A table cannot be used; the message names the file, and the line where there is one."""


def tidy_id(text: str) -> str:
    """Return an id as it is compared, see the module's text."""
    text = text.strip().strip(_UNSEEN).strip()
    if not text.isascii():
        return unicodedata.normalize("NFC", text)
    fraction = _FRACTION.fullmatch(text)
    return fraction[1] if fraction else text


def find_table(folder: Path, name: str) -> Path | None:
    """Return the file of that name in the folder, or the same compressed, `NAME.gz`; None where there is neither."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


@dataclass(frozen=True)
class Table:
    """Some columns of a file, as text.

    `header` has the header's rows as they are written; `lines` tells on which line of the file each row begins;
    `tidied` counts, by column, the ids that were written otherwise than they are compared.
    """

    path: Path
    header: list[list[str]]
    lines: list[int]
    columns: dict[Column, list[str]]
    tidied: dict[Column, int]

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> list[str]:
        """The names of all columns of the file: of several header rows the last one's."""
        return self.header[-1]

    def name(self, column: Column) -> str:
        """A column's name in words; the first one of some files has none."""
        return column if isinstance(column, str) else self.names[column] or f"column {column + 1}"

    def error(self, row: int, words: str) -> TableError:
        """Return what is to be said of a row."""
        return TableError(f"{self.path}, line {self.lines[row]}: {words}")


def records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the line on which each record begins, and its fields; the header first. Blank lines are left out.

    Raises `TableError` where the file cannot be read, is empty, or a record has more or fewer fields than the header.
    """
    parsed = _parsed(path)
    start = list(itertools.islice(parsed, 2))
    if not start:
        raise TableError(f"{path}: the file is empty")
    header, first = start[0][1], start[-1][1]
    if len(first) == len(header) + 1 and first[-1].strip():
        # R writes no name above the rows' own.
        header.insert(0, "")
    for line, fields in itertools.chain(start, parsed):
        if len(fields) != len(header):
            told = f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {len(header)}"
            raise TableError(f"{path}, line {line}: {told}{_cut_off(fields)}")
        yield line, fields


def _cut_off(fields: Sequence[str]) -> str:
    """Say where a quotation mark that is not closed took further lines into a field."""
    return " (a quotation mark is not closed)" if any("\n" in field for field in fields) else ""


def read_header(path: Path) -> list[str]:
    """Return the names of the columns. Raises `TableError`."""
    return [name.strip() for name in next(records(path))[1]]


def header_rows(path: Path) -> int:
    """Return how many rows a table's header has: three in the older form of the IMPROVE benchmark, else one.

    The header rows of the older form (Ensembl, Entrez, symbol) have an empty first field: cell lines stand below.
    """
    first = list(itertools.islice(records(path), 3))
    return 3 if len(first) == 3 and not any(fields[0].strip() for _, fields in first) else 1


def read_table(
    path: Path, wanted: Sequence[Column] | None = None, ids: Sequence[Column] = (), header_rows: int = 1
) -> Table:
    """Read the wanted columns, all by name where none are given; those of `ids` are tidied, see `tidy_id`.

    Raises `TableError` where the file cannot be read, has no such column or no rows.
    """
    stream = records(path)
    header = [[name.strip() for name in fields] for _, fields in itertools.islice(stream, header_rows)]
    chosen = list(dict.fromkeys([*ids, *(header[-1] if wanted is None else wanted)]))
    places = [place_of(path, header[-1], name) for name in chosen]
    columns: dict[Column, list[str]] = {name: [] for name in chosen}
    #: One text for all rows that have it: there are few ids and many rows.
    kept: list[dict[str, str]] = [{} for _ in chosen]
    tidied = dict.fromkeys(ids, 0)
    lines: list[int] = []
    plan = list(zip(places, columns.items(), kept, strict=True))
    for line, fields in stream:
        lines.append(line)
        for place, (name, values), known in plan:
            raw = fields[place]
            if raw not in known:
                known[raw] = tidy_id(raw) if name in tidied else raw.strip()
            value = known[raw]
            if name in tidied and value != raw:
                tidied[name] += 1
            values.append(value)
    if not lines:
        raise TableError(f"{path}: has a header and no rows")
    return Table(path, header, lines, columns, tidied)


def read_list(path: Path) -> dict[str, int]:
    """Return what a file lists, one on a line, each with the line where it first stands. Raises `TableError`."""
    listed: dict[str, int] = {}
    with _told(path), _opened(path) as stream:
        for line, text in enumerate(stream, start=1):
            if entry := tidy_id(text):
                listed.setdefault(entry, line)
    return listed


def place_of(path: Path, names: Sequence[str], column: Column) -> int:
    """Return a column's place. Raises `TableError` where the file has none of that name, or two."""
    if isinstance(column, int):
        return column
    places = [place for place, name in enumerate(names) if name == column]
    if len(places) > 1:
        raise TableError(f"{path}: has {len(places)} columns '{column}'")
    if not places:
        there = ", ".join(repr(name) for name in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        raise TableError(f"{path}: has no column '{column}'{nearest(column, names)}; its columns are {there}")
    return places[0]


def numbers(table: Table, column: Column) -> NDArray[np.float64]:
    """Return a column's numbers, NaN where one is missing. Raises `TableError` that names the first that is none."""
    texts = table.columns[column]
    values = np.asarray(pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce"), dtype=np.float64)
    for row in np.flatnonzero(np.isnan(values)).tolist():
        if texts[row] not in MISSING:
            has_comma = re.fullmatch(r"-?\d*,\d+", texts[row]) is not None
            words = "a decimal comma; a point is expected" if has_comma else "no number"
            raise table.error(row, f"{table.name(column)} '{texts[row]}': {words}")
    return values


def read_values(table: Table, *, strict: bool = True) -> NDArray[np.float64]:
    """Return the numbers behind the first column, [rows, columns - 1], NaN where one is missing.

    Raises `TableError` that names the first value that is no number; where it is not `strict`, such a value is missing.
    """
    width = len(table.names)
    try:
        with _opened(table.path) as stream:
            read = pd.read_csv(
                stream,
                sep=_separator(table.path),
                header=None,
                names=range(width),
                skiprows=table.lines[0] - 1,
                usecols=range(1, width),
                na_values=list(MISSING),
                keep_default_na=False,
                dtype=np.float64 if strict else None,
                low_memory=False,
            )
        frame = read if strict else read.apply(pd.to_numeric, errors="coerce")
    except (ValueError, OverflowError) as error:  # the second: an integer of hundreds of digits
        raise _no_number(table) or TableError(f"{table.path}: cannot be read: {error}") from None
    if len(frame) != len(table):
        raise TableError(f"{table.path}: {len(table)} rows, and {len(frame)} of numbers")
    return frame.to_numpy(dtype=np.float64)


def _no_number(table: Table) -> TableError | None:
    for line, fields in itertools.islice(records(table.path), len(table.header), None):
        for name, field in zip(table.names[1:], fields[1:], strict=True):
            try:
                float(field.strip() if field.strip() not in MISSING else "nan")
            except ValueError:
                return TableError(f"{table.path}, line {line}: {name} '{field}': no number")
    return None


def _parsed(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the line on which each record begins, and its fields, as many as it has."""
    ended = 0
    with _told(path), _opened(path) as stream:
        reader = csv.reader(stream, delimiter=_separator(path))
        try:
            for fields in reader:
                begun, ended = ended + 1, reader.line_num
                if fields:
                    yield begun, fields
        except csv.Error as error:
            words = "a quotation mark is not closed" if "field limit" in str(error) else str(error)
            raise TableError(f"{path}, line {ended + 1}: {words}") from None


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise `TableError` for whatever keeps a file from being read."""
    try:
        yield
    except UnicodeDecodeError:
        raise _no_utf8(path) from None
    except (EOFError, zlib.error):
        raise TableError(f"{path}: the compressed file is not whole") from None
    except FileNotFoundError:
        raise TableError(f"{path}: no such file{nearest_path(path)}") from None
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}") from None


def _separator(path: Path) -> str:
    """Return what stands between the columns: the commonest of the marks in the first line, a tab before others."""
    with _opened(path) as stream:
        first = next((line for line in stream if line.strip()), "")
    return "\t" if "\t" in first else max(",;", key=first.count)


@contextlib.contextmanager
def _binary(path: Path) -> Iterator[Any]:
    """Open a file, decompressed where it is compressed, whatever its name says."""
    with path.open("rb") as raw:
        begins = raw.peek(4)[:4]
        for mark, kind in NO_TEXT.items():
            if begins.startswith(mark):
                raise TableError(f"{path}: is {kind}; a table is wanted as text, its columns separated by tabs")
        if begins.startswith(COMPRESSED):
            with gzip.GzipFile(fileobj=raw) as inflated:
                yield inflated
        else:
            yield raw


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a file as text, lines as they end."""
    with _binary(path) as binary:
        is_utf16 = binary.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        with io.TextIOWrapper(binary, encoding="utf-16" if is_utf16 else "utf-8-sig", newline="") as text:
            yield text


def _no_utf8(path: Path) -> TableError:
    """Say which line is no UTF-8, and how it reads as Latin-1, which it mostly is then."""
    with _binary(path) as binary:
        for number, line in enumerate(binary, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                around = line[max(0, error.start - 10) : error.end + 10].decode("latin-1").strip()
                told = f"byte 0x{line[error.start]:02x} in '{around}', read as Latin-1"
                return TableError(f"{path}, line {number}: the text is not UTF-8 ({told})")
    return TableError(f"{path}: the text is not UTF-8")
