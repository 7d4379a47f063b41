"""The evaluations of an experiment as other programs take them: each one's numbers, names and times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from comparator.findings.so_far import SoFar, so_far
from comparator.formats.text import shortened
from comparator.results.files import time_of
from comparator.results.frozen import FrozenExperiment
from comparator.results.points import as_read
from comparator.results.record import CONFIRM, Evaluation
from comparator.results.record_file import each_record


@dataclass(frozen=True)
class Trial:
    """An evaluation.

    `value` is as people read it, None unless it ended well. `is_short` says that its trainings had fewer epochs than
    full ones, so that its value compares with such alone. `metrics` are means over the replicates of its value, by
    `LABEL/NAME`; `facts` are texts, numbers and lists of these.
    """

    number: int
    point: Mapping[str, Any]
    value: float | None
    is_short: bool
    confirms: bool
    metrics: Mapping[str, float]
    facts: Mapping[str, Any]
    started: datetime | None
    ended: datetime | None


def trials_of(experiment: FrozenExperiment, folder: Path) -> Iterator[Trial]:
    """The evaluations of the experiment in `folder`, in the order of its record; memory holds one, and sums."""
    for record, known in so_far(each_record(folder / "evaluations.jsonl"), len(experiment.models)):
        started = time_of(record.started)
        yield Trial(
            number=record.evaluation,
            point=record.point,
            value=None if record.value is None else as_read(record.value, maximise=experiment.objective.maximise),
            is_short=record.epochs is not None,
            confirms=record.stage == CONFIRM,
            metrics=_metrics(experiment, known),
            facts=_facts(record, known),
            started=started,
            ended=None if started is None else started + timedelta(seconds=record.seconds or 0),
        )


def without_password(address: str) -> str:
    """An address as it may be shown."""
    return shortened(re.sub(r"//[^/]*@", "//...@", address))


def _metrics(experiment: FrozenExperiment, known: SoFar) -> dict[str, float]:
    by_submodel = zip(experiment.labels, known.metrics, strict=True)
    return {f"{label}/{name}": value for label, metrics in by_submodel for name, value in metrics.items()}


def _facts(record: Evaluation, known: SoFar) -> dict[str, Any]:
    """What else a line says, without what it does not; `seeds` and `runs` are those that are new in it."""
    ok = [run for run in record.runs if run.status == "ok"]
    low, high = record.interval or (None, None)
    facts: dict[str, Any] = {
        "stage": record.stage,
        "status": record.status,
        "reason": record.reason,
        "id": record.id,
        "claim": record.claim,
        "generation": record.generation,
        "epochs": record.epochs,
        "replicates": known.ended_well,
        "seeds": list(dict.fromkeys(run.seed for run in ok if run.seed is not None)),
        "deviation": record.deviation,
        "low": low,
        "high": high,
        "worker": record.worker,
        "runs": [run.run for run in record.runs if run.run],
    }
    return {name: value for name, value in facts.items() if value not in (None, [])}
