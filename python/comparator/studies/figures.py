"""The figures of a cross-study and of learning curves; style, colours and files are the report's."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from comparator.formats.names import as_file_name
from comparator.report import svg
from comparator.report.figures.drawing import FAINT, INK, METRIC, MUTED, PAPER, Drawing, style
from comparator.studies import tables

# One colour a study: Okabe and Ito, told apart by colour-blind readers; marks differ too.
STUDIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
#: What metrics are called in full; others are called as the model does.
NAMES = {
    "r2": "R2",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "pcc": "Pearson correlation",
    "scc": "Spearman correlation",
}
LOWEST_SKILL = -1.0  # what has not learnt would otherwise press all curves together


def write(folder: Path, drawings: Sequence[Drawing]) -> list[tuple[Drawing, str]]:
    """Write each figure as PNG and SVG, remove those of an earlier writing; returns each with its SVG for the page."""
    folder.mkdir(exist_ok=True)
    inline = []
    with style():
        for drawing in drawings:
            svg.settle(drawing)
            document = svg.svg(drawing)
            for ending, content in (("svg", document), ("png", svg.png(drawing))):
                temporary = folder / f".{drawing.name}.tmp"
                temporary.write_bytes(content)
                temporary.replace(folder / f"{drawing.name}.{ending}")
            inline.append((drawing, svg.inline(document, drawing)))
    names = {drawing.name for drawing in drawings}
    for path in [*folder.glob("*.svg"), *folder.glob("*.png")]:
        if path.stem not in names:
            path.unlink()
    return inline


def cross_study(scores: pd.DataFrame, metric: str, studies: Sequence[str], rows: pd.DataFrame) -> Drawing:
    """Return the matrix of one metric: a row a training study, a column a test study, mean and deviation."""
    cells = tables.cells(scores, metric)
    count = len(studies)
    splits = scores.split.nunique()
    with style():
        drawing, axes = _new(f"cross-study-{as_file_name(metric)}", 2.2 + 0.95 * count, 1.5 + 0.62 * count)
        means = [mean for mean, _ in cells.values()]
        colours, decimals = _around_median(means), decimals_for(means)
        for row, source in enumerate(studies):
            for column, target in enumerate(studies):
                mean, deviation = cells.get((source, target), (math.nan, math.nan))
                _cell(axes, (column, row), mean, deviation, colours, decimals)
        axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5))
        labels = [f"{target}\n{tables.row_words(rows, target)}" for target in studies]
        axes.set_xticks(range(count), labels)
        axes.set_yticks(range(count), studies)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("tested on")
        axes.set_ylabel("trained on")
        _title(
            axes, f"{NAMES.get(metric, metric)}: mean" + (f" ± deviation over {splits} splits" if splits > 1 else "")
        )
    drawing.title = _capital(f"{NAMES.get(metric, metric)} by training and test study")
    drawing.caption = "Red is high, blue low, white the median. Framed: a model on its own study's held-out rows." + (
        " Below zero a model is worse than the mean of the test study's labels." if metric == "r2" else ""
    )
    return drawing


def _cell(axes: Any, place: tuple[int, int], mean: float, deviation: float, colours: Any, decimals: int) -> None:
    from matplotlib.patches import Rectangle

    column, row = place
    filling = "none" if math.isnan(mean) else colours.to_rgba(mean)
    ink = INK if math.isnan(mean) else "#000000" if sum(filling[:3]) > 1.6 else "#ffffff"
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=filling, edgecolor=PAPER, linewidth=1.5))
    if column == row:
        axes.add_patch(
            Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, facecolor="none", edgecolor=ink, linewidth=0.8)
        )
    text = "none" if math.isnan(mean) else f"{mean:.{decimals}f}"
    spread = "" if math.isnan(deviation) else f"± {deviation:.{decimals}f}"
    axes.text(column, row - (0.1 if spread else 0), text, ha="center", va="center", color=ink, fontsize=11)
    axes.text(column, row + 0.2, spread, ha="center", va="center", color=ink, fontsize=8)


def decimals_for(values: Sequence[float]) -> int:
    """As many digits behind the point as give the smallest value two that count, from two to five."""
    smallest = min((abs(value) for value in values if value), default=1.0)
    largest = max(map(abs, values), default=1.0)
    return min(5, max(2, 1 - math.floor(math.log10(max(smallest, largest / 20)))))


def _around_median(values: Sequence[float]) -> Any:
    """The colours of one model's metric: white at the median, each side stretched to its end."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm

    low, middle, high = min(values), statistics.median(values), max(values)
    margin = 1e-9 + 0.02 * (high - low)
    norm = TwoSlopeNorm(middle, min(low, middle - margin), max(high, middle + margin))
    return ScalarMappable(norm, colormaps[METRIC])


def learning_curve(curves: pd.DataFrame, metric: str, studies: Sequence[str]) -> Drawing:
    """Return one metric over the number of training rows, a line a study, with its deviation over splits."""
    chosen = curves[curves.metric == metric]
    splits = int(chosen.splits.max())
    with style():
        drawing, axes = _new(f"learning-curve-{as_file_name(metric)}", 4.7, 3.4)
        for place, study in enumerate(studies):
            curve = chosen[chosen.dataset == study].sort_values("shard")
            if len(curve):
                _line(axes, curve, study, place)
        if metric == "r2":
            axes.axhline(0, color=INK, lw=1, ls="--", label="mean predictor")
            axes.set_ylim(bottom=max(axes.get_ylim()[0], LOWEST_SKILL))
        axes.set_xscale("log")
        sizes = sorted(chosen.shard.unique())
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=40, ha="right", rotation_mode="anchor")
        axes.minorticks_off()
        axes.set_xlabel("training rows")
        axes.set_ylabel(NAMES.get(metric, metric))
        axes.grid(True, color=FAINT)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2, columnspacing=1.1)
    drawing.title = _capital(f"{NAMES.get(metric, metric)} by training rows")
    drawing.caption = (
        "On held-out rows, the same at every size. Every size has as many epochs: few rows are few steps too."
        + (f" Mean over {splits} splits; bars are their deviation." if splits > 1 else "")
    )
    return drawing


def _line(axes: Any, curve: pd.DataFrame, study: str, place: int) -> None:
    colour, marker = STUDIES[place % len(STUDIES)], MARKERS[place % len(MARKERS)]
    # Studies of one size stand side by side, so that no bar hides another.
    across = curve.shard * 1.02 ** (place - 1)
    axes.errorbar(
        across,
        curve["mean"],
        yerr=curve["std"].fillna(0.0),
        color=colour,
        marker=marker,
        ms=4.5,
        lw=1.6,
        elinewidth=1,
        capsize=2,
        label=study,
    )


def _new(name: str, width: float, height: float) -> tuple[Drawing, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return Drawing(name, "", "", figure), figure.add_subplot()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _title(axes: Any, text: str) -> None:
    axes.set_title(text, loc="left", color=MUTED)
