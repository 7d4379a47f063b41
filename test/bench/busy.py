"""How long an experiment's workers were at work, by its records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def time_in_trainings(records: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Seconds from the first evaluation's start to the last one's end, and the workers' share of it in trainings."""
    starts = [seconds_of(line["started"]) for line in records]
    ends = [start + line["seconds"] for start, line in zip(starts, records, strict=True)]
    span = max(ends) - min(starts)
    trained = sum(run["seconds"] for line in records for run in line["runs"] if not run["reused"])
    return span, trained / (len({line["worker"] for line in records}) * span)
