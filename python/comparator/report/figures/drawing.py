"""What every figure is made of: the drawing with its marks, its colours, its axes and their words."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from comparator.findings.axes import Axis, show
from comparator.findings.summary import EvaluationSummary, Summary, effect
from comparator.report import words

# matplotlib is imported where it is used, and its stubs change from version to version.
Figure: TypeAlias = Any
Axes: TypeAlias = Any
Artist: TypeAlias = Any

# The same colours mean the same thing everywhere. The page replaces these by its own, light or dark.
INK, MUTED, FAINT, PAPER = "#1f2328", "#6a737d", "#d8dee4", "#fffffe"
MODELS = ("#0072b2", "#d55e00")  # Okabe and Ito: told apart by colour-blind readers
MEAN, FAILED = "#009e73", "#a40e26"
SHADES = ("#8d96a0", "#b9c1c9")  # of what has no meaning but to be told from its neighbour
DIFFERENCE = "viridis"
METRIC = "RdBu_r"  # red high, blue low, white at the median; dark at both ends
MARKERS = ("o", "s")

WIDTH = 4.7  # inches; narrow enough that the text is still read on a phone
MANY = 2000  # marks; beyond, they are drawn as an image inside the SVG

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

    `marks` maps the gid of an artist to its marks, in the order in which the artist draws its items; `lines`
    are the gids of those whose items are open lines. `section` is the page's section that it stands in. Drawings
    that show the same in several ways have a `choice` each (which way, out of which set), and stand in the page in
    one place.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)
    section: str = "figures"
    place: str = ""
    choice: Choice | None = None

    def mark(self, artist: Artist, marks: Sequence[Mark], lines: bool = False) -> None:
        """Give the items of `artist` their marks."""
        gid = f"{self.name}-{len(self.marks)}"
        artist.set_gid(gid)
        # Some versions of matplotlib draw one item of an artist that has none.
        artist.set_visible(bool(marks))
        self.marks[gid] = list(marks)
        if lines:
            self.lines.add(gid)


@dataclass(frozen=True)
class Choice:
    """One way to show a figure: `own` out of the set `scale`; choosing it chooses it in all figures of the set."""

    of: str
    label: str


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the report's style, whatever the user's own matplotlib settings."""
    import matplotlib
    from matplotlib import style as styles

    with styles.context("default"), matplotlib.rc_context(STYLE):
        yield


def new_drawing(name: str, title: str, height: float = 3.2) -> tuple[Drawing, Axes]:
    """Return an empty figure of the report's width, and its axes."""
    from matplotlib.figure import Figure

    from comparator.report.figures.layout import Fitted

    figure = Figure(figsize=(WIDTH, height), layout=Fitted())
    return Drawing(name, title, "", figure), figure.add_subplot()


def colour_bar(drawing: Drawing, scale: Any, extend: str, label: str) -> Any:
    """Put the bar of a `scale` of colours (a ScalarMappable) right of a drawing's axes, and return it."""
    bar = drawing.figure.colorbar(scale, cax=drawing.figure.add_axes((0.9, 0.1, 0.03, 0.8)), extend=extend)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


# -- evaluations -------------------------------------------------------------------------------------------


def names_of(summary: Summary) -> tuple[str, ...]:
    """Return the names of the hyperparameters that vary."""
    return tuple(axis.name for axis in summary.axes)


def differences_of(evaluations: Sequence[EvaluationSummary]) -> list[float]:
    """Return the differences of the evaluations that have one."""
    return [one.difference for one in evaluations if one.difference is not None]


def strongest_first(axes: Sequence[Axis], summary: Summary) -> list[Axis]:
    """Return the axes by the share of the difference's variance that each explains alone."""
    done = summary.points
    return sorted(axes, key=lambda axis: -effect(axis, done, differences_of(done)))


def coordinate_of(axis: Axis | None) -> Callable[[EvaluationSummary], Any]:
    """Return where an evaluation stands on `axis`; without one, its number."""
    if axis is None:
        return lambda one: one.number
    return lambda one: axis.coordinate(one.point.get(axis.name))


def scatter_evaluations(
    drawing: Drawing, axes: Axes, summary: Summary, place: Callable[[EvaluationSummary], Any], size: float = 7
) -> None:
    """Draw a small dot for each evaluation that succeeded."""
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
    drawing.mark(points, [mark_of(one, summary) for one in done])


def mark_of(one: EvaluationSummary, summary: Summary) -> Mark:
    """Return what a mark says that stands for one evaluation."""
    said = one.status if one.difference is None else show(one.difference)
    return Mark(f"evaluation {one.number}: {said}\n{words.point(one, names_of(summary))}", (one.number,))


def failed_ticks(drawing: Drawing, axes: Axes, summary: Summary, place: Callable[[EvaluationSummary], Any]) -> None:
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


# -- axes --------------------------------------------------------------------------------------------------


def set_axis(axes: Axes, axis: Axis | None, which: str) -> None:
    """Give the x or y side of `axes` the range, scale, ticks and name of a hyperparameter."""
    side = axes.xaxis if which == "x" else axes.yaxis
    if axis is None:
        axes.set_xlabel("evaluation")
        side.get_major_locator().set_params(integer=True)
        return
    if axis.log:
        axes.set(**{f"{which}scale": "log"})
    side.set_view_interval(axis.edges[0], axis.edges[-1], ignore=True)
    axes.set(**{f"{which}lim": (axis.edges[0], axis.edges[-1]), f"{which}label": clip(axis.name)})
    if axis.discrete or axis.at:
        _value_ticks(side, axis, which)
    else:
        plain_ticks(side)


def _value_ticks(side: Any, axis: Axis, which: str) -> None:
    places = axis.at or range(len(axis.values))
    every = max(1, -(-len(places) // (11 if axis.at else 20)))
    labels = [clip(axis.label(number), 16) for number in range(0, len(places), every)]
    crowded = which == "x" and sum(len(label) + 2 for label in labels) > 44
    turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    side.set_ticks(list(places)[::every], labels, **turned)
    side.set_ticks([], minor=True)


def plain_ticks(side: Any) -> None:
    """Write numbers as people do. matplotlib's own labels on a log scale are formulas, which are off here."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if side.get_scale() == "log":
        low, high = sorted(side.get_view_interval())
        # Within two decades the powers of ten alone leave an axis almost without numbers.
        side.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,), numticks=8))
        side.set_minor_formatter(NullFormatter())
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def finish(axes: Axes, summary: Summary) -> None:
    """Give `axes`, whose height is the difference, its label, grid and legend."""
    differences = differences_of(summary.searched)
    if not differences:
        axes.set_yticks([])
        axes.annotate("no evaluation has succeeded", (0.5, 0.5), xycoords="axes fraction", ha="center")
    elif max(differences) == min(differences):
        axes.margins(y=0.5)
    axes.set_ylabel(objective_label(summary))
    axes.grid(True, axis="y")
    legend(axes)


def legend(axes: Axes) -> None:
    """Put the legend, if there is anything to tell, above the axes."""
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


def objective_label(summary: Summary) -> str:
    """Return the objective's symbol, name and unit, broken into lines."""
    symbol = f"{summary.symbol}, " if summary.symbol and summary.kind == "cmp" else ""
    unit = f" ({summary.unit})" if summary.unit else ""
    return textwrap.fill(clip(f"{symbol}{summary.objective}", 48) + unit, 36)


def clip(text: str, length: int = 28) -> str:
    """Return `text` on one line, cut where it is too long."""
    text = " ".join(words.printable(text).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
