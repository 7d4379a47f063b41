"""Whether two models were trained and judged alike, but for what is varied: rows, labels, metric, hyperparameters.

It is read off the runs of a record. What a model reports as `training_rows`, `validation_rows`, `training_label_mean`,
`training_label_variance`, `val_label_mean` and `val_label_variance` are facts of it; what it does not report of its
validation rows is taken from the predictions that it wrote, where it wrote them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation, Run
from comparator.tables.predictions import Predictions

#: What is compared, by the name under which models report it.
FACTS = {
    "training_rows": "training rows",
    "validation_rows": "validation rows",
    "training_label_mean": "mean of the training labels",
    "training_label_variance": "variance of the training labels",
    "val_label_mean": "mean of the validation labels",
    "val_label_variance": "variance of the validation labels",
}
#: Means and variances that differ by less than this share are taken for equal: they are told with few digits.
SAME_LABELS = 1e-3
#: Numbers of training rows that differ by less are taken for equal: a network leaves out its last incomplete batch.
SAME_TRAINING = 1e-2
#: Means nearer to each other than this share of the labels' size, and variances than its square, are so by rounding;
#: means whose variance is not told where they are nearer than `UNSCALED`.
ROUNDING, UNSCALED = 1e-6, 1e-9
#: A metric that differs by less than this share from that of the written predictions follows from them.
SAME_METRIC = 2e-3
#: The same of one near 0: by less than this share of the labels' variance, or deviation, or of 1 where it has no unit.
SAME_ERROR, SAME_SHARE = 5e-4, 1e-5
#: The scores that a metric may be, by its name without what it is of.
SCORES = {
    "loss": ("mse", "mae", "rmse"),
    **{name: (name,) for name in ("mse", "rmse", "mae", "r2", "pcc", "scc")},
    **{"corr": ("pcc",), "pearson": ("pcc",), "spearman": ("scc",)},
}
#: So many pairs of runs are looked at for written predictions.
PAIRS_READ = 3
Facts = dict[str, float | None]
_PART = re.compile(r"(val|validation)_")
#: A hyperparameter that is given to one submodel alone.
_OF_ONE = re.compile(r"cmp_[01]_")


@dataclass(frozen=True)
class Fact:
    """One thing that both models tell of their data, or one of them, or neither: then None.

    `values` are those of the first pair of runs in which they differ, else of the first; of the `pairs` that tell both,
    `differing` differ.
    """

    what: str
    values: tuple[float | None, float | None]
    pairs: int
    differing: int


@dataclass(frozen=True)
class Recomputed:
    """A metric of a run as it was reported, and as its written predictions have it; whether it follows from them."""

    metric: str
    reported: float
    recomputed: float
    follows: bool


@dataclass(frozen=True)
class Effect:
    """Whether each model's metric changes with a hyperparameter where all else is the same, seed and split too.

    None where no runs tell; `tried` are the values of which runs do.
    """

    hyperparameter: str
    changes: tuple[bool | None, bool | None]
    tried: tuple[Any, ...]


@dataclass(frozen=True)
class LikeForLike:
    """What is alike and what is not.

    `recomputed` has None for a model that has written no predictions, or whose metric is none of their scores.
    """

    facts: tuple[Fact, ...]
    recomputed: tuple[Recomputed | None, Recomputed | None]
    effects: tuple[Effect, ...]

    @property
    def unlike_facts(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.differing]

    @property
    def unfounded(self) -> list[tuple[int, Recomputed]]:
        """The submodels whose metric does not follow from their predictions."""
        return [(number, each) for number, each in enumerate(self.recomputed) if each is not None and not each.follows]

    @property
    def one_sided(self) -> list[Effect]:
        """The hyperparameters that change one model alone."""
        return [effect for effect in self.effects if set(effect.changes) == {True, False}]

    @property
    def idle(self) -> list[Effect]:
        """The hyperparameters that change neither."""
        return [effect for effect in self.effects if effect.changes == (False, False)]

    @property
    def is_alike(self) -> bool:
        """Whether nothing that is known differs."""
        return not (self.unlike_facts or self.unfounded or self.one_sided)


def scores_called(metric: str) -> tuple[str, ...]:
    """Return the scores of predictions that a metric of this name may be; none where the name does not tell."""
    return SCORES.get(_PART.sub("", metric.lower()), ())


def is_score(name: str, reported: float, recomputed: float, label_variance: float) -> bool:
    """Whether what was reported is this score of predictions, of labels of a variance, told with few digits."""
    units = {"mse": label_variance, "rmse": math.sqrt(label_variance), "mae": math.sqrt(label_variance)}
    near = SAME_ERROR * units[name] if name in units else SAME_SHARE
    return math.isclose(reported, recomputed, rel_tol=SAME_METRIC, abs_tol=near)


def like_for_like(
    experiment: FrozenExperiment, records: Sequence[Evaluation], predicted: Callable[[Run], Predictions | None]
) -> LikeForLike:
    """Return what the runs of a comparison tell; `predicted` gives what a run has written of its predictions."""
    pairs = _pairs(records)
    read = [(predicted(first), predicted(second)) for first, second in pairs[:PAIRS_READ]]
    read += [(None, None)] * (len(pairs) - len(read))
    told = [
        (_facts(first, of_first), _facts(second, of_second))
        for (first, second), (of_first, of_second) in zip(pairs, read, strict=True)
    ]
    return LikeForLike(
        facts=tuple(_fact(name, told) for name in FACTS),
        recomputed=(_recomputed(experiment.metric, pairs, read, 0), _recomputed(experiment.metric, pairs, read, 1)),
        effects=tuple(_effects(experiment, records)),
    )


def _pairs(records: Iterable[Evaluation]) -> list[tuple[Run, Run]]:
    """Return the two runs of each replicate that both ended well, each pair once."""
    found: dict[Any, dict[int, Run]] = {}
    for number, record in enumerate(records):
        for run in record.runs:
            if run.status == "ok":
                found.setdefault((number, run.replicate), {})[run.submodel] = run
    whole = [(runs[0], runs[1]) for runs in found.values() if len(runs) == 2]
    return list({(first.run, second.run, first.replicate): (first, second) for first, second in whole}.values())


def _facts(run: Run, predictions: Predictions | None) -> Facts:
    facts = {name: run.metrics.get(name) for name in FACTS}
    if predictions is not None:
        read = (predictions.rows, predictions.label_mean, predictions.label_variance)
        for name, value in zip(("validation_rows", "val_label_mean", "val_label_variance"), read, strict=True):
            if facts[name] is None and math.isfinite(value):  # an infinite label has no variance that could be equal
                facts[name] = value
    return facts


def _fact(name: str, told: Sequence[tuple[Facts, Facts]]) -> Fact:
    pairs = [(first.get(name), second.get(name)) for first, second in told]
    both = [
        ((one, other), _is_same(name, one, other, facts))
        for (one, other), (facts, _) in zip(pairs, told, strict=True)
        if one is not None and other is not None
    ]
    unlike = [pair for pair, is_same in both if not is_same]
    shown = [*unlike, *(pair for pair, _ in both), *(pair for pair in pairs if pair != (None, None)), (None, None)]
    return Fact(FACTS[name], shown[0], len(both), len(unlike))


def _is_same(name: str, one: float, other: float, facts: Facts) -> bool:
    if name == "validation_rows":
        return one == other
    if name == "training_rows":
        return math.isclose(one, other, rel_tol=SAME_TRAINING)
    return math.isclose(one, other, rel_tol=SAME_LABELS, abs_tol=_rounding(name, facts))


def _rounding(name: str, facts: Facts) -> float:
    """How far two means, or variances, of labels may be apart by rounding alone; labels have any unit."""
    part, _, moment = name.rpartition("_")
    mean, variance = facts.get(f"{part}_mean"), facts.get(f"{part}_variance")
    if variance is None:  # of a mean near 0 nothing tells what is near
        return UNSCALED
    size = ROUNDING * max(abs(mean or 0.0), math.sqrt(max(variance, 0.0)))
    return size if moment == "mean" else size**2


def _recomputed(
    metric: str,
    pairs: Sequence[tuple[Run, Run]],
    read: Sequence[tuple[Predictions | None, Predictions | None]],
    submodel: int,
) -> Recomputed | None:
    """Return the metric beside the nearest of the scores that it may be, of the run in which it is furthest off."""
    found = []
    for pair, of_pair in zip(pairs, read, strict=True):
        reported, predictions = pair[submodel].metrics.get(metric), of_pair[submodel]
        held = {name: predictions.scores.get(name) for name in scores_called(metric)} if predictions else {}
        scores = [(score, name) for name, score in held.items() if score is not None]
        if reported is not None and predictions is not None and scores:
            score, name = min(scores, key=lambda each: abs(each[0] - reported))
            follows = is_score(name, reported, score, predictions.label_variance)
            found.append(Recomputed(metric, reported, score, follows))
    return max(found, key=lambda each: abs(each.reported - each.recomputed), default=None)


def _effects(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Iterable[Effect]:
    """Give the effect of each hyperparameter of the points that both submodels are given."""
    tried = [
        (run.submodel, (run.block, run.seed, run.split, epochs), point, texts, run.metrics[experiment.metric])
        for point, epochs, runs in _runs_by_point(experiment, records)
        for texts in [{name: json.dumps(point[name], sort_keys=True) for name in sorted(point)}]
        for run in runs
        if run.status == "ok" and run.metrics.get(experiment.metric) is not None
    ]
    names = dict.fromkeys(name for _, _, point, _, _ in tried for name in point)
    for name in names:
        if _OF_ONE.match(name):
            continue
        groups: dict[Any, dict[str, tuple[Any, float | None]]] = {}
        for submodel, luck, point, texts, value in tried:
            if name in point:
                others = tuple(each for each in texts.items() if each[0] != name)
                groups.setdefault((submodel, luck, others), {})[texts[name]] = (point[name], value)
        telling = {key: list(group.values()) for key, group in groups.items() if len(group) > 1}
        changes = [
            [any(value != group[0][1] for _, value in group) for (of, *_), group in telling.items() if of == submodel]
            for submodel in (0, 1)
        ]
        if telling:
            first, second = (any(each) if each else None for each in changes)
            values = dict.fromkeys(json.dumps(value) for group in telling.values() for value, _ in group)
            yield Effect(name, (first, second), tuple(json.loads(value) for value in values))


def _runs_by_point(
    experiment: FrozenExperiment, records: Sequence[Evaluation]
) -> Iterable[tuple[dict[str, Any], int | None, Sequence[Run]]]:
    """Give the runs of the record, and those that were trained beside it to tell effects, with point and epochs."""
    for record in records:
        yield record.point, record.epochs, record.runs
    epochs = None if experiment.stages.first is None else experiment.stages.first.epochs
    for point, result in zip(experiment.stages.probes, experiment.probes or (), strict=False):
        yield point, epochs, result.runs
