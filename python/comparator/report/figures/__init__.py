"""The report's figures. Each is drawn once, and serves as a file and inside the page.

A figure knows nothing of files and HTML: it is a `Drawing`, a matplotlib figure together with what its marks
say when they are hovered over and which evaluations they stand for. A new figure is one more function that
returns drawings, in the module of its family or a new one, and one more line in `FURTHER`.

| module | figures |
|---|---|
| maps | the objective over two hyperparameters, in a search or a grid |
| model_maps | each model's metric over two hyperparameters |
| progress | best and mean by generation, against a grid's best |
| skill | each model against the mean predictor |
| curves | learning curves at the best points |
| confirmed | the best points as the search saw them, and on fresh seeds |
| many | which hyperparameters matter, parallel coordinates |
| timeline | what the workers did when |
| drawing, heat | what they share: colours, axes, marks; scales and cells |
| layout | where the axes lie in a figure |
"""

from __future__ import annotations

from collections.abc import Callable

from comparator.report.figures import confirmed, curves, many, maps, model_maps, progress, skill, timeline
from comparator.report.figures.drawing import Drawing, Mark, style
from comparator.report.material import Material

__all__ = ["FURTHER", "Drawing", "Mark", "draw", "leading", "left_out", "style"]

#: The figures below the maps and what is told of the search and the models, in the page's order: each returns what
#: there is to draw, which may be nothing.
FURTHER: list[Callable[[Material], list[Drawing]]] = [
    lambda material: curves.learning_curves(material.summary, material.curves),
    lambda material: timeline.timeline(material.summary),
]


def draw(material: Material) -> list[Drawing]:
    """Return the figures that there is something to draw for, in the page's order; none before an evaluation."""
    summary = material.summary
    if not summary.evaluations:
        return []
    first = _objective_maps(material)
    own, compared = model_maps.model_maps(summary), skill.model_comparison(summary)
    if not first:
        first, own = own, []
    drawings = (
        first + _many(material) + confirmed.confirmed_points(summary) + progress.best_and_mean(summary, material.grid)
    )
    # The page has two columns, and the models' maps are looked at side by side.
    places = {drawing.place or drawing.name for drawing in drawings if drawing.section == "figures"}
    drawings += own + compared if len(places) % 2 == 0 else compared + own
    return drawings + [drawing for figure in FURTHER for drawing in figure(material)]


def leading(material: Material) -> list[Drawing]:
    """Return the figures that `draw` begins with: the maps, on which the regions lie."""
    summary = material.summary
    return (_objective_maps(material) or model_maps.model_maps(summary)) if summary.evaluations else []


def _objective_maps(material: Material) -> list[Drawing]:
    return maps.objective_maps(material)


def _many(material: Material) -> list[Drawing]:
    """Return the figures of spaces of more than one dimension."""
    summary = material.summary
    drawings = many.ranking(summary, material.findings.importance)
    return drawings + many.parallel_coordinates(summary) if len(summary.axes) > 2 else drawings


def left_out(material: Material, drawings: list[Drawing]) -> list[str]:
    """Return a sentence for each figure that a reader may look for, and that is not among `drawings`."""
    summary, drawn = material.summary, {drawing.name for drawing in drawings}
    if summary.best is None:
        return []
    reasons = []
    if "learning-1" not in drawn:
        reasons.append("Learning curves are left out: the runs of the best points kept no history by epoch.")
    if "timeline" not in drawn:
        reasons.append("The time line is left out: the record does not say who did what when.")
    if len(summary.axes) > 1 and "importance" not in drawn:
        reasons.append("Which hyperparameters matter is left out: too few distinct points to tell.")
    return reasons
