"""The figures of a cross-study and of learning curves; colours, axes and files are the report's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from comparator.formats.names import as_file_name
from comparator.report.figures.channels import Row, clip, distinct, number_channel, references, series
from comparator.report.figures.figure import Figure, figure, layer
from comparator.report.figures.files import figure_file, inline_svg
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
FORMS = ("svg", "png")
LOWEST_SKILL = -1.0  # what has not learnt would otherwise press all curves together


def write(folder: Path, figures: Sequence[Figure]) -> list[tuple[Figure, str]]:
    """Write each figure as PNG and SVG, remove those of an earlier writing; returns each with its SVG for the page."""
    folder.mkdir(exist_ok=True)
    pictures = []
    for each in figures:
        contents = {form: figure_file(each, form) for form in FORMS}
        for form, content in contents.items():
            temporary = folder / f".{each.name}.tmp"
            temporary.write_bytes(content)
            temporary.replace(folder / f"{each.name}.{form}")
        pictures.append((each, inline_svg(contents["svg"].decode("utf-8"), each.name)))
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
    scale, decimals = metric_scale(means), decimals_for(means)
    places = [
        _cell((column, row), *cells.get((source, target), (math.nan, math.nan)), scale, decimals)
        for row, source in enumerate(studies)
        for column, target in enumerate(studies)
    ]
    x, y = _side("x", "tested on", len(studies)), _side("y", "trained on", len(studies))
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    name = NAMES.get(metric, metric)
    title = f"{name}: mean" + (f" ± deviation over {splits} splits" if splits > 1 else "")
    colour = scale.channel(title)
    middle = {"x": {**x, "field": "middle"}, "y": {**y, "field": "line"}}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    known = [place for place in places if "v" in place]
    own = [place for place in known if place["own"]]
    frame = {"filled": False, "fill": None, "strokeWidth": 1}
    layers = [
        layer(known, "rect", {"stroke": PAPER, "strokeWidth": 1.5}, x=x, y=y, **ends, color=colour),
        layer(_inset(own), "rect", frame, x=x, y=y, **ends, stroke=ink),
        *(
            layer(
                [{**place, "line": place["row"] + (lower if place["spread"] else 0)} for place in places],
                "text",
                {"fontSize": size},
                **middle,
                text={"field": field, "type": "nominal"},
                color=ink,
            )
            for field, lower, size in (("mean", -0.1, 14), ("spread", 0.2, 10))
        ),
    ]
    labels: list[Row] = [
        {"name": "x_labels", "value": [[clip(each), clip(tables.row_words(rows, each))] for each in studies]},
        {"name": "y_labels", "value": [clip(each) for each in studies]},
    ]
    caption = "Red is high, blue low, white the median. Framed: a model on its own study's held-out rows."
    if len(known) < len(places):
        caption += " None: no training or no test succeeded there."
    caption += " Below zero a model is worse than the mean of the test study's labels." if metric == "r2" else ""
    return figure(
        f"cross-study-{as_file_name(metric)}",
        _capital(f"{name} by training and test study"),
        {"layer": layers},
        caption,
        height=60 * len(studies),
        params=labels,
    )


def _cell(place: tuple[int, int], mean: float, deviation: float, scale: Scale, decimals: int) -> Row:
    column, row = place
    known = {} if math.isnan(mean) else {"v": mean}
    return {
        **{"x": column - 0.5, "x2": column + 0.5, "y": row - 0.5, "y2": row + 0.5, "middle": column, "row": row},
        **{"own": column == row, "ink": scale.ink(mean) if known else INK, **known},
        "mean": f"{mean:.{decimals}f}" if known else "none",
        "spread": "" if math.isnan(deviation) else f"± {deviation:.{decimals}f}",
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
    """As many digits behind the point as give the smallest value two that count, from two to five."""
    smallest = min((abs(value) for value in values if value), default=1.0)
    largest = max(map(abs, values), default=1.0)
    return min(5, max(2, 1 - math.floor(math.log10(max(smallest, largest / 20)))))


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
    seen = [max(number, LOWEST_SKILL) for number in numbers] if skill else numbers
    sizes = [int(size) for size in sorted(chosen.shard.unique())]
    ends = (sizes[0] / 1.15, sizes[-1] * 1.15)
    x = number_channel(
        "x",
        "training rows",
        log=True,
        domain=ends,
        values=sizes,
        labelExpr="format(datum.value, ',')",
        labelAngle=-40,
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
