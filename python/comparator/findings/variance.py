"""What makes the trainings of one point differ, read from an experiment that trained it on levels that meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from comparator.evidence.variance import Variance, split_variance
from comparator.findings.studies import studies_of
from comparator.results.frozen import Claim, FrozenExperiment
from comparator.results.record import Evaluation
from comparator.strategies.blocks import SEED, SPLIT, crossed, levels_in, square


@dataclass(frozen=True)
class TrainingVariance:
    """The variance of the difference of one pair of trainings, and of the metric of one training.

    The first part of the latter is which of the two models, or studies, it is, each as likely. `studies` are these,
    None where the two differ in something else. `one_seed` are the models that have one seed for all that a seed
    decides.
    """

    point: dict[str, Any]
    difference: Variance
    metric: Variance | None
    studies: tuple[str, str] | None
    one_seed: tuple[str, ...]


def variance_in(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> TrainingVariance | None:
    """Return what makes the trainings of a point differ; None where no point was looked at, or too few gave a
    result."""
    claim = experiment.crossing
    if claim is None:
        return None
    signed = {replicate: value for line in records for replicate, value in _by_replicate(line)}
    difference = _split(claim, signed)
    if difference is None:
        return None
    both = {replicate: values for line in records for replicate, values in _of_metric(line, experiment.metric)}
    one_seed = [label for label, model in zip(experiment.labels, experiment.models, strict=True) if model.seeds is None]
    return TrainingVariance(claim.points[0], difference, _split(claim, both), studies_of(experiment), tuple(one_seed))


def variance_as_json(found: TrainingVariance | None) -> dict[str, Any] | None:
    """Return it for programs: the parts of the difference at the top, those of the metric below `metric`."""
    if found is None:
        return None
    counts = {f"{name}s": count for name, count in found.difference.levels.items() if name in (SPLIT, SEED)}
    whole = asdict(found)
    return {"point": whole["point"], **whole.pop("difference"), **counts, **whole}


def _split(claim: Claim, numbers: dict[int, Any]) -> Variance | None:
    """Split the variance of what replicates gave, by the levels that they met; those that failed are left out."""
    if claim.levels:
        there = [each for each in square(claim.factors, claim.levels) if each in numbers]
        levels = levels_in(there, claim.factors)
    else:
        assert claim.crossed is not None
        met = {each: divmod(place, claim.crossed[1]) for place, each in enumerate(crossed(*claim.crossed))}
        there = [each for each in met if each in numbers]
        levels = {SPLIT: [met[each][0] for each in there], SEED: [met[each][1] for each in there]}
    return split_variance(np.array([numbers[each] for each in there]).T, levels)


def _by_replicate(line: Evaluation) -> Iterator[tuple[int, float]]:
    good = [run.replicate for run in line.runs if run.status == "ok"]
    both = sorted({each for each in good if good.count(each) == 2})
    if line.signed is not None and len(both) == len(line.signed):
        yield from zip(both, line.signed, strict=True)


def _of_metric(line: Evaluation, metric: str) -> Iterator[tuple[int, tuple[float, float]]]:
    """What both models of each replicate reported."""
    told = {(run.replicate, run.submodel): run.metrics.get(metric) for run in line.runs if run.status == "ok"}
    for replicate in sorted({replicate for replicate, _ in told}):
        first, second = told.get((replicate, 0)), told.get((replicate, 1))
        if first is not None and second is not None:
            yield replicate, (first, second)
