"""Each model's metric over the strongest hyperparameter, with the mean predictor as reference."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from comparator.findings.axes import show
from comparator.findings.summary import (
    MEAN_PREDICTOR_LOSS,
    SKILL,
    EvaluationSummary,
    Summary,
    beats_mean_predictor,
    effect,
)
from comparator.report import words
from comparator.report.figures.drawing import (
    INK,
    MANY,
    MARKERS,
    MODELS,
    Axes,
    Drawing,
    Mark,
    clip,
    coordinate_of,
    legend,
    names_of,
    new_drawing,
    plain_ticks,
    set_axis,
)

LOWEST_SKILL = -1.0  # a run that diverged would otherwise press all others together


def model_comparison(summary: Summary) -> list[Drawing]:
    """Return a figure of all trainings of each model: which is better, and which has learnt anything."""
    metric = summary.mean_predictor.metric if summary.mean_predictor else summary.metric
    done = [one for one in summary.searched if one.status == "ok" and all(metric in metrics for metrics in one.metrics)]
    if not done:
        return []
    averages = [statistics.fmean(metrics[metric] for metrics in one.metrics) for one in done]
    strongest = max(summary.axes, key=lambda axis: effect(axis, done, averages), default=None)
    drawing, axes = new_drawing("models", _title(summary, metric))
    for submodel in range(len(summary.models)):
        _draw_model(drawing, axes, summary, submodel, metric, done, coordinate_of(strongest))
    _reference(axes, summary, metric, done)
    set_axis(axes, strongest, "x")
    _spread_y(axes, [metrics[metric] for one in done for metrics in one.metrics], metric)
    axes.set_ylabel(clip(metric))
    axes.grid(True, axis="y")
    legend(axes)
    drawing.caption = _caption(summary, metric, done)
    return [drawing]


def _draw_model(
    drawing: Drawing,
    axes: Axes,
    summary: Summary,
    submodel: int,
    metric: str,
    done: Sequence[EvaluationSummary],
    place: Callable[[EvaluationSummary], Any],
) -> None:
    """Draw a model's trainings; hollow where they are worse than the mean predictor."""
    model, colour, marker = summary.models[submodel], MODELS[submodel % 2], MARKERS[submodel % 2]
    lowest = LOWEST_SKILL if metric == SKILL else float("-inf")
    worse = [one for one in done if beats_mean_predictor(one.metrics[submodel]) is False]
    better = [one for one in done if beats_mean_predictor(one.metrics[submodel]) is not False]
    for which, size, face, label in ((better, 20, colour, clip(model)), (worse, 26, "none", None)):
        points = axes.scatter(
            [place(one) for one in which],
            [max(one.metrics[submodel][metric], lowest) for one in which],
            s=size,
            facecolor=face,
            edgecolor=colour,
            linewidth=1.1,
            marker=marker,
            alpha=0.85,
            zorder=3,
            clip_on=False,
            rasterized=len(done) > MANY,
            label=label,
        )
        drawing.mark(points, [_mark(one, summary, submodel, metric) for one in which])
    if not better:
        axes.scatter([], [], s=26, facecolor="none", edgecolor=colour, marker=marker, label=clip(model))


def _mark(one: EvaluationSummary, summary: Summary, submodel: int, metric: str) -> Mark:
    text = f"{summary.models[submodel]}, evaluation {one.number}\n{words.point(one, names_of(summary))}\n"
    return Mark(f"{text}{metric} {show(one.metrics[submodel][metric])}", (one.number,))


def _title(summary: Summary, metric: str) -> str:
    who = " and ".join(clip(model) for model in summary.models)
    return f"{who} against the mean predictor" if summary.mean_predictor else f"{who}: {clip(metric)}"


def _reference(axes: Axes, summary: Summary, metric: str, done: Sequence[EvaluationSummary]) -> None:
    """Draw what the mean predictor reaches: 0 on the R2 scale, each model's own loss on the loss scale."""
    if not summary.mean_predictor:
        return
    if metric == SKILL:
        axes.axhline(0, color=INK, lw=1.2, ls="--", label="mean predictor")
        return
    for submodel, model in enumerate(summary.models):
        losses = [
            one.metrics[submodel][MEAN_PREDICTOR_LOSS] for one in done if MEAN_PREDICTOR_LOSS in one.metrics[submodel]
        ]
        if losses:
            look: dict[str, Any] = {"color": MODELS[submodel % 2], "lw": 1.2, "ls": "--"}
            axes.axhline(statistics.fmean(losses), label=f"mean predictor, {clip(model)}", **look)


def _spread_y(axes: Axes, values: Sequence[float], metric: str) -> None:
    """Take a log scale where a few runs that diverged would press all others together."""
    if metric != SKILL and min(values) > 0 and max(values) > 100 * min(values):
        axes.set_yscale("log")
    if axes.get_yscale() == "linear" and max(values) == min(values):
        axes.margins(y=0.5)
    plain_ticks(axes.yaxis)


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
