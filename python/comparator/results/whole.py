"""Evaluations with all replicates of their points, put together of what each line of a record has of them.

A point that is tried again and again has a line each time, with the replicates that are new in it. So a record grows by
what is trained, and what a point has altogether is read off all its lines (`record.Evaluation.after`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from comparator.errors import InputError
from comparator.results.record import Evaluation, Run


class Line:
    """A line of a record, behind the one of its point that has what comes before it."""

    __slots__ = ("before", "record")

    def __init__(self, record: Evaluation, before: Line | None) -> None:
        self.record, self.before = record, before

    def whole(self) -> Evaluation:
        """The evaluation with all replicates that its value is the mean of; the earlier ones' runs as reused."""
        if self.before is None:
            return self.record
        lines = list(self._earlier())
        own = {run.replicate for run in self.record.runs}
        runs = [run for line in lines for run in counted_runs(line) if run.replicate not in own]
        runs.sort(key=lambda run: run.replicate)
        numbers = sorted(each for line in (*lines, self.record) for each in _numbers(line, self.record))
        return self.record.model_copy(
            update={
                "after": None,
                "replicates": [replicate for replicate, _, _ in numbers],
                "signed": [signed for _, signed, _ in numbers],
                "blocks": [block for _, _, block in numbers],
                "runs": [run.model_copy(update={"reused": True}) for run in runs] + self.record.runs,
            }
        )

    def _earlier(self) -> Iterator[Evaluation]:
        line = self.before
        while line is not None:
            yield line.record
            line = line.before


def _numbers(line: Evaluation, later: Evaluation) -> Iterator[tuple[int, float, int]]:
    """The replicates that a line adds to its point: number, signed difference in a later line's unit, and block."""
    times = line.unit / later.unit if line.unit is not None and later.unit is not None else 1.0
    for replicate, signed, block in zip(line.replicates or (), line.signed or (), line.blocks or (), strict=True):
        yield replicate, signed * times, block


def counted_runs(record: Evaluation) -> Iterator[Run]:
    """The runs of the replicates that a line adds to its point."""
    counted = set(record.replicates or ())
    return (run for run in record.runs if run.replicate in counted)


def by_replicate(runs: Iterable[Run]) -> dict[int, list[Run]]:
    """Runs by the replicate that they are of."""
    grouped: dict[int, list[Run]] = {}
    for run in runs:
        grouped.setdefault(run.replicate, []).append(run)
    return grouped


def lines_of(records: Iterable[Evaluation]) -> Iterator[Line]:
    """The lines of a record, in its order; `records` has those before them of the same points.

    Raises `InputError` where a line comes after one that is not there.
    """
    known: dict[int, Line] = {}
    for record in records:
        before = None if record.after is None else known.get(record.after)
        if record.after is not None and (before is None or before.record.point != record.point):
            raise not_there(record)
        line = Line(record, before)
        known[record.evaluation] = line
        yield line


def not_there(record: Evaluation) -> InputError:
    """What is wrong with a line whose earlier one is not in the record."""
    return InputError(
        f"evaluation {record.evaluation} follows on evaluation {record.after} of its point, which is not before it;"
        " the file was changed or damaged"
    )


def whole_evaluations(records: Iterable[Evaluation]) -> list[Evaluation]:
    """All evaluations with all replicates of their points: for records whose points hardly repeat."""
    return [line.whole() for line in lines_of(records)]
