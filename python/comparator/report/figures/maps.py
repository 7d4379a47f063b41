"""Maps of the objective over the space: for each pair of hyperparameters, or along the only one.

In a grid each cell is one of its points; else a tenth of each range.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from comparator.findings.axes import Axis, show
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.report.figures.boxes import draw_regions
from comparator.report.figures.drawing import (
    MEAN,
    Drawing,
    Mark,
    clip,
    coordinate_of,
    differences_of,
    failed_ticks,
    finish,
    new_drawing,
    objective_label,
    scatter_evaluations,
    set_axis,
    strongest_first,
)
from comparator.report.figures.heat import (
    Scale,
    difference_scale,
    draw_points,
    gather,
    heat_map,
    means_of,
    metric_scale,
    write_counts,
    write_means,
)
from comparator.report.figures.model_maps import panel_axis

MAPS = 6  # pairs of hyperparameters at most


def objective_maps(summary: Summary, regions: Sequence[Mapping[str, Any]] = ()) -> list[Drawing]:
    """Return a heat map for each pair of varying hyperparameters; a strip plot where only one varies.

    On them lie the `regions`, each a mapping from hyperparameter to its bounds. Of more than four hyperparameters,
    the four that explain most of the difference are paired.
    """
    if len(summary.axes) == 1:
        return [_strip(summary, summary.axes[0], regions)]
    if len(summary.axes) == 3 and summary.kind == "single" and panel_axis(summary):
        return []  # the model's own maps, one for each value, show all there is
    axes = strongest_first(summary.axes, summary)[:4]
    axes.sort(key=summary.axes.index)
    pairs = list(itertools.combinations(axes, 2))[:MAPS]
    scale = _common_scale(summary, pairs)
    stem = "grid" if summary.lattice else "search"
    drawings = [
        _map(summary, x, y, f"{stem}-{number}" if len(pairs) > 1 else stem, scale, regions)
        for number, (x, y) in enumerate(pairs, 1)
    ]
    for drawing in drawings[1:]:
        drawing.caption = "Read like the first map; the colours mean the same."
    for drawing in drawings:
        drawing.section = "where"
    return drawings


def _common_scale(summary: Summary, pairs: list[tuple[Axis, Axis]]) -> Scale:
    """Return one scale for all pairs, so that their colours may be compared."""
    means = [mean for pair in pairs for mean in means_of(gather(summary.points, *pair), _difference).values()]
    return metric_scale(means) if summary.kind == "single" else difference_scale(means)


def _difference(one: EvaluationSummary) -> float | None:
    return one.difference


def _map(summary: Summary, x: Axis, y: Axis, name: str, scale: Scale, regions: Sequence[Mapping[str, Any]]) -> Drawing:
    cells = gather(summary.points, x, y)
    means = means_of(cells, _difference)
    pair = f"{clip(x.name)} and {clip(y.name)}"
    what = clip(summary.metric) if summary.kind == "single" else "The difference"
    title = f"{what} over {pair}" if summary.lattice else f"Where the search looked: {pair}"
    drawing, axes = heat_map(name, title, x, y, cells, means, scale, objective_label(summary))
    if summary.lattice:
        written = write_means(axes, x, y, means, scale)
        draw_points(axes, summary.searched, x, y, failed_only=True)
        drawing.caption = _caption_of_grid(summary, written)
    else:
        write_counts(axes, x, y, cells, means, scale)
        draw_points(axes, summary.searched, x, y)
        drawing.caption = _caption_of_search(summary, x, y)
    if draw_regions(axes, regions, (x, y), summary.axes):
        dashed = "; dashed, where another hyperparameter bounds it too" if len(summary.axes) > 2 else ""
        drawing.caption = f"Each frame is a region, with its number{dashed}. {drawing.caption}"
    return drawing


def _caption_of_grid(summary: Summary, written: str | None) -> str:
    return (
        ("Each cell is a point of the grid." if len(summary.axes) == 2 else "Each cell is the mean over all else.")
        + (f" The number in a cell is {written}." if written else "")
        + _colours(summary)
        + " Believe a patch of neighbours that agree, or a slope across the map, before a single cell that stands out."
        + (" Crosses are evaluations that failed." if summary.reasons else "")
    )


def _caption_of_search(summary: Summary, x: Axis, y: Axis) -> str:
    width = (
        "One bin is one value, or a tenth of a range" if x.discrete or y.discrete else "One bin is a tenth of a range"
    )
    return (
        f"{width}; a cell's colour is the mean over its points, the number how many they are, the "
        f"dots where they lie.{_colours(summary)} Hatched cells were never evaluated: nothing is known there. A cell "
        "with 1 rests on one point; believe a patch of neighbours that agree before a single bright cell."
        + (" Crosses are evaluations that failed." if summary.reasons else "")
    )


def _colours(summary: Summary) -> str:
    return " Red is high, blue low, white the median." if summary.kind == "single" else ""


def _strip(summary: Summary, axis: Axis, regions: Sequence[Mapping[str, Any]]) -> Drawing:
    """Return the objective over the only hyperparameter, with each bin's mean."""
    drawing, axes = new_drawing("search", f"Where the search looked: {clip(axis.name)}")
    place = coordinate_of(axis)
    scatter_evaluations(drawing, axes, summary, place, size=18)
    bins: dict[int, list[EvaluationSummary]] = {}
    for one in summary.points:
        number = axis.bin(one.point.get(axis.name))
        if one.difference is not None and number is not None:
            bins.setdefault(number, []).append(one)
    found = {number: statistics.fmean(differences_of(members)) for number, members in bins.items()}
    means = axes.hlines(
        list(found.values()),
        [axis.edges[number] for number in bins],
        [axis.edges[number + 1] for number in bins],
        color=MEAN,
        lw=3,
        label="mean of a bin",
    )
    drawing.mark(
        means,
        [
            Mark(
                f"{axis.name} {axis.label(number)}\nmean {show(found[number])} of {len(members)}",
                tuple(one.number for one in members),
            )
            for number, members in bins.items()
        ],
    )
    failed_ticks(drawing, axes, summary, place)
    set_axis(axes, axis, "x")
    finish(axes, summary)
    drawing.section = "where"
    drawing.caption = (
        "A shaded stretch is a region. " if draw_regions(axes, regions, (axis,), summary.axes) else ""
    ) + (
        "Each dot is one evaluation, each bar the mean over the points of a bin: a tenth of the range, or "
        "one value. Believe bars that rise or fall together before a single high dot."
    )
    return drawing
