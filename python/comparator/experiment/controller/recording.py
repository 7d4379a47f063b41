"""Evaluations that have ended go to the record, and the lines that follow rest on them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from comparator.errors import ComparatorError
from comparator.experiment.controller.known_points import KnownPoints
from comparator.experiment.controller.open_evaluations import KnownPoint, OpenEvaluation, OpenEvaluations
from comparator.experiment.controller.record_line import record_line
from comparator.objective.comparison import failure_words
from comparator.results.record import Evaluation

FAILURES_THAT_STOP = 5


class EvaluationLog(Protocol):
    """Where finished evaluations are kept: an `ExperimentFolder`."""

    records: list[Evaluation]
    evaluations: Path

    def append(self, record: Evaluation) -> None: ...

    def together(self) -> AbstractContextManager[None]: ...


class Recording:
    """The lines of a `folder`, for those of the `opened` evaluations that have ended.

    `points` have what is known of each; replicates are dealt to so many `blocks`; people call the models by `labels`.
    """

    def __init__(
        self,
        folder: EvaluationLog,
        points: KnownPoints,
        opened: OpenEvaluations,
        blocks: int,
        labels: Sequence[str] = (),
    ) -> None:
        self._folder, self._points, self._open, self._blocks = folder, points, opened, blocks
        self._labels = labels

    def write(self, evaluation: OpenEvaluation) -> None:
        """Record an evaluation with what its own replicates gave; raises `ComparatorError` where all failed so far."""
        self._points.learn_all(evaluation)
        self.append(evaluation)
        self._stop_if_all_failed()

    def append(self, evaluation: OpenEvaluation) -> None:
        """Record an evaluation with what is known of its point."""
        line = record_line(
            evaluation,
            unit=self._points.unit_of,
            blocks=self._blocks,
            has_own_unit=self._points.have_own_unit,
        )
        self._folder.append(line)
        self.follow(evaluation.point, line)
        self._open.remove(evaluation)

    def follow(self, point: KnownPoint, line: Evaluation) -> None:
        """Lines that follow go on from it; not from one of an earlier version that does not say its unit."""
        if line.unit is not None or not self._points.have_own_unit:
            point.record(line)

    def _stop_if_all_failed(self) -> None:
        records = self._folder.records
        if len(records) >= FAILURES_THAT_STOP and all(line.status != "ok" for line in records):
            last = failure_words(records[-1], self._folder.evaluations.parent.parent, self._labels)
            raise ComparatorError(f"the first {len(records)} evaluations all failed; the last one: {last}")
