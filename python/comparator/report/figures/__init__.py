"""The report's figures. Each is made once, and serves a page, a notebook and a file.

A figure knows nothing of files and HTML: it is a `Figure`, a Vega-Lite specification with its data inside, in plain
dictionaries. A new figure is one more function that returns figures, in the module of its family or a new one, and one
more line in `FURTHER`.

| module | figures |
|---|---|
| maps | the objective over two hyperparameters, in a search or a grid |
| model_maps | each model's metric over two hyperparameters |
| progress | best and mean by generation, against a grid's best |
| skill | each model against the mean predictor |
| curves | learning curves at the best points |
| confirmed | the best points as the search saw them, and on fresh seeds |
| controls | a difference of two studies with equal rows, shared drugs, shared cell lines |
| groups | which drugs and cell lines carry the difference |
| variance | what makes trainings of one point differ |
| many | which hyperparameters matter, parallel coordinates |
| effects | what is expected along each hyperparameter |
| timeline | what the workers did when |
| figure, palette, channels | what all share: the specification, its colours, its axes and rows |
| heat, surface, boxes | of maps: scales and cells, what is expected between evaluations, the regions |
| files | a figure as SVG, PNG or PDF |
"""

from __future__ import annotations

from collections.abc import Callable

from comparator.report.figures import (
    confirmed,
    controls,
    curves,
    effects,
    groups,
    many,
    maps,
    model_maps,
    progress,
    skill,
    timeline,
    variance,
)
from comparator.report.figures.figure import Choice, Figure, figure
from comparator.report.material import Material

__all__ = ["FURTHER", "Choice", "Figure", "draw", "figure", "leading", "left_out"]

#: The figures below the maps and what is told of the search and the models, in the page's order: each returns what
#: there is to draw, which may be nothing.
FURTHER: list[Callable[[Material], list[Figure]]] = [
    lambda material: variance.variance_figures(material.variance, material.summary.metric),
    lambda material: controls.control_figures(material.summary, material.controls),
    lambda material: groups.group_figures(material.summary, material.explanation),
    lambda material: curves.learning_curves(material.summary, material.curves),
    lambda material: timeline.timeline(material.summary),
]


def draw(material: Material) -> list[Figure]:
    """Return the figures that there is something to draw for, in the page's order; none before an evaluation."""
    summary = material.summary
    if not summary.evaluations:
        return []
    if not summary.searched:  # what tries another experiment again has nothing to map
        return [each for further in FURTHER for each in further(material)]
    first = maps.objective_maps(material)
    own, compared = model_maps.model_maps(summary), skill.model_comparison(summary)
    if not first:
        first, own = own, []
    drawn = (
        first + _many(material) + confirmed.confirmed_points(summary) + progress.best_and_mean(summary, material.grid)
    )
    further = [each for further in FURTHER for each in further(material)]
    return drawn + own + compared + further  # the models' maps are looked at side by side, in the page's two columns


def leading(material: Material) -> list[Figure]:
    """Return the figures that `draw` begins with: the maps, on which the regions lie."""
    summary = material.summary
    return (maps.objective_maps(material) or model_maps.model_maps(summary)) if summary.evaluations else []


def _many(material: Material) -> list[Figure]:
    """Return the figures of spaces of more than one dimension."""
    summary = material.summary
    drawn = many.ranking(summary, material.findings.importance) + effects.effects(material)
    return drawn + many.parallel_coordinates(summary) if len(summary.axes) > 2 else drawn


def left_out(material: Material, drawn: list[Figure]) -> list[str]:
    """Return a sentence for each figure that a reader may look for, and that is not among `drawn`."""
    summary, names = material.summary, {each.name for each in drawn}
    if summary.best is None:
        return []
    reasons = []
    if "learning-1" not in names:
        reasons.append("Learning curves are left out: the runs of the best points kept no history by epoch.")
    if "timeline" not in names:
        reasons.append("The time line is left out: the record does not say who did what when.")
    if len(summary.axes) > 1 and "importance" not in names:
        reasons.append("Which hyperparameters matter is left out: too few distinct points to tell.")
    return reasons
