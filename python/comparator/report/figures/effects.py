"""What is expected along each hyperparameter by itself, and how sure that is: which way it goes, not only how much."""

from __future__ import annotations

from collections.abc import Sequence

from comparator.findings.axes import Axis
from comparator.findings.summary import Summary
from comparator.report.figures.channels import along, clip, height, labels_of, number_channel, strongest_first
from comparator.report.figures.figure import Choice, Figure, figure
from comparator.report.figures.surface import Surface, expected_along
from comparator.report.material import Material

MOST = 8  # hyperparameters, those that explain most
HIGH = 220  # pixels


def effects(material: Material) -> list[Figure]:
    """Return a figure for each hyperparameter, which take turns; none of a grid, of one alone, of few points."""
    summary, predictor = material.summary, material.findings.predictor
    if summary.lattice or len(summary.axes) < 2:
        return []
    importance = material.findings.importance
    ranked = {share.name: place for place, share in enumerate(importance.shares)} if importance else {}
    axes = sorted(strongest_first(summary.axes, summary), key=lambda axis: ranked.get(axis.name, len(ranked)))
    found = [(axis, surface) for axis in axes[:MOST] if (surface := expected_along(summary, predictor, axis))]
    heights = [each for _, surface in found for each in surface.reach()]
    return [_figure(summary, number, axis, surface, heights) for number, (axis, surface) in enumerate(found, start=1)]


def _figure(summary: Summary, number: int, axis: Axis, surface: Surface, heights: Sequence[float]) -> Figure:
    x = along(axis, "x")
    y = {**height(summary), "scale": number_channel("y", "", holding=heights)["scale"]}
    what = clip(summary.metric) if summary.kind == "single" else "The difference"
    band = ", the band the 95 % interval of that mean" if surface.lows else ""
    caption = (
        "The line is what a model of all evaluations expects at each value, on average over all values of the other"
        f" hyperparameters{band}. All hyperparameters have one scale of heights."
    )
    if surface.lows:
        caption += " Where a level line fits into the band, it may not matter which value it has."
    return figure(
        f"effect-{number}",
        f"{what} along {clip(axis.name)}",
        {"layer": surface.curve(x, y)},
        caption,
        height=HIGH,
        params=labels_of(x=axis),
        axes={"x": axis.name},
        section="importance",
        place="effect",
        choice=Choice("hyperparameter", clip(axis.name)),
    )
