"""What the workers did when: spans of work, the times at work they fall into, and how busy the workers were."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from comparator.findings.summary import EvaluationSummary
from comparator.results.files import time_of

PAUSE = 5.0  # times the longest evaluation, and
SHORTEST_PAUSE = 20.0  # seconds in which nobody works, are a pause between two times at work
ROUNDED = 5e-3  # seconds: by so much may two evaluations overlap that one worker had one after the other


@dataclass(frozen=True)
class Span:
    """The time of one replicate of an evaluation with its worker, in seconds from the first evaluation's start."""

    evaluation: EvaluationSummary
    worker: str
    start: float
    end: float


@dataclass(frozen=True)
class WorkingTime:
    """A stretch of time in which the experiment ran, and the pause in seconds before it."""

    start: float
    end: float
    pause: float


def spans_of(evaluations: Sequence[EvaluationSummary]) -> list[Span]:
    """Return the spans of the evaluations that have a worker and a time, by their start."""
    whole = [(one, part) for one in evaluations for part in one.parts or (one,)]
    known = [
        (one, part.worker, started.timestamp(), max(part.seconds, 0.0))
        for one, part in whole
        if part.worker and part.seconds is not None and (started := time_of(part.started)) is not None
    ]
    first = min((started for _, _, started, _ in known), default=0.0)
    spans = [Span(one, worker, start - first, start - first + seconds) for one, worker, start, seconds in known]
    return sorted(spans, key=lambda span: (span.start, span.end))


def working_times_of(spans: Sequence[Span]) -> list[WorkingTime]:
    """Return the stretches of time between pauses."""
    pause = max(SHORTEST_PAUSE, PAUSE * max((span.end - span.start for span in spans), default=0.0))
    working: list[WorkingTime] = []
    for span in spans:
        if working and span.start - working[-1].end <= pause:
            last = working.pop()
            working.append(WorkingTime(last.start, max(last.end, span.end), last.pause))
        else:
            working.append(WorkingTime(span.start, span.end, span.start - working[-1].end if working else 0.0))
    return working


def beside_one_another(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Return for each span, of some that are sorted by their start, its place among those that its worker had at once.

    That is a number from 0 and how many places there are; `(0, 1)` of a span that the worker had alone.
    """
    ends_of: dict[str, list[float]] = {}  # of the places that each worker had at once
    found: list[tuple[int, list[float]]] = []
    for span in spans:
        begin = span.start + ROUNDED
        ends = ends_of.get(span.worker, [])
        if all(end <= begin for end in ends):
            ends = ends_of[span.worker] = []
        place = next((place for place, end in enumerate(ends) if end <= begin), len(ends))
        ends[place : place + 1] = [span.end]
        found.append((place, ends))
    return [(place, len(ends)) for place, ends in found]


def busy(spans: Sequence[Span], working: Sequence[WorkingTime]) -> float | None:
    """Return the share of the time at work in which a worker worked, averaged over workers; None without time."""
    worked = _seconds_of_work(spans)
    whole = len(worked) * sum(time.end - time.start for time in working)
    return min(1.0, sum(worked.values()) / whole) if whole > 0 else None


def _seconds_of_work(spans: Sequence[Span]) -> dict[str, float]:
    """How long each worker worked; one that had several evaluations at once worked no longer for that."""
    worked: dict[str, float] = {}
    until: dict[str, float] = {}
    for span in sorted(spans, key=lambda span: span.start):
        begin = max(span.start, until.get(span.worker, span.start))
        worked[span.worker] = worked.get(span.worker, 0.0) + max(0.0, span.end - begin)
        until[span.worker] = max(span.end, begin)
    return worked


def typical(spans: Sequence[Span]) -> float:
    """Return the median length of a span."""
    return statistics.median(span.end - span.start for span in spans)
