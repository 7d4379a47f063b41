"""Colour scales that mean the same in every figure, and cells on two hyperparameters in these colours."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from comparator.findings.axes import Axis
from comparator.findings.summary import EvaluationSummary, Summary
from comparator.formats.numbers import show
from comparator.objective.amounts import PLAIN, Measure
from comparator.report.figures.channels import CROSS, Row, along, clip, coordinate_of, failed_row, tip_of, written
from comparator.report.figures.crowd import gathered
from comparator.report.figures.figure import growing, layer
from comparator.report.figures.palette import DIFFERENCE, METRIC, PAPER
from comparator.report.numbers import printable

HEIGHT = 330  # pixels
INNER = (330.0, 260.0)  # pixels; about what is left for the cells on a narrow page
NUMBER = 11.0  # pixels; the height of a number in a cell
BRONZE = 0.755  # as GOLDEN, of the other axis: together they spread points over a cell
DARK, DARK_BLUE, DARK_RED = 0.43, 0.79, 0.74  # of a scale, or a side of it: there white is read as well as black
OUTLYING = 8.0  # interquartile ranges beyond the quartiles; what lies there is drawn in the end's colour

Cell: TypeAlias = "tuple[int, int]"
Cells: TypeAlias = "dict[Cell, list[EvaluationSummary]]"


@dataclass(frozen=True)
class Scale:
    """A colour scale from `low` to `high`; with a `middle`, that of a metric, white there."""

    low: float
    high: float
    middle: float | None = None

    def channel(self, label: str | Sequence[str], measure: Measure = PLAIN, *, apart: bool = False) -> Row:
        """Return the channel of the colour of field `v`, whose legend is called `label` and has numbers of `measure`.

        `apart` says that they are by how much one is above another.
        """
        legend: Row = {"title": label, "type": "gradient", "format": ".3~g", "tickCount": 5}
        legend |= {"labelOverlap": "parity", "labelSeparation": 6}
        scale: Row = {"domain": [self.low, self.high], "nice": False, "clamp": True, **DIFFERENCE}
        if self.middle is not None:
            scale = {"domain": [self.low, self.high], "domainMid": self.middle, "clamp": True, **METRIC}
            share = (self.middle - self.low) / (self.high - self.low)
            legend["values"] = [self.low, *[self.middle] * (0.25 < share < 0.75), self.high]
            legend["format"] = _format_of(self.low, self.high)
        if measure.is_share:  # the ends of a scale with a middle are values as they came, not ticks
            form = ",.6~g" if self.middle is None else ",.3~g"
            legend["labelExpr"] = written("datum.value", measure, form, apart=apart)
        return {"field": "v", "type": "quantitative", "scale": scale, "legend": legend}

    @property
    def ring(self) -> str:
        """The colour of a ring around a dot that is seen all over the scale, in a light page as in a dark one."""
        return "#ffffff" if self.middle is None else "#000000"

    @property
    def dark(self) -> tuple[float, float]:
        """Below the first and above the second the colours are dark: white is read on them, black on all others."""
        if self.middle is None:
            return self.low + DARK * (self.high - self.low), math.inf
        return self.middle + DARK_BLUE * (self.low - self.middle), self.middle + DARK_RED * (self.high - self.middle)

    def ink(self, value: float) -> str:
        """Return the colour that stands out from that of `value` by a contrast of 4.5 at the least."""
        low, high = self.dark
        is_dark = value < low or value > high
        return "#ffffff" if is_dark else "#000000"


def _format_of(low: float, high: float) -> str:
    """Return the format of numbers between two: three digits that count of what lies between them."""
    if max(abs(low), abs(high)) >= 1e4:
        return ".3~g"
    return f".{min(9, max(0, 2 - math.floor(math.log10(high - low))))}f"


def difference_scale(values: Iterable[float]) -> Scale:
    """Return the scale of differences, from the smallest to the largest of `values`."""
    numbers = list(values) or [0.0, 1.0]
    low, high = min(numbers), max(numbers)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - 0.05, high + 0.05
    return Scale(low, high)


def metric_scale(values: Iterable[float]) -> Scale:
    """Return the scale of a model's metric: red high, blue low, white at the median of `values`."""
    numbers = sorted(values) or [0.0]
    middle = statistics.median(numbers)
    low, high = _without_outliers(numbers)
    least = 1e-6 * abs(middle) or 1e-6
    return Scale(min(low, middle - least), max(high, middle + least), middle)


def scale_of(summary: Summary, values: Iterable[float]) -> Scale:
    """Return the scale of what the experiment looks for: a difference, or a single model's metric."""
    return metric_scale(values) if summary.kind == "single" else difference_scale(values)


def _without_outliers(numbers: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the scale: a run that diverged would press all others into one colour."""
    if len(numbers) < 4:
        return numbers[0], numbers[-1]
    lower, _, upper = statistics.quantiles(numbers, n=4)
    margin = OUTLYING * (upper - lower) or math.inf
    inside = [number for number in numbers if lower - margin <= number <= upper + margin]
    return inside[0], inside[-1]


def gather(evaluations: Iterable[EvaluationSummary], x: Axis, y: Axis) -> Cells:
    """Return the evaluations that succeeded by the (column, row) of their cell."""
    cells: Cells = {}
    for one in evaluations:
        column, row = x.bin(one.point.get(x.name)), y.bin(one.point.get(y.name))
        if one.difference is not None and column is not None and row is not None:
            cells.setdefault((column, row), []).append(one)
    return cells


def means_of(cells: Cells, number: Callable[[EvaluationSummary], float | None]) -> dict[Cell, float]:
    """Return the mean of `number` over each cell's evaluations; a cell without any is left out."""
    known = {cell: [each for each in map(number, members) if each is not None] for cell, members in cells.items()}
    return {cell: statistics.fmean(numbers) for cell, numbers in known.items() if numbers}


def cell_layer(
    x: Axis,
    y: Axis,
    cells: Cells,
    means: Mapping[Cell, float],
    colour: Row,
    words: Callable[[float], str] = show,
) -> Row:
    """Return the layer of the cells in the colours of their means, which `words` says."""
    rows = []
    for (column, row), mean in means.items():
        members = cells[column, row]
        said = f"mean {words(mean)} of {len(members)}" if len(members) > 1 else words(mean)
        rows.append(
            {
                **dict(zip(("x", "x2"), x.edges[column : column + 2], strict=True)),
                **dict(zip(("y", "y2"), y.edges[row : row + 2], strict=True)),
                "v": mean,
                "evaluations": [one.number for one in members],
                "tip": printable(f"{x.name} {x.label(column)}\n{y.name} {y.label(row)}\n{said}"),
            }
        )
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    look = {"stroke": PAPER, "strokeWidth": 0.6}
    return layer(rows, "rect", look, x=along(x, "x"), y=along(y, "y"), **ends, color=colour)


def mean_layer(
    x: Axis, y: Axis, means: Mapping[Cell, float], scale: Scale, measure: Measure = PLAIN
) -> tuple[list[Row], str | None]:
    """Return the layer of each cell's mean in it, where all of them fit; and what was written, for the caption."""
    if not means:
        return [], None
    hundred = 100 if measure.is_share else 1
    power = _power(hundred * mean for mean in means.values())
    texts = {cell: _number(hundred * mean, power) for cell, mean in means.items()}
    widest = max(map(len, texts.values())) * 0.62 * NUMBER + 1
    if any(x.share(column) * INNER[0] < widest or y.share(row) * INNER[1] < NUMBER + 2 for column, row in means):
        return [], None
    rows = [
        {"x": x.middle(column), "y": y.middle(row), "text": text, "ink": scale.ink(means[column, row])}
        for (column, row), text in texts.items()
    ]
    look = {"fontSize": NUMBER}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    text = {"field": "text", "type": "nominal"}
    written = layer(rows, "text", look, x=along(x, "x"), y=along(y, "y"), text=text, color=ink)
    value = f"its value{' in per cent' if measure.is_share else ''}"
    return [written], value if power == 0 else f"{value} times {10**power:,}"


def dot_layer(
    summary: Summary, evaluations: Iterable[EvaluationSummary], x: Axis, y: Axis, colour: Row, scale: Scale
) -> Row:
    """Return the layer of the evaluations that succeeded, each a dot in the colour of its difference.

    Its ring stands out from it, so that one of the two does from what lies behind.
    """
    rows = [
        {**place, "v": one.difference, "evaluations": [one.number], "tip": tip_of(one, summary)}
        for one, place in _placed(evaluations, x, y)
        if one.difference is not None
    ]
    look = {"size": 44, "strokeWidth": 1.0, "opacity": 1.0, "clip": False}
    places = {"x": along(x, "x"), "y": along(y, "y")}
    low, high = scale.dark
    is_dark = f"datum.v < {low}" + (f" || datum.v > {high}" if high < math.inf else "")
    ring = {"condition": {"test": is_dark, "value": "#ffffff"}, "value": "#000000"}
    rows = gathered(rows, places["x"], places["y"], summary.measure)
    return growing(layer(rows, "circle", look, **places, color=colour, stroke=ring))


def failed_layer(evaluations: Iterable[EvaluationSummary], x: Axis, y: Axis) -> list[Row]:
    """Return the layer with a cross for each evaluation that failed, where any did."""
    rows = [failed_row(one, **place) for one, place in _placed(evaluations, x, y) if one.difference is None]
    places = {"x": along(x, "x"), "y": along(y, "y")}
    rows = gathered(rows, places["x"], places["y"])
    behind = {"stroke": PAPER, "strokeWidth": 4}
    looks = enumerate(({**CROSS, **behind}, CROSS), start=2)
    return [growing(layer(rows, "point", {**look, "clip": False}, **places), number) for number, look in looks if rows]


def _placed(evaluations: Iterable[EvaluationSummary], x: Axis, y: Axis) -> Iterable[tuple[EvaluationSummary, Row]]:
    across, up = coordinate_of(x), coordinate_of(y, BRONZE)
    for one in evaluations:
        place = {"x": across(one), "y": up(one)}
        if None not in place.values():
            yield one, place


def pair_words(x: Axis, y: Axis) -> str:
    """Return the names of two axes, for a title."""
    return f"{clip(x.name)} and {clip(y.name)}"


def _power(means: Iterable[float]) -> int:
    """Return the power of ten by which numbers are multiplied so that four characters tell them apart."""
    largest = max(map(abs, means))
    return 0 if largest >= 0.1 or largest == 0 else min(9, 1 - math.floor(math.log10(largest)))


def _number(mean: float, power: int) -> str:
    scaled = mean * 10**power
    text = f"{scaled:.2f}" if abs(scaled) < 10 else f"{scaled:.1f}" if abs(scaled) < 100 else f"{scaled:.3g}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
