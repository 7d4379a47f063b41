"""Each model's metric over the strongest hyperparameter, with the mean predictor as reference."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from comparator.findings.axes import Axis, effect
from comparator.findings.mean_predictor import MEAN_PREDICTOR_LOSS, SKILL, beats_mean_predictor
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import show
from comparator.report import numbers, words
from comparator.report.figures.channels import (
    HEADING,
    Row,
    along,
    clip,
    coordinate_of,
    distinct,
    labels_of,
    names_of,
    number_channel,
    references,
    series,
)
from comparator.report.figures.crowd import gathered, said_of
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import INK, MODELS, SHAPES

LOWEST_SKILL = -1.0  # a run that diverged would otherwise press all others together
STEEP = 100.0  # times; beyond, a log scale


def model_comparison(summary: Summary) -> list[Figure]:
    """Return a figure of all trainings of each model: which is better, and which has learnt anything."""
    metric = summary.mean_predictor.metric if summary.mean_predictor else summary.metric
    done = [one for one in summary.searched if one.status == "ok" and all(metric in metrics for metrics in one.metrics)]
    if not done:
        return []
    averages = [statistics.fmean(metrics[metric] for metrics in one.metrics) for one in done]
    strongest = max(summary.axes, key=lambda axis: effect(axis, done, averages), default=None)
    models = distinct(summary.models)
    trainings = [
        _row(one, summary, submodel, metric, strongest, models[submodel])
        for submodel in range(len(models))
        for one in done
    ]
    measures = _measures(summary, metric, done, models)
    x = along(strongest, "x")
    y = _height(metric, [row["y"] for row in [*trainings, *measures]])
    looks = {
        model: {"color": MODELS[submodel % 2], "shape": SHAPES[submodel % 2]} for submodel, model in enumerate(models)
    }
    look = {"size": 44, "strokeWidth": 1.4, "opacity": 0.85, "clip": False}
    learnt, not_learnt = ([row for row in trainings if row["learnt"] == learnt] for learnt in (True, False))
    layers = [
        layer(gathered(learnt, x, y), "point", {**look, "filled": True}, x=x, y=y, **series(looks)),
        layer(gathered(not_learnt, x, y), "point", look, x=x, y=y, **series(looks)),
        *references(measures, y),
    ]
    return [
        figure(
            "models",
            _title(summary, metric),
            {"layer": layers},
            _caption(summary, metric, done) + said_of(len(done)),
            params=labels_of(x=strongest),
            axes={"x": strongest.name if strongest else "number"},
        )
    ]


def _row(
    one: EvaluationSummary, summary: Summary, submodel: int, metric: str, strongest: Axis | None, model: str
) -> Row:
    """Return the row of a model's training."""
    value = one.metrics[submodel][metric]
    said = f"{summary.models[submodel]}, evaluation {one.number}\n{numbers.point(one, names_of(summary))}"
    return {
        "x": coordinate_of(strongest)(one),
        "y": max(value, LOWEST_SKILL) if metric == SKILL else value,
        "series": model,
        "learnt": beats_mean_predictor(one.metrics[submodel]) is not False,
        "evaluations": [one.number],
        "tip": numbers.printable(f"{said}\n{metric} {show(value)}"),
    }


def _height(metric: str, values: Sequence[float]) -> Row:
    """Take a log scale where a few runs that diverged would press all others together."""
    log = metric != SKILL and min(values) > 0 and max(values) > STEEP * min(values)
    return number_channel("y", clip(metric), log=log, holding=values, grid=True)


def _title(summary: Summary, metric: str) -> str:
    who = " and ".join(clip(model, HEADING) for model in summary.models)
    return f"{who} against the mean predictor" if summary.mean_predictor else f"{who}: {clip(metric)}"


def _measures(summary: Summary, metric: str, done: Sequence[EvaluationSummary], models: Sequence[str]) -> list[Row]:
    """Return what the mean predictor reaches: 0 on the R2 scale, each model's own loss on the loss scale."""
    if not summary.mean_predictor:
        return []
    if metric == SKILL:
        return [{"y": 0.0, "text": "mean predictor", "colour": INK, "dash": [6, 4]}]
    rows = []
    for submodel, model in enumerate(models):
        losses = [
            one.metrics[submodel][MEAN_PREDICTOR_LOSS] for one in done if MEAN_PREDICTOR_LOSS in one.metrics[submodel]
        ]
        if losses:
            said = {"text": f"mean predictor, {model}", "colour": MODELS[submodel % 2], "dash": [6, 4]}
            rows.append({"y": statistics.fmean(losses), **said})
    return rows


def _caption(summary: Summary, metric: str, done: Sequence[EvaluationSummary]) -> str:
    sentence = words.mean_predictor(summary)
    if sentence is None:
        return (
            "Each mark is one training (the mean over seeds where there are several). Without "
            f"{SKILL} or {MEAN_PREDICTOR_LOSS}, whether the mean predictor is beaten is not known."
        )
    side = "below" if metric == SKILL else "above"
    clipped = sum(metrics[metric] < LOWEST_SKILL for one in done for metrics in one.metrics)
    return (
        f"{sentence} Hollow marks {side} the dashed line are worse than always predicting the mean of the labels: "
        + (
            "there the model has learnt nothing."
            if summary.kind == "single"
            else "a difference between models that have learnt nothing says little."
        )
        + (
            f" {clipped} marks lie lower still and are drawn at {show(LOWEST_SKILL)}."
            if metric == SKILL and clipped
            else ""
        )
    )
