"""All pairs in one matrix of small maps: where which of the two has the larger metric, on one scale of colours."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparator.evidence.coordinates import dense_sample
from comparator.evidence.surrogate import fit_differences
from comparator.findings.axes import Axis, effect, varying_axes
from comparator.objective.amounts import PLAIN, Measure
from comparator.report.figures.channels import Row, clip
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.heat import Scale
from comparator.report.figures.palette import FAINT, INK, MUTED
from comparator.results.record import Evaluation
from comparator.space import ParameterSpace
from comparator.space.boxes import Box
from comparator.studies.pairs import NONE, Judged

CELLS = 12  # of a map, along each side
PLACES = 4096  # over which a map's cells are means of the surrogate
FEWEST = 8  # points, before there is more to draw than they
EDGE = 0.46  # of a map, from its middle; 0.5 is the next one
HEIGHT, MOST = 150.0, 900.0  # pixels: of a map, and of all, high and wide
OVERLAP = 0.003  # of a map's side: neighbours leave no seam through which the page is seen
SEED = 1


@dataclass(frozen=True)
class Ground:
    """What all maps stand on: the space, and the one or two axes that the differences depend on most."""

    space: ParameterSpace
    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]], judged: Sequence[Judged]) -> Ground:
        """The ground of a space's entries."""
        points = [dict(point) for each in judged for point in each.pair.paired.points]
        axes = varying_axes(entries, points)
        strength = {axis.name: sum(_effect(axis, each) for each in judged) for axis in axes}
        most = sorted(axes, key=lambda axis: -strength[axis.name])[:2]
        return cls(ParameterSpace.from_entries(list(entries), "the space"), tuple(a for a in axes if a in most))

    def place(self, point: Mapping[str, Any]) -> tuple[float, float] | None:
        """Where a point lies, across and upwards, each from 0 to 1; of one axis in the middle of the height."""
        across = self.axes[0].position(point.get(self.axes[0].name)) if self.axes else 0.5
        up = self.axes[1].position(point.get(self.axes[1].name)) if len(self.axes) > 1 else 0.5
        return None if across is None or up is None else (across, up)

    def cells(self, points: Sequence[Mapping[str, Any]], numbers: Sequence[float]) -> dict[tuple[int, int], float]:
        """The mean of the numbers of the points in each cell."""
        rows = CELLS if len(self.axes) > 1 else 1
        held: dict[tuple[int, int], list[float]] = {}
        for point, number in zip(points, numbers, strict=True):
            place = self.place(point)
            if place is not None:
                cell = min(int(place[0] * CELLS), CELLS - 1), min(int(place[1] * rows), rows - 1)
                held.setdefault(cell, []).append(number)
        return {cell: statistics.fmean(each) for cell, each in held.items()}


def _effect(axis: Axis, judged: Judged) -> float:
    points, means = judged.pair.paired.points, judged.pair.paired.means.tolist()
    if len(points) < FEWEST:
        return 0.0
    lines = [
        Evaluation(evaluation=number, point=dict(point), status="ok", value=mean, runs=[])
        for number, (point, mean) in enumerate(zip(points, means, strict=True))
    ]
    return effect(axis, lines, means)


def draw(
    labels: Sequence[str],
    entries: Sequence[Mapping[str, Any]],
    judged: Sequence[Judged],
    difference: str,
    measure: Measure = PLAIN,
) -> Figure:
    """Return the matrix: maps above its diagonal, what is said of the pairs below it; `measure` is the difference's."""
    ground = Ground.of(entries, judged)
    pairs = list(zip(itertools.combinations(range(len(labels)), 2), judged, strict=True))
    maps = {place: _surface(ground, each) for place, each in pairs}
    numbers = [abs(value) for cells in maps.values() for value in cells.values()]
    numbers += [abs(value) for _, each in pairs for value in each.pair.paired.means.tolist()]
    reach = max(numbers, default=0.0) or 1.0
    scale = Scale(-reach, reach, 0.0)
    count = len(labels)
    x, y = _side("x", count), _side("y", count)
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    colour = scale.channel([difference, "red: larger of the column's model; blue: of the row's"], measure)
    tiles = [row for place, cells in maps.items() for row in _tiles(place, cells)]
    dots = [row for place, each in pairs for row in _dots(ground, place, each)]
    frames = [row for place, each in pairs for row in _frames(ground, place, each)]
    look = {"size": 14, "stroke": scale.ring, "strokeWidth": 0.5, "opacity": 1}
    boxes = [{"x": b - EDGE, "x2": b + EDGE, "y": a - EDGE, "y2": a + EDGE} for (a, b), _ in pairs]
    outline = {"filled": False, "fill": None, "stroke": FAINT, "strokeWidth": 1}
    region = {"filled": False, "fill": None, "stroke": scale.ring, "strokeWidth": 1.6}
    layers = [
        layer(tiles, "rect", {"opacity": 1, "strokeWidth": 0}, x=x, y=y, **ends, color=colour),
        layer(boxes, "rect", outline, x=x, y=y, **ends),
        layer(dots, "circle", look, x=x, y=y, color=colour),
        layer(frames, "rect", region, x=x, y=y, **ends),
        *_texts(pairs, labels, x, y, measure),
    ]
    side = round(min(MOST, HEIGHT * count))
    return figure("all-pairs", "All pairs", {"layer": layers, "width": side}, _caption(ground), height=side)


def _surface(ground: Ground, judged: Judged) -> dict[tuple[int, int], float]:
    """What a model of the differences expects in each cell, a mean over what is not drawn."""
    paired = judged.pair.paired
    if len(paired.points) < FEWEST or not ground.axes:
        return {}
    dense = dense_sample(ground.space, PLACES, SEED)
    expected = fit_differences(ground.space, paired, SEED).predict(dense)[0]
    return ground.cells(dense, np.asarray(expected).tolist())


def _tiles(place: tuple[int, int], cells: Mapping[tuple[int, int], float]) -> list[Row]:
    rows = 1 + max((row for _, row in cells), default=0)
    return [
        {
            "x": _across(place, column / CELLS),
            "x2": _across(place, (column + 1) / CELLS) + OVERLAP * (column < CELLS - 1),
            "y": _up(place, row / rows),
            "y2": _up(place, (row + 1) / rows) - OVERLAP * (row < rows - 1),
            "v": value,
        }
        for (column, row), value in sorted(cells.items())
    ]


def _dots(ground: Ground, place: tuple[int, int], judged: Judged) -> list[Row]:
    paired = judged.pair.paired
    placed = zip(map(ground.place, paired.points), paired.means.tolist(), strict=True)
    return [
        {"x": _across(place, where[0]), "y": _up(place, where[1]), "v": value}
        for where, value in placed
        if where is not None
    ]


def _frames(ground: Ground, place: tuple[int, int], judged: Judged) -> list[Row]:
    """The region in which a pair differs most, as far as the axes show it."""
    if judged.place is None:
        return []
    box = Box.from_bounds(ground.space, judged.place.bounds, judged.pair.identifier)
    dense = dense_sample(ground.space, PLACES, SEED)
    places = [ground.place(point) for point, held in zip(dense, box.contains(dense), strict=True) if held]
    known = [each for each in places if each is not None]
    if not known:
        return []
    (left, right), (low, high) = ((min(each), max(each)) for each in zip(*known, strict=True))
    if len(ground.axes) < 2:
        low, high = 0.0, 1.0
    return [{"x": _across(place, left), "x2": _across(place, right), "y": _up(place, low), "y2": _up(place, high)}]


def _texts(
    pairs: Sequence[tuple[tuple[int, int], Judged]], labels: Sequence[str], x: Row, y: Row, measure: Measure
) -> list[Row]:
    """The names along the diagonal, and below it the mean of each pair with its verdict."""
    many = len(labels) > 5
    names = [{"x": place, "y": place, "text": clip(label, 16)} for place, label in enumerate(labels)]
    said = []
    for (a, b), each in pairs:
        mean = "no result"
        if each.pair.mean is not None:
            mean = f"{'+' if each.pair.mean > 0 else ''}{measure.amount(each.pair.mean, 2)}"
        verdict = (
            "not shown"
            if each.verdict == NONE
            else "differ"
            if each.place is None
            else "a region"
            if many
            else "more in a region"
        )
        said.append({"x": a, "y": b, "mean": mean, "verdict": verdict if each.pair.mean is not None else ""})
    size = 10 if many else 12
    text: dict[str, Any] = {"type": "nominal"}
    return [
        layer(
            names,
            "text",
            {"fontSize": size, "fontWeight": "bold", "color": INK},
            x=x,
            y=y,
            text={**text, "field": "text"},
        ),
        layer(said, "text", {"fontSize": size, "dy": -7, "color": INK}, x=x, y=y, text={**text, "field": "mean"}),
        layer(
            said, "text", {"fontSize": size - 2, "dy": 7, "color": MUTED}, x=x, y=y, text={**text, "field": "verdict"}
        ),
    ]


def _across(place: tuple[int, int], share: float) -> float:
    return place[1] - EDGE + 2 * EDGE * share


def _up(place: tuple[int, int], share: float) -> float:
    return place[0] + EDGE - 2 * EDGE * share


def _side(which: str, count: int) -> Row:
    return {
        "field": which,
        "type": "quantitative",
        "scale": {"domain": [-0.5, count - 0.5], "nice": False, "zero": False, "reverse": which == "y"},
        "axis": None,
    }


def _caption(ground: Ground) -> str:
    across, *up = ground.axes or (None,)
    words = "" if across is None else f"In each map {clip(across.name)} goes across, {across.range()}"
    words += f", and {clip(up[0].name)} upwards, {up[0].range()}. " if up else ". " if words else ""
    return (
        f"{words}Colours, on one scale: what a model of all trainings expects; dots: the points that were trained;"
        " framed: the region in which a pair is shown to differ more than elsewhere. Below the diagonal: the mean"
        " difference, the row's metric less the column's, and what is shown."
    )
