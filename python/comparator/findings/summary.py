"""What an experiment's records say, as plain values.

Read by the report, `list`, `watch` and the closing words; nothing heavy is imported here. "Difference" is the
number shown to people: the value that the search minimises, with its sign turned where the objective is
maximised. For a single model it is the model's metric.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from comparator.findings import reliability
from comparator.findings.axes import Axis, on_lattice, varying_axes
from comparator.findings.exactness import is_exact
from comparator.findings.idle import changes_nothing
from comparator.findings.mean_predictor import LOSS, MeanPredictor, compare_with_mean_predictor
from comparator.findings.reliability import Reliability, reliability_in
from comparator.findings.so_far import mean_metrics, so_far
from comparator.formats.text import message
from comparator.objective.amounts import Measure, measure_named
from comparator.objective.comparison import with_labels
from comparator.objective.differences import difference_called
from comparator.results.frozen import FirstEpochs, FrozenExperiment, described_in
from comparator.results.points import as_read, best_of, best_values, values_of
from comparator.results.record import AFTERWARDS, Evaluation, Replicate, Run
from comparator.results.tally import Counts, count

BEST_POINTS = 5
#: Strategies that do not gather where it is best, or not before they have looked everywhere.
SCATTERED = ("grid", "listed", "random", "sobol", "level_set", "region_and_maximum")
EVEN = ("grid", "listed", "random", "sobol")  # those that go nowhere for what was found
#: A number in the words of a failure, also one with a sign, a point or an exponent.
NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class EvaluationSummary:
    """An evaluation of the record as the report shows it, with its runs gathered by submodel.

    `difference` is None unless `status` is `ok`. `metrics[s]` are submodel s's metrics, means over the
    replicates that succeeded, `{}` where none did; `seconds` is the wall time of its replicates together, `started` is
    UTC, ISO 8601. `mean` is that of the signed differences, one a replicate (of a single model its metric), `deviation`
    and `interval` (95 %, of their mean) are theirs, None for fewer than two. All of these are of so many `replicates`
    as the point had until then.

    `runs` are those that are new in this evaluation, `signed` what they give; of `Summary.points` and `best_points`
    they are all. `parts` are the replicates that the evaluation itself asked for, each with `replicate`, `started`,
    `seconds` and `worker`, and `own_runs` theirs. `claim` is what it was to confirm.
    """

    number: int
    stage: str
    generation: int | None
    point: Mapping[str, Any]
    status: str
    value: float | None
    difference: float | None
    metrics: tuple[dict[str, float], ...]
    replicates: int
    seconds: float | None
    runs: tuple[Run, ...]
    reason: str | None
    started: str | None = None
    worker: str | None = None
    own_runs: tuple[Run, ...] = ()
    signed: tuple[float, ...] = ()
    mean: float | None = None
    deviation: float | None = None
    interval: tuple[float, float] | None = None
    parts: tuple[Replicate, ...] = ()
    claim: str | None = None

    @property
    def reused(self) -> int:
        """How many of its own runs were found in the store, and not trained."""
        return sum(run.reused for run in self.own_runs)


def drawn_anew(evaluations: Iterable[EvaluationSummary]) -> str:
    """What trainings of one point draw of their own: `splits and seeds`, `seeds` where no model takes a split."""
    has_splits = any(run.split is not None for one in evaluations for run in one.runs)
    return "splits and seeds" if has_splits else "seeds"


@dataclass(frozen=True)
class Generation:
    """One generation and the numbers of its evaluations.

    `best` and `mean` are differences, None where none succeeded; `best_so_far` covers all up to this one.
    """

    number: int
    members: tuple[int, ...]
    failed: int
    best: float | None
    mean: float | None
    best_so_far: float | None

    @property
    def count(self) -> int:
        """How many evaluations it has, failed ones too."""
        return len(self.members)


@dataclass(frozen=True)
class Summary:
    """An experiment in plain values; evaluations in the order in which they finished.

    `unit` is the objective's: `fraction` for a relative difference (0 is alike, 0.5 is one twice the other);
    `metric_kind` is `error`, `score` or `fact`, empty where it is not known; `find` is what was asked for, `maximum` or
    `regions`. `lattice` is true where the points are those of a grid; the axes then have a bin for each of its values.
    `number` counts what there is, and `points` has for each distinct point the evaluation with its value
    (`comparator.results.points`).
    `first` are the short trainings that `points` are of, None where all trainings are full ones.
    `strategy` is the search's name, empty where it is not known. `baseline` is a single model's evaluation with its
    default settings. `is_exact` says that a training repeated gives the same number, as far as is known: no two
    trainings of a point differed, and either no model takes a seed, of training or split, or a point was trained on
    several. `seedless` are the models that take none, `described_in` the names of the files that could name their seed.
    `is_idle` says that none of the axes changes any of the models (`findings.idle`).
    """

    id: str
    title: str
    kind: str
    metric: str
    metric_kind: str
    objective: str
    unit: str
    maximise: bool
    find: str
    models: tuple[str, ...]
    axes: tuple[Axis, ...]
    lattice: bool
    strategy: str
    baseline: EvaluationSummary | None
    evaluations: tuple[EvaluationSummary, ...]
    counts: dict[str, int]
    number: Counts
    points: tuple[EvaluationSummary, ...]
    best_points: tuple[EvaluationSummary, ...]
    best_so_far: tuple[tuple[int, float], ...]
    generations: tuple[Generation, ...]
    mean_predictor: MeanPredictor | None
    reasons: dict[str, list[int]]
    reliability: Reliability
    first: FirstEpochs | None = None
    is_exact: bool = False
    seedless: tuple[str, ...] = ()
    described_in: str = ""
    is_idle: bool = False

    @property
    def best(self) -> EvaluationSummary | None:
        """The best point's latest evaluation, or None while none has succeeded."""
        return self.best_points[0] if self.best_points else None

    @property
    def measure(self) -> Measure:
        """How differences are put into words; of a single model, its metric."""
        return measure_named(self.objective, self.metric, self.unit)

    @property
    def is_climb(self) -> bool:
        """Whether two models were compared where a search hoped for the largest difference, and hardly elsewhere."""
        return self.kind != "single" and not self.lattice and self.strategy not in ("", *SCATTERED)

    @property
    def searched(self) -> tuple[EvaluationSummary, ...]:
        """The evaluations of pilot and search, all of one length: all but those that followed."""
        return tuple(one for one in self.evaluations if one.stage not in AFTERWARDS)


def summarise(experiment: FrozenExperiment, records: Sequence[Evaluation]) -> Summary:
    """Return the summary of `experiment` and its `records` so far."""
    objective = experiment.objective
    maximise = objective.maximise
    models = experiment.labels
    evaluations = tuple(_summaries(records, maximise, models))
    searched = [one for one in evaluations if one.stage not in AFTERWARDS]
    metric = experiment.metric or LOSS
    axes = varying_axes(experiment.space, [one.point for one in evaluations])
    lattice = on_lattice(axes, [one.point for one in searched], is_grid(experiment))
    described = experiment.metrics.get(metric)
    known = {id(record): one for record, one in zip(records, evaluations, strict=True)}  # most points have one line
    points = tuple(known.get(id(record)) or _whole(record, maximise, models) for record in values_of(records).values())
    best_so_far = tuple((one.evaluation, as_read(value, maximise=maximise)) for one, value in best_values(records))
    difference = difference_called(objective.name, metric)  # earlier versions did not keep the unit
    return Summary(
        id=experiment.id,
        title=experiment.title or experiment.id,
        kind=experiment.kind,
        metric=metric,
        metric_kind=(described.kind if described is not None else None) or "",
        objective=objective.name or metric,
        unit=objective.unit or (difference.unit if difference is not None else ""),
        maximise=maximise,
        find=str(search_settings(experiment).get("find") or "maximum"),
        models=models,
        axes=lattice or axes,
        lattice=lattice is not None,
        strategy=_strategy(experiment),
        baseline=_baseline(experiment, maximise),
        evaluations=evaluations,
        counts={status: sum(one.status == status for one in evaluations) for status in ("ok", "failed", "timeout")},
        number=count(records),
        points=points,
        best_points=tuple(_whole(record, maximise, models) for record in best_of(records)[:BEST_POINTS]),
        best_so_far=best_so_far,
        generations=_generations(searched, maximise, dict(best_so_far)),
        mean_predictor=compare_with_mean_predictor([one.metrics for one in points]),
        reasons=_reasons(evaluations),
        reliability=reliability_in(experiment, records),
        first=experiment.stages.first,
        is_exact=is_exact(experiment, records),
        seedless=tuple(
            name for name, each in zip(models, experiment.models, strict=True) if not (each.seed or each.split)
        ),
        described_in=described_in(each for each in experiment.models if not each.seed),
        is_idle=changes_nothing(records, metric, [axis.name for axis in axes], len(models)),
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """Return the keys of report.json that say it; `best` and `mean` of a generation are differences."""
    best, mean_predictor = summary.best, summary.mean_predictor
    anew = summary.reliability.confirmation_of(best.point) if best is not None else None
    return {
        "evaluations": summary.counts,
        "counts": asdict(summary.number),
        "idle": [axis.name for axis in summary.axes] if summary.is_idle else [],
        "best": best
        and {
            "evaluation": best.number,
            "point": dict(best.point),
            "value": best.value,
            "difference": best.difference,
            "metrics": list(best.metrics),
            "replicates": best.replicates,
            "searched": best.difference,
            "confirmed": anew and anew.confirmed,
            "interval": anew and anew.interval,
            "seeds": anew.seeds if anew is not None else 0,
        },
        **reliability.as_json(summary.reliability),
        "baseline": summary.baseline
        and {"point": dict(summary.baseline.point), "difference": summary.baseline.difference},
        "generations": [
            {"generation": one.number, "count": one.count, "best": one.best, "mean": one.mean}
            for one in summary.generations
        ],
        "mean_predictor": mean_predictor
        and {
            "beaten_by_both": mean_predictor.beaten_by_both,
            "of": mean_predictor.of,
            "worse": list(mean_predictor.worse),
        },
    }


def is_grid(experiment: FrozenExperiment) -> bool:
    """Return whether the experiment's points were chosen as a grid."""
    return experiment.strategy.name == "grid"


def is_spread(experiment: FrozenExperiment) -> bool:
    """Return whether the points lie evenly over the space, whatever was found."""
    return _strategy(experiment) in EVEN


def search_settings(experiment: FrozenExperiment) -> Mapping[str, Any]:
    """Return the experiment's `[search]`, empty where it has none."""
    return experiment.settings.get("search") or {}


def _strategy(experiment: FrozenExperiment) -> str:
    return experiment.strategy.name or str(search_settings(experiment).get("strategy") or "")


def _whole(record: Evaluation, maximise: bool, labels: Sequence[str]) -> EvaluationSummary:
    """The summary of an evaluation that has all replicates of its point."""
    return next(_summaries([record], maximise, labels))


def _summaries(records: Iterable[Evaluation], maximise: bool, labels: Sequence[str]) -> Iterator[EvaluationSummary]:
    for record, known in so_far(records, len(labels)):
        value = record.value if record.status == "ok" else None
        yield EvaluationSummary(
            number=record.evaluation,
            stage=record.stage,
            generation=record.generation,
            point=record.point,
            status=record.status,
            value=value,
            difference=None if value is None else as_read(value, maximise=maximise),
            metrics=known.metrics,
            replicates=known.replicates,
            seconds=record.seconds,
            runs=tuple(record.runs),
            own_runs=_own_runs(record),
            reason=None if record.reason is None else with_labels(message(record.reason), labels),
            started=record.started,
            worker=record.worker,
            signed=tuple(record.signed or ()),
            mean=known.signed,
            deviation=record.deviation,
            interval=(record.interval[0], record.interval[1]) if record.interval else None,
            parts=tuple(record.asked or ()),
            claim=record.claim,
        )


def _own_runs(record: Evaluation) -> tuple[Run, ...]:
    """The runs of the replicates that an evaluation asked for itself; all, where it does not say which."""
    if record.asked is None:
        return tuple(record.runs)
    asked = {part.replicate for part in record.asked}
    return tuple(run for run in record.runs if run.replicate in asked)


def _baseline(experiment: FrozenExperiment, maximise: bool) -> EvaluationSummary | None:
    result = experiment.baseline
    if result is None:
        return None
    value = result.value if result.status == "ok" else None
    return EvaluationSummary(
        number=result.evaluation,
        stage="baseline",
        generation=None,
        point={},
        status=result.status,
        value=value,
        difference=None if value is None else as_read(value, maximise=maximise),
        metrics=mean_metrics(result.runs, len(experiment.labels)),
        replicates=1,
        seconds=result.seconds,
        runs=tuple(result.runs),
        own_runs=tuple(result.runs),
        reason=result.reason,
    )


def _best(differences: Sequence[float], maximise: bool) -> float:
    return max(differences) if maximise else min(differences)


def _generations(
    evaluations: Sequence[EvaluationSummary], maximise: bool, best_so_far: Mapping[int, float]
) -> tuple[Generation, ...]:
    """Return the generations; `best_so_far` has the best up to an evaluation, by its number."""
    groups: dict[int, list[EvaluationSummary]] = {}
    for one in evaluations:
        if one.generation is not None:
            groups.setdefault(one.generation, []).append(one)
    generations = []
    latest: float | None = None
    for number, members in sorted(groups.items()):
        differences = [one.difference for one in members if one.difference is not None]
        known = [best_so_far[one.number] for one in members if one.number in best_so_far]
        known += [latest] if latest is not None else []
        latest = _best(known, maximise) if known else None
        generations.append(
            Generation(
                number,
                tuple(one.number for one in members),
                len(members) - len(differences),
                _best(differences, maximise) if differences else None,
                statistics.fmean(differences) if differences else None,
                latest,
            )
        )
    return tuple(generations)


def _reasons(evaluations: Sequence[EvaluationSummary]) -> dict[str, list[int]]:
    """Return the evaluations that failed by their reason, the most frequent reason first.

    Reasons of one model that differ in numbers alone are one, in the words of the first.
    """
    alike: dict[str, list[EvaluationSummary]] = {}
    for one in evaluations:
        if one.status != "ok":
            alike.setdefault(_without_numbers(one.reason or one.status), []).append(one)
    reasons: dict[str, list[int]] = {}
    for failed in sorted(alike.values(), key=len, reverse=True):
        said = list(dict.fromkeys(one.reason or one.status for one in failed))
        words = said[0] if len(said) == 1 else f"{said[0]} (and with other numbers)"
        reasons[words] = [one.number for one in failed]
    return reasons


def _without_numbers(reason: str) -> str:
    who, colon, rest = reason.partition(": ")  # the number of a submodel stays
    return f"{who}{colon}{NUMBER.sub('0', rest)}"
