"""Regions as frames on a map of two hyperparameters, as shaded stretches along one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.findings.verdict import Condition
from comparator.report.figures.channels import Row, along
from comparator.report.figures.figure import layer
from comparator.report.figures.palette import FAINT, INK, PAPER
from comparator.report.numbers import printable

Stretch = tuple[float, float]


def region_layers(summary: Summary, regions: Sequence[Condition], shown: Sequence[Axis]) -> tuple[list[Row], list[Row]]:
    """Return the layers of the regions that the axes `shown` (one, or x and y) bound, and those of their numbers.

    The first belong under the evaluations, many of which lie on a border, the numbers over them. A frame is dashed
    where another of the varying axes bounds its region too.
    """
    frames, labels = [], []
    for condition in regions:
        number, bounds = condition.region.number, condition.region.bounds
        sides = [stretches(axis, bounds.get(axis.name)) for axis in shown]
        if not all(sides) or not any(is_bounded(axis, bounds) for axis in shown):
            continue
        said = {
            "evaluations": [one.number for one in summary.points if _holds(summary.axes, bounds, one)],
            "tip": printable(f"region {number}: {condition.words}"),
        }
        is_cut = any(is_bounded(axis, bounds) for axis in summary.axes if axis not in shown)
        for parts in itertools.product(*sides):
            ends = {key: end for name, part in zip("xy", parts, strict=False) for key, end in _ends(name, part)}
            frames.append({**ends, "cut": is_cut, **said})
        corner = {name: parts[-1][1] for name, parts in zip("xy", sides, strict=False)}
        labels.append({**corner, "text": str(number), **said})
    if not frames:
        return [], []
    if len(shown) == 1:
        return [_shade(frames, shown[0])], _numbers(labels, {"x": along(shown[0], "x"), "y": {"value": 10}})
    places = {name: along(axis, name) for name, axis in zip("xy", shown, strict=True)}
    return _frames(frames, places), _numbers(labels, places)


def _ends(name: str, part: Stretch) -> Iterable[tuple[str, float]]:
    return (name, part[0]), (f"{name}2", part[1])


def is_bounded(axis: Axis, bounds: Mapping[str, Any]) -> bool:
    """Return whether a box of these bounds leaves out any of the axis."""
    return stretches(axis, bounds.get(axis.name)) != [(axis.edges[0], axis.edges[-1])]


def _holds(axes: Iterable[Axis], bounds: Mapping[str, Any], one: EvaluationSummary) -> bool:
    return all(
        (place := axis.coordinate(one.point.get(axis.name))) is not None
        and any(low <= place <= high for low, high in stretches(axis, bounds[axis.name]))
        for axis in axes
        if bounds.get(axis.name) is not None
    )


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
    cells = [number for number, value in enumerate(axis.at) if low <= value <= high]
    if cells:  # of a lattice whole cells: where between two of its values a border lies nobody has seen
        return [(axis.edges[cells[0]], axis.edges[cells[-1] + 1])]
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


def _shade(frames: Sequence[Row], axis: Axis) -> Row:
    return layer(frames, "rect", {"color": FAINT, "opacity": 0.5}, x=along(axis, "x"), x2={"field": "x2"})


def _frames(frames: Sequence[Row], places: Mapping[str, Row]) -> list[Row]:
    """Return the layers of frames that are seen on dark places and on light ones."""
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    whole = [frame for frame in frames if not frame["cut"]]
    cut = [frame for frame in frames if frame["cut"]]
    # Only the line is drawn: what lies within a frame is pointed at, not the frame. The dashes are the mark's, for
    # Vega-Lite has no channel strokeDash of a rectangle.
    return [
        layer(
            rows,
            "rect",
            {"filled": False, "fill": None, "stroke": colour, "strokeWidth": breadth, "clip": False, **dashes},
            **places,
            **ends,
        )
        for rows, colour, breadth, dashes in (
            (frames, PAPER, 4.5, {}),
            (whole, INK, 2.0, {}),
            (cut, INK, 2.0, {"strokeDash": [6, 4]}),
        )
        if rows
    ]


def _numbers(labels: Sequence[Row], places: Mapping[str, Row]) -> list[Row]:
    """Return the layers of the regions' numbers, each on a plate in its frame's upper right corner."""
    inwards = {"xOffset": -10, "yOffset": 10} if "field" in places["y"] else {"xOffset": -10}
    plate = {"shape": "square", "size": 280, "fill": PAPER, "stroke": INK, "strokeWidth": 1.0, **inwards}
    number = {"fontSize": 12, "fontWeight": "bold", "color": INK, **inwards}
    text = {"field": "text", "type": "nominal"}
    return [layer(labels, "point", plate, **places), layer(labels, "text", number, **places, text=text)]
