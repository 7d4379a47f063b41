"""Heat maps: colour scales that mean the same in every figure, and cells on two hyperparameters."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from comparator.findings.axes import Axis, show
from comparator.findings.summary import EvaluationSummary
from comparator.report.figures.drawing import (
    DIFFERENCE,
    FAILED,
    FAINT,
    MANY,
    METRIC,
    PAPER,
    WIDTH,
    Axes,
    Drawing,
    Mark,
    colour_bar,
    new_drawing,
    set_axis,
)

HEIGHT = 4.0
INNER = (WIDTH - 1.35) * 72, (HEIGHT - 0.65) * 72  # points; about what is left for the cells
NUMBER_SIZE = 6.5
OUTLYING = 8.0  # interquartile ranges beyond the quartiles; what lies there is drawn in the end's colour

Cells: TypeAlias = "dict[tuple[int, int], list[EvaluationSummary]]"


@dataclass(frozen=True)
class Scale:
    """A colour scale: what each number's colour is, and the numbers to write beside it."""

    colours: Any  # a ScalarMappable
    ticks: tuple[float, ...] = ()
    extend: str = "neither"

    def rgba(self, value: float) -> tuple[float, float, float, float]:
        """Return the colour of `value`."""
        red, green, blue, alpha = (float(part) for part in self.colours.to_rgba(value))
        return red, green, blue, alpha

    def ink(self, value: float) -> str:
        """Return the colour in which text can be read on that of `value`."""
        red, green, blue, _ = self.rgba(value)
        return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "#000000"


def difference_scale(values: Iterable[float]) -> Scale:
    """Return the scale of differences, from the smallest to the largest of `values`."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    numbers = list(values) or [0.0, 1.0]
    low, high = min(numbers), max(numbers)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - 0.05, high + 0.05
    return Scale(ScalarMappable(Normalize(low, high), colormaps[DIFFERENCE]))


def metric_scale(values: Iterable[float]) -> Scale:
    """Return the scale of a model's metric: red high, blue low, white at the median of `values`."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm

    numbers = sorted(values) or [0.0]
    middle = statistics.median(numbers)
    low, high = _without_outliers(numbers)
    least = 1e-6 * abs(middle) or 1e-6
    low, high = min(low, middle - least), max(high, middle + least)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    ticks = low, (low + middle) / 2, middle, (middle + high) / 2, high
    return Scale(
        ScalarMappable(TwoSlopeNorm(middle, low, high), colormaps[METRIC]),
        ticks if high - low > 3 * least else (middle,),
        extend[numbers[0] < low, numbers[-1] > high],
    )


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


def means_of(cells: Cells, number: Callable[[EvaluationSummary], float | None]) -> dict[tuple[int, int], float]:
    """Return the mean of `number` over each cell's evaluations; a cell without any is left out."""
    known = {cell: [each for each in map(number, members) if each is not None] for cell, members in cells.items()}
    return {cell: statistics.fmean(numbers) for cell, numbers in known.items() if numbers}


def heat_map(
    name: str,
    title: str,
    x: Axis,
    y: Axis,
    cells: Cells,
    means: Mapping[tuple[int, int], float],
    scale: Scale,
    label: str,
) -> tuple[Drawing, Axes]:
    """Return a figure of the cells in the colours of their means, with a colour bar; no text in the cells yet."""
    from matplotlib.collections import PolyCollection

    drawing, axes = new_drawing(name, title, HEIGHT)
    _hatch(axes)
    patches = PolyCollection(
        [_corners(x, y, cell) for cell in means],
        zorder=1,
        edgecolor=PAPER,
        linewidth=0.6,
        facecolor=[scale.rgba(mean) for mean in means.values()] or "none",
    )
    axes.add_collection(patches, autolim=False)
    drawing.mark(
        patches,
        [
            Mark(
                f"{x.name} {x.label(column)}\n{y.name} {y.label(row)}\n"
                + (f"mean {show(mean)} of {len(cells[column, row])}" if len(cells[column, row]) > 1 else show(mean)),
                tuple(one.number for one in cells[column, row]),
            )
            for (column, row), mean in means.items()
        ],
    )
    set_axis(axes, x, "x")
    set_axis(axes, y, "y")
    if means:
        _colour_bar(drawing, scale, label)
    return drawing, axes


def write_counts(
    axes: Axes, x: Axis, y: Axis, cells: Cells, means: Mapping[tuple[int, int], float], scale: Any
) -> None:
    """Write in each cell's corner how many evaluations it holds."""
    for column, row in means:
        axes.annotate(
            str(len(cells[column, row])),
            (x.edges[column], y.edges[row + 1]),
            (2.5, -2.5),
            textcoords="offset points",
            ha="left",
            va="top",
            fontsize=8,
            zorder=3,
            color=scale.ink(means[column, row]),
            bbox={"facecolor": scale.rgba(means[column, row]), "edgecolor": "none", "pad": 0.8},
        )


def write_means(axes: Axes, x: Axis, y: Axis, means: Mapping[tuple[int, int], float], scale: Scale) -> str | None:
    """Write each cell's mean in it, where all of them fit; return what was written, for the caption."""
    if not means:
        return None
    power = _power(means.values())
    texts = {cell: _number(mean, power) for cell, mean in means.items()}
    widest = max(map(len, texts.values())) * 0.62 * NUMBER_SIZE + 1
    if any(x.share(column) * INNER[0] < widest or y.share(row) * INNER[1] < NUMBER_SIZE + 2 for column, row in means):
        return None
    for (column, row), text in texts.items():
        axes.text(
            x.middle(column),
            y.middle(row),
            text,
            ha="center",
            va="center",
            fontsize=NUMBER_SIZE,
            zorder=3,
            color=scale.ink(means[column, row]),
        )
    return "its value" if power == 0 else f"its value times {10**power:,}"


def draw_points(
    axes: Axes, evaluations: Sequence[EvaluationSummary], x: Axis, y: Axis, failed_only: bool = False
) -> None:
    """Draw where the evaluations lie: dots, and crosses for those that failed."""
    for failed in (True,) if failed_only else (False, True):
        places = [
            (x.coordinate(one.point.get(x.name)), y.coordinate(one.point.get(y.name)))
            for one in evaluations
            if (one.difference is None) == failed
        ]
        places = [place for place in places if None not in place]
        look: dict[str, Any] = (
            {"s": 22, "marker": "x", "color": FAILED, "linewidth": 1.3, "zorder": 4}
            if failed
            else {"s": 7, "facecolor": "#ffffff", "edgecolor": "#000000", "linewidth": 0.5, "zorder": 2.5}
        )
        axes.scatter(
            [place[0] for place in places],
            [place[1] for place in places],
            clip_on=False,
            rasterized=len(evaluations) > MANY,
            **look,
        )


def _power(means: Iterable[float]) -> int:
    """Return the power of ten by which numbers are multiplied so that four characters tell them apart."""
    largest = max(map(abs, means))
    return 0 if largest >= 0.1 or largest == 0 else min(9, 1 - math.floor(math.log10(largest)))


def _number(mean: float, power: int) -> str:
    scaled = mean * 10**power
    text = f"{scaled:.2f}" if abs(scaled) < 10 else f"{scaled:.1f}" if abs(scaled) < 100 else f"{scaled:.3g}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _hatch(axes: Axes) -> None:
    from matplotlib.patches import Rectangle

    look: dict[str, Any] = {"facecolor": "none", "edgecolor": FAINT, "hatch": "////", "linewidth": 0, "zorder": 0}
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, **look))


def _colour_bar(drawing: Drawing, scale: Scale, label: str) -> None:
    bar = colour_bar(drawing, scale.colours, scale.extend, label)
    if scale.ticks:
        bar.set_ticks(list(scale.ticks), labels=[f"{tick:.3g}" for tick in scale.ticks])
        bar.ax.minorticks_off()


def _corners(x: Axis, y: Axis, cell: tuple[int, int]) -> list[tuple[float, float]]:
    column, row = cell
    (left, right), (foot, top) = x.edges[column : column + 2], y.edges[row : row + 2]
    return [(left, foot), (right, foot), (right, top), (left, top)]
