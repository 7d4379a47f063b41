"""Whether what was varied changes anything at all: where it does not, each model gives one number at every point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparator.results.record import Evaluation, key_of

#: So many points take part at least: fewer may all lie where nothing changes.
FEWEST = 8


def changes_nothing(records: Sequence[Evaluation], metric: str, names: Sequence[str], models: int) -> bool:
    """Whether no model's metric depends on where it was trained.

    It does not where each model gave one and the same number for a seed and split at all points that had them, at
    `FEWEST` points or more, among which each of the hyperparameters `names` had several values. Where another of its
    metrics has several numbers, what was varied does change it.
    """
    numbers: dict[Any, dict[str, Mapping[str, float | None]]] = {}
    points: dict[str, dict[str, Any]] = {}
    for record in records:
        key = key_of(record.point)
        for run in record.runs:
            if run.status != "ok" or run.metrics.get(metric) is None:
                continue
            seeds = tuple(sorted((run.seeds or {}).items()))
            same_luck = numbers.setdefault((run.submodel, run.block, run.seed, run.split, seeds, record.epochs), {})
            if run.metrics != next(iter(same_luck.values()), run.metrics):
                return False
            same_luck[key] = run.metrics
            points[key] = record.point
    for model in range(models):
        beside = {key for (of, *_), each in numbers.items() if of == model and len(each) > 1 for key in each}
        if len(beside) < FEWEST or not _all_vary([points[key] for key in beside], names):
            return False
    return bool(names)


def _all_vary(points: Sequence[dict[str, Any]], names: Sequence[str]) -> bool:
    return all(len({key_of({name: point.get(name)}) for point in points}) > 1 for name in names)
