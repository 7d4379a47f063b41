"""Best and mean by generation against the grid's best (the paper's Figure 6); by evaluation without generations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comparator.findings.summary import EvaluationSummary, Summary
from comparator.report.figures.channels import (
    Row,
    coordinate_of,
    dots,
    failed_at_foot,
    height,
    height_column,
    number_channel,
    references,
    series,
)
from comparator.report.figures.crowd import said_of
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.palette import INK, MEAN, PAPER
from comparator.report.material import GridBest

MOST = 10  # generations that the axis names
LOOKS: dict[str, Row] = {
    "best so far": {"stroke": INK, "fill": INK, "shape": "stroke"},
    "generation's best": {"stroke": INK, "fill": PAPER, "shape": "circle"},
    "generation's mean": {"stroke": MEAN, "fill": MEAN, "shape": "diamond"},
}


def best_and_mean(summary: Summary, grid: GridBest | None = None) -> list[Figure]:
    """Return best and mean by generation, with the best of a `grid` over the same space; nothing for a grid."""
    if summary.lattice:
        return []
    measures = _measures(summary, grid)
    y = height(summary, *(row["y"] for row in measures))
    drawn = _by_generation(summary, y) if summary.generations else _by_evaluation(summary, y)
    title, layers, caption, params = drawn
    if not any(one.difference is not None for one in summary.searched):
        layers.append({"data": {"values": [{}]}, "mark": {"type": "text", "text": "no evaluation has succeeded"}})
    chart = {"layer": [*layers, *references(measures, y)]}
    columns = {"x": "generation" if summary.generations else "number", "y": height_column(summary)}
    caption += said_of(len(summary.searched)) + _caption_of_measures(summary, grid)
    return [figure("progress", title, chart, caption, params=params, axes=columns)]


def _by_generation(summary: Summary, y: Row) -> tuple[str, list[Row], str, list[Row]]:
    generations = summary.generations
    shown = generations[:: max(1, -(-len(generations) // MOST))]
    labels = {str(one.number): [str(one.number), f"n = {one.count - one.failed}"] for one in shown}
    x = number_channel(
        "x",
        "generation, and how many of its evaluations succeeded",
        domain=(generations[0].number - 0.5, generations[-1].number + 0.5),
        values=[one.number for one in shown],
        labelExpr="x_labels[datum.value]",
    )
    found = [one for one in generations if one.best is not None]
    best, mean = (
        [
            {
                "x": one.number,
                "y": number,
                "series": f"generation's {what}",
                "evaluations": list(one.members),
                "tip": f"generation {one.number}\n{what} {summary.measure.amount(number, 4)}{of}",
            }
            for one, number, of in each
        ]
        for what, each in (
            ("best", [(one, one.best, "") for one in found]),
            ("mean", [(one, one.mean, f" of {one.count - one.failed}") for one in found]),
        )
    )
    so_far = [
        {"x": one.number, "y": one.best_so_far, "series": "best so far"}
        for one in generations
        if one.best_so_far is not None
    ]
    place = _spread(summary)
    look = series(LOOKS)
    colour = {"stroke": look["stroke"]}
    layers = [
        dots(summary, place, x, y),
        layer(so_far, "line", {"strokeWidth": 2}, x=x, y=y, **colour),
        layer(mean, "line", {"strokeWidth": 1.6}, x=x, y=y, **colour),
        layer(best, "point", {"size": 60, "strokeWidth": 1.4}, x=x, y=y, **look),
        layer(mean, "point", {"size": 44}, x=x, y=y, **look),
        *failed_at_foot(summary, place, x),
    ]
    caption = (
        "The line is the best point so far; a point that was tried again counts with the mean of all its trainings, "
        "later ones too. The mean tells whether the search as a whole moves to where the objective is better, or has "
        "only been lucky once. Small dots are single evaluations"
        + (", crosses at the foot those that failed." if summary.reasons else ".")
    )
    return "Best and mean by generation", layers, caption, [{"name": "x_labels", "value": labels}]


def _by_evaluation(summary: Summary, y: Row) -> tuple[str, list[Row], str, list[Row]]:
    numbers = [one.number for one in summary.searched]
    x, place = number_channel("x", "evaluation", integer=True, holding=numbers), coordinate_of(None)
    so_far = summary.best_so_far  # where it does not change two ends tell
    turns = [place for place in range(1, len(so_far) - 1) if so_far[place][1] != so_far[place - 1][1]]
    shown = dict.fromkeys([0, *turns, len(so_far) - 1]) if so_far else ()
    best = [{"x": number, "y": best} for number, best in (so_far[place] for place in shown)]
    layers = [
        dots(summary, place, x, y, size=30),
        layer(best, "line", {"interpolate": "step-after", "strokeWidth": 2, "color": INK}, x=x, y=y),
        *failed_at_foot(summary, place, x),
    ]
    caption = (
        "Each dot is one evaluation, by its number; the line is the best point so far. A point that was tried again "
        "counts with the mean of all its trainings, later ones too."
    )
    caption += " Crosses at the foot are evaluations that failed." if summary.reasons else ""
    return "The best so far", layers, caption, []


def _measures(summary: Summary, grid: GridBest | None) -> list[Row]:
    """Return what the search is measured by: the best of a grid, and what the default settings give."""
    rows: list[Row] = []
    if grid:
        rows.append({"y": grid.best, "dash": [6, 4], "text": f"best of the grid ({grid.points} points)"})
    if summary.first is None and summary.baseline and summary.baseline.difference is not None:
        rows.append({"y": summary.baseline.difference, "dash": [2, 3], "text": "default settings"})
    return [{**row, "colour": INK} for row in rows]


def _caption_of_measures(summary: Summary, grid: GridBest | None) -> str:
    if grid is None:
        return ""
    best = summary.best
    came = summary.measure.amount(grid.best, 4)
    sentence = f" The dashed line is the best of a grid of {grid.points} points, experiment {grid.id}: {came}."
    if best is None or best.difference is None:
        return sentence
    ahead = best.difference >= grid.best if summary.maximise else best.difference <= grid.best
    done = summary.number.done
    return sentence + (
        f" The search {'reaches' if ahead else 'does not reach'} it, with {done} evaluations."
        " Both are the best of many noisy results, so a small lead of either means nothing."
    )


def _spread(summary: Summary) -> Callable[[EvaluationSummary], Any]:
    """Return where an evaluation stands: beside its generation's number, so that dots do not hide another."""
    places: dict[int, float] = {}
    for generation in summary.generations:
        for order, number in enumerate(generation.members):
            places[number] = generation.number + 0.6 * ((order + 0.5) / generation.count - 0.5)
    return lambda one: places.get(one.number)
