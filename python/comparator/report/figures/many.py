"""Spaces of more than two hyperparameters: which of them matter, and all of them at once as parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comparator.findings.axes import Axis, show
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.report.figures.drawing import (
    FAINT,
    INK,
    MANY,
    MUTED,
    PAPER,
    Axes,
    Drawing,
    Mark,
    clip,
    colour_bar,
    mark_of,
    new_drawing,
    objective_label,
)
from comparator.report.figures.heat import Scale, difference_scale, metric_scale

if TYPE_CHECKING:
    from comparator.evidence.importance import Importance, Share

LINES = 400  # beyond, the best and a sample of the others are drawn
HIGHEST = 24  # hyperparameters in one figure


def ranking(summary: Summary, importance: Importance | None) -> list[Drawing]:
    """Return a bar for each hyperparameter: how much of the objective's variance rests on it."""
    if importance is None:
        return []
    shares = importance.shares[:HIGHEST]
    drawing, axes = new_drawing("importance", "Importance, with its uncertainty", 1.1 + 0.27 * len(shares))
    rows = range(len(shares))
    bars = axes.barh(
        rows,
        [max(share.mean, 0.0) for share in shares],
        height=0.62,
        facecolor=[MUTED if share.shown else PAPER for share in shares],
        edgecolor=MUTED,
        linewidth=1,
    )
    axes.hlines(rows, [share.low for share in shares], [share.high for share in shares], color=INK, lw=1.4)
    for number, (bar, share) in enumerate(zip(bars, shares, strict=True)):
        bar.set_gid(f"importance-{number}")
        drawing.marks[f"importance-{number}"] = [Mark(_said(share), ())]
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(rows, [clip(share.name, 22) for share in shares])
    axes.invert_yaxis()
    axes.set_xlabel("share of the variance that rests on it")
    axes.grid(True, axis="x")
    drawing.caption, drawing.section = _caption(importance, summary.lattice), "importance"
    return [drawing]


def _said(share: Share) -> str:
    return f"{share.name}\nshare {share.mean:.2f}, from {share.low:.2f} to {share.high:.2f}"


def _caption(importance: Importance, lattice: bool) -> str:
    doubt = (
        "Trees fitted to the evaluations do not predict those left out, so this ranking means nothing yet. "
        if importance.predicted <= 0
        else f"Trees fitted to the evaluations predict {importance.predicted:.0%} of the variance of those left out. "
    )
    return (
        f"{doubt}A bar is the share of the variance that rests on a hyperparameter, alone or together with others, by "
        "how much worse the prediction gets when its values are shuffled; the line is where 90 % of bootstrap samples "
        f"put it. Hollow bars, whose line reaches 0, may not matter at all: {importance.points} distinct points do not "
        "tell."
        + (
            ""
            if lattice
            else " A search gathers its points where it hopes for the best; what matters elsewhere may not show."
        )
    )


def parallel_coordinates(summary: Summary) -> list[Drawing]:
    """Return a line for each point through its values of all hyperparameters; nothing for a grid.

    The lines of a grid join every value with every other, and say nothing.
    """
    done = summary.points
    if summary.lattice or not done:
        return []
    shown = sorted(done, key=lambda one: one.value or 0.0, reverse=True)  # the best last, on top
    if len(shown) > LINES:
        shown = shown[: -LINES // 2 : -(-len(shown) // (LINES // 2))] + shown[-LINES // 2 :]
    axes_shown = summary.axes[:HIGHEST]
    drawing, axes = new_drawing("parallel", "All hyperparameters at once", 4.0)
    numbers = [one.difference or 0.0 for one in shown]
    scale = metric_scale(numbers) if summary.kind == "single" else difference_scale(numbers)
    _draw_lines(drawing, axes, summary, axes_shown, shown, scale)
    _draw_axes(axes, axes_shown)
    colour_bar(drawing, scale.colours, scale.extend, objective_label(summary))
    drawing.caption = (
        "A line is one point, through its value of each hyperparameter; the better ones lie on top. Where the "
        "best lines run through one place of an axis, that hyperparameter matters; where they cross it anywhere, it "
        "does not. Point at a line to bring it out."
        + (f" The best {LINES // 2} of {len(done)} are drawn, and a sample of the others." if len(done) > LINES else "")
    )
    return [drawing]


def _draw_lines(
    drawing: Drawing,
    axes: Axes,
    summary: Summary,
    columns: Sequence[Axis],
    shown: Sequence[EvaluationSummary],
    scale: Scale,
) -> None:
    from matplotlib.collections import LineCollection

    paths, kept = [], []
    for one in shown:
        heights = [axis.position(one.point.get(axis.name)) for axis in columns]
        if None not in heights:
            paths.append(
                [
                    (column, _apart(axis, one, height))
                    for column, (axis, height) in enumerate(zip(columns, heights, strict=True))
                ]
            )
            kept.append(one)
    lines = LineCollection(
        paths,
        colors=[scale.rgba(one.difference or 0.0) for one in kept],
        linewidth=1.2,
        alpha=0.8,
        capstyle="round",
        rasterized=len(kept) > MANY,
    )
    axes.add_collection(lines)
    drawing.mark(lines, [mark_of(one, summary) for one in kept], lines=True)


def _apart(axis: Axis, one: EvaluationSummary, height: Any) -> float:
    """Return the height, moved a little where many lines would run through the same value of a few."""
    if not axis.discrete:
        return float(height)
    return float(height) + ((one.number * 0.618) % 1 - 0.5) * 0.5 / len(axis.values)


def _draw_axes(axes: Axes, columns: Sequence[Axis]) -> None:
    look: dict[str, Any] = {"fontsize": 7, "ha": "center", "color": INK, "clip_on": False}
    halo = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    axes.vlines(range(len(columns)), 0, 1, color=FAINT, lw=1, zorder=0)
    for column, axis in enumerate(columns):
        if axis.discrete and len(axis.values) <= 6:
            for value in axis.values:
                axes.text(column, axis.position(value), clip(show(value), 10), va="center", bbox=halo, **look)
        else:
            ends = axis.values if axis.discrete else axis.edges
            axes.text(column, 1.02, clip(show(ends[-1]), 10), va="bottom", **look)
            axes.text(column, -0.02, clip(show(ends[0]), 10), va="top", **look)
    axes.set_xlim(-0.3, len(columns) - 0.7)
    axes.set_ylim(-0.09, 1.07)
    axes.set_yticks([])
    names = [clip(axis.name, 18) for axis in columns]
    crowded = sum(len(name) + 2 for name in names) > 44
    turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axes.set_xticks(range(len(columns)), names, **turned)
    axes.tick_params(axis="x", length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
