"""Whether a training repeated gives the same number, as far as a record tells."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.findings.mean_predictor import LOSS
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation


def is_exact(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> bool:
    """Whether no two trainings of a point differed, and several were tried somewhere, or no model takes a seed."""
    if experiment.imported:
        return False
    if any(record.deviation and not record.signed and record.after is None for record in records):
        return False
    trained = _trained(records, experiment.metric or LOSS)
    if any(len(set(numbers)) > 1 for numbers in trained):
        return False
    repeated = any(len(numbers) > 1 for numbers in trained)
    return repeated or not any(model.seed or model.split for model in experiment.models)


def _trained(records: Sequence[Evaluation], metric: str) -> list[list[float | None]]:
    """The numbers that each submodel reported at each point, one for each seed."""
    found: dict[tuple[str, int | None, int], dict[int, float | None]] = {}
    for record in records:
        for run in record.runs:
            if run.status == "ok":
                of = found.setdefault((record.point_key, record.epochs, run.submodel), {})
                of[run.replicate] = run.metrics.get(metric)
    return [list(numbers.values()) for numbers in found.values()]
