"""The figures of a cross-study and of learning curves; colours, axes and files are the report's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from comparator.formats.names import as_file_name
from comparator.report.figures.channels import TOGETHER, Row, clip, distinct, number_channel, references, series
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.files import WIDTH, figure_file, inline_svg
from comparator.report.figures.heat import Scale, metric_scale
from comparator.report.figures.palette import INK, PAPER
from comparator.studies import tables

# One colour a study: Okabe and Ito, told apart by colour-blind readers; marks differ too.
STUDIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "triangle-right", "triangle-left")
#: What metrics are called in full; others are called as the model does.
NAMES = {
    "r2": "R2",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "pcc": "Pearson correlation",
    "scc": "Spearman correlation",
}
#: Of these more is better.
SCORES = ("r2", "pcc", "scc")
FORMS = ("svg", "png")
NARROW = 340  # pixels, on a telephone
NARROW_COLUMNS, NARROW_WORDS = 3, 14  # columns of a matrix, and characters below a number, that have room there
LOWEST_SKILL = -1.0  # what has not learnt would otherwise press all curves together


@dataclass(frozen=True)
class Picture:
    """A figure as SVG for a page, and, where it fits itself to its place, as one for a narrow screen; else empty."""

    figure: Figure
    wide: str
    narrow: str


def write(folder: Path, figures: Sequence[Figure]) -> list[Picture]:
    """Write each figure as PNG and SVG, remove those of an earlier writing; returns them for the page."""
    folder.mkdir(exist_ok=True)
    pictures = []
    for each in figures:
        contents = {form: figure_file(each, form) for form in FORMS}
        for form, content in contents.items():
            temporary = folder / f".{each.name}.tmp"
            temporary.write_bytes(content)
            temporary.replace(folder / f"{each.name}.{form}")
        narrow = figure_file(each, "svg", width=NARROW) if each.chart["width"] == "container" else b""
        wide, small = (svg.decode("utf-8") for svg in (contents["svg"], narrow))
        pictures.append(Picture(each, inline_svg(wide, each.name), small and inline_svg(small, f"{each.name}-narrow")))
    names = {each.name for each in figures}
    for path in [*folder.glob("*.svg"), *folder.glob("*.png")]:
        if path.stem not in names:
            path.unlink()
    return pictures


def cross_study(scores: pd.DataFrame, metric: str, studies: Sequence[str], rows: pd.DataFrame) -> Figure:
    """Return the matrix of one metric: a row a training study, a column a test study, mean and deviation."""
    cells = tables.cells(scores, metric)
    splits = scores.split.nunique()
    means = [mean for mean, _ in cells.values()]
    decimals = decimals_of(list(cells.values()))
    shown = {pair: _mean_and_deviation(*values, decimals) for pair, values in cells.items()}
    name = NAMES.get(metric, metric)
    better = f" (blue is {'worse' if metric in SCORES else 'better'})" if metric in NAMES else ""
    caption = f"Red is high, blue low{better}, white the median. Framed: a model on its own study's held-out rows."
    if len(shown) < len(studies) ** 2:
        caption += " None: no training or no test succeeded there."
    caption += " Below zero a model is worse than the mean of the test study's labels." if metric == "r2" else ""
    return matrix(
        f"cross-study-{as_file_name(metric)}",
        _capital(f"{name} by training and test study"),
        Matrix(
            shown,
            studies,
            [(study, tables.row_words(rows, study)) for study in studies],
            ("trained on", "tested on"),
            (name, "mean" + (f" ± deviation over {splits} splits" if splits > 1 else "")),
        ),
        metric_scale(means),
        caption,
    )


def _mean_and_deviation(mean: float, deviation: float, decimals: int) -> MatrixCell:
    below = "" if math.isnan(deviation) else f"± {deviation:.{decimals}f}"
    return MatrixCell(mean, f"{mean:.{decimals}f}", below)


@dataclass(frozen=True)
class MatrixCell:
    """A number that has a colour, what stands in the cell, and what stands below that."""

    value: float
    text: str
    below: str


@dataclass(frozen=True)
class Matrix:
    """Cells by row and column. A column has its name and a line below; `axes` are the words of rows and columns.

    `colour` is what the colour is, in one line or several.
    """

    cells: Mapping[tuple[str, str], MatrixCell]
    rows: Sequence[str]
    columns: Sequence[tuple[str, str]]
    axes: tuple[str, str]
    colour: str | Sequence[str]


def matrix(name: str, title: str, shown: Matrix, scale: Scale, caption: str) -> Figure:
    """Return a matrix of cells in colours; framed are those of a row and a column of one name."""
    columns = [column for column, _ in shown.columns]
    places = [
        _cell((column, row), shown.cells.get((source, target)), source == target, scale)
        for row, source in enumerate(shown.rows)
        for column, target in enumerate(columns)
    ]
    x, y = _side("x", shown.axes[1], len(columns)), _side("y", shown.axes[0], len(shown.rows))
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    middle = {"x": {**x, "field": "middle"}, "y": {**y, "field": "line"}}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    known = [place for place in places if "v" in place]
    own = [place for place in known if place["own"]]
    frame = {"filled": False, "fill": None, "strokeWidth": 1}
    layers = [
        layer(
            known, "rect", {"stroke": PAPER, "strokeWidth": 1.5}, x=x, y=y, **ends, color=scale.channel(shown.colour)
        ),
        layer(_inset(own), "rect", frame, x=x, y=y, **ends, stroke=ink),
        *(
            layer(
                [{**place, "line": place["row"] + (lower if place["below"] else 0)} for place in places],
                "text",
                {"fontSize": size},
                **middle,
                text={"field": field, "type": "nominal"},
                color=ink,
            )
            for field, lower, size in (("text", -0.1, 14), ("below", 0.2, 10))
        ),
    ]
    labels: list[Row] = [
        {"name": "x_labels", "value": [[clip(line) for line in each if line] for each in shown.columns]},
        {"name": "y_labels", "value": [clip(each) for each in shown.rows]},
    ]
    # Its cells have words in them: where a narrow screen has no room for these, it is moved along.
    has_room = len(columns) <= NARROW_COLUMNS and all(len(each.below) <= NARROW_WORDS for each in shown.cells.values())
    whole = {"layer": layers, **({} if has_room else {"width": WIDTH})}
    return figure(name, title, whole, caption, height=60 * len(shown.rows), params=labels)


def _cell(place: tuple[int, int], found: MatrixCell | None, own: bool, scale: Scale) -> Row:
    column, row = place
    known = {} if found is None else {"v": found.value}
    return {
        **{"x": column - 0.5, "x2": column + 0.5, "y": row - 0.5, "y2": row + 0.5, "middle": column, "row": row},
        **{"own": own, "ink": INK if found is None else scale.ink(found.value), **known},
        "text": "none" if found is None else found.text,
        "below": "" if found is None else found.below,
    }


def _inset(rows: Sequence[Row]) -> list[Row]:
    by = {"x": 0.04, "x2": -0.04, "y": 0.04, "y2": -0.04}
    return [{**row, **{end: row[end] + inwards for end, inwards in by.items()}} for row in rows]


def _side(which: str, title: str, count: int) -> Row:
    return {
        "field": which,
        "type": "quantitative",
        "scale": {"domain": [-0.5, count - 0.5], "nice": False, "zero": False, "reverse": which == "y"},
        "axis": {
            **{"title": title, "values": list(range(count)), "labelExpr": f"{which}_labels[datum.value]"},
            **{"ticks": False, "domain": False, "labelOverlap": False, "labelPadding": 6},
        },
    }


def decimals_for(values: Sequence[float]) -> int:
    """As many digits behind the point as give the smallest value, and what lies between all, two that count.

    From two to five; what is less than a hundredth of the largest is not told apart.
    """
    smallest = min((abs(value) for value in values if value), default=1.0)
    largest = max(map(abs, values), default=0.0) or 1.0
    apart = max(values, default=0.0) - min(values, default=0.0)
    told = [max(smallest, largest / 20), *([max(apart, largest / 100)] if apart else [])]
    return min(5, max(2, 1 - math.floor(math.log10(min(told)))))


def decimals_of(values: Sequence[tuple[float, float]]) -> int:
    """As `decimals_for` of means, and as many as give most of their deviations a digit that counts; five at most."""
    deviations = sorted(deviation for _, deviation in values if deviation > 0)
    least = decimals_for([mean for mean, _ in values])
    if not deviations:
        return least
    return min(5, max(least, -math.floor(math.log10(deviations[len(deviations) // 2]))))


def learning_curve(curves: pd.DataFrame, metric: str, studies: Sequence[str]) -> Figure:
    """Return one metric over the number of training rows, a line a study, with its deviation over splits."""
    chosen = curves[curves.metric == metric]
    splits, names = int(chosen.splits.max()), distinct(studies)
    skill = metric == "r2"
    rows = [
        row
        for place, (study, name) in enumerate(zip(studies, names, strict=True))
        for row in _points(chosen[chosen.dataset == study].sort_values("shard"), name, place)
    ]
    numbers = [end for row in rows for end in (row["low"], row["high"])] + [0.0] * skill
    lowest = LOWEST_SKILL if skill and any(row["y"] >= LOWEST_SKILL for row in rows) else -math.inf
    seen = [max(number, lowest) for number in numbers]
    sizes = [int(size) for size in sorted(chosen.shard.unique())]
    ends = (sizes[0] / 1.15, sizes[-1] * 1.15)
    x = number_channel(
        "x",
        "training rows",
        log=True,
        domain=ends,
        values=sizes,
        labelExpr="format(datum.value, ',')",
        labelAngle=-40 if sum(len(f"{size:,}") + 2 for size in sizes) > TOGETHER else 0,
        grid=True,
    )
    name = NAMES.get(metric, metric)
    y = number_channel("y", clip(name), holding=seen, grid=True)
    look = series(
        {
            study: {"color": STUDIES[place % len(STUDIES)], "shape": SHAPES[place % len(SHAPES)]}
            for place, study in enumerate(names)
        }
    )
    colour = {"color": look["color"]}
    bounds = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
    layers = [
        layer(rows, "rule", {"strokeWidth": 1, "clip": True}, x=x, **bounds, **colour),
        layer(rows, "line", {"strokeWidth": 1.6, "clip": True}, x=x, y=y, **colour),
        layer(rows, "point", {"filled": True, "size": 50, "opacity": 1, "clip": True}, x=x, y=y, **look),
        *references([{"y": 0, "text": "mean predictor", "colour": INK, "dash": [6, 4]}] * skill, y),
    ]
    caption = "On held-out rows, the same at every size. Every size has as many epochs: few rows are few steps too." + (
        f" Mean over {splits} splits; bars are their deviation." if splits > 1 else ""
    )
    below = sum(row["y"] < lowest for row in rows)
    caption += f" Below {lowest:g}, in the table alone: {below} of {len(rows)} means." if below else ""
    title = _capital(f"{name} by training rows")
    return figure(f"learning-curve-{as_file_name(metric)}", title, {"layer": layers}, caption, height=300)


def _points(curve: pd.DataFrame, study: str, place: int) -> list[Row]:
    # Studies of one size stand side by side, so that no bar hides another.
    apart = 1.02 ** (place - 1)
    points = []
    for size, mean, deviation in zip(curve["shard"], curve["mean"], curve["std"].fillna(0.0), strict=True):
        said = f"{study}, {size:,} rows\n{mean:.4g}" + (f" ± {deviation:.2g}" if deviation else "")
        ends = {"low": mean - deviation, "high": mean + deviation}
        points.append({"x": size * apart, "y": mean, **ends, "series": study, "tip": said})
    return points


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
