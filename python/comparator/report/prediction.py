"""What an experiment says of a point that it did not evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from comparator.errors import ComparatorError, InputError
from comparator.findings.verdict import SEED, placed
from comparator.formats.numbers import round_to, show
from comparator.objective.amounts import Measure, measure_of
from comparator.report.numbers import point_words
from comparator.results.frozen import FrozenExperiment
from comparator.results.record import Evaluation
from comparator.space import ParameterSpace, Point
from comparator.space.typed import typed_point

Interval = tuple[float, float]


@dataclass(frozen=True)
class Predicted:
    """A prediction at a point, in which the hyperparameters `varied` are no constants.

    `mean` is that of the signed difference (of a single model: of its metric) over blocks of split and seeds, in
    `interval` with 95 % chance; `of_one` holds what one new pair of trainings (one training) gives there. `nearest` is
    the evaluated point of the `points` that lies nearest, `distance` how far: the largest of all parameters, as a
    fraction of its range, and 1 between two values of a category; `nearest_mean` is what was found there.
    """

    point: Point
    mean: float
    interval: Interval
    of_one: Interval
    nearest: Point
    distance: float
    nearest_mean: float
    points: int
    varied: tuple[str, ...]


def predict_at(experiment: FrozenExperiment, records: Sequence[Evaluation], asked: Sequence[str]) -> Predicted:
    """Predict the point that `asked` gives as texts NAME=VALUE; raises as `predict_point` does."""
    return _predict(experiment, records, lambda space: typed_point(space, asked))


def predict_point(experiment: FrozenExperiment, records: Sequence[Evaluation], point: Point) -> Predicted:
    """Predict a point, whose constants may be left out.

    Raises `InputError` where it is no point of the space, `ComparatorError` where there are too few results.
    """
    return _predict(experiment, records, lambda space: space.fit(point, "point"))


def _predict(
    experiment: FrozenExperiment, records: Sequence[Evaluation], point_in: Callable[[ParameterSpace], Point]
) -> Predicted:
    from comparator.evidence.prediction import FEWEST_POINTS, Predictor

    if not experiment.is_search and experiment.rechecks is None:
        why = experiment.why_nothing_is_compared
        raise InputError(f"'{experiment.id}': {why}, so that there is nothing to predict from")
    space, observations, reason = placed(experiment, records)
    if space is None:
        raise ComparatorError(f"'{experiment.id}': {reason}, so there is nothing to predict from")
    point = point_in(space)
    predictor = Predictor.fit(space, observations, SEED)
    if predictor is None:
        raise ComparatorError(
            f"'{experiment.id}': {len(observations)} points have a result; a prediction takes {FEWEST_POINTS} or more"
        )
    prediction = predictor.at(point)
    constants = space.constants
    distances = [space.distance({**constants, **each.point}, point) for each in observations]
    near = observations[distances.index(min(distances))]
    return Predicted(
        point,
        prediction.mean,
        prediction.interval,
        prediction.of_one,
        dict(near.point),
        min(distances),
        fmean(near.differences),
        len(observations),
        tuple(name for name in space.names if name not in constants),
    )


def as_json(experiment: FrozenExperiment, predicted: Predicted) -> dict[str, Any]:
    """Return the prediction for programs."""
    return {
        "id": experiment.id,
        "metric": experiment.metric,
        "objective": experiment.objective.name,
        "point": predicted.point,
        "mean": predicted.mean,
        "interval": list(predicted.interval),
        "interval_of_one": list(predicted.of_one),
        "nearest": {
            "point": predicted.nearest,
            "distance": predicted.distance,
            "mean": predicted.nearest_mean,
        },
        "points": predicted.points,
    }


def words(experiment: FrozenExperiment, predicted: Predicted) -> list[str]:
    """Return the prediction for people, a line each."""
    paired, models = experiment.kind != "single", experiment.labels
    what = f"{experiment.objective.name}, signed" if paired else experiment.metric
    one = "one new pair of trainings" if paired else "one new training"
    names = predicted.varied
    near = f"{point_words(predicted.nearest, names)}, {show(round_to(predicted.distance, 2))} of the range away"
    low, high = predicted.interval
    measure = measure_of(experiment)
    first = experiment.stages.first
    short = "" if first is None else f", of trainings of {first.epochs} of {first.full} epochs"
    larger = f"; {models[int(low > 0)]} has the larger {experiment.metric}" if paired and low * high > 0 else ""
    return [
        f"at {point_words(predicted.point, names)}: {what}{short}",
        f"  mean over {_over(experiment)}: {measure.amounts(predicted.mean, predicted.interval)}{larger}",
        f"  {one}: {_range(measure, predicted.mean, predicted.of_one)}",
        f"  nearest of {predicted.points} evaluated points: {near}; {measure.amount(predicted.nearest_mean, 2)} there",
    ]


def _over(experiment: FrozenExperiment) -> str:
    """What the observations of the experiment vary, beside the point."""
    if experiment.stages.blocks == 1:
        return "seeds, on this split"
    has_splits = all(model.split is not None for model in experiment.models)
    return "splits and seeds" if has_splits else "seeds"


def _range(measure: Measure, mean: float, interval: Interval) -> str:
    return "".join(measure.amounts(mean, interval).partition("[")[1:])
