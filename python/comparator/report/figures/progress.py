"""Best and mean by generation against the grid's best (the paper's Figure 6); by evaluation without generations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comparator.findings.axes import show
from comparator.findings.summary import EvaluationSummary, Generation, Summary
from comparator.report.figures.drawing import (
    INK,
    MEAN,
    PAPER,
    Axes,
    Drawing,
    Mark,
    coordinate_of,
    failed_ticks,
    finish,
    new_drawing,
    scatter_evaluations,
    set_axis,
)
from comparator.report.material import GridBest

HEIGHT = 3.2


def best_and_mean(summary: Summary, grid: GridBest | None = None) -> list[Drawing]:
    """Return best and mean by generation, with the best of a `grid` over the same space; nothing for a grid."""
    if summary.lattice:
        return []
    if not summary.generations:
        return [_by_evaluation(summary, grid)]
    drawing, axes = new_drawing("progress", "Best and mean by generation", HEIGHT)
    generations = summary.generations
    place = _spread(summary)
    scatter_evaluations(drawing, axes, summary, place)
    _draw_generations(drawing, axes, summary)
    failed_ticks(drawing, axes, summary, place)
    shown = generations[:: max(1, -(-len(generations) // 10))]
    axes.set_xticks([one.number for one in shown], [f"{one.number}\nn = {one.count - one.failed}" for one in shown])
    axes.set_xlabel("generation, and how many of its evaluations succeeded")
    axes.set_xlim(generations[0].number - 0.5, generations[-1].number + 0.5)
    _references(drawing, axes, summary, grid)
    finish(axes, summary)
    drawing.caption = (
        "The line is the best point, by what was known of it then: it is worse where that point is tried again and "
        "does less well. The mean tells whether the search as a "
        "whole moves to where the objective is better, or has only been lucky once. Small dots are single "
        "evaluations" + (", crosses at the foot those that failed." if summary.reasons else ".")
    ) + _caption_of_references(summary, grid)
    return [drawing]


def _draw_generations(drawing: Drawing, axes: Axes, summary: Summary) -> None:
    found = [one for one in summary.generations if one.best is not None]
    if not found:
        return
    so_far = [one for one in summary.generations if one.best_so_far is not None]
    axes.plot([one.number for one in so_far], [one.best_so_far for one in so_far], color=INK, lw=2, label="best so far")
    numbers = [one.number for one in found]
    best: dict[str, Any] = {"s": 48, "facecolor": PAPER, "edgecolor": INK, "linewidth": 1.4}
    axes.plot(numbers, [one.mean for one in found], color=MEAN, lw=1.6)
    _mark_generations(
        drawing,
        axes.scatter(numbers, [one.best for one in found], zorder=4, label="generation's best", **best),
        found,
        lambda one: f"best {show(one.best)}",
    )
    _mark_generations(
        drawing,
        axes.scatter(
            numbers, [one.mean for one in found], s=28, color=MEAN, marker="D", zorder=4, label="generation's mean"
        ),
        found,
        lambda one: f"mean {show(one.mean)} of {one.count - one.failed}",
    )


def _mark_generations(
    drawing: Drawing, artist: Any, generations: list[Generation], said: Callable[[Generation], str]
) -> None:
    drawing.mark(artist, [Mark(f"generation {one.number}\n{said(one)}", one.members) for one in generations])


def _by_evaluation(summary: Summary, grid: GridBest | None) -> Drawing:
    drawing, axes = new_drawing("progress", "The best so far", HEIGHT)
    place = coordinate_of(None)
    scatter_evaluations(drawing, axes, summary, place, size=16)
    if summary.best_so_far:
        order = [number for number, _ in summary.best_so_far]
        axes.step(order, [best for _, best in summary.best_so_far], where="post", color=INK, lw=2, label="best so far")
    failed_ticks(drawing, axes, summary, place)
    numbers = [one.number for one in summary.searched] or [0]
    axes.set_xlim(min(numbers) - 0.5, max(numbers) + 0.5)
    _references(drawing, axes, summary, grid)
    set_axis(axes, None, "x")
    finish(axes, summary)
    drawing.caption = (
        "Each dot is one evaluation, by its number; the line is the best point, by what was known of it then."
        + (" Crosses at the foot are evaluations that failed." if summary.reasons else "")
        + _caption_of_references(summary, grid)
    )
    return drawing


def _references(drawing: Drawing, axes: Axes, summary: Summary, grid: GridBest | None) -> None:
    """Draw what the search is measured by: the best of a grid, and what the default settings give."""
    heights = []
    if grid:
        heights.append((grid.best, "--", f"best of the grid ({grid.points} points)"))
    if summary.first is None and summary.baseline and summary.baseline.difference is not None:
        heights.append((summary.baseline.difference, ":", "default settings"))
    for height, dashes, label in heights:
        axes.axhline(height, color=INK, lw=1.3, ls=dashes, label=label, zorder=3)


def _caption_of_references(summary: Summary, grid: GridBest | None) -> str:
    if grid is None:
        return ""
    best = summary.best
    sentence = (
        f" The dashed line is the best of a grid of {grid.points} points, experiment {grid.id}: {show(grid.best)}."
    )
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
