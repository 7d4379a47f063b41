"""Learning curves of the models at the best points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comparator.findings.axes import show
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.report import words
from comparator.report.figures.drawing import (
    MARKERS,
    MODELS,
    Axes,
    Choice,
    Drawing,
    Mark,
    clip,
    legend,
    names_of,
    new_drawing,
    plain_ticks,
)
from comparator.report.material import Curves

VALIDATION = "val_"
STEEP = 20.0  # times; beyond, a log scale shows the end of a curve as well as its beginning
POINT = 44  # characters of a point that fit below the axis
MARKED = 60  # epochs; beyond, markers would hide the line


def learning_curves(summary: Summary, points: Sequence[Curves]) -> list[Drawing]:
    """Return for each point the metric by epoch of each model, in training and in validation."""
    return [drawing for rank, curves in enumerate(points) for drawing in _curves(summary, curves, rank)]


def _curves(summary: Summary, curves: Curves, rank: int) -> list[Drawing]:
    names = _metrics_to_show(summary.metric, curves)
    if not names:
        return []
    one = curves.evaluation
    drawing, axes = new_drawing(f"learning-{rank + 1}", f"Learning curves at the {_rank(rank)} point")
    for submodel, history in enumerate(curves.histories):
        for name in names:
            _draw(drawing, axes, summary, submodel, name, (history or {}).get(name), one.number)
    _scale(axes, [value for history in curves.histories for name in names for value in (history or {}).get(name) or ()])
    point = words.point(one, names_of(summary))
    axes.set(xlabel=f"epoch, at {point}" if 0 < len(point) <= POINT else "epoch", ylabel=clip(names[0]))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(True, axis="y")
    legend(axes)
    drawing.place = "learning"
    drawing.choice = Choice("best points", f"{_rank(rank)} point")
    drawing.caption = _caption(summary, names, one)
    return [drawing]


def _metrics_to_show(metric: str, curves: Curves) -> list[str]:
    """Return the metric compared, and its counterpart in training, as far as the histories have them."""
    wanted = [metric, metric.removeprefix(VALIDATION)] if metric.startswith(VALIDATION) else [metric]
    if not any(metric in (history or {}) for history in curves.histories):
        wanted = ["val_loss", "loss"]
    return [name for name in wanted if any(name in (history or {}) for history in curves.histories)]


def _draw(
    drawing: Drawing,
    axes: Axes,
    summary: Summary,
    submodel: int,
    name: str,
    values: Sequence[float | None] | None,
    evaluation: int,
) -> None:
    known = [(epoch, value) for epoch, value in enumerate(values or (), 1) if value is not None]
    if not known:
        return
    trained = not name.startswith(VALIDATION)
    colour, model = MODELS[submodel % 2], clip(summary.models[submodel], 18)
    epochs, heights = [epoch for epoch, _ in known], [value for _, value in known]
    axes.plot(epochs, heights, color=colour, lw=1.1 if trained else 1.9, ls="--" if trained else "-")
    look: dict[str, Any] = {"facecolor": "none" if trained else colour, "edgecolor": colour, "linewidth": 1.0}
    points = axes.scatter(
        epochs,
        heights,
        s=14 if len(known) <= MARKED else 3,
        marker=MARKERS[submodel % 2],
        zorder=3,
        clip_on=False,
        label=f"{model}, {'training' if trained else 'validation'}",
        **look,
    )
    drawing.mark(
        points, [Mark(f"{model}, epoch {epoch}\n{name} {show(value)}", (evaluation,)) for epoch, value in known]
    )


def _scale(axes: Axes, values: Sequence[float | None]) -> None:
    numbers = [value for value in values if value is not None]
    if numbers and min(numbers) > 0 and max(numbers) > STEEP * min(numbers):
        axes.set_yscale("log")
    plain_ticks(axes.yaxis)


def _rank(rank: int) -> str:
    return ("best", "second", "third")[rank] if rank < 3 else f"number {rank + 1}"


def _caption(summary: Summary, names: Sequence[str], one: EvaluationSummary) -> str:
    several = len(summary.models) > 1
    return (
        f"Evaluation {one.number}"
        + (f", the first of its {one.replicates} seeds" if one.replicates > 1 else "")
        + f": {words.point(one, names_of(summary)) or 'the fixed setting'}"
        + ". A validation curve (filled marks) that still falls at the last epoch could gain from more epochs; one "
        "that rises while the training curve falls is overfitting."
        + (" Where the two models' curves cross, the difference depends on when training stops." if several else "")
        + (
            " Training curves (hollow marks) hold what training adds to the labels, noise included, and may lie higher."
            if len(names) > 1
            else ""
        )
    )
