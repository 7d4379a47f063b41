"""A record that is read again and again while it grows: only what is new is read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from comparator.errors import InputError
from comparator.results.record import Evaluation
from comparator.results.record_file import records_from
from comparator.results.tally import Tally

#: Bytes by which a record is told from another: its first evaluation has the moment in which it began.
HEAD = 4096


class GrowingRecord:
    """The evaluations of a record, as far as its file goes; kept, and read on from where they ended.

    `tally` has what is counted of those that were read last, each looked at once, and the last `keep` of its search.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._path, self._keep = path, keep
        self._begin(None)

    def _begin(self, file: tuple[int, int] | None) -> None:
        self._file, self._end, self._state = file, 0, (0, 0)
        self._head = b""
        self._records: list[Evaluation] = []
        self.tally = Tally(self._keep)

    def read(self) -> list[Evaluation]:
        """All evaluations there are now; raises `InputError` where the record is damaged."""
        try:
            status = self._path.stat()
        except OSError:
            self._begin(None)
            return []
        file, state = (status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns)
        if file == self._file and state == self._state:
            return list(self._records)
        head = self._head_now()
        # Another file may have the number of one that was removed.
        if file != self._file or status.st_size < self._end or not head.startswith(self._head):
            self._begin(file)
        try:
            new, self._end = records_from(self._path, self._end, len(self._records))
        except InputError:
            if not self._records:
                raise
            self._begin(file)  # it may have been written over: then its lines end elsewhere
            return self.read()
        self._state, self._head = state, head
        self._records = [*self._records, *new]
        self.tally.take(self._records)
        return list(self._records)

    def _head_now(self) -> bytes:
        with suppress(OSError), self._path.open("rb") as file:
            return file.read(HEAD)
        return b""
