"""A record that is read again and again while it grows: only what is new is read."""

from __future__ import annotations

from pathlib import Path

from comparator.results.record import Evaluation
from comparator.results.record_file import records_from


class GrowingRecord:
    """The evaluations of a record, as far as its file goes; kept, and read on from where they ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._end = self._size = 0
        self._records: list[Evaluation] = []

    def read(self) -> list[Evaluation]:
        """All evaluations there are now; raises `InputError` where the record is damaged."""
        try:
            status = self._path.stat()
        except OSError:
            self._file, self._end, self._records = None, 0, []
            return []
        file = (status.st_dev, status.st_ino)
        if file != self._file or status.st_size < self._end:
            self._file, self._end, self._records = file, 0, []
        elif status.st_size == self._size:
            return list(self._records)
        new, self._end = records_from(self._path, self._end, len(self._records))
        self._size = status.st_size
        self._records = [*self._records, *new]
        return list(self._records)
