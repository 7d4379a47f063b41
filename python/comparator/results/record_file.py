"""The lines of `evaluations.jsonl`, and of other files of JSON lines, as they are read."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from comparator.errors import InputError
from comparator.results.files import NOT_JSON
from comparator.results.form import of_form
from comparator.results.record import Evaluation
from comparator.results.whole import lines_of, not_there


def read_records(path: Path) -> list[Evaluation]:
    """The records of `evaluations.jsonl`, in file order; a torn last line is left out.

    Raises `InputError` where a line before the last is not a record, or comes after one that is not there: then the
    file was changed by hand.
    """
    with without_collector():
        records = [record for record, _ in _checked_lines(path)]
    check_order(records, path)
    return records


def check_order(records: Iterable[Evaluation], path: Path) -> None:
    """Raises `InputError` where a line of a record comes after one of its point that is not before it."""
    try:
        for _ in lines_of(records):
            pass
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def each_record(path: Path) -> Iterator[Evaluation]:
    """The same, one after another, so that memory holds one, and which evaluations were before it."""
    known: set[int] = set()
    for record, _ in _checked_lines(path):
        if record.after is not None and record.after not in known:
            raise InputError(f"{path}: {not_there(record)}")
        known.add(record.evaluation)
        yield record


def records_from(path: Path, place: int, before: int) -> tuple[list[Evaluation], int]:
    """The records behind a place in the file, in bytes, that `before` records end at; and where the last one ends."""
    with without_collector():
        lines = list(_checked_lines(path, place, before))
    return [record for record, _ in lines], lines[-1][1] if lines else place


def _checked_lines(path: Path, place: int = 0, before: int = 0) -> Iterator[tuple[Evaluation, int]]:
    """The records from a place in the file on, and where in it, in bytes, each ends."""
    for number, (read, end) in enumerate(whole_lines(path, place, _record_in), start=before + 1):
        yield read if isinstance(read, Evaluation) else of_form(Evaluation, read, f"{path}: line {number}"), end


def _record_in(line: bytes) -> Any:
    """The record of a line; of one that is none what it holds, which tells what is wrong with it."""
    try:
        return Evaluation.model_validate_json(line)
    except ValidationError:
        return json.loads(line)


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """While many objects are made and none is dropped: the collector would look through all of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def whole_lines(path: Path, place: int = 0, read: Callable[[bytes], Any] = json.loads) -> Iterator[tuple[Any, int]]:
    """What the whole lines of a file of JSON hold from a place on, and where in the file, in bytes, each ends."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        end = file.seek(place)
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                content = read(line)
            except NOT_JSON:
                if any(later.endswith(b"\n") for later in file):
                    words = f"line {number} is not a record; the file was changed or damaged"
                    raise InputError(f"{path}: {words}") from None
                return
            end += len(line)
            yield content, end


def left_over(path: Path) -> int:
    """How many bytes at the end of a record are no whole line."""
    whole = max((end for _, end in whole_lines(path)), default=0)
    return (path.stat().st_size if path.exists() else 0) - whole
