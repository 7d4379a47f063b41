"""Do models do better than one that predicts the mean, whatever it is given?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOSS, SKILL = "val_loss", "val_r2"
MEAN_PREDICTOR_LOSS, SCALED_LOSS = "val_mean_predictor_loss", "val_loss_over_variance"


@dataclass(frozen=True)
class MeanPredictor:
    """At how many of `of` points every submodel beats the mean predictor, by `metric`.

    `metric` is `val_r2` (the mean predictor has 0) or `val_loss` (it has `val_mean_predictor_loss`). `worse` counts
    for each submodel the points at which it does not.
    """

    metric: str
    beaten_by_both: int
    of: int
    worse: tuple[int, ...]


def beats_mean_predictor(metrics: Mapping[str, float]) -> bool | None:
    """Return whether a run with these metrics beats the mean predictor; None where they do not tell."""
    if SKILL in metrics:
        return metrics[SKILL] > 0
    if LOSS in metrics and MEAN_PREDICTOR_LOSS in metrics:
        return metrics[LOSS] < metrics[MEAN_PREDICTOR_LOSS]
    return None


def compare_with_mean_predictor(points: Sequence[Sequence[Mapping[str, float]]]) -> MeanPredictor | None:
    """How often points, of each of which the metrics of all submodels are given, beat it; None where none tells."""
    verdicts = [[beats_mean_predictor(each) for each in metrics] for metrics in points]
    known = [verdict for verdict in verdicts if verdict and None not in verdict]
    if not known:
        return None
    by_skill = any(SKILL in each for metrics in points for each in metrics)
    return MeanPredictor(
        SKILL if by_skill else LOSS,
        sum(all(verdict) for verdict in known),
        len(known),
        tuple(sum(not beats for beats in each) for each in zip(*known, strict=True)),
    )
