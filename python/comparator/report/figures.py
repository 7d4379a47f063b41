"""The report's figures. Each is drawn once, and serves as PNG, as SVG and inside the page.

A figure knows nothing of files and HTML: it is a `Drawing`, a matplotlib figure together with what its marks
say when they are hovered over and which evaluations they stand for. A new figure is one more function that
takes a `Summary` and returns drawings, and one more line in `draw`.
"""

from __future__ import annotations

import itertools
import statistics
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from comparator.report import words
from comparator.report.axes import Axis, show
from comparator.report.summary import (
    MEAN_PREDICTOR_LOSS,
    SKILL,
    Evaluation,
    Summary,
    beats_mean_predictor,
    effect,
)

# matplotlib is imported where it is used, and its stubs change from version to version.
Figure: TypeAlias = Any
Axes: TypeAlias = Any
Artist: TypeAlias = Any

# The same colours mean the same thing everywhere. The page replaces these by its own, light or dark.
INK, MUTED, FAINT, PAPER = "#1f2328", "#6a737d", "#d8dee4", "#fffffe"
MODELS = ("#0072b2", "#d55e00")  # Okabe and Ito: told apart by colour-blind readers
MEAN, FAILED = "#009e73", "#a40e26"
DIFFERENCE = "viridis"
MARKERS = ("o", "s")

WIDTH = 4.7  # inches; narrow enough that the text is still read on a phone
MAPS = 6  # pairs of hyperparameters at most
MANY = 2000  # points; beyond, they are drawn as an image inside the SVG
LOWEST_SKILL = -1.0  # a run that diverged would otherwise press all others together

STYLE: Any = {
    "font.size": 9,
    "font.family": ["DejaVu Sans"],
    "axes.titlesize": 9,
    "legend.fontsize": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "hatch.color": FAINT,
    "hatch.linewidth": 0.6,
    # Names come from users: a dollar sign in one is no formula. Text stays text, searchable and small.
    "text.parse_math": False,
    "svg.fonttype": "none",
    "axes.formatter.use_mathtext": False,
}


@dataclass(frozen=True)
class Mark:
    """What one mark of a figure says, and the numbers of the evaluations that it stands for."""

    text: str
    evaluations: tuple[int, ...]


@dataclass
class Drawing:
    """A figure with its name (also of its files), title, caption and marks.

    `marks` maps the gid of an artist to its marks, in the order in which the artist draws its items.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    marks: dict[str, list[Mark]] = field(default_factory=dict)

    def mark(self, artist: Artist, marks: Sequence[Mark]) -> None:
        """Give the items of `artist` their marks."""
        gid = f"{self.name}-{len(self.marks)}"
        artist.set_gid(gid)
        self.marks[gid] = list(marks)


def draw(summary: Summary) -> list[Drawing]:
    """Return the figures that `summary` has data for, in the page's order; none before a first evaluation."""
    if not summary.evaluations:
        return []
    return [*search_maps(summary), progress(summary), *model_comparison(summary)]


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the report's style, whatever the user's own matplotlib settings."""
    import matplotlib
    from matplotlib import style as styles

    with styles.context("default"), matplotlib.rc_context(STYLE):
        yield


def search_maps(summary: Summary) -> list[Drawing]:
    """Return a heat map for each pair of varying hyperparameters; a strip plot where only one varies.

    Of more than four hyperparameters, the four that explain most of the difference are paired.
    """
    axes = _strongest_first(summary.axes, summary)[:4]
    axes.sort(key=summary.axes.index)
    if len(axes) == 1:
        return [_strip(summary, axes[0])]
    pairs = list(itertools.combinations(axes, 2))[:MAPS]
    limits = _common_limits([cells for pair in pairs for cells in _cells(summary, *pair).values()])
    drawings = [
        _heat_map(summary, x, y, f"search-{number}" if len(pairs) > 1 else "search", limits)
        for number, (x, y) in enumerate(pairs, 1)
    ]
    for drawing in drawings[1:]:
        drawing.caption = "Read like the first map; the colours mean the same."
    return drawings


def progress(summary: Summary) -> Drawing:
    """Return best and mean by generation; by evaluation where the strategy has no generations."""
    if not summary.generations:
        return _progress_by_evaluation(summary)
    drawing, axes = _new("progress", "Best and mean by generation")
    generations = summary.generations
    place = _spread(summary)
    _scatter_evaluations(drawing, axes, summary, place)
    found = [one for one in generations if one.best is not None]
    numbers = [one.number for one in found]
    if found:
        so_far = [one for one in generations if one.best_so_far is not None]
        axes.plot(
            [one.number for one in so_far], [one.best_so_far for one in so_far], color=INK, lw=2, label="best so far"
        )
        best = axes.scatter(
            numbers,
            [one.best for one in found],
            s=48,
            facecolor=PAPER,
            edgecolor=INK,
            linewidth=1.4,
            zorder=4,
            label="generation's best",
        )
        axes.plot(numbers, [one.mean for one in found], color=MEAN, lw=1.6)
        mean = axes.scatter(
            numbers, [one.mean for one in found], s=28, color=MEAN, marker="D", zorder=4, label="generation's mean"
        )
        drawing.mark(best, [Mark(f"generation {one.number}\nbest {show(one.best)}", one.members) for one in found])
        drawing.mark(
            mean,
            [
                Mark(f"generation {one.number}\nmean {show(one.mean)} of {one.count - one.failed}", one.members)
                for one in found
            ],
        )
    _failed_ticks(drawing, axes, summary, place)
    shown = generations[:: max(1, -(-len(generations) // 10))]
    axes.set_xticks([one.number for one in shown], [f"{one.number}\nn = {one.count - one.failed}" for one in shown])
    axes.set_xlabel("generation, and how many of its evaluations succeeded")
    axes.set_xlim(generations[0].number - 0.5, generations[-1].number + 0.5)
    _finish(axes, summary)
    drawing.caption = (
        "The line never worsens: it is the best found up to then. The mean tells whether the search as a "
        "whole moves to where the objective is better, or has only been lucky once. Small dots are single "
        "evaluations" + (", crosses at the foot those that failed." if summary.reasons else ".")
    )
    return drawing


def model_comparison(summary: Summary) -> list[Drawing]:
    """Return each model's metric over the strongest hyperparameter, with the mean predictor as reference."""
    metric = summary.mean_predictor.metric if summary.mean_predictor else summary.metric
    done = [one for one in summary.searched if one.status == "ok" and all(metric in metrics for metrics in one.metrics)]
    if not done:
        return []
    averages = [statistics.fmean(metrics[metric] for metrics in one.metrics) for one in done]
    strongest = max(summary.axes, key=lambda axis: effect(axis, done, averages), default=None)
    drawing, axes = _new("models", _title_of_comparison(summary, metric))
    place = _coordinate_of(strongest)
    lowest = LOWEST_SKILL if metric == SKILL else float("-inf")
    for submodel, model in enumerate(summary.models):
        colour, marker = MODELS[submodel % 2], MARKERS[submodel % 2]
        better, worse = (
            [one for one in done if (beats_mean_predictor(one.metrics[submodel]) is False) == is_worse]
            for is_worse in (False, True)
        )
        for which, size, face, label in ((better, 20, colour, _clip(model)), (worse, 26, "none", None)):
            points = axes.scatter(
                [place(one) for one in which],
                [max(one.metrics[submodel][metric], lowest) for one in which],
                s=size,
                facecolor=face,
                edgecolor=colour,
                linewidth=1.1,
                marker=marker,
                alpha=0.85,
                zorder=3,
                clip_on=False,
                rasterized=len(done) > MANY,
                label=label,
            )
            drawing.mark(
                points,
                [
                    Mark(
                        f"{model}, evaluation {one.number}\n{words.point(one, _names(summary))}\n"
                        f"{metric} {show(one.metrics[submodel][metric])}",
                        (one.number,),
                    )
                    for one in which
                ],
            )
        if not better:
            axes.scatter([], [], s=26, facecolor="none", edgecolor=colour, marker=marker, label=_clip(model))
    _reference(axes, summary, metric, done)
    _set_axis(axes, strongest, "x")
    _spread_y(axes, [metrics[metric] for one in done for metrics in one.metrics], metric)
    axes.set_ylabel(_clip(metric))
    axes.grid(True, axis="y")
    _legend(axes)
    drawing.caption = _caption_of_comparison(summary, metric, done)
    return [drawing]


# -- the search's heat map ---------------------------------------------------------------------------------


def _heat_map(summary: Summary, x: Axis, y: Axis, name: str, limits: tuple[float, float]) -> Drawing:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    drawing, axes = _new(name, f"Where the search looked: {_clip(x.name)} and {_clip(y.name)}", height=4.0)
    axes.add_patch(
        Rectangle(
            (0, 0),
            1,
            1,
            transform=axes.transAxes,
            facecolor="none",
            edgecolor=FAINT,
            hatch="////",
            linewidth=0,
            zorder=0,
        )
    )
    colours: Any = ScalarMappable(Normalize(*limits), colormaps[DIFFERENCE])
    cells = _cells(summary, x, y)
    means = {cell: statistics.fmean(_differences(members)) for cell, members in cells.items()}
    filling: dict[tuple[int, int], Any] = {cell: colours.to_rgba(mean) for cell, mean in means.items()}
    patches = PolyCollection(
        [_corners(x, y, cell) for cell in cells],
        zorder=1,
        edgecolor=PAPER,
        linewidth=0.6,
        facecolor=list(filling.values()) or "none",
    )
    axes.add_collection(patches, autolim=False)
    drawing.mark(
        patches,
        [
            Mark(
                f"{x.name} {x.label(column)}\n{y.name} {y.label(row)}\nmean {show(means[column, row])} of "
                f"{len(members)}",
                tuple(one.number for one in members),
            )
            for (column, row), members in cells.items()
        ],
    )
    for (column, row), members in cells.items():
        dark = sum(filling[column, row][:3]) < 1.5
        axes.annotate(
            str(len(members)),
            (x.edges[column], y.edges[row + 1]),
            (2.5, -2.5),
            textcoords="offset points",
            ha="left",
            va="top",
            fontsize=8,
            zorder=3,
            color="#ffffff" if dark else "#000000",
            bbox={"facecolor": filling[column, row], "edgecolor": "none", "pad": 0.8},
        )
    _overlay_points(axes, summary, x, y)
    _set_axis(axes, x, "x")
    _set_axis(axes, y, "y")
    if cells:
        bar = drawing.figure.colorbar(colours, ax=axes, pad=0.02, fraction=0.06, aspect=28)
        bar.set_label(_objective(summary))
        bar.outline.set_visible(False)
    discrete = x.discrete or y.discrete
    width = "One bin is one value, or a tenth of a range" if discrete else "One bin is a tenth of a range"
    drawing.caption = (
        f"{width}; a cell's colour is the mean over its evaluations, the number how many they are, the "
        "dots where they lie. Hatched cells were never evaluated: nothing is known there. A cell with 1 "
        "rests on one evaluation; believe a patch of neighbours that agree before a single bright cell."
        + (" Crosses are evaluations that failed." if summary.reasons else "")
    )
    return drawing


def _cells(summary: Summary, x: Axis, y: Axis) -> dict[tuple[int, int], list[Evaluation]]:
    """Return the evaluations that succeeded by the (column, row) of their cell."""
    cells: dict[tuple[int, int], list[Evaluation]] = {}
    for one in summary.searched:
        column, row = x.bin(one.point.get(x.name)), y.bin(one.point.get(y.name))
        if one.difference is not None and column is not None and row is not None:
            cells.setdefault((column, row), []).append(one)
    return cells


def _common_limits(cells: Sequence[list[Evaluation]]) -> tuple[float, float]:
    """Return the colour scale's ends: the same for all pairs, so that their colours may be compared."""
    means = [statistics.fmean(_differences(members)) for members in cells] or [0.0, 1.0]
    low, high = min(means), max(means)
    return (low, high) if high - low > 1e-9 * max(abs(low), abs(high)) else (low - 0.05, high + 0.05)


def _corners(x: Axis, y: Axis, cell: tuple[int, int]) -> list[tuple[float, float]]:
    column, row = cell
    (left, right), (foot, top) = x.edges[column : column + 2], y.edges[row : row + 2]
    return [(left, foot), (right, foot), (right, top), (left, top)]


def _overlay_points(axes: Axes, summary: Summary, x: Axis, y: Axis) -> None:
    rasterized = len(summary.searched) > MANY
    for failed in (False, True):
        places = [
            (x.coordinate(one.point.get(x.name)), y.coordinate(one.point.get(y.name)))
            for one in summary.searched
            if (one.difference is None) == failed
        ]
        places = [place for place in places if None not in place]
        across, up = [place[0] for place in places], [place[1] for place in places]
        if failed:
            axes.scatter(across, up, s=22, marker="x", color=FAILED, linewidth=1.3, zorder=4, clip_on=False)
        else:
            axes.scatter(
                across,
                up,
                s=7,
                facecolor="#ffffff",
                edgecolor="#000000",
                linewidth=0.5,
                zorder=2.5,
                clip_on=False,
                rasterized=rasterized,
            )


def _strip(summary: Summary, axis: Axis) -> Drawing:
    """Return the objective over the only hyperparameter, with each bin's mean."""
    drawing, axes = _new("search", f"Where the search looked: {_clip(axis.name)}")
    place = _coordinate_of(axis)
    _scatter_evaluations(drawing, axes, summary, place, size=18)
    bins: dict[int, list[Evaluation]] = {}
    for one in summary.searched:
        number = axis.bin(one.point.get(axis.name))
        if one.difference is not None and number is not None:
            bins.setdefault(number, []).append(one)
    means = axes.hlines(
        [statistics.fmean(_differences(members)) for members in bins.values()],
        [axis.edges[number] for number in bins],
        [axis.edges[number + 1] for number in bins],
        color=MEAN,
        lw=3,
        label="mean of a bin",
    )
    drawing.mark(
        means,
        [
            Mark(
                f"{axis.name} {axis.label(number)}\nmean {show(statistics.fmean(_differences(members)))} of "
                f"{len(members)}",
                tuple(one.number for one in members),
            )
            for number, members in bins.items()
        ],
    )
    _failed_ticks(drawing, axes, summary, place)
    _set_axis(axes, axis, "x")
    _finish(axes, summary)
    drawing.caption = (
        "Each dot is one evaluation, each bar the mean over a bin: a tenth of the range, or "
        "one value. Believe bars that rise or fall together before a single high dot."
    )
    return drawing


# -- best and mean -----------------------------------------------------------------------------------------


def _progress_by_evaluation(summary: Summary) -> Drawing:
    drawing, axes = _new("progress", "The best so far")
    place = _coordinate_of(None)
    _scatter_evaluations(drawing, axes, summary, place, size=16)
    if summary.best_so_far:
        order = [number for number, _ in summary.best_so_far]
        axes.step(order, [best for _, best in summary.best_so_far], where="post", color=INK, lw=2, label="best so far")
    _failed_ticks(drawing, axes, summary, place)
    numbers = [one.number for one in summary.searched] or [0]
    axes.set_xlim(min(numbers) - 0.5, max(numbers) + 0.5)
    _set_axis(axes, None, "x")
    _finish(axes, summary)
    drawing.caption = "Each dot is one evaluation, by its number; the line is the best found up to then." + (
        " Crosses at the foot are evaluations that failed." if summary.reasons else ""
    )
    return drawing


def _spread(summary: Summary) -> Callable[[Evaluation], Any]:
    """Return where an evaluation stands: beside its generation's number, so that dots do not hide another."""
    places: dict[int, float] = {}
    for generation in summary.generations:
        for order, number in enumerate(generation.members):
            places[number] = generation.number + 0.6 * ((order + 0.5) / generation.count - 0.5)
    return lambda one: places.get(one.number)


def _scatter_evaluations(
    drawing: Drawing, axes: Axes, summary: Summary, place: Callable[[Evaluation], Any], size: float = 7
) -> None:
    done = [one for one in summary.searched if one.difference is not None and place(one) is not None]
    points = axes.scatter(
        [place(one) for one in done],
        [one.difference for one in done],
        s=size,
        color=MUTED,
        alpha=0.6,
        linewidth=0,
        zorder=2,
        clip_on=False,
        rasterized=len(done) > MANY,
    )
    drawing.mark(
        points,
        [
            Mark(f"evaluation {one.number}: {show(one.difference)}\n{words.point(one, _names(summary))}", (one.number,))
            for one in done
        ],
    )


def _failed_ticks(drawing: Drawing, axes: Axes, summary: Summary, place: Callable[[Evaluation], Any]) -> None:
    """Draw a cross at the foot for each evaluation that failed: they have no height."""
    failed = [one for one in summary.searched if one.difference is None and place(one) is not None]
    if not failed:
        return
    crosses = axes.scatter(
        [place(one) for one in failed],
        [0.02] * len(failed),
        s=22,
        marker="x",
        color=FAILED,
        linewidth=1.3,
        zorder=5,
        clip_on=False,
        label="failed",
        transform=axes.get_xaxis_transform(),
    )
    drawing.mark(
        crosses, [Mark(f"evaluation {one.number}: {one.status}\n{one.reason or ''}", (one.number,)) for one in failed]
    )


# -- the models against the mean predictor -----------------------------------------------------------------


def _title_of_comparison(summary: Summary, metric: str) -> str:
    who = " and ".join(_clip(model) for model in summary.models)
    return f"{who} against the mean predictor" if summary.mean_predictor else f"{who}: {_clip(metric)}"


def _reference(axes: Axes, summary: Summary, metric: str, done: Sequence[Evaluation]) -> None:
    """Draw what the mean predictor reaches: 0 on the R2 scale, each model's own loss on the loss scale."""
    if not summary.mean_predictor:
        return
    if metric == SKILL:
        axes.axhline(0, color=INK, lw=1.2, ls="--", label="mean predictor")
        return
    for submodel, model in enumerate(summary.models):
        losses = [
            one.metrics[submodel][MEAN_PREDICTOR_LOSS] for one in done if MEAN_PREDICTOR_LOSS in one.metrics[submodel]
        ]
        if losses:
            axes.axhline(
                statistics.fmean(losses),
                color=MODELS[submodel % 2],
                lw=1.2,
                ls="--",
                label=f"mean predictor, {_clip(model)}",
            )


def _spread_y(axes: Axes, values: Sequence[float], metric: str) -> None:
    """Take a log scale where a few runs that diverged would press all others together."""
    if metric != SKILL and min(values) > 0 and max(values) > 100 * min(values):
        axes.set_yscale("log")
    if axes.get_yscale() == "linear" and max(values) == min(values):
        axes.margins(y=0.5)
    _plain_ticks(axes.yaxis)


def _caption_of_comparison(summary: Summary, metric: str, done: Sequence[Evaluation]) -> str:
    sentence = words.mean_predictor(summary)
    if sentence is None:
        return (
            "Each mark is one training (the mean over seeds where there are several). Without "
            f"{SKILL} or {MEAN_PREDICTOR_LOSS}, whether the mean predictor is beaten is not known."
        )
    side = "below" if metric == SKILL else "above"
    clipped = sum(metrics[metric] < LOWEST_SKILL for one in done for metrics in one.metrics)
    return (
        f"{sentence} Hollow marks {side} the dashed line are worse than always predicting the mean of "
        "the labels: a difference between models that have learnt nothing says little."
        + (
            f" {clipped} marks lie lower still and are drawn at {show(LOWEST_SKILL)}."
            if metric == SKILL and clipped
            else ""
        )
    )


# -- common ------------------------------------------------------------------------------------------------


def _new(name: str, title: str, height: float = 3.2) -> tuple[Drawing, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return Drawing(name, title, "", figure), figure.add_subplot()


def _strongest_first(axes: Sequence[Axis], summary: Summary) -> list[Axis]:
    done = [one for one in summary.searched if one.difference is not None]
    return sorted(axes, key=lambda axis: -effect(axis, done, _differences(done)))


def _names(summary: Summary) -> tuple[str, ...]:
    return tuple(axis.name for axis in summary.axes)


def _differences(evaluations: Sequence[Evaluation]) -> list[float]:
    return [one.difference for one in evaluations if one.difference is not None]


def _coordinate_of(axis: Axis | None) -> Callable[[Evaluation], Any]:
    """Return where an evaluation stands on `axis`; without one, its number."""
    if axis is None:
        return lambda one: one.number
    return lambda one: axis.coordinate(one.point.get(axis.name))


def _set_axis(axes: Axes, axis: Axis | None, which: str) -> None:
    """Give the x or y side of `axes` the range, scale, ticks and name of a hyperparameter."""
    side = axes.xaxis if which == "x" else axes.yaxis
    if axis is None:
        axes.set_xlabel("evaluation")
        side.get_major_locator().set_params(integer=True)
        return
    if axis.log:
        axes.set(**{f"{which}scale": "log"})
    side.set_view_interval(axis.edges[0], axis.edges[-1], ignore=True)
    axes.set(**{f"{which}lim": (axis.edges[0], axis.edges[-1]), f"{which}label": _clip(axis.name)})
    if axis.discrete:
        _value_ticks(side, axis, which)
    else:
        _plain_ticks(side)


def _value_ticks(side: Any, axis: Axis, which: str) -> None:
    every = max(1, -(-len(axis.values) // 20))
    labels = [_clip(show(value), 16) for value in axis.values[::every]]
    crowded = which == "x" and sum(len(label) + 2 for label in labels) > 44
    side.set_ticks(
        range(0, len(axis.values), every),
        labels,
        **({"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if crowded else {}),
    )


def _plain_ticks(side: Any) -> None:
    """Write numbers as people do. matplotlib's own labels on a log scale are formulas, which are off here."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if side.get_scale() == "log":
        low, high = sorted(side.get_view_interval())
        # Within two decades the powers of ten alone leave an axis almost without numbers.
        side.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,), numticks=8))
        side.set_minor_formatter(NullFormatter())
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _finish(axes: Axes, summary: Summary) -> None:
    differences = _differences(summary.searched)
    if not differences:
        axes.set_yticks([])
        axes.annotate("no evaluation has succeeded", (0.5, 0.5), xycoords="axes fraction", ha="center")
    elif max(differences) == min(differences):
        axes.margins(y=0.5)
    axes.set_ylabel(_objective(summary))
    axes.grid(True, axis="y")
    _legend(axes)


def _legend(axes: Axes) -> None:
    labels = axes.get_legend_handles_labels()[1]
    if labels:
        fits = sum(len(label) + 5 for label in labels) <= 60
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(labels) if fits else 2,
            borderaxespad=0.2,
            handletextpad=0.4,
            handlelength=1.5,
            columnspacing=1.1,
        )


def _objective(summary: Summary) -> str:
    symbol = f"{summary.symbol}, " if summary.symbol and summary.kind == "cmp" else ""
    unit = f" ({summary.unit})" if summary.unit else ""
    return textwrap.fill(_clip(f"{symbol}{summary.objective}", 48) + unit, 36)


def _clip(text: str, length: int = 28) -> str:
    """Return `text` on one line, cut where it is too long."""
    text = " ".join(words.printable(text).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
