"""A record that is read again and again while it grows: only what is new is read."""

from __future__ import annotations

from pathlib import Path

from comparator.errors import InputError
from comparator.results.record import Evaluation
from comparator.results.record_file import records_from
from comparator.results.tally import Tally


class GrowingRecord:
    """The evaluations of a record, as far as its file goes; kept, and read on from where they ended.

    `tally` has what is counted of those that were read last, each looked at once, and the last `keep` of its search.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._path, self._keep = path, keep
        self._begin(None)

    def _begin(self, file: tuple[int, int] | None) -> None:
        self._file, self._end, self._size = file, 0, 0
        self._records: list[Evaluation] = []
        self.tally = Tally(self._keep)

    def read(self) -> list[Evaluation]:
        """All evaluations there are now; raises `InputError` where the record is damaged."""
        try:
            status = self._path.stat()
        except OSError:
            self._begin(None)
            return []
        file = (status.st_dev, status.st_ino)
        if file != self._file or status.st_size < self._end:
            self._begin(file)
        elif status.st_size == self._size:
            return list(self._records)
        try:
            new, self._end = records_from(self._path, self._end, len(self._records))
        except InputError:
            if not self._records:
                raise
            self._begin(file)  # it may have been written over: then its lines end elsewhere
            return self.read()
        self._size = status.st_size
        self._records = [*self._records, *new]
        self.tally.take(self._records)
        return list(self._records)
