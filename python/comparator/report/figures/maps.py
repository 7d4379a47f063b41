"""Maps of the objective over the space: for each pair of hyperparameters, or along the only one.

In a grid each cell is one of its points. In a search the colour of a place is what a model of all evaluations expects
there; where there is none, the mean over the points of a cell, a tenth of each range.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.findings.verdict import Condition
from comparator.report.figures.boxes import is_bounded, region_layers
from comparator.report.figures.channels import (
    Row,
    along,
    clip,
    coordinate_of,
    differences_of,
    dots,
    failed_at_foot,
    height,
    height_column,
    labels_of,
    objective_label,
    strongest_first,
)
from comparator.report.figures.crowd import said_of
from comparator.report.figures.figure import Figure, figure, growing, layer
from comparator.report.figures.heat import (
    HEIGHT,
    Scale,
    cell_layer,
    dot_layer,
    failed_layer,
    gather,
    mean_layer,
    means_of,
    pair_words,
    scale_of,
)
from comparator.report.figures.model_maps import panel_axis
from comparator.report.figures.palette import MEAN
from comparator.report.figures.surface import Surface, expected
from comparator.report.material import Material
from comparator.report.numbers import printable

MAPS = 6  # pairs of hyperparameters at most


@dataclass(frozen=True)
class Ground:
    """What the dots of maps lie on: what is expected for each pair of hyperparameters, or the only one; the regions."""

    axes: tuple[tuple[Axis, ...], ...]
    surfaces: tuple[Surface | None, ...]
    regions: tuple[Condition, ...]


def objective_maps(material: Material) -> list[Figure]:
    """Return a map for each pair of varying hyperparameters; a strip plot where only one varies.

    On them lie the regions that were found. Of more than four hyperparameters, the four that explain most of the
    difference are paired. The first map is of the two that bound the first region, or of those that explain most.
    """
    return maps_on(material.summary, ground_of(material))


def ground_of(material: Material) -> Ground:
    """Return what the dots of the maps lie on, which takes longer than all the rest of them."""
    summary = material.summary
    predictor = None if summary.lattice else material.findings.predictor
    pairs: tuple[tuple[Axis, ...], ...] = ()
    if len(summary.axes) == 1:
        pairs = ((summary.axes[0],),)
    elif not (len(summary.axes) == 3 and summary.kind == "single" and panel_axis(summary)):
        axes = _telling_first(summary, material.findings.regions)[:4]
        found = itertools.combinations(axes, 2)
        pairs = tuple(tuple(sorted(each, key=summary.axes.index)) for each in found)[:MAPS]
    surfaces = tuple(expected(summary, predictor, *each) for each in pairs)
    return Ground(pairs, surfaces, tuple(material.findings.regions))


def _telling_first(summary: Summary, regions: Sequence[Condition]) -> list[Axis]:
    """Return the axes that bound the first region, then all others, of each kind first those that explain most."""
    bounds = regions[0].region.bounds if regions else {}
    return sorted(strongest_first(summary.axes, summary), key=lambda axis: not is_bounded(axis, bounds))


def maps_on(summary: Summary, ground: Ground) -> list[Figure]:
    """Return the maps of all evaluations there are on a ground, which may be that of fewer."""
    if not ground.axes:
        return []  # the model's own maps, one for each value, show all there is
    if len(summary.axes) == 1:
        return [_strip(summary, summary.axes[0], ground.surfaces[0], ground.regions)]
    scale = _common_scale(summary, ground.axes, ground.surfaces)
    stem = "grid" if summary.lattice else "search"
    several = len(ground.axes) > 1
    maps = [
        _map(summary, x, y, f"{stem}-{number}" if several else stem, scale, surface, ground.regions)
        for number, ((x, y), surface) in enumerate(zip(ground.axes, ground.surfaces, strict=True), 1)
    ]
    later = (replace(each, caption="Read like the first map; the colours mean the same.") for each in maps[1:])
    return [maps[0], *later]


def _common_scale(summary: Summary, pairs: Sequence[tuple[Axis, ...]], surfaces: Sequence[Surface | None]) -> Scale:
    """Return one scale for all pairs, so that their colours may be compared."""
    if any(surfaces):
        places = [number for each in surfaces if each for number in each.numbers()]
        return scale_of(summary, [*differences_of(summary.points), *places])
    means = [mean for x, y in pairs for mean in means_of(gather(summary.points, x, y), _difference).values()]
    return scale_of(summary, means)


def _difference(one: EvaluationSummary) -> float | None:
    return one.difference


def _map(
    summary: Summary,
    x: Axis,
    y: Axis,
    name: str,
    scale: Scale,
    surface: Surface | None,
    regions: Sequence[Condition],
) -> Figure:
    measure = summary.measure
    colour = scale.channel(objective_label(summary), measure)
    cells = gather(summary.points, x, y)
    means = means_of(cells, _difference)
    written: str | None = None
    layers: list[Row] = []
    if surface is not None:
        layers = [surface.cells(colour, measure)]
    elif means:
        layers = [cell_layer(x, y, cells, means, colour, measure.amount)]
    frames, numbers = region_layers(summary, regions, (x, y))
    layers += frames
    if summary.lattice:
        in_cells, written = mean_layer(x, y, means, scale, measure)
        layers += in_cells
    elif means:
        layers.append(dot_layer(summary, _best_on_top(summary), x, y, colour, scale))
    layers += failed_layer(summary.searched, x, y)
    what = clip(summary.metric) if summary.kind == "single" else "The difference"
    title = f"{what} over {pair_words(x, y)}" if summary.lattice else f"Where the search looked: {pair_words(x, y)}"
    caption = _caption_of_grid(summary, written) if summary.lattice else _caption_of_search(summary, surface, x, y)
    caption += "" if summary.lattice else said_of(len(summary.searched))
    if frames:
        dashed = "; dashed, where another hyperparameter bounds it too" if len(summary.axes) > 2 else ""
        caption = f"Each frame is a region, with its number{dashed}. {caption}"
    params = labels_of(x=x, y=y)
    chart, columns = {"layer": layers + numbers}, {"x": x.name, "y": y.name}
    return figure(name, title, chart, caption, height=HEIGHT, params=params, axes=columns, section="where")


def _best_on_top(summary: Summary) -> list[EvaluationSummary]:
    """Return the evaluations of the search that succeeded, the best last."""
    done = [one for one in summary.searched if one.difference is not None]
    return sorted(done, key=lambda one: one.value or 0.0, reverse=True)


def _caption_of_grid(summary: Summary, written: str | None) -> str:
    return (
        ("Each cell is a point of the grid." if len(summary.axes) == 2 else "Each cell is the mean over all else.")
        + (f" The number in a cell is {written}." if written else "")
        + _colours(summary)
        + " Believe a patch of neighbours that agree, or a slope across the map, before a single cell that stands out."
        + (" Crosses are evaluations that failed." if summary.reasons else "")
    )


def _caption_of_search(summary: Summary, surface: Surface | None, x: Axis, y: Axis) -> str:
    if surface is not None:
        over = ", on average over the other hyperparameters" if len(summary.axes) > 2 else ""
        said = (
            f"The colour of a place is what a model of all evaluations expects there{over}; a dot is an evaluation, in "
            "the colour of what it gave. A dot unlike its surroundings was luck, as far as the model can tell; far "
            "from all dots the colours are a guess."
        )
    else:
        width = (
            "One cell is one value, or a tenth of a range"
            if x.discrete or y.discrete
            else "One cell is a tenth of a range"
        )
        said = (
            f"{width}, in the colour of the mean over its points; a dot is an evaluation, in the colour of what it "
            "gave. Empty cells were never evaluated: nothing is known there. Believe a patch of neighbours that agree "
            "before a single bright cell."
        )
    return said + _colours(summary) + (" Crosses are evaluations that failed." if summary.reasons else "")


def _colours(summary: Summary) -> str:
    return " Red is high, blue low, white the median." if summary.kind == "single" else _larger_at(summary)


def _larger_at(summary: Summary) -> str:
    """That a size does not tell which of the two has the larger metric, and where each has; empty where one has all."""
    shown = [one.difference for one in summary.points if one.difference is not None]
    signed = [one.mean for one in summary.points if one.difference is not None and one.mean is not None]
    larger = sum(mean < 0 for mean in signed), sum(mean > 0 for mean in signed)
    if summary.kind == "single" or 0 in larger or min(shown) < 0:
        return ""
    first, second = (f"{model} at {count}" for model, count in zip(summary.models, larger, strict=True))
    return (
        f" How far the two lie apart is shown, not which has the larger {summary.metric}: it is {first} and {second}"
        f" of {len(signed)} points."
    )


def _strip(summary: Summary, axis: Axis, surface: Surface | None, regions: Sequence[Condition]) -> Figure:
    """Return the objective over the only hyperparameter, with what is expected along it, or each bin's mean."""
    x, y = along(axis, "x"), height(summary, *(surface.reach() if surface else ()))
    place = coordinate_of(axis)
    shades, numbers = region_layers(summary, regions, (axis,))
    layers = [
        *shades,
        *(surface.curve(x, y) if surface else []),
        growing(dots(summary, place, x, y, size=34)),
        *([] if surface else [_bin_means(summary, axis, x, y)]),
        *(growing(each, 2) for each in failed_at_foot(summary, place, x)),
        *numbers,
    ]
    if surface is None:
        said = (
            "each bar the mean over the points of a bin: a tenth of the range, or one value. Believe bars that rise or "
            "fall together before a single high dot."
        )
    else:
        band = ", and the band its 95 % interval" if surface.lows else ""
        said = f"the line is what a model of all evaluations expects{band}. Believe the line before a single high dot."
    caption = ("A shaded stretch is a region. " if shades else "") + f"Each dot is one evaluation, {said}"
    caption += _larger_at(summary) + said_of(len(summary.searched))
    title = f"Where the search looked: {clip(axis.name)}"
    columns = {"x": axis.name, "y": height_column(summary)}
    return figure("search", title, {"layer": layers}, caption, params=labels_of(x=axis), axes=columns, section="where")


def _bin_means(summary: Summary, axis: Axis, x: Row, y: Row) -> Row:
    bins: dict[int, list[EvaluationSummary]] = {}
    for one in summary.points:
        number = axis.bin(one.point.get(axis.name))
        if one.difference is not None and number is not None:
            bins.setdefault(number, []).append(one)
    rows = []
    for number, members in bins.items():
        mean = statistics.fmean(differences_of(members))
        said = printable(f"{axis.name} {axis.label(number)}\nmean {summary.measure.amount(mean)} of {len(members)}")
        ends = {"x": axis.edges[number], "x2": axis.edges[number + 1], "y": mean}
        rows.append({**ends, "evaluations": [one.number for one in members], "tip": said})
    return layer(rows, "rule", {"color": MEAN, "strokeWidth": 3}, x=x, x2={"field": "x2"}, y=y)
