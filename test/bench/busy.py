"""How long an experiment's workers were at work, by its records."""

from collections.abc import Sequence
from datetime import datetime

from comparator.results.record import Evaluation


def seconds_of(text: str | None) -> float:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()


def time_in_trainings(records: Sequence[Evaluation]) -> tuple[float, float]:
    """Seconds from the first evaluation's start to the last one's end, and the workers' share of it in trainings."""
    starts = [seconds_of(line.started) for line in records]
    ends = [start + (line.seconds or 0.0) for start, line in zip(starts, records, strict=True)]
    span = max(ends) - min(starts)
    trained = sum(run.seconds or 0.0 for line in records for run in line.runs if not run.reused)
    return span, trained / (len({line.worker for line in records}) * span)
