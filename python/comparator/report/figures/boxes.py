"""Regions as frames on a map of two hyperparameters, as shaded stretches along one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from comparator.findings.axes import Axis
from comparator.report.figures.drawing import FAINT, INK, PAPER, Axes

Stretch = tuple[float, float]


def draw_regions(
    axes: Axes, regions: Sequence[Mapping[str, Any]], shown: Sequence[Axis], varying: Sequence[Axis]
) -> bool:
    """Draw the regions that the axes `shown` (one, or x and y) bound, with their numbers; return whether there are any.

    A frame is dashed where another of the `varying` axes bounds its region too.
    """
    drawn = False
    for number, bounds in enumerate(regions, start=1):
        sides = [stretches(axis, bounds.get(axis.name)) for axis in shown]
        if not all(sides) or not any(_is_bounded(axis, bounds) for axis in shown):
            continue
        drawn = True
        if len(shown) == 1:
            for low, high in sides[0]:
                axes.axvspan(low, high, color=FAINT, alpha=0.5, lw=0, zorder=0)
            continue
        is_cut = any(_is_bounded(axis, bounds) for axis in varying if axis not in shown)
        for across, up in itertools.product(*sides):
            _frame(axes, across, up, dashed=is_cut)
        _number(axes, number, sides[0][-1], sides[1][-1])
    return drawn


def _is_bounded(axis: Axis, bounds: Mapping[str, Any]) -> bool:
    return stretches(axis, bounds.get(axis.name)) != [(axis.edges[0], axis.edges[-1])]


def stretches(axis: Axis, side: Any) -> list[Stretch]:
    """Return the parts of the axis that a side of a box covers; of a list of values a part for neighbours together."""
    if side is None:
        return [(axis.edges[0], axis.edges[-1])]
    if isinstance(side, Mapping):
        held = sorted(place for place in map(axis.coordinate, side["values"]) if place is not None)
        return list(_joined((place - 0.5, place + 0.5) for place in held))
    low, high = side
    if axis.discrete:  # an int of few values
        held = [place for place, value in enumerate(axis.values) if low <= value <= high]
        return [(held[0] - 0.5, held[-1] + 0.5)] if held else []
    lowest, highest = (axis.at or axis.edges)[0], (axis.at or axis.edges)[-1]
    return [(axis.edges[0] if low <= lowest else float(low), axis.edges[-1] if high >= highest else float(high))]


def _joined(parts: Iterable[Stretch]) -> Iterable[Stretch]:
    held: Stretch | None = None
    for part in parts:
        if held is not None and part[0] <= held[1]:
            held = held[0], part[1]
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def _frame(axes: Axes, across: Stretch, up: Stretch, *, dashed: bool) -> None:
    """Draw a frame that is seen on dark cells and on light ones."""
    from matplotlib.patches import Rectangle

    corner, width, height = (across[0], up[0]), across[1] - across[0], up[1] - up[0]
    line: Any = (0, (4, 2)) if dashed else "solid"
    for colour, breadth in ((PAPER, 4.0), (INK, 1.8)):
        look: Any = {"fill": False, "edgecolor": colour, "lw": breadth, "ls": line, "zorder": 3.2, "clip_on": False}
        axes.add_patch(Rectangle(corner, width, height, **look))


def _number(axes: Axes, number: int, across: Stretch, up: Stretch) -> None:
    axes.annotate(
        str(number),
        (across[1], up[1]),
        (-4, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=9,
        fontweight="bold",
        color=INK,
        zorder=3.4,
        bbox={"facecolor": PAPER, "edgecolor": INK, "linewidth": 0.8, "boxstyle": "square,pad=0.25"},
    )
