"""Learning curves of the models at the best points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import show
from comparator.report import numbers
from comparator.report.figures.channels import Row, clip, distinct, names_of, number_channel, series
from comparator.report.figures.figure import Choice, Figure, figure, layer
from comparator.report.figures.palette import MODELS, PAPER, SHAPES
from comparator.report.material import Curves

VALIDATION = "val_"
STEEP = 20.0  # times; beyond, a log scale shows the end of a curve as well as its beginning
POINT = 44  # characters of a point that fit below the axis
MARKED = 60  # epochs; beyond, markers would hide the line


def learning_curves(summary: Summary, points: Sequence[Curves]) -> list[Figure]:
    """Return for each point the metric by epoch of each model, in training and in validation."""
    return [drawn for rank, curves in enumerate(points) for drawn in _curves(summary, curves, rank)]


def _curves(summary: Summary, curves: Curves, rank: int) -> list[Figure]:
    names = _metrics_to_show(summary.metric, curves)
    if not names:
        return []
    one = curves.evaluation
    looks: dict[str, Row] = {}
    rows: list[Row] = []
    for submodel, (history, model) in enumerate(zip(curves.histories, distinct(summary.models, 18), strict=False)):
        for name in names:
            label = f"{model}, {'validation' if name.startswith(VALIDATION) else 'training'}"
            found = _rows(history, name, label, one.number)
            if found:
                rows += found
                looks[label] = _look(submodel, name)
    heights = [row["y"] for row in rows]
    log = bool(heights) and min(heights) > 0 and max(heights) > STEEP * min(heights)
    point = numbers.point(one, names_of(summary))
    x = number_channel("x", f"epoch, at {clip(point, POINT)}" if point else "epoch", integer=True)
    y = number_channel("y", clip(names[0]), log=log, holding=heights, grid=True)
    look = series(looks)
    marks = {"size": 30 if max((row["x"] for row in rows), default=0) <= MARKED else 6, "strokeWidth": 1.0}
    layers = [
        layer(rows, "line", {"strokeWidth": 1.8}, x=x, y=y, stroke=look["stroke"], strokeDash=look["strokeDash"]),
        layer(rows, "point", marks, x=x, y=y, stroke=look["stroke"], fill=look["fill"], shape=look["shape"]),
    ]
    rank_words = _rank(rank)
    return [
        figure(
            f"learning-{rank + 1}",
            f"Learning curves at the {rank_words} point",
            {"layer": layers},
            _caption(summary, names, one),
            place="learning",
            choice=Choice("best points", f"{rank_words} point"),
        )
    ]


def _metrics_to_show(metric: str, curves: Curves) -> list[str]:
    """Return the metric compared, and its counterpart in training, as far as the histories have them."""
    wanted = [metric, metric.removeprefix(VALIDATION)] if metric.startswith(VALIDATION) else [metric]
    if not any(metric in (history or {}) for history in curves.histories):
        wanted = ["val_loss", "loss"]
    return [name for name in wanted if any(name in (history or {}) for history in curves.histories)]


def _rows(history: Mapping[str, Sequence[float | None]] | None, name: str, label: str, evaluation: int) -> list[Row]:
    return [
        {
            "x": epoch,
            "y": value,
            "series": label,
            "evaluations": [evaluation],
            "tip": numbers.printable(f"{label}\nepoch {epoch}: {name} {show(value)}"),
        }
        for epoch, value in enumerate((history or {}).get(name) or (), start=1)
        if value is not None
    ]


def _look(submodel: int, name: str) -> Row:
    validates = name.startswith(VALIDATION)
    return {
        "stroke": MODELS[submodel % 2],
        "fill": MODELS[submodel % 2] if validates else PAPER,
        "shape": SHAPES[submodel % 2],
        "strokeDash": [1, 0] if validates else [5, 3],
    }


def _rank(rank: int) -> str:
    return ("best", "second", "third")[rank] if rank < 3 else f"number {rank + 1}"


def _caption(summary: Summary, names: Sequence[str], one: EvaluationSummary) -> str:
    several = len(summary.models) > 1
    return (
        f"Evaluation {one.number}"
        + (f", the first of its {one.replicates} seeds" if one.replicates > 1 else "")
        + f": {numbers.point(one, names_of(summary)) or 'the fixed setting'}"
        + ". A validation curve (filled marks) that still falls at the last epoch could gain from more epochs; one "
        "that rises while the training curve falls is overfitting."
        + (" Where the two models' curves cross, the difference depends on when training stops." if several else "")
        + (
            " Training curves (hollow marks) hold what training adds to the labels, noise included, and may lie higher."
            if len(names) > 1
            else ""
        )
    )
