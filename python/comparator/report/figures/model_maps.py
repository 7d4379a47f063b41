"""Maps of each model's own metric: red high, blue low, white at the median (the paper's Figure 4).

One panel for each submodel; of a single model, one for each value of a hyperparameter that has names for
values (the study that it was trained on). Each panel is drawn on a scale that all share, and on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import is_number, show
from comparator.report.figures.channels import HEADING, clip, labels_of, strongest_first
from comparator.report.figures.figure import Choice, Figure, figure
from comparator.report.figures.heat import (
    HEIGHT,
    Scale,
    cell_layer,
    failed_layer,
    gather,
    mean_layer,
    means_of,
    metric_scale,
)

PANELS = 6
SCALES = {"": "one scale for all", "-own": "each its own scale"}


@dataclass(frozen=True)
class Panel:
    """What one map shows: whose metric, over which points, of which evaluations."""

    of: str
    points: Sequence[EvaluationSummary]
    searched: Sequence[EvaluationSummary]
    number: Callable[[EvaluationSummary], float | None]


def model_maps(summary: Summary) -> list[Figure]:
    """Return a map for each panel and scale; none where fewer than two hyperparameters are left to span it."""
    apart = panel_axis(summary) if summary.kind == "single" else None
    if summary.kind == "single" and apart is None:
        return []  # its objective is its metric, and has its maps already
    axes = [axis for axis in strongest_first(summary.axes, summary) if axis is not apart][:2]
    if len(axes) < 2:
        return []
    x, y = sorted(axes, key=summary.axes.index)
    panels = _values(summary, apart) if apart else _submodels(summary)
    means = [list(means_of(gather(panel.points, x, y), panel.number).values()) for panel in panels]
    if not any(means):
        return []
    common = metric_scale(mean for panel in means for mean in panel)
    return [
        _map(summary, panel, x, y, number, suffix, metric_scale(own) if suffix else common)
        for number, (panel, own) in enumerate(zip(panels, means, strict=True), 1)
        for suffix in SCALES
    ]


def panel_axis(summary: Summary) -> Axis | None:
    """Return the hyperparameter whose values get a map each: the first with names for values, if two more vary."""
    if len(summary.axes) < 3:
        return None
    named = [axis for axis in summary.axes if axis.discrete and not all(map(is_number, axis.values))]
    return next((axis for axis in named if len(axis.values) <= PANELS), None)


def _submodels(summary: Summary) -> list[Panel]:
    def metric(submodel: int) -> Callable[[EvaluationSummary], float | None]:
        return lambda one: one.metrics[submodel].get(summary.metric)

    return [
        Panel(model, summary.points, summary.searched, metric(number)) for number, model in enumerate(summary.models)
    ]


def _values(summary: Summary, apart: Axis) -> list[Panel]:
    def held(evaluations: Sequence[EvaluationSummary], number: int) -> list[EvaluationSummary]:
        return [one for one in evaluations if apart.bin(one.point.get(apart.name)) == number]

    return [
        Panel(
            f"{apart.name} {show(value)}",
            held(summary.points, number),
            held(summary.searched, number),
            lambda one: one.difference,
        )
        for number, value in enumerate(apart.values)
    ]


def _map(summary: Summary, panel: Panel, x: Axis, y: Axis, number: int, suffix: str, scale: Scale) -> Figure:
    cells = gather(panel.points, x, y)
    means = means_of(cells, panel.number)
    title, label = (f"{clip(summary.metric)} of {clip(panel.of, length)}" for length in (HEADING, 28))
    numbers, written = mean_layer(x, y, means, scale)
    layers = [cell_layer(x, y, cells, means, scale.channel(label)), *numbers, *failed_layer(panel.searched, x, y)]
    return figure(
        f"model-{number}{suffix}",
        title,
        {"layer": layers},
        _caption(summary, written, bool(suffix)) if number == 1 else _short_caption(bool(suffix)),
        height=HEIGHT,
        params=labels_of(x=x, y=y),
        axes={"x": x.name, "y": y.name},
        place=f"model-{number}",
        choice=Choice("scale", SCALES[suffix]),
    )


def _caption(summary: Summary, written: str | None, own: bool) -> str:
    better = {"error": " (an error: blue is better)", "score": " (a score: red is better)"}.get(summary.metric_kind, "")
    median = "of this map" if own else "of all these maps"
    scale = "Colours may not be compared between the maps" if own else "Colours may be compared between the maps"
    return (
        f"Red is high{better}, blue low, white the median {median}. {scale}."
        + (f" The number in a cell is {written}." if written else "")
        + (" Other hyperparameters vary within a cell." if len(summary.axes) > 3 else "")
        + (
            " Where both maps slope alike, what varies changes the models, not the difference between them."
            if len(summary.models) == 2
            else ""
        )
    )


def _short_caption(own: bool) -> str:
    return "Read like the first, " + ("on a scale of its own." if own else "in the same colours.")
